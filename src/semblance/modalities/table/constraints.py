"""`[[constraints]]` of the schema file as parsed, checked against the columns that are there and against each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from semblance.core.constraint import CONSTRAINTS, Condition, Constraint
from semblance.core.errors import Problem
from semblance.modalities.table.said import as_number, is_bound, unknown

KINDS = (*CONSTRAINTS, "range")
_KEYS: dict[str, tuple[str, ...]] = {
    "inequality": ("low", "high"),
    "ordered": ("columns",),
    "combinations": ("columns",),
    "dependency": ("parents", "child"),
    "sum": ("parts", "total"),
    "one-hot": ("columns",),
    "implication": ("if",),
    "predicate": ("name", "holds"),
    "range": ("column",),
}
_MORE: dict[str, tuple[str, ...]] = {
    "inequality": ("strict",),
    "ordered": ("strict",),
    "combinations": ("rows",),
    "implication": ("then", "then_not"),
    "range": ("min", "max"),
}
_FEWEST = {"columns": 2, "parts": 2, "parents": 1}


def check(said: Any, names: Sequence[str]) -> tuple[tuple[Constraint, ...], dict[str, dict[str, Any]], list[Problem]]:
    """The constraints of `said`, the bounds that its ranges give to columns, and every problem."""
    if not isinstance(said, list | tuple) or not all(isinstance(entry, Mapping) for entry in said):
        return (), {}, [Problem("'constraints' is no list of tables", "[[constraints]] opens each", "write it so")]
    rules, bounds, problems = [], dict[str, dict[str, Any]](), list[Problem]()
    for i, entry in enumerate(said):
        wrong = list(_problems(entry, names))
        problems += [Problem(f"constraint {i + 1}: {p.found}", p.rule, p.fix, p.column) for p in wrong]
        if not wrong and entry["kind"] == "range":
            bounds.setdefault(entry["column"], {}).update({k: entry[k] for k in ("min", "max") if k in entry})
        elif not wrong:
            rules.append(_rule(entry))
    return tuple(rules), bounds, [*problems, *contradictions(rules)]


def _problems(entry: Mapping[str, Any], names: Sequence[str]) -> Iterator[Problem]:
    kind = entry.get("kind")
    if "kind" not in entry:
        yield Problem("no 'kind'", f"a constraint has a kind, one of {', '.join(KINDS)}", "add kind")
        return
    if kind not in KINDS:
        yield unknown(str(kind), KINDS, "kind", where="a constraint")
        return
    wanted, more = _KEYS[kind], _MORE.get(kind, ())
    for key in entry:
        if key not in ("kind", *wanted, *more):
            yield unknown(key, ("kind", *wanted, *more), "key", where=f"a constraint of kind {kind}")
    for key in wanted:
        if key not in entry:
            yield Problem(f"no '{key}'", f"{kind} has {', '.join(wanted)}", f"add {key}")
    yield from _malformed(entry)
    if kind == "range" and not {"min", "max"} & entry.keys():
        yield Problem("no 'min' and no 'max'", "a range has one or both", "add one")
    if kind == "implication" and len({"then", "then_not"} & entry.keys()) == 0:
        yield Problem("no 'then' and no 'then_not'", "an implication has one or both", "add one")
    yield from _columns(entry, names)


def _malformed(entry: Mapping[str, Any]) -> Iterator[Problem]:
    for key in _FEWEST.keys() & entry.keys():
        if not _are_names(entry[key]) or len(entry[key]) < _FEWEST[key]:
            yield Problem(f"'{key}' is no list of names", f"{_FEWEST[key]} or more columns", f'{key} = ["a", "b"]')
    for key in {"low", "high", "column", "child", "total"} & entry.keys():
        if not isinstance(entry[key], str):
            yield Problem(f"'{key}' is no name of a column", f'{key} = "a"', "correct it")
    if not isinstance(entry.get("strict", False), bool):
        yield Problem("'strict' is neither true nor false", "strict = true", "correct it")
    for key in {"min", "max"} & entry.keys():
        if not is_bound(entry[key]):
            yield Problem(f"'{key}' is no number or date", f"{key} = 3", "correct it")
    if "rows" in entry and not _are_rows(entry["rows"], entry.get("columns", ())):
        yield Problem("'rows' is no list of combinations", "a value for each column", 'rows = [["I10", 1], ["I50", 2]]')
    if "holds" in entry and not callable(entry["holds"]):
        yield Problem("'holds' is no function", "a predicate is declared in Python, not in a file", "give a function")
    for key in {"if", "then", "then_not"} & entry.keys():
        if not isinstance(entry[key], Mapping) or not entry[key]:
            yield Problem(f"'{key}' is no table of columns", f'{key} = {{sex = "M"}}', "correct it")
        elif not all(_is_said(value) for value in entry[key].values()):
            yield Problem(f"'{key}' says nothing of a column", "a value, a list, or {min = 1, max = 2}", "correct it")


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _are_rows(value: Any, columns: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) > 0
        and all(isinstance(row, list | tuple) and len(row) == len(columns) for row in value)
        and all(isinstance(cell, str | int | float) and not isinstance(cell, bool) for row in value for cell in row)
    )


def _is_said(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and value.keys() <= {"min", "max"} and all(map(is_bound, value.values()))
    listed = value if isinstance(value, list | tuple) else [value]
    return len(listed) > 0 and all(isinstance(v, str | int | float | date) for v in listed)


def _columns(entry: Mapping[str, Any], names: Sequence[str]) -> Iterator[Problem]:
    asked = [name for name in _named(entry) if isinstance(name, str)]
    for name in dict.fromkeys(asked):
        if name not in names:
            yield unknown(name, names, "column", where="a constraint")
    if len(set(asked)) < len(asked):
        yield Problem("a column stands there twice", "each column once", "remove the repeat")


def _named(entry: Mapping[str, Any]) -> Iterator[Any]:
    for key in ("low", "high", "column", "child", "total", "columns", "parents", "parts"):
        value = entry.get(key, ())
        yield from value if isinstance(value, list | tuple) else (value,)
    said = [entry[key] for key in ("if", "then", "then_not") if isinstance(entry.get(key), Mapping)]
    yield from dict.fromkeys(name for conditions in said for name in conditions)


def _rule(entry: Mapping[str, Any]) -> Constraint:
    kind = entry["kind"]
    if kind == "predicate":
        return Constraint(kind, name=str(entry["name"]), holds=entry["holds"])
    if kind == "implication":
        when, then, never = (
            tuple(_condition(name, value) for name, value in entry.get(key, {}).items())
            for key in ("if", "then", "then_not")
        )
        return Constraint(kind, when=when, then=then, never=never)
    given = [entry[key] for key in _KEYS[kind]]
    columns = tuple(name for value in given for name in ([value] if isinstance(value, str) else value))
    return Constraint(kind, columns, entry.get("strict", False), tuple(map(tuple, entry.get("rows", ()))))


def _condition(name: str, value: Any) -> Condition:
    if isinstance(value, Mapping):
        return Condition(name, min=as_number(value.get("min")), max=as_number(value.get("max")))
    listed = value if isinstance(value, list | tuple) else [value]
    return Condition(name, tuple(v if isinstance(v, str | bool) else _as_float(as_number(v)) for v in listed))


def _as_float(value: float | None) -> float:
    return 0.0 if value is None else value


# Rules that no record can keep together


def contradictions(rules: Iterable[Constraint]) -> list[Problem]:
    """Orders and sums that go in a circle, and columns that two constraints decide."""
    rules = list(rules)
    sums = {rule.columns[-1]: set(rule.columns[:-1]) for rule in rules if rule.kind == "sum"}
    above: dict[str, set[str]] = {}
    for rule in rules:
        if rule.kind in ("inequality", "ordered"):
            for j, name in enumerate(rule.columns):
                above.setdefault(name, set()).update(rule.columns[:j])
    return [*_circles(above, "orders"), *_circles(sums, "sums"), *_decided_twice(rules)]


def _circles(below: Mapping[str, set[str]], what: str) -> Iterator[Problem]:
    """One problem for each set of columns of which every one is below itself."""
    reach = {name: _reached(name, below) for name in below}
    circles = {frozenset(other for other in reach[name] if name in reach.get(other, ())) for name in below}
    for circle in sorted(sorted(circle) for circle in circles if circle):
        listed = ", ".join(f"'{name}'" for name in circle)
        yield Problem(f"{what} of {listed} go in a circle", "no column comes before itself", "leave one of them out")


def _reached(name: str, below: Mapping[str, set[str]]) -> set[str]:
    seen, waiting = set[str](), [name]
    while waiting:
        fresh = below.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting += fresh
    return seen


def _decided_twice(rules: Sequence[Constraint]) -> Iterator[Problem]:
    """Columns that are a sum and also something else that fixes them."""
    totals = [rule.columns[-1] for rule in rules if rule.kind == "sum"]
    joint = {name for rule in rules if rule.kind in ("combinations", "dependency", "one-hot") for name in rule.columns}
    for name in dict.fromkeys(totals):
        if totals.count(name) > 1 or name in joint:
            yield Problem("two constraints decide it", "at most one restores a column", "leave one of them out", name)
