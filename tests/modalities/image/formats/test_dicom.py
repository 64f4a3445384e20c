from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats import dicom

pydicom = pytest.importorskip("pydicom")
data = pytest.importorskip("pydicom.data")


def own(name: str) -> Path:
    """A file that comes with pydicom."""
    return Path(data.get_testdata_file(name, download=False))


def test_a_ct_is_in_hounsfield_units_with_its_spacing_and_names_what_tells_a_patient():
    found = dicom.read(own("CT_small.dcm")).found
    held = pydicom.dcmread(own("CT_small.dcm"))
    assert (found.pixels[0] == held.pixel_array * held.RescaleSlope + held.RescaleIntercept).all()
    assert found.layout.spacing == (0.661468, 0.661468) and found.layout.kind == "CT"
    assert {"PatientName", "PatientID"} <= set(found.tags) and found.burned is None


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "MR_small_bigendian.dcm"])
def test_compressed_and_big_endian_pixels_are_those_of_the_plain_file(name):
    found, plain = dicom.read(own(name)).found, dicom.read(own("MR_small.dcm")).found
    assert (found.pixels == plain.pixels).all() and found.layout.stored == "int16"


def changed(tmp_path: Path, name: str = "x.dcm", **values) -> Path:
    held = pydicom.dcmread(own("CT_small.dcm"))
    for keyword, value in values.items():
        setattr(held, keyword, value)
    held.save_as(tmp_path / name)
    return tmp_path / name


def test_monochrome1_is_turned_around_and_padding_is_dark(tmp_path):
    plain = dicom.read(own("CT_small.dcm")).found.pixels
    turned = dicom.read(changed(tmp_path, PhotometricInterpretation="MONOCHROME1")).found
    assert np.corrcoef(plain.ravel(), turned.pixels.ravel())[0, 1] == pytest.approx(-1)
    assert "MONOCHROME1" in turned.notes[0]
    raw = pydicom.dcmread(own("CT_small.dcm")).pixel_array
    padded = dicom.read(changed(tmp_path, PixelPaddingValue=int(raw.max()))).found.pixels
    assert padded.max() < plain.max() and padded.min() == plain.min()


@pytest.mark.parametrize("name", ["test-SR.dcm", "rtdose.dcm", "liver_1frame.dcm"])
def test_what_is_no_image_is_named(name):
    with pytest.raises(DataError, match="holds no image"):
        dicom.read(own(name))


def test_broken_files_are_named_without_a_value(tmp_path):
    whole = own("CT_small.dcm").read_bytes()
    for harm in (whole[:20_000], b"", b"\0" * 300):
        (tmp_path / "x.dcm").write_bytes(harm)
        with pytest.raises(DataError, match=r"'x.dcm'") as told:
            dicom.read(tmp_path / "x.dcm")
        assert "CompressedSamples" not in str(told.value)


def test_a_syntax_without_a_decoder_is_named(tmp_path):
    held = pydicom.dcmread(own("CT_small.dcm"))
    held.PixelData = pydicom.encaps.encapsulate([b"\0" * 64])
    held["PixelData"].VR = "OB"
    held.file_meta.TransferSyntaxUID = pydicom.uid.HTJ2KLossless
    held.save_as(tmp_path / "x.dcm")
    with pytest.raises(DataError, match=r"compressed as High-Throughput JPEG 2000"):
        dicom.read(tmp_path / "x.dcm")


def test_slices_of_a_series_are_a_volume_in_their_order(tmp_path):
    for i in (2, 0, 1):
        changed(tmp_path, f"{i}.dcm", ImagePositionPatient=[0, 0, 5 * i], RescaleIntercept=i)
    slices = [dicom.read(file) for file in sorted(tmp_path.iterdir(), reverse=True)]
    (found,), problems = dicom.volumes(slices)
    assert not problems and found.pixels.shape == (1, 3, 128, 128)
    assert found.layout.spacing == (5.0, 0.661468, 0.661468)
    assert (np.diff(found.pixels[0].mean((1, 2))) == 1).all()
    changed(tmp_path, "9.dcm", ImagePositionPatient=[0, 0, 45])
    _, problems = dicom.volumes([*slices, dicom.read(tmp_path / "9.dcm")])
    assert "evenly" in problems[0].found


