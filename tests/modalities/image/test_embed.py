from __future__ import annotations

import numpy as np

from semblance.modalities.image.embed import embed, features
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
