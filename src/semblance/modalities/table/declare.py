"""What the person declared about a table: the schema file as parsed, checked against the columns that are there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from semblance.core.constraint import Constraint
from semblance.core.errors import Problem
from semblance.core.modality import ReadOptions
from semblance.core.schema import KINDS, MEASURE, ROLES
from semblance.modalities.table import constraints, dates
from semblance.modalities.table.listing import is_listed, listed
from semblance.modalities.table.said import as_number, is_bound, unknown

__all__ = ["FLAGS", "Declared", "as_number", "check", "is_bound"]

MEASURABLE = ("min", "max", "categories")
FLAGS = frozenset(("protected", "quasi"))  # what the judges shall know; they decide nothing about a column
_TOP = ("cohort", "na", "columns", "constraints")
_COHORT = ("id", "n_public")
_COLUMN = ("kind", "role", "min", "max", "categories", "na", "date_format", "source", "protected", "quasi")


@dataclass(frozen=True)
class Declared:
    """The declarations that hold. `columns` maps a column's name to what was said of it, but for what is `asked` to be
    measured; `counted` says that n_public is."""

    cohort: str | None = None
    n_public: int | None = None
    counted: bool = False
    na: tuple[str, ...] | None = None
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    measures: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def asked(self, name: str) -> frozenset[str]:
        """Which of "min", "max" and "categories" of a column are to be measured."""
        return self.measures.get(name, frozenset())

    def of(self, name: str) -> Mapping[str, Any]:
        """What was said of a column; empty where nothing was."""
        return self.columns.get(name, {})

    def tokens(self, name: str) -> tuple[str, ...] | None:
        """The missing tokens declared for a column, or for all; None where they are to be detected."""
        own = self.of(name).get("na")
        return self.na if own is None else (own,) if isinstance(own, str) else tuple(own)


def check(options: ReadOptions, names: tuple[str, ...], *, private: bool = False) -> tuple[Declared, list[Problem]]:
    """The declarations of `options`, with every problem that they have. `names` are the columns of the data.

    Only a `private` reader measures what is declared as "measured".
    """
    given = options.declared if options.declared is not None else {}
    problems = [unknown(key, _TOP, "key") for key in given if key not in _TOP]
    cohort, columns = given.get("cohort", {}), given.get("columns", {})
    problems += _check_tables(cohort=cohort, columns=columns)
    if problems:
        return Declared(), [*problems, *_check_options(options, names)]
    problems += [unknown(key, _COHORT, "key", where="[cohort]") for key in cohort if key not in _COHORT]
    asked = _asked(columns)
    counted = cohort.get("n_public") == MEASURE
    problems += [] if private else _unpaid(asked, counted)
    if not counted and not _is_count(cohort.get("n_public", 1)):
        problems.append(Problem("n_public is no count", "[cohort] n_public is a whole number from 1", "correct it"))
    problems += [unknown(name, names, "column") for name in columns if name not in names]
    for name, said in columns.items():
        problems += _check_column(name, said)
    na, wrong = _tokens(given.get("na"), options.na)
    problems += wrong + _check_options(options, names) + _check_roles(options, columns)
    rules, bounds, wrong = constraints.check(given.get("constraints", ()), names)
    settled = _with_bounds(_with_roles(columns, options), bounds)
    public = None if counted else cohort.get("n_public")
    cohort_id = _text(cohort.get("id"))
    return Declared(cohort_id, public, counted, na, settled, rules, asked), problems + wrong


def _asked(columns: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Of each column what is to be measured, where anything is."""
    found = {
        name: frozenset(key for key, value in said.items() if _is_asked(key, value))
        for name, said in columns.items()
        if isinstance(said, Mapping)
    }
    return {name: keys for name, keys in found.items() if keys}


def _unpaid(asked: Mapping[str, frozenset[str]], counted: bool) -> list[Problem]:
    rule = "what is measured privately is paid for from the budget of a run under differential privacy"
    fix = "add --epsilon, or leave the key out: it is then read off the records"
    found = [Problem(f'{" and ".join(sorted(keys))} = "{MEASURE}"', rule, fix, name) for name, keys in asked.items()]
    return found + [Problem(f'[cohort] n_public = "{MEASURE}"', rule, fix)] * counted


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _check_tables(**tables: Any) -> list[Problem]:
    return [
        Problem(f"'{name}' is no TOML table", f"[{name}] opens a table", f"write [{name}] and its keys below")
        for name, value in tables.items()
        if not isinstance(value, Mapping)
    ]


def _tokens(declared: Any, given: tuple[str, ...] | None) -> tuple[tuple[str, ...] | None, list[Problem]]:
    if declared is not None and not _is_texts(declared):
        return given, [Problem("na is no list of texts", 'na lists tokens: na = ["?"]', "correct it")]
    both = [*([declared] if isinstance(declared, str) else declared or ()), *(given or ())]
    return (tuple(dict.fromkeys(both)) if both or declared is not None or given is not None else None), []


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(v, str) for v in value))