def test_frames_are_a_volume_or_images_of_their_own(tmp_path):
    held = pydicom.dcmread(own("CT_small.dcm"))
    held.NumberOfFrames, held.SpacingBetweenSlices = 3, "4"
    held.PixelData = held.PixelData * 3
    held.save_as(tmp_path / "x.dcm")
    found = dicom.read(tmp_path / "x.dcm").found
    assert found.pixels.shape == (1, 3, 128, 128) and found.layout.spacing == (4.0, 0.661468, 0.661468)
    flat = list(dicom.frames(found))
    assert len(flat) == 3 and flat[0].layout.spacing == (0.661468, 0.661468)


LAYOUT = Layout("dicom", "int16", 2.0, -1024.0, (0.5, 0.75), (40.0, 400.0), kind="CT", sop=dicom.SECONDARY)


def test_what_is_written_is_synthetic_of_no_patient_and_opens(tmp_path):
    numbers = np.arange(80).reshape(1, 8, 10).astype(np.int16)
    file = dicom.write(numbers, LAYOUT, tmp_path / "000001", number=1, subject=3)
    held = pydicom.dcmread(file)
    assert (held.pixel_array == numbers[0]).all()
    assert (held.SyntheticData, held.PatientIdentityRemoved, held.BurnedInAnnotation) == ("YES", "YES", "NO")
    assert str(held.PatientName) == "SYNTHETIC^000003" and not held.PatientBirthDate
    assert held.PixelSpacing == [0.5, 0.75]
    found = dicom.read(file).found
    assert found.layout == LAYOUT and found.pixels.min() == -1024


def test_identifiers_follow_from_pixels_and_number(tmp_path):
    numbers = np.zeros((1, 8, 8), np.int16)
    uids = [
        pydicom.dcmread(dicom.write(numbers, LAYOUT, tmp_path / name, number=n, subject=1)).SOPInstanceUID
        for name, n in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert uids[0] == uids[1] != uids[2]


def test_a_volume_is_written_as_a_series(tmp_path):
    numbers = np.arange(3 * 64).reshape(1, 3, 8, 8).astype(np.int16)
    layout = Layout("dicom", "int16", spacing=(2.5, 1.0, 1.0), kind="MR", across=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    folder = dicom.write(numbers, layout, tmp_path / "000001", number=1, subject=1)
    (found,), problems = dicom.volumes([dicom.read(file) for file in sorted(folder.iterdir())])
    assert not problems and (found.pixels == numbers).all() and found.layout.spacing == layout.spacing


@pytest.mark.parametrize("sop", ["1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.7.3"])
def test_several_frames_are_written_as_they_were_read(sop, tmp_path):
    numbers = np.arange(3 * 8 * 9, dtype=np.int16).reshape(1, 3, 8, 9)
    layout = Layout("dicom", "int16", 2.0, -100.0, (3.0, 2.0, 1.5), (40.0, 400.0), kind="CT", sop=sop, frames=True)
    file = dicom.write(numbers, layout, tmp_path / "x", number=1, subject=1)
    held = pydicom.dcmread(file)
    assert held.NumberOfFrames == 3 and ("SharedFunctionalGroupsSequence" in held) is (sop in dicom.ENHANCED)
    assert ("RescaleSlope" in held) is (sop not in dicom.ENHANCED) and held.SyntheticData == "YES"
    found = dicom.read(file).found
    assert (found.pixels == numbers * 2.0 - 100).all() and found.layout.window == layout.window
    assert found.layout.spacing == layout.spacing and found.layout.frames and found.layout.slope == 2.0


def test_frames_stand_by_their_place_each_with_its_own_scale(tmp_path):
    numbers = np.ones((1, 3, 8, 9), dtype=np.int16)
    layout = Layout("dicom", "int16", spacing=(3.0, 2.0, 1.5), kind="CT", sop=dicom.ENHANCED[0], frames=True)
    file = dicom.write(numbers, layout, tmp_path / "x", number=1, subject=1)
    held = pydicom.dcmread(file)
    for frame, (at, slope) in zip(held.PerFrameFunctionalGroupsSequence, [(6, 3), (0, 1), (3, 2)], strict=True):
        frame.PlanePositionSequence[0].ImagePositionPatient = [0, 0, at]
        frame.PixelValueTransformationSequence = held.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
        own = pydicom.Dataset()
        own.RescaleSlope, own.RescaleIntercept = slope, 0
        frame.PixelValueTransformationSequence = [own]
    held.save_as(file)
    found = dicom.read(file).found
    assert found.pixels[0, :, 0, 0].tolist() == [1, 2, 3] and found.layout.spacing[0] == 3.0
    assert found.layout.stored == "float32"
