"""Relations that nobody declared: those that all records keep and that chance would not have made.

A sample is looked at first, and what it suggests is verified on all records. Columns with a role of their own are never
computed from others, so that a model still learns them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from semblance.core.schema import Column
from semblance.modalities.table.codes import DAY, patients_of, unit_of
from semblance.modalities.table.data import Table
from semblance.modalities.table.relations.above import Above
from semblance.modalities.table.relations.calendar import Calendar, place_in
from semblance.modalities.table.relations.computed import Computed, Linear, Lookup, Sum
from semblance.modalities.table.relations.kept import Relations, in_order
from semblance.modalities.table.relations.line import line
from semblance.modalities.table.relations.relation import Relation, labels, numbers

LOOKED_AT = 1000
CHANCE = -50.0
"""A relation counts only where chance would make it with a log-probability below this."""
FEWEST = 30  # patients who know a column
COLUMNS = 100  # numbers among which sums are looked for
STRAIGHT = 0.99
RHYTHM = 1e-6  # p of a uniform week or year, above which weekdays or months are not kept
DAYS_OF_MONTHS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
WIDE = 31.0  # days of a bin, above which months are looked at


def find(train: Table, known: Relations, *, rare: int, bins: int, tokens: int) -> Relations:
    """The relations of a table: those that are `known`, and those that are found beside them."""
    if _patients(train, np.ones(len(train), dtype=bool)) < FEWEST:
        return known
    parts, found = list(known.parts), list[str]()
    with np.errstate(over="ignore", invalid="ignore"):  # huge numbers: what they overflow is found to be no relation
        for candidate in _candidates(train, parts, rare=rare, bins=bins, tokens=tokens):
            owned = {name for part in parts for name in part.owns}
            if owned.isdisjoint(candidate.owns) and in_order([*parts, candidate]) is not None:
                parts.append(candidate)
                found += candidate.owns
    return Relations(in_order(parts) or (), known.checks, tuple(found))


def _candidates(train: Table, parts: list[Relation], *, rare: int, bins: int, tokens: int) -> Iterator[Relation]:
    """One after the other: `parts` grows in between with those that are taken."""
    looked = train.take(np.unique(np.linspace(0, len(train) - 1, min(len(train), LOOKED_AT)).astype(np.int64)))
    for search in (_conversions, _sums):
        yield from search(train, looked, parts)
    yield from _lookups(train, looked, parts, rare=rare)
    yield from _durations(train, parts, rare=rare)
    yield from _calendars(train, parts, rare=rare, bins=bins, tokens=tokens)


def _free(train: Table, parts: list[Relation], *kinds: str) -> list[Column]:
    """The columns of these kinds that no relation owns yet and of which no value is infinite."""
    owned = {name for part in parts for name in part.owns}
    columns = [c for c in train.schema.learned if c.kind in kinds and c.name not in owned]
    return [c for c in columns if not np.isinf(numbers(train.frame, c.name)).any()]


def _patients(train: Table, records: np.ndarray) -> int:
    """How many patients these (n,) records belong to."""
    return int(np.count_nonzero(np.bincount(train.subjects[records])))


def _unlikely(train: Table, child: np.ndarray, *, free: int) -> bool:
    """Whether chance would not give these values of a child. It may choose those of `free` patients."""
    known = ~np.isnan(child)
    patients = _patients(train, known)
    if patients < FEWEST:
        return False
    most = np.unique(child[known], return_counts=True)[1].max() / known.sum()
    return bool((patients - free) * np.log(most) < CHANCE)


def _exact(relation: Computed, train: Table) -> bool:
    """Whether a relation gives back every value, and leaves nothing open."""
    child = numbers(train.frame, relation.child)
    return bool(np.array_equal(relation.computed(train.frame), child, equal_nan=True))


# Conversions of units


def _conversions(train: Table, looked: Table, parts: list[Relation]) -> Iterator[Relation]:
    """Pairs of numbers, and of dates, that lie on a line and are missing together."""
    for kinds in (("integer", "numeric"), ("date",)):
        columns = _free(train, parts, *kinds)
        gone = set[str]()
        for i, j in _straight(np.column_stack([numbers(looked.frame, c.name) for c in columns] or [np.zeros(0)])):
            parent, child = (columns[i], columns[j]) if columns[j].role == "feature" else (columns[j], columns[i])
            if child.role != "feature" or gone & {parent.name, child.name}:
                continue
            relation = _conversion(train, looked, parent, child)
            if relation is not None:
                gone.add(child.name)
                yield relation


def _straight(values: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of columns of a sample that are known together and correlate nearly perfectly."""
    known = ~np.isnan(values)
    count = known.sum(axis=0).clip(1)
    filled = np.where(known, values, 0.0)
    centred = np.where(known, values - filled.sum(axis=0) / count, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(spread > 0, spread, 1)
    together = (known.T.astype(np.float32) @ known) == np.minimum.outer(count, count)
    together &= np.equal.outer(count, count)
    i, j = np.nonzero(np.triu((np.abs(unit.T @ unit) > STRAIGHT) & together, k=1))
    return list(zip(i.tolist(), j.tolist(), strict=True))


def _conversion(train: Table, looked: Table, parent: Column, child: Column) -> Linear | None:
    x, y = numbers(train.frame, parent.name), numbers(train.frame, child.name)
    if (np.isnan(x) != np.isnan(y)).any() or not _unlikely(train, y, free=2):
        return None
    # Here and below as fine as any record (rare=1): a computed column has to give back every value.
    unit, known = unit_of(child, y, rare=1), ~np.isnan(x)
    fitted = line(x[known], y[known], unit=unit, whole=child.kind == "date")
    return None if fitted is None else Linear(child.name, unit, (), parent.name, *fitted)


# Sums


def _sums(train: Table, looked: Table, parts: list[Relation]) -> Iterator[Relation]:
    """Numbers that are the sum of others, among records that know them all."""
    columns = _free(train, parts, "integer", "numeric")[:COLUMNS]
    values = np.column_stack([numbers(looked.frame, c.name) for c in columns] or [np.zeros(len(looked))])
    chosen = _complete(values)
    values = values[~np.isnan(values[:, chosen]).any(axis=1)][:, chosen]
    for total, members in _dependent(values):
        child, names = columns[chosen[total]], tuple(columns[chosen[i]].name for i in members)
        if child.role != "feature" or not _unlikely(train, numbers(train.frame, child.name), free=len(names)):
            continue
        relation = Sum(child.name, unit_of(child, numbers(train.frame, child.name), rare=1), (), names)
        if _exact(relation, train):
            yield relation


def _complete(values: np.ndarray) -> list[int]:
    """Columns of which enough records know all: the one that is missing most often is left out in turn."""
    chosen = list(np.argsort(np.isnan(values).mean(axis=0), kind="stable"))
    while chosen and (~np.isnan(values[:, chosen]).any(axis=1)).sum() < 2 * len(chosen) + 10:
        chosen.pop()
    return sorted(int(i) for i in chosen)


def _dependent(values: np.ndarray) -> Iterator[tuple[int, list[int]]]:
    """(total, parts) of columns: each is set against those before it that do not depend on each other."""
    base, independent = np.zeros((len(values), 0)), list[int]()
    for j in range(values.shape[1] if len(values) else 0):
        own = values[:, j]
        rest = own - base @ (base.T @ own)
        rest -= base @ (base.T @ rest)
        if np.linalg.norm(rest) > 1e-8 * np.linalg.norm(own):
            base, independent = np.column_stack([base, rest / np.linalg.norm(rest)]), [*independent, j]
        elif independent and own.any():
            weights = np.linalg.lstsq(values[:, independent], own, rcond=None)[0]
            yield from _as_sum(j, independent, weights)


def _as_sum(column: int, others: list[int], weights: np.ndarray) -> Iterator[tuple[int, list[int]]]:
    """The equation column = weights @ others as a sum, if its weights are ones and one side has a single term."""
    whole = np.round(weights)
    if np.abs(weights - whole).max() > 1e-5 or np.abs(whole).max() > 1:
        return
    plus = [others[i] for i in np.flatnonzero(whole > 0)]
    minus = [others[i] for i in np.flatnonzero(whole < 0)]
    if len(plus) > 1 and not minus:
        yield column, plus
    elif len(plus) == 1 and minus:
        yield plus[0], [column, *minus]


# Numbers that a label decides


def _lookups(train: Table, looked: Table, parts: list[Relation], *, rare: int) -> Iterator[Relation]:
    """Numbers that have one value for each value of a column of labels."""
    labelled = [c for c in train.schema.learned if not c.continuous]
    for child in _free(train, parts, "integer", "numeric"):
        if child.role == "feature":
            for parent in labelled:
                relation = _lookup(train, looked, parent, child, rare=rare)
                if relation is not None:
                    yield relation
                    break


def _lookup(train: Table, looked: Table, parent: Column, child: Column, *, rare: int) -> Lookup | None:
    if _one_each(looked, parent, child) is None:
        return None
    first = _one_each(train, parent, child)
    if first is None or not _unlikely(train, numbers(train.frame, child.name), free=len(first)):
        return None
    values, drawn = numbers(train.frame, child.name), labels(train.frame, parent.name)
    codes = np.asarray(drawn.codes, dtype=np.int64)
    size = len(drawn.categories)
    kept = patients_of(np.where(codes < 0, size, codes), train.subjects, size + 1) >= rare
    held = [code for code in np.unique(codes).tolist() if kept[code]]
    texts = tuple(None if code < 0 else str(drawn.categories[code]) for code in held)
    if not any(text is not None for text in texts):
        return None
    listed = tuple(_known(first[code]) for code in held)
    unit = unit_of(child, values, rare=1)
    return Lookup(child.name, unit, (), parent.name, texts, listed, _other(train, codes, held, values, rare))


def _one_each(table: Table, parent: Column, child: Column) -> dict[int, float] | None:
    """The child's value of each code of the parent (-1: missing); None where one has several."""
    codes = np.asarray(labels(table.frame, parent.name).codes, dtype=np.int64)
    values = numbers(table.frame, child.name)
    order = np.argsort(codes, kind="stable")
    codes, values = codes[order], values[order]
    same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    if not (same | (codes[1:] != codes[:-1])).all():
        return None
    held, first = np.unique(codes, return_index=True)
    return dict(zip(held.tolist(), values[first].tolist(), strict=True))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _other(train: Table, codes: np.ndarray, held: list[int], values: np.ndarray, rare: int) -> float | None:
    """The most common value where the parent's is rare; where none is common there, that of all records."""
    left = ~np.isin(codes, held)
    for part in (left, ~left):
        distinct, code = np.unique(values[part], return_inverse=True)
        count = patients_of(code, train.subjects[part], len(distinct))
        if len(count) and count.max() >= rare:
            return _known(distinct[np.argmax(count)])
    return None


# Dates


def _durations(train: Table, parts: list[Relation], *, rare: int) -> Iterator[Relation]:
    """Dates that are never before others."""
    columns = _free(train, parts, "date")
    lows: dict[str, list[str]] = {}
    for a, b in combinations(columns, 2):
        for low, high in ((a, b), (b, a)):
            if _never_before(train, low.name, high.name):
                lows.setdefault(high.name, []).append(low.name)
                break
    for name, below in lows.items():
        relation = Above.fit(train.schema, train.frame, name, tuple(below), (), rare=rare)
        if len(relation.fields) == 1:
            yield relation


def _never_before(train: Table, low: str, high: str) -> bool:
    """Whether no record has `high` before `low`, though pairs made at random would."""
    x, y = numbers(train.frame, low), numbers(train.frame, high)
    both = ~np.isnan(x) & ~np.isnan(y)
    patients = _patients(train, both)
    if patients < FEWEST or (x[both] > y[both]).any() or (~np.isnan(y) & np.isnan(x)).any():
        return False
    by_chance = np.searchsorted(np.sort(x[both]), y[both], side="right").mean() / both.sum()
    return bool(patients * np.log(by_chance) < CHANCE)


def _calendars(train: Table, parts: list[Relation], *, rare: int, bins: int, tokens: int) -> Iterator[Relation]:
    """Dates with a rhythm that bins would blur: more days than have a code of their own, and a time of day."""
    for column in _free(train, parts, "date"):
        seconds = numbers(train.frame, column.name)
        timed = unit_of(column, seconds, rare=rare) < DAY
        kept = tuple(_rhythms(seconds[~np.isnan(seconds)], timed=timed, bins=bins, tokens=tokens))
        if kept:
            yield Calendar.fit(train.schema, train.frame, column.name, kept, rare=rare)


def _rhythms(seconds: np.ndarray, *, timed: bool, bins: int, tokens: int) -> Iterator[str]:
    days = np.floor(seconds / DAY)
    if len(np.unique(days)) <= tokens:
        return
    wide = np.subtract(*np.quantile(days, (0.99, 0.01))) / bins > WIDE
    for part, usual in (("weekday", np.ones(7)), *([("month", DAYS_OF_MONTHS)] if wide else [])):
        if _chance(np.bincount(place_in(days, part), minlength=len(usual)), usual) < RHYTHM:
            yield part
    if timed:
        yield "time"


def _chance(count: np.ndarray, usual: np.ndarray) -> float:
    """Pearson's chi-square test of counts against shares in proportion to `usual`: its p."""
    from scipy.special import chdtrc

    expected = count.sum() * usual / usual.sum()
    return float(chdtrc(len(usual) - 1, ((count - expected) ** 2 / expected).sum()))
