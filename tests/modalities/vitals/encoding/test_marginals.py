from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.marginals import Marginal, nearest, scores


def test_scores_and_back_keep_the_distribution():
    rng = stream(0, "x")
    values, who = rng.gamma(2, 10, 5000).round(3), np.arange(5000)
    marginal = Marginal.of(values, who, rare=5, decimals=3)
    made = marginal.values(scores(values, rng=rng))
    assert not len(marginal.levels)
    assert np.allclose(np.quantile(made, [0.1, 0.5, 0.9]), np.quantile(values, [0.1, 0.5, 0.9]), rtol=0.02)


def test_values_go_no_further_than_enough_patients_do():
    values, who = (
        np.append(np.linspace(0, 100, 1000), [900, 901, 902, 903, 904, 905]),
        np.append(np.arange(1000), [1] * 6),
    )
    assert Marginal.of(values, who, rare=5, decimals=1).values(np.array([8.0]))[0] < 100


def test_few_patients_have_but_one_value_and_it_is_of_none_of_them():
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0])
    marginal = Marginal.of(values, np.arange(9), rare=5, decimals=3)
    made = marginal.values(np.linspace(-3, 3, 50))
    assert np.allclose(made, values.mean(), atol=1e-3)
    assert not set(made) & set(values)


def test_of_fewer_than_rare_patients_nothing_is_learned():
    marginal = Marginal.of(np.arange(400.0), np.arange(400) % 4, rare=5, decimals=3)
    assert not len(marginal.knots) and not len(marginal.levels)
    assert np.isnan(marginal.values(np.zeros(3))).all()


def test_every_knot_is_of_enough_patients_however_often_one_is_measured():
    rng = stream(0, "x")
    often, others = rng.normal(50, 0.01, 5000), rng.normal(0, 1, 300)
    values, who = np.append(often, others), np.append(np.zeros(5000, dtype=int), np.arange(1, 301))
    marginal = Marginal.of(values, who, rare=5, decimals=3)
    assert marginal.knots.max() < 40, "the values of one patient"
    assert marginal.values(np.array([8.0]))[0] < 5


def test_quantiles_lie_where_they_do_though_groups_differ_in_size():
    rng = stream(1, "x")
    values, who = np.append(rng.normal(0, 1, 3000), np.full(1000, 2.5)), np.append(np.arange(3000), np.full(1000, 7))
    marginal = Marginal.of(values, who, rare=5, decimals=3)
    made = marginal.values(scores(values, rng=rng))
    assert np.allclose(np.quantile(made, [0.1, 0.3, 0.5]), np.quantile(values, [0.1, 0.3, 0.5]), atol=0.05)


def test_common_values_are_levels_and_rare_ones_are_not():
    values = np.append(np.repeat([0.21, 0.3, 0.5], 40), 0.777)
    marginal = Marginal.of(values, np.arange(121), rare=5, decimals=2)
    assert marginal.levels.tolist() == [0.21, 0.3, 0.5]
    assert set(marginal.values(np.linspace(-3, 3, 50))) <= {0.21, 0.3, 0.5}


def test_the_nearest_level():
    assert nearest(np.array([-1.0, 1.4, 1.6, 9]), np.array([1.0, 2.0])).tolist() == [1, 1, 2, 2]
    assert nearest(np.array([5.0]), np.array([1.0])).tolist() == [1]


def test_missing_values_have_no_score():
    made = scores(np.array([np.nan, 3.0, 1.0]), rng=stream(0, "x"))
    assert np.isnan(made[0]) and made[1] > made[2]


def test_extremes_are_as_far_out_and_as_frequent_as_they_were():
    rng = stream(2, "x")
    values, who = np.exp(rng.normal(0, 1, 40_000)).round(4), np.arange(40_000)
    marginal = Marginal.of(values, who, rare=5, decimals=4)
    made = marginal.values(scores(values, rng=rng))
    far = [0.001, 0.0005, 0.9995, 0.999]
    assert np.allclose(np.quantile(made, far), np.quantile(values, far), rtol=0.1)


def test_beyond_the_levels_values_are_as_fine_as_all():
    values = np.concatenate([np.tile(np.arange(50, 150.0), 30), np.arange(200, 300.0)])
    marginal = Marginal.of(values, np.arange(3100), rare=5, decimals=0)
    made = marginal.values(scores(values, rng=stream(0, "x")))
    assert marginal.levels.tolist() == list(range(50, 150))
    assert made[made <= 149].max() == 149 and len(np.unique(made[made > 149])) > 10
    assert made.max() < 299
