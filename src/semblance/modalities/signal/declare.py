"""What the person declared about recordings: the schema file as parsed, checked as far as no data is needed for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from semblance.core.errors import Problem
from semblance.core.modality import ReadOptions
from semblance.core.schema import ROLES

_TOP = ("cohort", "na", "signal", "columns")
_COHORT = ("id", "n_public")
_COLUMN = ("kind", "role", "min", "max", "categories", "na", "protected", "quasi")
_KINDS = ("numeric", "integer", "categorical", "ordinal", "boolean", "code", "identifier", "text")
LAYOUTS = ("wide", "long", "leads x samples", "samples x leads")


@dataclass(frozen=True)
class Said:
    """The declarations that hold.

    `rate` (Hz) is that of data which tells none; `resample` (Hz) the one that all are brought to, `assumed`
    (Hz) that of further data where neither the data nor the person tells one. `leads` are the names
    of the leads, in order; `units` the unit of all, or of each by name. `layout` is one of LAYOUTS; `time`, `record`,
    `lead`, `value` and `state` name columns of a table of samples. `states` are texts that are states for sure.
    """

    rate: float | None = None
    resample: float | None = None
    assumed: float | None = None
    leads: tuple[str, ...] | None = None
    units: str | Mapping[str, str] | None = None
    layout: str | None = None
    annotator: str = "atr"
    states: tuple[str, ...] = ()
    time: str | None = None
    record: str | None = None
    lead: str | None = None
    value: str | None = None
    state: str | None = None
    subject: str | None = None
    target: str | None = None
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    na: tuple[str, ...] = ()
    cohort: str | None = None
    n_public: int | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The facts that the person named, and so wants: columns, and the target."""
        wanted = (*self.columns, *((self.target,) if self.target is not None else ()))
        return tuple(dict.fromkeys(name for name in wanted if self.columns.get(name, {}).get("role") != "drop"))

    def unit(self, lead: str) -> str | None:
        """The declared unit of a lead."""
        return self.units if self.units is None or isinstance(self.units, str) else self.units.get(lead)


def check(options: ReadOptions) -> tuple[Said, list[Problem]]:
    """The declarations of `options`, with every problem that they have."""
    given = options.declared if options.declared is not None else {}
    problems = [unknown(key, _TOP, "key") for key in given if key not in _TOP]
    tables = {name: given.get(name, {}) for name in ("cohort", "signal", "columns")}
    odd = [name for name, value in tables.items() if not isinstance(value, Mapping)]
    problems += [Problem(f"'{n}' is no TOML table", f"[{n}] opens a table", f"write [{n}] above its keys") for n in odd]
    cohort, signal, columns = (table if isinstance(table, Mapping) else {} for table in tables.values())
    problems += [unknown(key, _COHORT, "key", where="[cohort]") for key in cohort if key not in _COHORT]
    problems += _check_signal(signal)
    for name, said in columns.items():
        problems += _check_column(name, said)
    problems += _check_roles(options, columns)
    na = given.get("na", ())
    if not (isinstance(na, str) or (isinstance(na, list | tuple) and all(isinstance(token, str) for token in na))):
        problems.append(Problem("na is no list of texts", 'na lists tokens: na = ["?"]', "correct it"))
    if not _is_count(cohort.get("n_public", 1)):
        problems.append(Problem("n_public is no count", "[cohort] n_public is a whole number from 1", "correct it"))
    if problems:
        return Said(), problems
    return _said(options, signal, columns, cohort, (na,) if isinstance(na, str) else tuple(na)), []


