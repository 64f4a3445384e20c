"""Distributions of amplitudes and of intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.signal.data import AFTER, BEFORE
from semblance.modalities.signal.metrics.values import amplitude, around, intervals, thinned
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import collapsed, pieces


def louder(data, rng):
    return replace(data, waves=1.5 * data.waves)


def relabelled(data, rng):
    return replace(data, frame=data.frame.assign(label=data.frame["label"].array[rng.permutation(len(data))]))


def slower(data, rng):
    return replace(data, frame=data.frame.assign(**{BEFORE: 1.3 * data.frame[BEFORE]}))


def test_heights_are_from_lowest_to_highest():
    data = pieces(5, 0)
    made = thinned(data)
    assert (made[:, :, -1] - made[:, :, -2]) == pytest.approx(np.ptp(data.waves, axis=2), abs=1e-6)


def test_intervals_are_seconds_and_a_ratio():
    data = pieces(5, 0)
    made = around(data)
    assert made[:, 2] == pytest.approx(np.log(data.frame[BEFORE] / data.frame[AFTER]).to_numpy())


def test_real_ones_are_near_and_damage_is_far():
    for metric, spoil in ((amplitude, louder), (intervals, slower), (amplitude, collapsed), (intervals, collapsed)):
        (good,), (bad,) = metric(evidence()), metric(evidence(spoil))
        assert good.estimate.value < 0.1
        assert bad.estimate.low > good.control.value


def test_intervals_of_other_classes_are_seen_class_by_class():
    (good,), (bad,) = intervals(evidence()), intervals(evidence(relabelled))
    v = [next(one for one in f.detail["classes"] if one["label"] == "V")["intervals"][2]["value"] for f in (good, bad)]
    assert v[1] > 3 * v[0]


def test_windows_have_no_intervals():
    assert intervals(plain())[0].status == "not_applicable"
    assert amplitude(plain())[0].status == "measured"
    assert {metric(few())[0].status for metric in (intervals, amplitude)} == {"insufficient"}
