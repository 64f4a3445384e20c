from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.modalities.image.data import concat
from semblance.modalities.image.generators.floor import Floor
from semblance.modalities.image.generators.painter import NUMBERS, ImageSpec
from semblance.modalities.image.generators.vae import Vae
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked, unpaired


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


def test_images_of_which_half_is_unknown_are_refused():
    with pytest.raises(DataError, match="only some channels"):
        ImageSpec.refuse_unfit(Floor(), unpaired(20, 1))
    with pytest.raises(DataError, match="only some channels"):
        Vae().check(unpaired(20, 1), wanted=Wanted())


def test_masks_are_drawn_together_with_pixels():
    data = masked(200, 1)
    made = concat(list(Floor().fit(data, rng=stream(0, "fit")).sample(100, rng=stream(0, "sample"))))
    lesion = made.pixels[:, 1] == 1
    assert set(np.unique(made.pixels[:, 1])) == {0, 1} and 0.5 < lesion.any((1, 2)).mean() <= 1
    assert made.pixels[:, 0][lesion].mean() > made.pixels[:, 0][~lesion].mean() + 40
