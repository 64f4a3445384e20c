"""What the classifier of unseen patients learns from, and its scores against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.classifying import Lot, judged, learn, lot, marked, shapes
from tests.modalities.signal.evidences import evidence


def random_lot(n, seed):
    rng = stream(seed, "lot")
    y = rng.integers(0, 3, n)
    return Lot(rng.normal(y[:, None], 1.0, (n, 4)), y, rng.uniform(1, 3, n), rng.integers(0, 5, n), np.arange(n))


def test_scores_are_scikits():
    test = random_lot(200, 1)
    made = marked(lambda x: np.stack([-((x[:, 0] - k) ** 2) for k in range(3)], axis=1), test)
    said = np.clip(np.round(test.x[:, 0]), 0, 2)
    assert made.f1[0] == pytest.approx(f1_score(test.y, said, average=None, sample_weight=test.weight), abs=1e-9)
    left = test.block != 3
    oracle = recall_score(test.y[left], said[left], average=None, sample_weight=test.weight[left])
    assert made.recall[4] == pytest.approx(oracle, abs=1e-9)
    assert made.macro[0] == pytest.approx(made.f1[0].mean())


def test_trees_learn_and_know_only_what_they_met():
    model = learn(random_lot(300, 2), 4, seed=0)
    assert marked(model, random_lot(200, 3)).macro[0] > 0.5
    one = random_lot(50, 4).take(np.zeros(50, dtype=int))
    assert (learn(one, 4, seed=0)(np.ones((3, 4))).argmax(axis=1) == one.y[0]).all()
    nothing = one.take(np.empty(0, dtype=int))
    assert learn(nothing, 4, seed=0)(np.ones((3, 4))).shape == (3, 4)


def test_pieces_stand_for_all_of_their_class():
    known = evidence()
    made = lot(known, "train")
    for k, name in enumerate(judged(known)):
        assert made.weight[made.y == k].sum() == pytest.approx((known.train.labels == name).sum())
        assert (known.train.labels[made.rows[made.y == k]] == name).all()


def test_joined_pieces_count_as_much_as_their_class():
    a, b = random_lot(90, 5), random_lot(30, 6)
    both = a.joined(b)
    count = [np.bincount(one.y, weights=one.weight) for one in (a, both)]
    assert count[1] == pytest.approx(2 * count[0])
    assert a.joined(b.take(np.empty(0, dtype=int))) is a


def test_a_shape_does_not_depend_on_the_height():
    waves = stream(0, "s").normal(size=(4, 2, 30))
    shape, height = shapes(waves)
    louder, twice = shapes(2 * waves)
    assert shape == pytest.approx(louder)
    assert twice == pytest.approx(2 * height)
    waves[0, 0] = np.nan
    assert np.isfinite(shapes(waves)[0]).all()