def _said(options: ReadOptions, signal: Any, columns: Any, cohort: Any, na: tuple[str, ...]) -> Said:
    roles = {said["role"]: name for name, said in columns.items() if said.get("role") in ("subject", "target")}
    subject = options.subject if options.subject is not None else roles.get("subject")
    target = options.target if options.target is not None else roles.get("target")
    lists = {key: tuple(signal[key]) for key in ("leads", "states") if key in signal}
    rates = {key: float(signal[key]) for key in ("rate", "resample") if key in signal}
    tokens = tuple(dict.fromkeys((*na, *(options.na if options.na is not None else ()))))
    identifier = None if cohort.get("id") is None else str(cohort["id"])
    return Said(
        **{**signal, **lists, **rates},
        subject=subject,
        target=target,
        columns={name: said for name, said in columns.items() if name != subject},
        na=tokens,
        cohort=identifier,
        n_public=cohort.get("n_public"),
    )


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value)) and len(set(value)) == len(value)


def _is_units(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, Mapping) and all(map(_is_text, value.values())))


_SIGNAL: dict[str, tuple[Callable[[Any], bool], str]] = {
    "rate": (_is_rate, "a number of samples per second, above 0"),
    "resample": (_is_rate, "a number of samples per second, above 0"),
    "leads": (_is_texts, "a list of different texts"),
    "states": (_is_texts, "a list of different texts"),
    "units": (_is_units, 'a text, or a table such as { II = "mV" }'),
    "layout": (lambda value: value in LAYOUTS, f"one of {', '.join(LAYOUTS)}"),
    "annotator": (_is_text, "the suffix of the annotation files, such as atr"),
    **{key: (_is_text, "the name of a column") for key in ("time", "record", "lead", "value", "state")},
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_categories(value: Any) -> bool:
    plain = isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value)
    return plain and len({str(v) for v in value}) == len(value)


_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "min": (_is_number, "a number"),
    "max": (_is_number, "a number"),
    "categories": (_is_categories, "a list of different texts or numbers"),
    "na": (lambda value: isinstance(value, str) or _is_categories(value), "a text or a list of texts"),
    "protected": (lambda value: isinstance(value, bool), "true or false"),
    "quasi": (lambda value: isinstance(value, bool), "true or false"),
}


def _check_signal(signal: Mapping[str, Any]) -> list[Problem]:
    odd = [unknown(key, _SIGNAL, "key", where="[signal]") for key in signal if key not in _SIGNAL]
    return odd + [
        Problem(f"[signal] {key} is not {rule}", f"{key} is {rule}", "correct it")
        for key, (fine, rule) in _SIGNAL.items()
        if key in signal and not fine(signal[key])
    ]


def _check_column(name: str, said: Any) -> list[Problem]:
    where = f'[columns."{name}"]'
    if not isinstance(said, Mapping):
        return [Problem("no TOML table", f"{where} opens a table", "write its keys below it", name)]
    problems = [unknown(key, _COLUMN, "key", where=where) for key in said if key not in _COLUMN]
    for key, known in (("kind", _KINDS), ("role", ROLES)):
        if key in said and said[key] not in known:
            problems.append(unknown(str(said[key]), known, key, where=where))
    return problems + [
        Problem(f"{key} is not {rule}", f"{key} is {rule}", "correct it", name)
        for key, (fine, rule) in _VALUES.items()
        if key in said and not fine(said[key])
    ]


def _check_roles(options: ReadOptions, columns: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for role, asked in (("subject", options.subject), ("target", options.target)):
        said = [name for name, c in columns.items() if isinstance(c, Mapping) and c.get("role") == role]
        if len({*said, *((asked,) if asked is not None else ())}) > 1:
            problems.append(Problem(f"several columns are the {role}", "at most one is", f"keep one {role}"))
    if options.subject is not None and options.subject == options.target:
        rule = "a patient's name cannot be predicted"
        problems.append(Problem("--subject and --target name one column", rule, "choose another target"))
    return problems


def unknown(name: str, known: Any, what: str, *, where: str = "the schema") -> Problem:
    """The problem of a name that is none of those known, with the nearest one."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    fix = (f"did you mean '{near[0]}'? " if near else "") + f"one of: {', '.join(list(known)[:20])}"
    return Problem(f"no {what} '{name}'", f"{where} names a {what} as it is spelt", fix)
