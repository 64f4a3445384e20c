"""Declared constraints as relations: checked against schema and records, and kept by construction where it goes.

Combinations, dependencies and one-hots over common columns become one joint; orders that end in one column become one
step above the highest of the lower ones. An order that would have to restore what something else restores is only
looked at, as an implication and a predicate are: records that break it are drawn again.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from semblance.core.constraint import Condition, Constraint
from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.schema import Schema
from semblance.modalities.table.constraints import contradictions
from semblance.modalities.table.data import Table
from semblance.modalities.table.relations import rules
from semblance.modalities.table.relations.above import Above
from semblance.modalities.table.relations.computed import Sum
from semblance.modalities.table.relations.joint import Joint
from semblance.modalities.table.relations.kept import Relations, in_order
from semblance.modalities.table.relations.relation import Relation

JOINT = ("combinations", "dependency", "one-hot")


def declared(train: Table, *, rare: int, limit: int) -> Relations:
    """The relations that a table's schema declares. A combination needs `rare` patients, of `limit` at most.

    Raises UsageError for constraints that fit no column or not each other, and DataError for those that records break.
    """
    check(train)
    frame, said = train.frame, train.schema.constraints
    fixed: list[Relation] = [
        Joint.fit(train.schema, frame, names, train.subjects, rare=rare, limit=limit)
        for names in _groups(said, train.schema)
    ]
    fixed += [Sum.fit(train.schema, frame, r.columns[-1], r.columns[:-1]) for r in said if r.kind == "sum"]
    parts, checks = list(fixed), list[Relation]()
    for above in _aboves(train):
        owned = {name for part in parts for name in part.owns}
        (checks if above.high in owned or in_order([*parts, above]) is None else parts).append(above)
    return Relations(in_order(parts) or (), tuple(checks))


def check(train: Table) -> None:
    """Raise every problem that the declared constraints and bounds have with the columns, and then with the records."""
    wrong = [p for rule in train.schema.constraints for p in _misfits(rule, train.schema)]
    wrong += contradictions(train.schema.constraints)
    if wrong:
        raise UsageError(*wrong)
    broken = [*_broken(train), *_outside(train)]
    if broken:
        raise DataError(*broken)


def _misfits(rule: Constraint, schema: Schema) -> Iterator[Problem]:
    """Columns that are not learned, or of a kind that the rule can say nothing about."""
    for name in rule.names:
        if not schema[name].learned:
            yield Problem(f"{rule} names it", "a constraint ties columns that are learned", "leave it out", name)
    points = [schema[name] for name in rule.columns if schema[name].continuous]
    dates = sum(column.kind == "date" for column in points)
    if rule.kind in ("inequality", "ordered") and (len(points) < len(rule.columns) or dates not in (0, len(points))):
        yield Problem(f"{rule} mixes kinds", "an order is one of numbers, or one of dates", "declare their kind")
    if rule.kind == "sum" and (len(points) < len(rule.columns) or dates):
        yield Problem(f"{rule} ties what is no number", "a sum is one of numbers", "declare their kind")
    for said in (*rule.when, *rule.then, *rule.never):
        if _odd(said, schema):
            yield Problem(
                f"{said} does not fit its kind {schema[said.column].kind}",
                "texts for labels; numbers or dates, and min and max, for numbers and dates",
                "correct it",
                said.column,
            )


def _odd(said: Condition, schema: Schema) -> bool:
    if schema[said.column].continuous:
        return any(isinstance(value, str | bool) for value in said.values)
    return not said.values


def _broken(train: Table) -> Iterator[Problem]:
    for rule in train.schema.constraints:
        count, frame = int(rules.broken(rule, train).sum()), train.frame
        if rule.kind == "combinations" and rule.rows:
            count = int(_unlisted(rule, train).sum())
        if rule.kind == "one-hot":
            for name in rule.columns:
                if (rules.ones(frame, train.schema[name]) == 2).any():
                    yield Problem("values other than 0 and 1", f"{rule}", "leave it out of the constraint", name)
        if count:
            yield Problem(
                f"{count} of {len(train)} records break a constraint",
                f"{rule}",
                "correct these records, or leave the constraint out",
            )


def _unlisted(rule: Constraint, table: Table) -> np.ndarray:
    """(n,) bool: the records whose combination is not listed; what is missing breaks nothing."""
    known = np.logical_and.reduce([table.frame[name].notna().to_numpy() for name in rule.columns])
    found: np.ndarray = known & Joint.declared(table.schema, rule.columns, rule.rows).broken(table.frame)
    return found


def _outside(train: Table) -> Iterator[Problem]:
    for column in train.schema.learned:
        if column.continuous and column.bound == "declared":
            count = int(rules.outside(column, train.frame).sum())
            if count:
                yield Problem(
                    f"{count} of {len(train)} records lie outside the declared bounds",
                    "min <= value <= max",
                    "correct these records, or widen the bounds",
                    column.name,
                )


def _groups(said: tuple[Constraint, ...], schema: Schema) -> list[tuple[str, ...]]:
    """The columns of each joint, in the table's order: rules that share a column share a joint."""
    groups: list[set[str]] = []
    for rule in said:
        if rule.kind in JOINT:
            meets = [group for group in groups if group.intersection(rule.columns)]
            groups = [group for group in groups if group not in meets] + [set(rule.columns).union(*meets)]
    return [tuple(name for name in schema.names if name in group) for group in groups]


def _aboves(train: Table) -> list[Above]:
    """One relation for each column that is declared above others."""
    lows: dict[str, dict[str, bool]] = {}
    for rule in train.schema.constraints:
        if rule.kind in ("inequality", "ordered"):
            for j, high in enumerate(rule.columns[1:], start=1):
                below = lows.setdefault(high, {})
                below.update({name: rule.strict or below.get(name, False) for name in rule.columns[:j]})
    return [
        Above.fit(train.schema, train.frame, high, tuple(below), tuple(n for n, strict in below.items() if strict))
        for high, below in lows.items()
    ]


def broken(table: Table, relations: Relations) -> np.ndarray:
    """(n,) bool: the records of a table that break a declared constraint or bound."""
    found = relations.broken(table.frame, n=len(table))
    for rule in table.schema.constraints:
        if rule.kind in ("one-hot", "implication", "predicate"):
            found |= rules.broken(rule, table)
        elif rule.rows:
            found |= _unlisted(rule, table)
    for column in table.schema.learned:
        if column.continuous and (column.min is not None or column.max is not None):
            found |= rules.outside(column, table.frame)
    return found
