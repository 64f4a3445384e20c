import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.table.generators.collapse import JUDGED_FROM, Monitor
from semblance.modalities.table.generators.dense import Span

SPANS = (Span(0, 1, "scalar", "age"), Span(1, 5, "onehot", "stage"), Span(5, 7, "onehot", "sex"))


def packed(n: int, seed: int) -> np.ndarray:
    """A number that tells the stage, and a sex that is independent of both."""
    rng = stream(seed, "packed")
    age = rng.normal(size=n)
    stage = np.digitize(age, [-1, 0, 1])
    return np.column_stack([age, stage, rng.integers(0, 2, n)]).astype(np.float32)


MONITOR = Monitor(SPANS, packed(5000, 0))


def test_records_of_the_same_distribution_are_alike() -> None:
    seen = MONITOR.measure(packed(2000, 1))
    assert min(seen.coverage, seen.joint, seen.entropy, seen.distinct) > 0.9
    assert set(seen.columns) == {"age", "stage", "sex"}
    assert not seen.collapsed


def test_one_record_again_and_again_is_a_collapse() -> None:
    seen = MONITOR.measure(np.repeat(packed(1, 1), 2000, axis=0))
    assert seen.entropy == 0
    assert seen.collapsed
    with pytest.raises(DataError, match="'x' collapsed: its records cover"):
        seen.refuse_collapse(name="x", steps=JUDGED_FROM)
    seen.refuse_collapse(name="x", steps=JUDGED_FROM - 1)


def test_a_lost_value_costs_its_share() -> None:
    drawn = packed(2000, 1)
    drawn[:, 2] = 0
    seen = MONITOR.measure(drawn)
    assert seen.columns["sex"] == pytest.approx(0.5, abs=0.03)
    assert seen.columns["age"] > 0.95
    assert not seen.collapsed


def test_pairs_see_what_columns_do_not() -> None:
    drawn = packed(2000, 1)
    drawn[:, 1] = stream(2, "order").permutation(drawn[:, 1])
    seen, fair = MONITOR.measure(drawn), MONITOR.measure(packed(2000, 1))
    assert seen.coverage == fair.coverage
    assert seen.joint < fair.joint - 0.15


def test_what_is_no_number_is_measured_and_not_alike() -> None:
    seen = MONITOR.measure(np.full((2000, 3), np.nan, dtype=np.float32))
    assert seen.collapsed


def test_a_column_that_never_varies_has_nothing_to_lose() -> None:
    flat = np.zeros((50, 1), dtype=np.float32)
    seen = Monitor((Span(0, 2, "onehot", "a"),), flat).measure(flat)
    assert (seen.coverage, seen.joint, seen.entropy, seen.distinct) == (1, 1, 1, 1)
