from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.evaluate.disclosure import predicates
from semblance.evaluate.disclosure.predicates import (
    FURTHER,
    LESS,
    MORE,
    SAME,
    Predicates,
    isolating,
    several_columns,
    shortest,
    single_columns,
    singled,
)

NAN = np.nan
RECORDS = np.array([[1.0, 0], [2, 0], [3, 1], [NAN, 1], [-5, 1]])


def made(*conditions):
    column, sign, value = (np.array(side) for side in zip(*[zip(*one, strict=True) for one in conditions], strict=True))
    return Predicates(column, sign, value.astype(float))


def brute(some, records):
    found = []
    for columns, signs, values in zip(some.column, some.sign, some.value, strict=True):
        met = np.ones(len(records), dtype=bool)
        for j, sign, value in zip(columns, signs, values, strict=True):
            x = records[:, j]
            same = np.isnan(x) if np.isnan(value) else x == value
            met &= True if j < 0 else {LESS: x <= value, MORE: x >= value, SAME: same}[sign]
        found.append(int(np.flatnonzero(met)[0]) if met.sum() == 1 else -1)
    return found


def test_who_is_singled_out_by_hand():
    none = (-1, SAME, 0.0)
    some = made(
        [(0, MORE, 3.0), none],
        [(0, LESS, 1.0), (1, SAME, 0.0)],
        [(0, SAME, NAN), none],
        [(0, LESS, -1.0), (1, SAME, 1.0)],
        [(1, SAME, 1.0), none],
        [(0, SAME, 9.0), none],
    )
    assert singled(some, RECORDS).tolist() == [2, 0, 3, 4, -1, -1]
    assert shortest(some, RECORDS).tolist() == [1, 2, 1, 1, 0, 0]


@pytest.mark.parametrize("n", [1, 63, 64, 65, 300])
def test_bits_agree_with_brute_force(n, monkeypatch):
    rng = stream(n, "bits")
    records = np.stack([rng.normal(size=n), rng.integers(0, 5, n), rng.integers(0, 3, n) * 1.5], axis=1)
    records[rng.random(records.shape) < 0.1] = NAN
    some = several_columns(records, np.array([False, True, False]), 80, rng=rng)
    expected = brute(some, records)
    assert singled(some, records).tolist() == expected
    monkeypatch.setattr(predicates, "BYTES", 1)
    assert singled(some, records).tolist() == expected


@pytest.mark.parametrize("kind", [single_columns, several_columns])
def test_every_kept_predicate_isolates_one_record(kind):
    rng = stream(1, "isolate")
    records = np.concatenate([rng.normal(size=(200, 6)), rng.integers(0, 4, (200, 3))], axis=1)
    some = isolating(kind, records, np.repeat([False, True], [6, 3]), 50, rng=rng)
    assert len(some) == 50
    assert (np.array(brute(some, records)) >= 0).all()
    length = shortest(some, records)
    assert ((some.column >= 0).sum(axis=1) <= length + FURTHER).all()


def test_dates_and_negative_numbers_single_out():
    """A peer's query is empty for dates and so meets nobody, without a word."""
    seconds = 1.6e9 + 86_400.0 * np.arange(100)
    records = np.stack([seconds, -np.arange(100.0)], axis=1)
    some = isolating(single_columns, records, np.array([False, False]), 500, rng=stream(0, "dates"))
    assert set(singled(some, records)) == set(range(100))


def test_records_that_are_all_alike_isolate_nobody():
    records = np.ones((30, 2))
    for kind in (single_columns, several_columns):
        assert len(isolating(kind, records, np.array([False, True]), 20, rng=stream(0, "alike"))) == 0
    assert singled(made([(0, SAME, 1.0)]), np.empty((0, 2))).tolist() == [-1]
