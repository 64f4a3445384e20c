from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats import nifti

nibabel = pytest.importorskip("nibabel")
AFFINE = np.array([[-1.5, 0, 0, 30], [0, 1.5, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1.0]])
VOLUME = np.arange(9 * 10 * 4).reshape(9, 10, 4).astype(np.int16)


def test_a_volume_keeps_affine_spacing_and_scale(tmp_path):
    made = nibabel.Nifti1Image(VOLUME, AFFINE)
    made.header.set_slope_inter(0.5, -10)
    nibabel.save(made, tmp_path / "a.nii.gz")
    (found,) = nifti.read(tmp_path / "a.nii.gz", slices=False)
    assert found.pixels.shape == (1, 4, 10, 9) and found.layout.spacing == (3.0, 1.5, 1.5)
    assert (found.pixels[0, ..., ::-1] == VOLUME.T * 0.5 - 10).all()  # its x ran to the left
    numbers = found.layout.numbers(found.pixels)
    written = nifti.write(numbers, found.layout, tmp_path / "1")
    again = nibabel.load(written)
    same = nibabel.as_closest_canonical(nibabel.load(tmp_path / "a.nii.gz"))
    assert np.allclose(again.affine, same.affine) and nibabel.aff2axcodes(again.affine) == ("R", "A", "S")
    assert np.allclose(again.get_fdata(), same.get_fdata())
    assert again.header["descrip"].item().startswith(b"synthetic")
    (twice,) = nifti.read(written, slices=False)
    assert twice.layout == found.layout and (twice.pixels == found.pixels).all()


def test_slices_are_images_and_empty_ones_are_none(tmp_path):
    values = VOLUME.copy()
    values[:, :, 1] = 0
    nibabel.save(nibabel.Nifti1Image(values, AFFINE), tmp_path / "a.nii")
    found = list(nifti.read(tmp_path / "a.nii", slices=True))
    assert [one.pixels.shape for one in found] == [(1, 10, 9)] * 3
    assert found[0].layout.spacing == (1.5, 1.5)


def test_a_plane_and_channels_are_written_and_read(tmp_path):
    for shape in ((2, 4, 10, 9), (1, 10, 9)):
        numbers = np.arange(np.prod(shape)).reshape(shape).astype(np.float32)
        file = nifti.write(numbers, Layout("nifti", "float32"), tmp_path / "1")
        (found,) = nifti.read(file, slices=False)
        assert (found.pixels.reshape(shape) == numbers).all()


def test_what_says_no_directions_is_neither_turned_nor_written_with_any(tmp_path):
    made = nibabel.Nifti1Image(VOLUME, None)
    made.header.set_zooms((2, 3, 4))
    nibabel.save(made, tmp_path / "a.nii.gz")
    (found,) = nifti.read(tmp_path / "a.nii.gz", slices=False)
    assert (found.pixels[0] == VOLUME.T).all() and found.layout.affine == () and not nifti.lies(tmp_path / "a.nii.gz")
    again = nibabel.load(nifti.write(found.layout.numbers(found.pixels), found.layout, tmp_path / "1"))
    assert (again.header["sform_code"], again.header["qform_code"]) == (0, 0)
    assert again.header.get_zooms() == (2, 3, 4) and (np.asarray(again.dataobj) == VOLUME).all()


@pytest.mark.parametrize("harm", ["cut", "empty", "other"])
def test_a_broken_file_is_named(harm, tmp_path):
    nibabel.save(nibabel.Nifti1Image(VOLUME, AFFINE), tmp_path / "x.nii.gz")
    whole = (tmp_path / "x.nii.gz").read_bytes()
    (tmp_path / "x.nii.gz").write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "other": b"no" + whole}[harm])
    with pytest.raises(DataError, match=r"'x.nii.gz'"):
        list(nifti.read(tmp_path / "x.nii.gz", slices=False))


def test_time_is_no_channel(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 9), np.int16), AFFINE), tmp_path / "x.nii")
    with pytest.raises(DataError, match="at most 4 channels"):
        list(nifti.read(tmp_path / "x.nii", slices=False))


def test_texts_of_a_header_are_told_but_that_of_synthetic_images(tmp_path):
    made = nibabel.Nifti1Image(VOLUME, AFFINE)
    nibabel.save(made, tmp_path / "a.nii.gz")
    (plain,) = nifti.read(tmp_path / "a.nii.gz", slices=False)
    assert plain.tags == ()
    made.header["descrip"], made.header["aux_file"] = "Mrs Miller", "miller.txt"
    made.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Mrs Miller"))
    nibabel.save(made, tmp_path / "b.nii.gz")
    (found,) = nifti.read(tmp_path / "b.nii.gz", slices=False)
    assert found.tags == ("descrip", "aux_file", "extensions")
    assert {one.tags for one in nifti.read(tmp_path / "b.nii.gz", slices=True)} == {found.tags}
    written = nifti.write(found.layout.numbers(found.pixels), found.layout, tmp_path / "1")
    assert next(nifti.read(written, slices=False)).tags == ()
