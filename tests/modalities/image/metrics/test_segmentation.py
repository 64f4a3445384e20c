from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.segmentation import gain, segmentation
from tests.modalities.image.evidences import evidence
from tests.modalities.image.tissue import masked, unpaired


def about(synthetic: Images, n: int = 60) -> Evidence[Images]:
    return Evidence(masked(60, 1).take(np.arange(n)), masked(60, 2), synthetic, MANIFEST, tier="fast")


def test_fresh_images_teach_as_real_ones_do_and_masks_of_other_images_nothing():
    overlap, distance = segmentation(about(masked(60, 3)))
    assert overlap.estimate.value > 0.5 and abs(overlap.estimate.value - overlap.control.value) < 0.2
    assert distance.better == "lower" and distance.estimate.value < 15
    pixels = masked(60, 3).pixels.copy()
    pixels[:, 1] = pixels[stream(0, "deal").permutation(60), 1]
    worse, farther = segmentation(about(replace(masked(60, 3), pixels=pixels)))
    assert worse.estimate.high < worse.control.low and farther.estimate.value > distance.estimate.value


def test_few_patients_gain_by_synthetic_images():
    (found,) = gain(about(masked(60, 3)))
    assert found.estimate.value > 0.05
    assert [row["share"] for row in found.detail["shares"]] == [0.1, 1.0]
    assert all(0 <= row[way]["value"] <= 1 for row in found.detail["shares"] for way in ("real", "both", "augmented"))


def test_without_masks_or_with_few_images_nothing_is_said():
    half = Evidence(unpaired(40, 1), unpaired(40, 2), unpaired(40, 3), MANIFEST)
    for metric in (segmentation, gain):
        assert {found.status for found in metric(evidence())} == {"not_applicable"}
        assert {found.status for found in metric(about(masked(60, 3), 12))} == {"insufficient"}
        assert {found.status for found in metric(half)} == {"not_applicable"}
