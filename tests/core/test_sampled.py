from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.sampled import Samples
from semblance.modalities.image.data import Images
from tests.modalities.image.evidences import evidence, parts

SAMPLES = Samples[Images]("images", {"fast": 400, "standard": 1_000, "audit": 5_000})


def test_samples_are_equally_large_and_dealt_into_blocks():
    drawn = SAMPLES.of(evidence())
    assert {len(sample) for sample in drawn.values()} == {150}
    assert all(set(sample.block) == set(range(10)) for sample in drawn.values())


def test_a_distance_is_taken_of_all_and_without_each_block():
    made = SAMPLES.compared(
        evidence(), lambda images: images.pixels.mean((1, 2, 3))[:, None], lambda a, b: a.mean() - b.mean()
    )
    train, holdout, _ = parts()
    assert made["train"].shape == (11, 1)
    assert np.isclose(made["train"][0, 0], train.pixels.mean() - holdout.pixels.mean(), atol=1e-3)


def test_few_images_are_too_few():
    train, holdout, fresh = (part.take(np.arange(5)) for part in parts())
    assert SAMPLES.too_few(evidence().__class__(train, holdout, fresh, evidence().modality))


def test_patients_are_dealt_whole_and_the_largest_distance_is_told_first():
    train, holdout, fresh = parts()
    pairs = replace(train, subjects=np.arange(len(train)) // 2)
    sample = SAMPLES.of(evidence().__class__(pairs, holdout, fresh, evidence().modality))["train"]
    blocks = {who: set(sample.block[sample.records.subjects == who]) for who in set(sample.records.subjects)}
    assert all(len(one) == 1 for one in blocks.values())
    made = {part: np.array([[0.1, 0.3]] * 11) for part in ("synthetic", "train")}
    assert [row["name"] for row in SAMPLES.rows(evidence(), ["small", "large"], made)] == ["large", "small"]
    assert SAMPLES.estimates(evidence(), made)["estimate"].value == pytest.approx(0.2)
