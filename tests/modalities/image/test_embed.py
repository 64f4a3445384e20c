from __future__ import annotations

import numpy as np

from semblance.modalities.image.embed import embed, features
from tests.modalities.image.evidences import contrasts, noise_in_the_second
from tests.modalities.image.simulated import images


def test_features_are_the_label_components_and_radiomics():
    made = features(images(80, 2), images(120, 1))
    assert made.names[0] == "label" and made.target == 0 and made.categorical.tolist() == [True] + [False] * 63
    assert made.names[1] == "component 01" and made.names[-1] == "joint entropy"
    assert np.isfinite(made.x).all()


def test_another_label_is_as_far_as_the_move_of_the_first_component():
    data = images(120, 1)
    made = embed(data, data)
    first = made[:, 0]
    assert np.quantile(first, 0.95) - np.quantile(first, 0.05) == np.float32(1).item() or np.isclose(
        np.quantile(first, 0.95) - np.quantile(first, 0.05), 1, atol=0.01
    )
    ill = data.labels == "nodule"
    ends = made[:, -2:]
    assert np.isclose(np.linalg.norm(ends[ill][0] - ends[~ill][0]), 1)


def test_volumes_are_embedded_as_planes_are():
    data = images(40, 1, (8, 9, 10))
    assert embed(data, data).shape == (40, 42) and features(data, data).x.shape == (40, 56)


def test_each_contrast_is_seen_in_units_of_its_own():
    ev = contrasts()
    other = noise_in_the_second(ev)
    names = features(ev.train, ev.train).names
    assert "component 24 (ADC)" in names and "component 25 (CT)" not in names and "entropy (ADC)" in names
    gap = np.linalg.norm(embed(ev.synthetic, ev.train) - embed(other.synthetic, ev.train), axis=1)
    assert gap.min() > 0.3
    first, second = (embed(ev.train, ev.train)[:, i] for i in (0, 24))
    for one in (first, second):
        assert np.isclose(np.quantile(one, 0.95) - np.quantile(one, 0.05), 1, atol=0.01)


def test_three_channels_without_names_are_one_contrast_of_colours():
    data = images(5, 1)
    colours = np.repeat(data.pixels, 3, 1)
    assert type(data)(data.schema, data.frame, colours, data.subjects).contrasts == {"image": [0, 1, 2]}
    two = type(data)(data.schema, data.frame, colours[:, :2], data.subjects)
    assert two.contrasts == {"image 1": [0], "image 2": [1]}
