"""Which records break a declared constraint. What is missing breaks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from semblance.core.constraint import Condition, Constraint
from semblance.core.errors import UsageError
from semblance.core.schema import Column, Schema
from semblance.modalities.table.relations.above import Above
from semblance.modalities.table.relations.computed import Sum
from semblance.modalities.table.relations.relation import Frame, labels, numbers

if TYPE_CHECKING:
    from semblance.modalities.table.data import Table

TRUE, FALSE = frozenset(("true", "yes", "y", "t", "1", "1.0")), frozenset(("false", "no", "n", "f", "0", "0.0"))


def broken(rule: Constraint, table: Table) -> np.ndarray:
    """(n,) bool: the records of a table that break a rule. Raises UsageError for a predicate that cannot be asked."""
    schema, frame = table.schema, table.frame
    if rule.kind in ("inequality", "ordered"):
        return np.any([above.broken(frame) for above in orders(rule, schema, frame)], axis=0)
    if rule.kind == "sum":
        return Sum.fit(schema, frame, rule.columns[-1], rule.columns[:-1]).broken(frame)
    if rule.kind == "dependency":
        return _disagrees(frame, schema, rule.columns)
    if rule.kind == "one-hot":
        return _not_one(np.column_stack([ones(frame, schema[name]) for name in rule.columns]))
    if rule.kind == "implication":
        return _implication(rule, schema, frame)
    return _predicate(rule, table) if rule.kind == "predicate" else np.zeros(len(table), dtype=bool)


def orders(rule: Constraint, schema: Schema, frame: Frame) -> tuple[Above, ...]:
    """What an inequality or an order says of each column: it is above all before it."""
    before = [(name, rule.columns[:j]) for j, name in enumerate(rule.columns) if j]
    return tuple(Above.fit(schema, frame, name, lows, lows if rule.strict else ()) for name, lows in before)


def outside(column: Column, frame: Frame) -> np.ndarray:
    """(n,) bool: the records outside the bounds of a column of numbers."""
    values = numbers(frame, column.name)
    low, high = (-np.inf if column.min is None else column.min), (np.inf if column.max is None else column.max)
    beyond: np.ndarray = (values < low) | (values > high)
    return beyond


def ones(frame: Frame, column: Column) -> np.ndarray:
    """(n,) 1 and 0 of a column, NaN for missing; anything else is 2."""
    if column.continuous:
        values = numbers(frame, column.name)
        return np.where(np.isnan(values) | np.isin(values, (0, 1)), values, 2.0)
    drawn = labels(frame, column.name)
    of = [2.0 - (t in TRUE) - 2 * (t in FALSE) for t in (str(c).strip().lower() for c in drawn.categories)]
    found: np.ndarray = np.array([*of, np.nan])[np.asarray(drawn.codes)]
    return found


def _not_one(each: np.ndarray) -> np.ndarray:
    total, known = np.nansum(each, axis=1), ~np.isnan(each).any(axis=1)
    broken: np.ndarray = (total > 1) | (known & (total != 1))
    return broken


def _disagrees(frame: Frame, schema: Schema, columns: tuple[str, ...]) -> np.ndarray:
    """(n,) bool: the records whose child is not the most common one among their parents' records."""
    *parents, child = columns
    codes = pd.DataFrame({name: _codes(frame, schema[name]) for name in columns})
    count = codes.groupby(list(columns), sort=False, observed=True)[child].transform("size")
    most = count.groupby([codes[name] for name in parents], sort=False).transform("max")
    first = codes[child].where(count == most).groupby([codes[name] for name in parents], sort=False).transform("first")
    known = (codes >= 0).all(axis=1)
    broken: np.ndarray = (known & (codes[child] != first)).to_numpy()
    return broken


def _codes(frame: Frame, column: Column) -> np.ndarray:
    if column.continuous:
        return pd.factorize(numbers(frame, column.name))[0]
    return np.asarray(labels(frame, column.name).codes, dtype=np.int64)


def _implication(rule: Constraint, schema: Schema, frame: Frame) -> np.ndarray:
    applies = np.all([_met(one, schema, frame)[0] for one in rule.when], axis=0)
    wrong = [known & ~met for met, known in (_met(one, schema, frame) for one in rule.then)]
    wrong += [_met(one, schema, frame)[0] for one in rule.never]
    broken: np.ndarray = applies & np.any(wrong, axis=0)
    return broken


def _met(said: Condition, schema: Schema, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool each: the records that meet a condition, and those that know the column."""
    column = schema[said.column]
    if column.continuous:
        values = numbers(frame, said.column)
        listed = [float(v) for v in said.values if not isinstance(v, str)]
        inside = (values >= _or(said.min, -np.inf)) & (values <= _or(said.max, np.inf))
        return (np.isin(values, listed) if said.values else inside), ~np.isnan(values)
    drawn = labels(frame, said.column)
    of = [any(_matches(str(text), value) for value in said.values) for text in drawn.categories]
    return np.array([*of, False])[np.asarray(drawn.codes)], np.asarray(drawn.codes) >= 0


def _or(bound: float | None, default: float) -> float:
    return default if bound is None else bound


def _matches(text: str, value: str | float | bool) -> bool:
    if isinstance(value, bool):
        return text.strip().lower() in (TRUE if value else FALSE)
    if isinstance(value, str):
        return text.startswith(value[:-1]) if value.endswith("*") else text == value
    return text == f"{value:g}"


def _predicate(rule: Constraint, table: Table) -> np.ndarray:
    if rule.holds is None:
        raise UsageError.of(
            f"the predicate '{rule.name}' is not here",
            rule="a predicate is a function, and is not saved: a loaded model cannot hold its records against it",
            fix="sample in the session that learned the model, or leave the predicate out and learn again",
        )
    try:
        holds = np.asarray(rule.holds(table.to_pandas()))
    except Exception as error:  # whatever a person's function may raise; its text may hold a value
        raise UsageError.of(
            f"the predicate '{rule.name}' failed ({type(error).__name__})",
            rule="it takes a data frame in the source's types and tells for each record whether it holds",
            fix="try it on semblance.read(...).to_pandas()",
        ) from None
    if holds.shape != (len(table),) or holds.dtype != bool:
        raise UsageError.of(
            f"the predicate '{rule.name}' gave {holds.dtype} of shape {holds.shape}",
            rule="one truth value for each record",
            fix="return a column of booleans",
        )
    return ~holds
