from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.modalities.image.data import Step
from semblance.modalities.image.measure import comparable
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked, paired, unpaired


def test_images_of_one_size_and_spacing_are_comparable():
    comparable(images(4, 1), images(5, 2), part="synthetic")
    comparable(images(4, 1), replace(images(5, 2), layout=replace(images(5, 2).layout, spacing=())), part="holdout")


def test_other_sizes_and_spacings_are_told_at_once():
    other = images(4, 2, (12, 13))
    other = replace(other, layout=replace(other.layout, spacing=(2.0, 3.0)))
    with pytest.raises(DataError, match="1 channels of 12x13, those of train of 1 channels of 12x12") as told:
        comparable(images(4, 1), other, part="synthetic")
    assert len(told.value.problems) == 2


def test_other_channels_and_unknown_ones_are_told():
    with pytest.raises(DataError, match="other channels than those of train"):
        comparable(masked(4, 1), paired(4, 2), part="synthetic")
    with pytest.raises(DataError, match="only some channels are known"):
        comparable(paired(4, 1), unpaired(4, 2), part="holdout")


def test_images_that_went_through_other_steps_are_told():
    other = images(4, 2)
    other = replace(other, layout=replace(other.layout, steps=(Step("bias"),)))
    with pytest.raises(DataError, match="went through bias, those of train through no steps"):
        comparable(images(4, 1), other, part="synthetic")
    comparable(other, other, part="synthetic")


def test_unpaired_images_are_comparable_with_those_that_show_a_domain():
    comparable(unpaired(4, 1), unpaired(4, 2), part="holdout")
    comparable(unpaired(4, 1), paired(4, 2), part="synthetic")
    holed = unpaired(4, 2)
    pixels = holed.pixels.copy()
    pixels[0, 0, 3, 3] = np.nan
    with pytest.raises(DataError, match="only some channels are known"):
        comparable(unpaired(4, 1), replace(holed, pixels=pixels), part="holdout")
