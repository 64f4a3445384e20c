"""Dynamic time warping by hand, and copies that lie too near."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.nearest import nearest, warped
from tests.modalities.signal.evidences import copied, evidence, few, plain
from tests.modalities.signal.simulated import noisy


def textbook(a, b, band):
    """One pair, one cell at a time."""
    n = a.shape[1]
    cost = np.full((n + 1, n + 1), np.inf)
    cost[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(max(1, i - band), min(n, i + band) + 1):
            step = ((a[:, i - 1] - b[:, j - 1]) ** 2).sum()
            cost[i, j] = step + min(cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1])
    return np.sqrt(cost[n, n])


@pytest.mark.parametrize("band", [0, 1, 3, 20])
def test_the_distance_is_the_textbooks(band):
    rng = stream(0, "dtw")
    a, b = rng.normal(size=(4, 2, 12)), rng.normal(size=(4, 2, 12))
    assert warped(a, b, band=band) == pytest.approx([textbook(x, y, band) for x, y in zip(a, b, strict=True)])


def test_a_tiny_case_by_hand():
    a, b = np.array([[[0.0, 0.0, 1.0, 2.0]]]), np.array([[[0.0, 1.0, 2.0, 2.0]]])
    assert warped(a, b, band=1) == pytest.approx([0.0])
    assert warped(a, b, band=0) == pytest.approx([np.sqrt(2)])


def test_copies_lie_too_near_and_others_do_not():
    good, near, far = nearest(evidence())[0], nearest(copied())[0], nearest(evidence(noisy))[0]
    assert good.estimate.low < 0.5 < good.estimate.high
    assert near.estimate.value == 1
    assert far.estimate.value < 0.4


def test_windows_are_measured_and_few_are_not():
    assert nearest(plain())[0].status == "measured"
    assert nearest(few())[0].status == "insufficient"
