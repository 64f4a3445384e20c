"""Kinds of waves: clusters that are known, and modes that are lost."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.modes import covered, kinds, modes, nearest
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import collapsed

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def clouds(which, seed):
    rng = stream(seed, "clouds")
    return np.concatenate([CENTRES[k] + rng.normal(0, 0.3, (60, 2)) for k in which])


def test_clusters_are_found():
    x = clouds(range(4), 0)
    found = kinds(x, 4, rng=stream(0, "k"))
    assert np.abs(found[nearest(CENTRES, found)] - CENTRES).max() < 0.3


def test_a_lost_mode_is_not_covered_and_an_invented_one_neither():
    whole, part = clouds(range(4), 0), clouds([0, 1], 1)
    assert covered(whole, clouds(range(4), 2), seed=0) == 1
    assert covered(whole, part, seed=0) < 0.7
    assert covered(part, whole, seed=0) > 0.8
    assert covered(np.zeros((40, 2)), np.zeros((40, 2)), seed=0) == 1


def test_collapse_is_seen():
    (good,), (bad,) = modes(evidence()), modes(evidence(collapsed))
    assert good.estimate.value > 0.85
    assert bad.estimate.high < good.estimate.low
    real = next(one for one in bad.detail["classes"] if one["label"] == "N")["kinds"][0]
    assert real["name"] == "of real"
    assert real["value"] < 0.5


@pytest.mark.parametrize("make", [plain, few])
def test_windows_are_one_class_and_few_are_none(make):
    (found,) = modes(make())
    assert found.status == ("measured" if make is plain else "insufficient")
