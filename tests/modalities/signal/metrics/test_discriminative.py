"""The judge that tells synthetic from real: at chance where nothing differs, sure where something does."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.discriminative import Side, discriminative, score
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import reversed_time, smoothed, unrelated


def side(x, who, k=3):
    return Side(x, who, who % k)


def nearest_mean(x, made, test):
    middle = (x[made].mean(axis=0) + x[~made].mean(axis=0)) / 2
    return (test - middle) @ (x[made].mean(axis=0) - x[~made].mean(axis=0))


def test_the_score_is_the_accuracy_less_chance():
    who, rng = np.repeat(np.arange(30), 5), stream(0, "d")
    apart = side(np.ones((150, 1)), who), side(-np.ones((150, 1)), who)
    assert score(*apart, nearest_mean).value == 0.5
    a, b = (side(rng.normal(size=(150, 4)), who) for _ in range(2))
    same = score(a, b, nearest_mean)
    assert same.low == 0
    assert same.value < 0.12


def test_no_patient_is_on_both_sides_of_a_test():
    """A judge that knows pieces of a patient by heart has no use of it."""
    who = np.repeat(np.arange(12), 10)
    seen = []

    def judge(x, made, test):
        seen.append(np.intersect1d(x, test))
        return np.zeros(len(test))

    score(side(who[:, None], who), side(who[:, None] + 100, who), judge)
    assert all(len(both) == 0 for both in seen)


def test_real_ones_are_not_told_apart_and_damage_is():
    (good,) = discriminative(evidence())
    assert good.estimate.value < 0.1
    assert good.control.value < 0.1
    for spoil in (reversed_time, smoothed, unrelated):
        (bad,) = discriminative(evidence(spoil))
        assert bad.estimate.low > max(good.control.high, 0.2)


def test_each_class_is_told(recwarn):
    (good,) = discriminative(evidence())
    assert {row["label"] for row in good.detail["classes"]} >= {"N", "V"}
    assert all(0 <= row["low"] <= row["value"] <= row["high"] <= 0.5 for row in good.detail["classes"])


@pytest.mark.parametrize("spoil", [None, unrelated])
def test_windows_are_judged_too(spoil):
    (found,) = discriminative(plain(spoil))
    assert (found.estimate.value > 0.2) == (spoil is not None)


def test_few_are_not_judged():
    assert discriminative(few())[0].status == "insufficient"
