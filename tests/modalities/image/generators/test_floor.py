from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.image.data import concat
from semblance.modalities.image.generators.floor import Floor
from tests.modalities.image.simulated import images


def test_means_of_labels_and_spreads_of_pixels_are_those_of_the_data():
    data = images(400, 1)
    made = concat(list(Floor().fit(data, rng=stream(0, "fit")).sample(400, rng=stream(0, "sample"))))
    for label in ("clear", "nodule"):
        one, other = (part.pixels[part.labels == label] for part in (made, data))
        assert np.abs(one.mean(0) - other.mean(0)).mean() < 8
        assert np.corrcoef(one.std(0).ravel(), other.std(0).ravel())[0, 1] > 0.9


def test_directions_have_enough_patients_behind_each():
    model = Floor().fit(images(40, 1), rng=stream(0, "fit"))
    assert model.learned.components.axes.shape == (8, 144)


def test_volumes_are_drawn_by_the_same_code():
    data = images(60, 1, (8, 9, 10))
    (made,) = Floor().fit(data, rng=stream(0, "fit")).sample(5, rng=stream(0, "sample"))
    assert made.pixels.shape == (5, 1, 8, 9, 10)
