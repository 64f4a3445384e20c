from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.image.generators.floor import Floor
from semblance.modalities.image.generators.painter import NUMBERS, ImageSpec
from tests.modalities.image.simulated import images


def test_large_images_are_drawn_a_few_at_a_time():
    model = Floor().fit(images(20, 1, (64, 64)), rng=stream(0, "fit"))
    sizes = [len(part) for part in model.sample(40, rng=stream(0, "sample"))]
    assert sizes == [16, 16, 8] and NUMBERS == 16 * 64 * 64


def test_a_subclass_says_what_it_learns():
    with pytest.raises(TypeError, match="what is learned"):
        ImageSpec().learn(None, (1, 8, 8), None)
    with pytest.raises(TypeError, match="what it saved"):
        ImageSpec.drawer({}, None, (1, 8, 8), {})


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(UsageError, match=r"images\.json"):
        Floor.load(tmp_path)


def test_patients_are_numbered_through():
    model = Floor().fit(images(20, 1), rng=stream(0, "fit"))
    who = np.concatenate([part.subjects for part in model.sample(100, rng=stream(0, "sample"))])
    assert who.tolist() == list(range(100))
