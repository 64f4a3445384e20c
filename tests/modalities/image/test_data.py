from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.modalities.image.data import Layout, concat
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked


def test_parts_put_together_are_the_whole():
    whole = replace(images(9, 1), held=np.arange(9) > 5)
    again = concat([whole.take(np.arange(4)), whole.take(np.arange(9) >= 4)])
    assert (again.pixels == whole.pixels).all() and (again.held == whole.held).all()
    assert again.frame.equals(whole.frame) and again.layout == whole.layout
    with pytest.raises(UsageError):
        concat([])


def test_labels_are_texts_and_empty_where_there_is_none():
    some = images(4, 1)
    none = replace(some, frame=some.frame.where(np.arange(4)[:, None] > 1))
    assert set(some.labels) <= {"clear", "nodule"}
    assert none.labels[:2].tolist() == ["", ""]


def test_a_physical_value_becomes_the_nearest_stored_number():
    layout = Layout(stored="int16", slope=2.0, intercept=-1024.0)
    assert layout.numbers(np.array([-1024.0, 0.9, 1e9])).tolist() == [0, 512, 32767]
    assert Layout(stored="float32").numbers(np.array([0.5])).tolist() == [0.5]


def test_a_layout_survives_json():
    layout = Layout("nifti", spacing=(3.0, 1.0, 1.0), window=(40.0, 400.0), affine=(1.0,) * 12)
    assert Layout.from_json(layout.to_json()) == layout


def test_pixels_are_planes_or_volumes_of_single_precision():
    some = images(3, 1)
    with pytest.raises(ValueError, match="float32"):
        replace(some, pixels=some.pixels.astype(float))
    with pytest.raises(ValueError, match="row of the frame"):
        replace(some, subjects=some.subjects[:2])


def test_channels_are_taken_for_unknown_by_name():
    data = masked(3, 1)
    gone = data.without("image")
    assert np.isnan(gone.pixels[:, 0]).all() and (gone.pixels[:, 1] == data.pixels[:, 1]).all()
    assert (gone.light.shape[1], list(data.layout.maps)) == (1, [1]) and not np.isnan(data.pixels).any()
    with pytest.raises(UsageError, match="no channel 'CT'"):
        data.without("CT")


def test_a_layout_with_channels_is_the_same_again_and_one_without_tells_of_none():
    told = masked(3, 1).layout
    assert Layout.from_json(told.to_json()) == told
    assert not {"channels", "given", "apart"} & set(Layout().to_json())
