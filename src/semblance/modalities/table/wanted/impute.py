"""Partial records completed: what is missing is drawn given what is known, and what is known stays as it is.

A model knows the missing value as a value, and here it is not wanted. So the gaps of columns that can be missing are
filled first, one after the other without that code; where a record has several of them, a few candidates are drawn and
one is kept by importance, since the first gap must allow for the second not to be missing. Then all else is completed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from semblance.core.errors import DataError
from semblance.modalities.table.codes import Numbers
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import ColumnCodes, Encoding
from semblance.modalities.table.relations.joint import Joint
from semblance.modalities.table.wanted.joint import Conditional, pick_each, shares_given

CANDIDATES, ROUNDS = 8, 20


def impute(model: Conditional, encoding: Encoding, table: Table, *, rng: np.random.Generator) -> Table:
    """The records of `table` with every gap filled that the model can fill.

    A filled record that breaks a constraint is drawn anew, at most ROUNDS times. Raises DataError where one still does,
    as it must where what was given breaks the constraint by itself.
    """
    known = _known(encoding, table)
    made = _filled(model, encoding, table, known, rng=rng)
    for _ in range(ROUNDS):
        broken = np.flatnonzero(_broken(encoding, table, made))
        if not len(broken):
            return made
        again = _filled(model, encoding, table.take(broken), known[broken], rng=rng)
        made = _replaced(made, broken, again)
    if left := int(_broken(encoding, table, made).sum()):
        raise _beyond(table, left)
    return made


def _broken(encoding: Encoding, given: Table, made: Table) -> np.ndarray:
    """(n,) bool: the filled records that break a rule. A combination that was given whole may be rare."""
    joints = [part for part in encoding.relations.parts if isinstance(part, Joint)]
    others = tuple(part for part in encoding.relations.parts if not isinstance(part, Joint))
    gaps = given.frame.isna() & made.frame.notna()
    found = replace(encoding, relations=replace(encoding.relations, parts=others)).broken(made)
    for joint in joints:
        found = found | (joint.broken(made.frame) & gaps[list(joint.owns)].any(axis=1).to_numpy())
    broken: np.ndarray = found & gaps.any(axis=1).to_numpy()
    return broken


def _beyond(table: Table, count: int) -> DataError:
    return DataError.of(
        f"{count} of {len(table)} records break a constraint, however their gaps are filled",
        rule="; ".join(map(str, table.schema.constraints)) or "every value lies within its declared bounds",
        fix="correct what these records hold, give more of it, or leave them out",
    )


def _known(encoding: Encoding, table: Table) -> np.ndarray:
    """(n, fields) codes, -1 where nothing is known."""
    reduced = encoding.reduce(table)
    absent = np.column_stack([reduced[field.name].isna() for field in encoding.fields])
    return np.where(absent, -1, encoding.encode(table))


def _filled(
    model: Conditional, encoding: Encoding, table: Table, known: np.ndarray, *, rng: np.random.Generator
) -> Table:
    codes = model.complete(_present(model, encoding, known, rng=rng), rng=rng)
    coded = enumerate(zip(encoding.fields, encoding.columns, strict=True))
    drawn_anew = {field.name: pd.Series(coder.decode(codes[:, j], rng)) for j, (field, coder) in coded}
    held = encoding.reduce(table)  # exact, since other columns are computed from these
    values = {name: _over(held[name], drawn_anew[name]).array for name in drawn_anew}
    drawn = encoding.assemble(values, first_subject=0, rng=rng).frame
    frame = pd.DataFrame({name: _over(table.frame[name], drawn[name]) for name in table.frame})
    return Table(table.schema, frame, table.subjects, table.names)


def _present(model: Conditional, encoding: Encoding, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """`known` with the gaps filled of columns that can be missing."""
    masks = {j: mask for j, coder in enumerate(encoding.columns) if (mask := _held(coder)) is not None}
    gaps = sum(((known[:, j] < 0).astype(int) for j in masks), np.zeros(len(known), dtype=int))
    times = np.where(gaps > 1, CANDIDATES, 1)
    rows = np.repeat(np.arange(len(known)), times)
    drawn, weight = known[rows], np.ones(len(rows))
    for j in sorted(masks, key=lambda j: len(masks[j])):
        at = np.flatnonzero(drawn[:, j] < 0)
        if len(at):
            share = shares_given(model, drawn[at], j) * masks[j]
            weight[at] *= share.sum(1)
            drawn[at, j] = pick_each(share, rng=rng)
    return drawn[_one_each(weight, times, rng=rng)]


def _one_each(weight: np.ndarray, times: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) the position of one candidate of each record, in proportion to the weights."""
    starts = np.cumsum(times) - times
    place = np.minimum(np.arange(int(times.max(initial=1))), (times - 1)[:, None])
    held = np.where(np.arange(place.shape[1]) < times[:, None], weight[starts[:, None] + place], 0.0)
    return starts + np.minimum(pick_each(held, rng=rng), times - 1)


def _held(coder: ColumnCodes) -> np.ndarray | None:
    """(size,) 1 for codes that are no missing value; None where there is nothing to choose between."""
    missing = np.zeros(coder.size, dtype=bool)
    if isinstance(coder, Numbers):
        missing[:1] = coder.missing
    else:
        missing[:] = [token is None for token in coder.tokens]
    return None if not missing.any() or missing.all() else (~missing).astype(float)


def _over(given: pd.Series, drawn: pd.Series) -> pd.Series:
    """`given`, and `drawn` in its gaps."""
    gaps = given.isna().to_numpy()
    if not isinstance(given.dtype, pd.CategoricalDtype):
        return given.where(~gaps, drawn.to_numpy())
    both = union_categoricals([_unordered(given), _unordered(drawn)])
    n = len(given)
    return pd.Series(both.take(np.where(gaps, np.arange(n, 2 * n), np.arange(n))))


def _unordered(values: pd.Series) -> pd.Categorical:
    return pd.Categorical.from_codes(values.cat.codes.to_numpy(), categories=values.cat.categories.astype(object))


def _replaced(table: Table, rows: np.ndarray, by: Table) -> Table:
    frame = {}
    for name in table.frame:
        values = table.frame[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            both = union_categoricals([_unordered(values), _unordered(by.frame[name])])
            at = np.arange(len(values))
            at[rows] = len(values) + np.arange(len(rows))
            frame[name] = both.take(at)
        else:
            held = values.to_numpy().copy()
            held[rows] = by.frame[name].to_numpy()
            frame[name] = held
    return Table(table.schema, pd.DataFrame(frame, index=table.frame.index), table.subjects, table.names)
