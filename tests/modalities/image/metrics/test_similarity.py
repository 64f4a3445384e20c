from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Images
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


def two(data: Images, scale: float) -> Images:
    """The images in a first channel, and what lies far lower in a second one of another unit."""
    return replace(data, pixels=np.concatenate([data.pixels, data.pixels[::-1] * np.float32(scale)], 1))


def test_each_channel_counts_alike_whatever_its_unit():
    found = []
    for scale in (1.0, 0.001):
        parts = (two(part, scale) for part in (evidence().train, evidence().holdout, evidence("collapsed").synthetic))
        found.append(similarity(Evidence(*parts, MANIFEST, tier="fast"))[0])
    assert found[0].estimate.value == pytest.approx(found[1].estimate.value, rel=0.02)
    assert found[1].detail["synthetic"] > found[1].detail["holdout"] + 0.05
