from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.metrics.frechet import METRICS, frechet, frechet_distance, kernel, kernel_distance
from tests.modalities.image.evidences import evidence


def cloud(seed: int, *, shift: float = 0.0, scale: float = 1.0, n: int = 4_000) -> np.ndarray:
    return scale * stream(seed, "cloud").standard_normal((n, 3)) + shift


def test_the_distance_of_two_gaussians_is_known():
    expected = 3 * 2.0**2 + 3 * (3.0 - 1.0) ** 2
    assert frechet_distance(cloud(1), cloud(2, shift=2.0, scale=3.0)) == pytest.approx(expected, rel=0.05)
    assert frechet_distance(cloud(1), cloud(1)) == pytest.approx(0, abs=1e-9)


def test_the_kernel_distance_is_unbiased_and_grows():
    near = np.mean([kernel_distance(cloud(i, n=60), cloud(100 + i, n=60)) for i in range(60)])
    assert abs(near) < 0.1 < kernel_distance(cloud(1, n=200), cloud(2, n=200, shift=1.0))


def test_real_images_are_as_far_as_real_ones_and_spoilt_ones_farther():
    fresh = {f.metric: f for f in frechet(evidence())}
    blurred = {f.metric: f for f in frechet(evidence("blurred"))}
    assert set(fresh) == set(METRICS)
    for metric in METRICS:
        assert 0.3 < fresh[metric].estimate.value < 3
        assert fresh[metric].control.value == pytest.approx(1)
        assert blurred[metric].estimate.value > 2 * fresh[metric].estimate.value


def test_kernel_means_see_blur_as_well():
    assert kernel(evidence("blurred"))[0].estimate.value > 5 * abs(kernel(evidence())[0].estimate.value)