def _check_options(options: ReadOptions, names: tuple[str, ...]) -> list[Problem]:
    asked = {"--subject": options.subject, "--target": options.target}
    problems = [
        unknown(name, names, "column", where=flag)
        for flag, name in asked.items()
        if name is not None and name not in names
    ]
    if options.subject is not None and options.subject == options.target:
        problems.append(
            Problem(
                "--subject and --target name one column",
                "a patient's name cannot be predicted",
                "choose another target",
            )
        )
    return problems


def _check_column(name: str, said: Any) -> list[Problem]:
    if not isinstance(said, Mapping):
        return [Problem("no TOML table", f'[columns."{name}"] opens a table', "write its keys below it", name)]
    problems = [unknown(key, _COLUMN, "key", where=f'[columns."{name}"]') for key in said if key not in _COLUMN]
    for key, known in (("kind", KINDS), ("role", ROLES)):
        if key in said and said[key] not in known:
            problems.append(unknown(str(said[key]), known, key, where=f'[columns."{name}"]'))
    problems += [
        Problem(f"{key} is not {_VALUES[key][1]}", f"{key} is {_VALUES[key][1]}", "correct it", name)
        for key in _wrong(said)
    ]
    if _rows_of(said) and not is_listed(said["categories"]):
        rule = 'a row of codes is "V01..V91": the same beginning twice, and a number that grows'
        problems.append(Problem("categories hold a row that is none", rule, "correct it", name))
    if said.get("kind") == "ordinal" and said.get("categories") == MEASURE:
        fix = 'categories = [...], or kind = "categorical"'
        problems.append(Problem("an ordinal without an order", "measured categories have none", fix, name))
    if said.get("kind") == "text" and said.get("role", "drop") != "drop":
        problems.append(
            Problem(
                "free text with a role", "free text is never learned", 'role = "drop", or kind = "categorical"', name
            )
        )
    return problems


def _rows_of(said: Mapping[str, Any]) -> bool:
    """Whether a column is one of codes, which may be listed in rows."""
    return said.get("kind") == "code" and "categories" in said and _is_categories(said["categories"])


def _wrong(said: Mapping[str, Any]) -> list[str]:
    """The keys whose value is of the wrong sort."""
    return [
        key
        for key, (fine, _) in _VALUES.items()
        if key in said and not fine(said[key]) and not _is_asked(key, said[key])
    ]


def _is_asked(key: str, value: Any) -> bool:
    return key in MEASURABLE and isinstance(value, str) and value == MEASURE


def _is_format(value: Any) -> bool:
    return isinstance(value, str) and dates.is_format(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_categories(value: Any) -> bool:
    if not isinstance(value, list | tuple) or not all(
        isinstance(v, str | int | float) and not isinstance(v, bool) for v in value
    ):
        return False
    return len({str(v) for v in value}) == len(value)


_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "min": (is_bound, "a number or a date"),
    "max": (is_bound, "a number or a date"),
    "na": (_is_texts, "a text or a list of texts"),
    "date_format": (_is_format, "a strptime format, such as %Y-%m-%d"),
    "categories": (_is_categories, "a list of different texts or numbers"),
    "protected": (_is_flag, "true or false"),
    "quasi": (_is_flag, "true or false"),
}


def _check_roles(options: ReadOptions, columns: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for role, asked in (("subject", options.subject), ("target", options.target)):
        said = [n for n, c in columns.items() if isinstance(c, Mapping) and c.get("role") == role]
        if len(dict.fromkeys([*said, *([asked] if asked is not None else [])])) > 1:
            problems.append(
                Problem(f"several columns are declared as {role}", f"at most one is the {role}", f"keep one {role}")
            )
    return problems


def _with_roles(columns: Mapping[str, Any], options: ReadOptions) -> dict[str, Mapping[str, Any]]:
    merged: dict[str, Mapping[str, Any]] = {
        name: {k: value for k, value in said.items() if k not in _wrong(said) and not _is_asked(k, value)}
        for name, said in columns.items()
        if isinstance(said, Mapping)
    }
    for column, said in merged.items():
        if _rows_of(said) and is_listed(said["categories"]):
            merged[column] = {**said, "categories": listed(said["categories"])}
    for role, name in (("subject", options.subject), ("target", options.target)):
        if name is not None:
            merged[name] = {**merged.get(name, {}), "role": role}
    return merged


def _with_bounds(
    columns: dict[str, Mapping[str, Any]], bounds: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """The declarations with the bounds of `range` constraints, which are another way to write `min` and `max`."""
    return {**columns, **{name: {**columns.get(name, {}), **said} for name, said in bounds.items()}}
