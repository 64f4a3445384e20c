from __future__ import annotations

import numpy as np
import pytest

from semblance.modalities.image.data import Layout
from semblance.modalities.image.hung import hung, sides

RAS = Layout("nifti", affine=(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0))
AXIAL, CORONAL, SAGITTAL = (
    Layout("dicom", across=across) for across in ((1, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1))
)


def test_a_nifti_runs_to_the_top_to_the_front_and_to_the_right():
    assert sides(RAS, 3) == [("I", "S"), ("P", "A"), ("L", "R")] and sides(RAS, 2) == [("P", "A"), ("L", "R")]


def test_a_row_of_dicom_runs_to_the_left_and_a_column_to_the_back():
    assert sides(AXIAL, 3) == [("I", "S"), ("A", "P"), ("R", "L")]
    assert sides(CORONAL, 2) == [("S", "I"), ("R", "L")] and sides(SAGITTAL, 3)[0] == ("L", "R")
    assert sides(Layout("dicom"), 3) == [("", "")] * 3


WORDS = (
    "axial, A at the top, R at the left",
    "coronal, S at the top, R at the left",
    "sagittal, S at the top, A at the left",
)


@pytest.mark.parametrize("layout", [RAS, AXIAL, CORONAL, SAGITTAL])
def test_every_plane_of_a_volume_is_hung_alike(layout):
    """A bright place at the head, in front, at the patient's right lies at the top left, wherever axes begin."""
    letters = sides(layout, 3)
    corner = tuple(0 if first in "SAR" else -1 for first, _ in letters)
    pixels = np.zeros((1, 1, 3, 3, 3))
    pixels[0, 0][corner] = 1
    found = {}
    for axis in range(3):
        whole = np.repeat(pixels.max(2 + axis, keepdims=True), 3, 2 + axis)  # seen in the middle as well
        shown, words = hung(whole, layout, axis)
        found[words] = shown[0, 0, 0, 0]
    assert found == dict.fromkeys(WORDS, 1.0)


def test_pixels_are_as_high_as_they_are_wide():
    layout = Layout("dicom", spacing=(5.0, 1.0, 0.5))
    pixels = np.arange(2 * 3 * 4.0).reshape(1, 1, 2, 3, 4)
    assert [hung(pixels, layout, axis)[0].shape[2:] for axis in range(3)] == [(6, 4), (20, 4), (10, 3)]
    assert hung(pixels, layout, 2)[1] == "across axis 3"
    assert hung(pixels, Layout(), 0)[0].tolist() == pixels[:, :, 1].tolist()
