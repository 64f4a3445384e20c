from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, r2_score, roc_auc_score

from semblance.core.estimate import auc, linearized
from semblance.core.rng import stream
from semblance.evaluate.utility.performance import accuracy, macro_auc, r_squared, score, squared_error


def test_macro_auc_is_sklearns():
    rng = stream(0)
    truth, made = rng.integers(0, 3, 200).astype(float), rng.dirichlet(np.ones(3), 200)
    found = macro_auc(truth, made, np.arange(3.0))
    assert found.value == pytest.approx(roc_auc_score(truth, made, multi_class="ovr", average="macro"))
    assert found.influence.mean() == pytest.approx(0)


def test_two_classes_give_delongs_interval():
    rng = stream(0)
    truth = rng.integers(0, 2, 300).astype(float)
    made = rng.random(300) + 0.3 * truth
    found = macro_auc(truth, np.stack([-made, made], axis=1), np.arange(2.0))
    ours, delong = linearized(found.value, found.influence), auc(made[truth == 1], made[truth == 0])
    assert (ours.value, ours.low, ours.high) == pytest.approx((delong.value, delong.low, delong.high), abs=3e-4)


def test_accuracy_is_sklearns_among_the_classes_that_are_asked_for():
    rng = stream(0)
    truth, made = rng.integers(0, 4, 200).astype(float), rng.dirichlet(np.ones(3), 200)
    found, among = accuracy(truth, made, np.arange(3.0)), truth < 3
    assert found.value == pytest.approx(accuracy_score(truth[among], made[among].argmax(1)))
    assert found.influence.mean() == pytest.approx(0)
    assert not found.influence[~among].any()


def test_one_class_cannot_be_ranked():
    found = macro_auc(np.ones(5), np.random.default_rng(0).random((5, 1)), np.array([1.0]))
    assert found.value == 0.5
    assert not found.influence.any()


def test_r_squared_is_sklearns_and_its_interval_covers():
    rng, hits = stream(0), 0
    for _ in range(200):
        truth = rng.normal(size=300)
        made = truth + rng.normal(size=300) * 0.7
        found = r_squared(truth, made)
        estimate = linearized(found.value, found.influence)
        hits += estimate.low <= 1 - 0.49 <= estimate.high
    assert found.value == pytest.approx(r2_score(truth, made))
    assert 0.89 <= hits / 200 <= 0.99


def test_the_interval_of_a_paired_difference_covers():
    """Two fixed scores of the same records: their difference in AUC is known."""
    rng, hits = stream(1), 0
    big = rng.integers(0, 2, 200_000).astype(float)
    draw = lambda truth: truth + rng.normal(size=len(truth))  # noqa: E731
    noisy = lambda first: first + 0.5 * rng.normal(size=len(first))  # noqa: E731
    first = draw(big)
    known = roc_auc_score(big, first) - roc_auc_score(big, noisy(first))
    for _ in range(300):
        truth = rng.integers(0, 2, 300).astype(float)
        first = draw(truth)
        a, b = (score(truth, one[:, None], np.array([1.0])) for one in (first, noisy(first)))
        estimate = linearized((a - b).value, (a - b).influence)
        hits += estimate.low <= known <= estimate.high
    assert 0.92 <= hits / 300 <= 0.98


def test_a_nearly_right_number_is_right():
    """A peer counts predicted floats that are exactly equal, which none ever is."""
    truth = stream(2).normal(size=100)
    assert r_squared(truth, truth + 1e-9).value == pytest.approx(1)


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e300])
def test_huge_and_tiny_numbers_are_scored_alike(unit):
    rng = stream(3)
    truth = rng.normal(size=100)
    made = truth + 0.3 * rng.normal(size=100)
    assert r_squared(truth * unit, made * unit).value == pytest.approx(r_squared(truth, made).value)
    far = r_squared(truth * unit, np.full(100, 1e308))
    assert np.isfinite(far.value)
    assert np.isfinite(far.influence).all()


def test_a_constant_truth_has_no_r_squared():
    assert r_squared(np.full(5, 7.0), np.arange(5.0)).value == 0
    assert r_squared(np.zeros(5), np.arange(5.0)).value == 0


def test_squared_error_is_sklearns_brier_score():
    rng = stream(4)
    truth, made = rng.integers(0, 3, 200).astype(float), rng.dirichlet(np.ones(3), 200)
    ours = squared_error(truth, made, np.arange(3.0)).mean()
    assert ours == pytest.approx(((np.eye(3)[truth.astype(int)] - made) ** 2).sum(axis=1).mean() / 2)
    two = (truth == 1).astype(float)
    both = squared_error(two, np.stack([1 - made[:, 1], made[:, 1]], axis=1), np.array([0.0, 1.0])).mean()
    assert both == pytest.approx(brier_score_loss(two, made[:, 1]))
    assert squared_error(two, made[:, 1:2], np.array([1.0])).mean() == pytest.approx(both)


def test_squared_error_of_classes_nobody_asked_for():
    assert squared_error(np.array([9.0]), np.array([[0.0, 0.0]]), np.array([0.0, 1.0])) == pytest.approx([0])
    assert squared_error(np.array([9.0]), np.array([[1.0, 0.0]]), np.array([0.0, 1.0])) == pytest.approx([1])
    assert squared_error(np.array([3.0]), np.array([[1.0]]), None) == pytest.approx([4])
