"""Frechet's distance in closed form, and what it sees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.context import context_fid, frechet
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import collapsed, noisy


def test_the_distance_is_the_closed_form():
    rng = stream(0, "f")
    a, b = rng.normal(size=(500, 3)), rng.normal(1, 2, size=(400, 3)) @ rng.normal(size=(3, 3))
    first, second = np.cov(a.T, bias=True), np.cov(b.T, bias=True)
    oracle = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum() + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet(a, b, shrunk=0.0) == pytest.approx(oracle)


def test_it_is_a_distance():
    rng = stream(0, "f")
    a, b = rng.normal(size=(100, 4)), rng.normal(size=(100, 4))
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet(a, b) == pytest.approx(frechet(b, a))
    assert frechet(a, a + 2) == pytest.approx(16)


@pytest.mark.parametrize("spoil", [noisy, collapsed])
def test_damage_is_seen(spoil):
    (good,), (bad,) = context_fid(evidence()), context_fid(evidence(spoil))
    assert good.estimate.value < 0.2
    assert bad.estimate.low > good.control.high
    assert bad.detail["ratio"] > 3


def test_windows_are_measured_and_few_are_not():
    assert context_fid(plain())[0].status == "measured"
    assert context_fid(few())[0].status == "insufficient"
