import json

import numpy as np
import pytest
from scipy import stats

from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.codes import Numbers
from semblance.modalities.table.generators.scalars import Kind, Line, Scalar

COLUMN = Column("x", "numeric", decimals=2)


def fitted(values: np.ndarray, kind: Kind, *, spike: float = 0.05, rare: int = 5) -> Scalar:
    codes = Numbers.fit(values, np.arange(len(values)), COLUMN, rare=rare, tokens=128, bins=64)
    return Scalar.fit(codes, values, kind=kind, spike=spike)


def spiked(n: int = 4000) -> np.ndarray:
    """Missing in a tenth, zero in a third, two normal modes otherwise."""
    rng = stream(0)
    values = np.where(rng.random(n) < 0.5, rng.normal(10, 1, n), rng.normal(40, 4, n)).round(2)
    values[rng.random(n) < 1 / 3] = 0.0
    values[rng.random(n) < 0.1] = np.nan
    return values


@pytest.mark.parametrize("kind", ["modes", "scores"])
@pytest.mark.parametrize("spike", [0.05, 2.0])
def test_spikes_and_missing_values_come_back_exactly_the_rest_in_its_unit(kind: Kind, spike: float) -> None:
    values = spiked()
    column = fitted(values, kind, spike=spike)
    back = column.decode(*column.encode(values, stream(1)))
    assert np.array_equal(np.isnan(values), np.isnan(back))
    assert ((values == 0) == (back == 0))[~np.isnan(values)].all()
    apart = np.abs(values - back)[~np.isnan(values)]
    assert np.quantile(apart, 0.98) < 0.02
    assert np.allclose(back[~np.isnan(back)], np.round(back[~np.isnan(back)], 2), atol=0)


def test_scores_of_a_smooth_column_are_standard_normal() -> None:
    column = fitted(stream(0).exponential(3, 4000), "scores")
    state, real = column.encode(stream(2).exponential(3, 4000), stream(1))
    assert (state == 0).all()
    assert stats.kstest(real, "norm").statistic < 0.03


def test_modes_are_those_of_the_mixture() -> None:
    column = fitted(spiked(), "modes")
    assert column.modes is not None
    heavy = column.modes[np.abs(column.modes[:, 0] - 10).argmin()]
    assert heavy[0] == pytest.approx(10, abs=0.5)
    state, real = column.encode(np.array([np.nan, 0.0, 10.0, 40.0]), stream(1))
    assert state[:2].tolist() == [0, 1]
    assert (state[2:] >= column.first).all()
    assert np.abs(real).max() <= 1


def test_a_column_of_few_values_needs_no_number() -> None:
    column = fitted(np.repeat([1.0, 2.0, 3.0], 50), "modes")
    assert not column.scalar
    assert column.states == 3
    assert column.decode(*column.encode(np.array([3.0, 1.0]), stream(0))).tolist() == [3.0, 1.0]


def test_infinite_values_are_states() -> None:
    values = np.concatenate([[np.inf, -np.inf] * 10, np.linspace(0, 1, 400)])
    column = fitted(values, "scores", spike=2.0)
    back = column.decode(*column.encode(values, stream(0)))
    assert np.array_equal(np.isinf(values), np.isinf(back))
    assert np.isfinite(column.encode(values, stream(0))[1]).all()


def test_no_value_of_one_patient_stands_in_the_json_and_it_reads_back() -> None:
    values = np.concatenate([stream(0).normal(80, 12, 300).round(1), [683.27]])
    for kind in ("modes", "scores"):
        column = fitted(values, kind)
        text = json.dumps(column.to_json())
        assert "683.27" not in text
        again = Scalar.from_json(json.loads(text), column.codes)
        one, two = (c.encode(values, stream(1)) for c in (column, again))
        assert np.array_equal(one[0], two[0])
        assert np.array_equal(one[1], two[1])


def test_a_line_jumps_at_tokens_and_is_straight_between_knots() -> None:
    line = Line.of(np.array([5.0]), np.array([0.5]), np.array([0.0, 10.0]), np.array([0.0, 0.5, 1.0]))
    assert line.share_of(np.array([0.0, 5.0, 10.0])) == pytest.approx([0.0625, 0.5, 0.9375])
    assert line.value_at(np.array([0.3, 0.5, 0.7])).tolist() == [5.0, 5.0, 5.0]
