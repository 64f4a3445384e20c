from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.metrics.similarity import ms_ssim, similarity
from tests.modalities.image.evidences import evidence


def test_an_image_is_like_itself_and_unlike_noise():
    x = stream(0, "x").uniform(0, 255, (4, 16, 16))
    assert ms_ssim(x, x, 255.0) == pytest.approx(1)
    assert ms_ssim(x, x[::-1], 255.0).max() < 0.4
    assert np.all(ms_ssim(x, x + 5, 255.0) > 0.95)


def test_collapse_is_seen_with_its_direction():
    fresh, (collapsed,) = similarity(evidence())[0], similarity(evidence("collapsed"))
    assert collapsed.estimate.value > fresh.estimate.value + 0.05
    assert collapsed.detail["synthetic"] > collapsed.detail["holdout"]
