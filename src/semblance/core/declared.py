"""What the person declared about records that are more than a row of a table: the schema file as parsed, checked as far
as no data is needed for it. Each modality adds a table of its own keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import inf, nan
from typing import Any

from semblance.core.errors import Problem
from semblance.core.modality import ReadOptions
from semblance.core.names import names_patients
from semblance.core.schema import ROLES

_COHORT = ("id", "n_public")
_COLUMN = ("kind", "role", "min", "max", "categories", "na", "protected", "quasi")
_KINDS = ("numeric", "integer", "categorical", "ordinal", "boolean", "code", "identifier", "text")

Rules = Mapping[str, tuple[Callable[[Any], bool], str]]
"""Of each key, whether a value will do, and the rule in words."""


@dataclass(frozen=True)
class Common:
    """What is declared of records of any modality: who and what is told of them, and, for differential privacy, the
    `cohort` and its public number of patients."""

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
        left = ("drop", "key")
        return tuple(dict.fromkeys(name for name in wanted if self.columns.get(name, {}).get("role") not in left))

    def na_of(self, column: str) -> set[str]:
        """The texts that mean missing in a column."""
        own = self.columns.get(column, {}).get("na", ())
        return {*self.na, *((own,) if isinstance(own, str) else map(str, own))}


def check(options: ReadOptions, *, own: str, rules: Rules) -> tuple[dict[str, Any], Mapping[str, Any], list[Problem]]:
    """What is declared for all modalities, then what [own] declares under its `rules`, then every problem.

    The first holds the fields of `Common`. Neither holds anything where there are problems.
    """
    given = options.declared if options.declared is not None else {}
    top = ("cohort", "na", own, "columns")
    problems = [unknown(key, top, "key") for key in given if key not in top]
    tables = {name: given.get(name, {}) for name in ("cohort", own, "columns")}
    odd = [name for name, value in tables.items() if not isinstance(value, Mapping)]
    problems += [Problem(f"'{n}' is no TOML table", f"[{n}] opens a table", f"write [{n}] above its keys") for n in odd]
    cohort, said, columns = (table if isinstance(table, Mapping) else {} for table in tables.values())
    problems += [unknown(key, _COHORT, "key", where="[cohort]") for key in cohort if key not in _COHORT]
    problems += _check_own(said, own, rules)
    for name, column in columns.items():
        problems += _check_column(name, column)
    problems += _check_roles(options, columns)
    na = given.get("na", ())
    if not (isinstance(na, str) or (isinstance(na, list | tuple) and all(isinstance(token, str) for token in na))):
        problems.append(Problem("na is no list of texts", 'na lists tokens: na = ["?"]', "correct it"))
    if not _is_count(cohort.get("n_public", 1)):
        problems.append(Problem("n_public is no count", "[cohort] n_public is a whole number from 1", "correct it"))
    if problems:
        return {}, {}, problems
    return _common(options, columns, cohort, (na,) if isinstance(na, str) else tuple(na)), said, []


def _common(options: ReadOptions, columns: Any, cohort: Any, na: tuple[str, ...]) -> dict[str, Any]:
    roles = {said["role"]: name for name, said in columns.items() if said.get("role") in ("subject", "target")}
    subject = options.subject if options.subject is not None else roles.get("subject")
    return {
        "subject": subject,
        "target": options.target if options.target is not None else roles.get("target"),
        "columns": {name: said for name, said in columns.items() if name != subject},
        "na": tuple(dict.fromkeys((*na, *(options.na if options.na is not None else ())))),
        "cohort": None if cohort.get("id") is None else str(cohort["id"]),
        "n_public": cohort.get("n_public"),
    }


def is_text(value: Any) -> bool:
    """Whether it is a text that is not empty."""
    return isinstance(value, str) and bool(value)


def is_texts(value: Any) -> bool:
    """Whether it lists different texts."""
    return isinstance(value, list | tuple) and all(map(is_text, value)) and len(set(value)) == len(value)


def is_number(value: Any) -> bool:
    """Whether it is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_categories(value: Any) -> bool:
    plain = isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value)
    return plain and len({str(v) for v in value}) == len(value)


_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "min": (is_number, "a number"),
    "max": (is_number, "a number"),
    "categories": (_is_categories, "a list of different texts or numbers"),
    "na": (lambda value: isinstance(value, str) or _is_categories(value), "a text or a list of texts"),
    "protected": (lambda value: isinstance(value, bool), "true or false"),
    "quasi": (lambda value: isinstance(value, bool), "true or false"),
}


def _check_own(said: Mapping[str, Any], own: str, rules: Rules) -> list[Problem]:
    odd = [unknown(key, rules, "key", where=f"[{own}]") for key in said if key not in rules]
    return odd + [
        Problem(f"[{own}] {key} is not {rule}", f"{key} is {rule}", "correct it")
        for key, (fine, rule) in rules.items()
        if key in said and not fine(said[key])
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


def undeclared_columns(columns: Mapping[str, Mapping[str, Any]], named: Iterable[str]) -> list[Problem]:
    """The columns of which it is not declared what they may hold, as differential privacy asks."""
    rule, problems = "under differential privacy nothing is looked up in records: what is public is declared", []
    for name in named:
        told = columns.get(name, {})
        numeric = told.get("kind") in ("numeric", "integer")
        fine = -inf < told.get("min", nan) < told.get("max", nan) < inf if numeric else bool(told.get("categories"))
        if not fine:
            fix = "min and max" if numeric else "categories, or kind with min and max"
            problems.append(Problem("what it may hold is not declared", rule, f"declare {fix}", name))
    return problems


def untold_patients(names: Iterable[str], subject: str | None) -> list[Problem]:
    """The columns of which nothing is learned and whose names say that they tell patients, where no `subject` is
    declared: a patient is protected with all its records, or not at all. Their values are not looked at."""
    rule = "differential privacy is of patients, with all records of each"
    return [
        Problem(
            "by its name it tells patients, and no column is declared to",
            rule,
            f'[columns."{name}"] role = "subject"; or role = "key", where it tells anything else',
            name,
        )
        for name in dict.fromkeys(names)
        if subject is None and names_patients(name)
    ]


def unknown(name: str, known: Any, what: str, *, where: str = "the schema") -> Problem:
    """The problem of a name that is none of those known, with the nearest one."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    fix = (f"did you mean '{near[0]}'? " if near else "") + f"one of: {', '.join(list(known)[:20])}"
    return Problem(f"no {what} '{name}'", f"{where} names a {what} as it is spelt", fix)
