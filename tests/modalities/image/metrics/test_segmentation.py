from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics import segmentation as segments
from semblance.modalities.image.metrics.segmentation import gain, segmentation, times
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


def test_to_mark_nothing_is_no_overlap_where_most_images_have_no_lesion():
    blank = masked(40, 3).pixels.copy()
    blank[:, 1] = 0
    overlap, distance = segmentation(rarely(replace(masked(40, 3), pixels=blank)))
    assert overlap.estimate.value < 0.05 and overlap.detail["false_alarms"]["synthetic"] < 0.05
    assert overlap.estimate.n == distance.estimate.n == overlap.detail["images"] == 25
    assert overlap.detail["learned"] == {"synthetic": 40, "train": 40}, "as many real images as synthetic ones"


def rarely(synthetic: Images) -> Evidence[Images]:
    """Of the holdout only 25 images show a lesion."""
    holdout = masked(60, 2)
    shown = np.flatnonzero(holdout.pixels[:, 1].any((1, 2)))
    pixels = holdout.pixels.copy()
    pixels[shown[25:], 1] = 0
    return replace(about(synthetic), holdout=replace(holdout, pixels=pixels), _cache={})


def test_few_patients_gain_by_synthetic_images():
    (found,) = gain(about(masked(60, 3)))
    assert found.estimate.value > 0.05
    assert [row["share"] for row in found.detail["shares"]] == [0.1, 1.0]
    assert all(0 <= row[way]["value"] <= 1 for row in found.detail["shares"] for way in ("real", "both", "augmented"))


def test_the_standard_look_has_five_shares_distances_and_groups(monkeypatch):
    monkeypatch.setitem(segments.SHARE_STEPS, "standard", 4)
    schema = Schema((*masked(60, 1).schema.columns, Column("sex", "categorical", protected=True)))
    sex = pd.Categorical(np.where(np.arange(60) < 45, "F", "M"))  # of the men there are too few
    parts = [
        replace(part, schema=schema, frame=part.frame.assign(sex=sex)) for part in map(masked, (60,) * 3, (1, 2, 3))
    ]
    (found,) = gain(Evidence(*parts, MANIFEST, tier="standard"))
    assert [row["share"] for row in found.detail["shares"]] == [0.05, 0.1, 0.25, 0.5, 1.0]
    assert all(set(row["hd95"]) == {"real", "augmented", "both"} for row in found.detail["shares"])
    assert [row["group"] for row in found.detail["groups"]] == ["sex = F"]
    assert found.detail["groups"][0]["low"] < found.detail["groups"][0]["value"]
    gains = [row["draws"] for row in found.detail["shares"]]
    assert [*map(len, gains)] == [1, 3, 1, 1, 1] and len({*gains[1]}) == 3
    assert found.estimate.value == pytest.approx(np.mean(gains[1]))
    assert (
        found.detail["drawn_once"] == [0.05, 0.25, 0.5, 1.0]
        and "5 %, 25 %, 50 %, 100 % are drawn once" in found.meaning
    )
    luck = student.ppf(0.975, 2) * np.std(gains[1], ddof=1) / np.sqrt(3)
    assert found.estimate.high - found.estimate.value > luck


def test_every_share_is_drawn_again_where_there_is_time():
    assert [times("fast", share) for share in segments.FRACTIONS["fast"]] == [1, 1]
    assert [times("audit", share) for share in segments.FRACTIONS["audit"]] == [3] * 5
    assert segments.drawn_once("fast") == [0.1, 1.0] and segments.drawn_once("audit") == []


def test_who_is_few_is_drawn_anew():
    task = segments._Task.of(about(masked(60, 3)))
    few = [task.share(0.1, draw).tolist() for draw in (0, 1, 0)]
    assert few[0] == few[2] != few[1] and [*map(len, few)] == [6, 6, 6]


def test_where_real_images_teach_nothing_either_nothing_is_said(monkeypatch):
    for steps in (segments.STEPS, segments.SHARE_STEPS):
        monkeypatch.setitem(steps, "fast", 8)
    pixels = masked(60, 1).pixels.copy()
    pixels[:, 1] = 0
    pixels[:, 1, 0, 0] = 1  # whatever a lesion is, it is not this
    seen = replace(about(masked(60, 3)), train=replace(masked(60, 1), pixels=pixels), _cache={})
    for found in (*segmentation(seen), *gain(seen)):
        assert found.status == "insufficient" and "real images do not teach" in found.reason


def test_without_masks_or_with_few_images_nothing_is_said():
    half = Evidence(unpaired(40, 1), unpaired(40, 2), unpaired(40, 3), MANIFEST)
    for metric in (segmentation, gain):
        assert {found.status for found in metric(evidence())} == {"not_applicable"}
        assert {found.status for found in metric(about(masked(60, 3), 12))} == {"insufficient"}
        assert {found.status for found in metric(half)} == {"not_applicable"}
