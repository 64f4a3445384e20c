from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.schema import Schema
from semblance.modalities.image.metrics.extractors import EXTRACTORS, bank, described, turned_over
from semblance.modalities.image.metrics.frechet import frechet, kernel
from tests.modalities.image.evidences import contrasts, evidence, noise_in_the_second, parts
from tests.modalities.image.simulated import images


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_every_extractor_describes_each_image_alone_and_always_alike(extractor):
    one, two = described(evidence(), extractor), described(evidence("blurred"), extractor)
    assert np.isfinite(one["synthetic"]).all() and one["synthetic"].shape[0] == 150
    assert np.array_equal(one["train"], two["train"])
    assert not np.allclose(one["synthetic"], two["synthetic"])


def test_the_classifier_tells_labels_apart():
    told, train = described(evidence(), "domain")["train"], parts()[0]
    ill = train.labels == "nodule"
    gap = np.abs(told[ill].mean(0) - told[~ill].mean(0)) / (told.std(0) + 1e-6)
    assert gap.max() > 1


def test_without_labels_the_classifier_tells_how_an_image_was_turned():
    bare = [replace(part, schema=Schema(part.schema.columns[:1]), frame=part.frame[[]]) for part in parts()]
    ev = evidence()
    assert described(replace(ev, train=bare[0], holdout=bare[1], synthetic=bare[2], _cache={}), "domain")["train"].any()
    image = np.arange(6.0).reshape(1, 2, 3)
    assert turned_over(image, 1)[0, 0].tolist() == [2, 1, 0] and turned_over(image, 2)[0, 0, 0] == 3
    assert (turned_over(image, 0) == image).all() and turned_over(image, 3)[0, 0, 0] == 5


@pytest.mark.parametrize("shape", [(12, 12), (64, 48), (20, 9, 10)])
def test_the_bank_takes_planes_and_volumes(shape):
    assert bank(images(3, 1, shape).pixels).shape == (3, 96)


def test_noise_in_a_contrast_of_small_numbers_is_seen_by_every_extractor():
    ev = contrasts()
    fresh, spoilt = ((*frechet(one), *kernel(one)) for one in (ev, noise_in_the_second(ev)))
    for one, other in zip(fresh, spoilt, strict=True):
        assert other.estimate.value > 4 * max(one.estimate.value, 0.01), other.metric
