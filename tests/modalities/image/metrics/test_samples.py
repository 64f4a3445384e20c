from __future__ import annotations

import numpy as np

from semblance.modalities.image.metrics.samples import compared, pooled, samples, too_few
from tests.modalities.image.evidences import evidence, parts


def test_samples_are_equally_large_and_dealt_into_blocks():
    drawn = samples(evidence())
    assert {len(sample) for sample in drawn.values()} == {150}
    assert all(set(sample.block) == set(range(10)) for sample in drawn.values())


def test_a_distance_is_taken_of_all_and_without_each_block():
    made = compared(evidence(), lambda images: images.pixels.mean((1, 2, 3))[:, None], lambda a, b: a.mean() - b.mean())
    train, holdout, _ = parts()
    assert made["train"].shape == (11, 1)
    assert np.isclose(made["train"][0, 0], train.pixels.mean() - holdout.pixels.mean(), atol=1e-3)


def test_few_images_are_too_few():
    train, holdout, fresh = (part.take(np.arange(5)) for part in parts())
    assert too_few(evidence().__class__(train, holdout, fresh, evidence().modality))


def test_neighbours_are_averaged_until_sides_are_short():
    x = np.arange(2 * 40 * 10.0).reshape(1, 2, 40, 10)
    assert pooled(x, 16).shape == (1, 2, 13, 10)
    assert np.allclose(pooled(x, 16)[0, 0, 0], x[0, 0, :3].mean(0))
    assert pooled(np.zeros((1, 1, 33, 20, 8)), 16).shape == (1, 1, 11, 10, 8)
