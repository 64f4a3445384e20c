from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.modalities.image.formats import dicom, objects, segments

pydicom = pytest.importorskip("pydicom")
data = pytest.importorskip("pydicom.data")
apply_voi, apply_rescale = pydicom.pixels.apply_voi_lut, pydicom.pixels.apply_rescale


def own(name: str) -> Path:
    """A file that comes with pydicom."""
    return Path(data.get_testdata_file(name, download=False))


def test_a_ct_is_in_hounsfield_units_with_its_spacing_and_names_what_tells_a_patient():
    found = dicom.read(own("CT_small.dcm")).found
    held = pydicom.dcmread(own("CT_small.dcm"))
    assert (found.pixels[0] == held.pixel_array * held.RescaleSlope + held.RescaleIntercept).all()
    assert found.layout.spacing == (0.661468, 0.661468) and found.layout.kind == "CT"
    assert {"PatientName", "PatientID"} <= set(found.tags) and found.burned is None


@pytest.mark.parametrize(
    "name",
    [
        *("MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_jpeg_ls_lossless.dcm"),
        *("MR_small_jp2klossless.dcm", "MR_small_expb.dcm", "MR_small_implicit.dcm"),
    ],
)
def test_compressed_and_big_endian_pixels_are_those_of_the_plain_file(name):
    found, plain = dicom.read(own(name)).found, dicom.read(own("MR_small.dcm")).found
    assert (found.pixels == plain.pixels).all() and found.layout.stored == "int16"


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("JPEGLSNearLossless_08.dcm", "jpegls"), ("JPEGLSNearLossless_16.dcm", "jpegls")),
        *(("JPEG2000.dcm", "jpeg2k"), ("GDCMJ2K_TextGBR.dcm", "jpeg2k"), ("SC_rgb_jpeg_gdcm.dcm", "ljpeg")),
    ],
)
def test_compressed_pixels_are_those_of_another_decoder(name, codec):
    frame = next(pydicom.encaps.generate_frames(pydicom.dcmread(own(name)).PixelData, number_of_frames=1))
    other = getattr(pytest.importorskip("imagecodecs"), f"{codec}_decode")(frame)
    assert (dicom.read(own(name)).found.pixels == np.moveaxis(np.atleast_3d(other), -1, 0)).all()


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
    held = pydicom.dcmread(changed(tmp_path, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=int(raw.max())))
    held.add_new("PixelPaddingRangeLimit", "SS", int(raw.max()) - 50)
    held.save_as(tmp_path / "x.dcm")
    turned = dicom.read(tmp_path / "x.dcm").found.pixels
    none = raw >= raw.max() - 50
    assert none.sum() > 1 and (turned[0][none] == turned[0][~none].min()).all()


def test_monochrome1_looks_as_it_did_in_its_window(tmp_path):
    window = {"WindowCenter": 700, "WindowWidth": 1500, "RescaleSlope": 2, "RescaleIntercept": -1024}
    before = changed(tmp_path, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11, **window)
    found = dicom.read(before).found
    after = objects.write(found.layout.numbers(found.pixels), found.layout, tmp_path / "y", number=1, subject=1)
    seen = [apply_voi(apply_rescale(one.pixel_array, one), one) for one in map(pydicom.dcmread, (before, after))]
    white, black = ((one - one.min()) / np.ptp(one) for one in seen)
    assert ((white > 0) & (white < 1)).mean() > 0.05 and np.allclose(1 - white, black)


def test_millimetres_on_the_detector_are_those_where_no_others_are_told(tmp_path):
    for own, spacing in (([0.4, 0.5], (0.4, 0.5)), (None, (0.2, 0.3))):
        file = changed(tmp_path, PixelSpacing=own, ImagerPixelSpacing=[0.2, 0.3])
        assert dicom.read(file).found.layout.spacing == spacing


BANDS = {5: (255, 0, 0), 15: (255, 128, 128), 25: (0, 255, 0), 35: (128, 255, 128), 45: (0, 0, 255), 95: (255,) * 3}
"""Rows of pydicom's test images of colour bars, and their colours."""


@pytest.mark.parametrize(
    "name",
    [
        *("SC_ybr_full_422_uncompressed.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_dcmtk_+eb+cy+np.dcm"),
        *("SC_rgb_rle.dcm", "SC_rgb_gdcm_KY.dcm", "SC_rgb_jpeg_gdcm.dcm"),
        *("SC_rgb_jls_lossy_line.dcm", "SC_rgb_jls_lossy_sample.dcm"),
    ],
)
def test_colours_are_those_that_were_taken(name):
    """What was stored as YBR once came out in false colours."""
    pixels = dicom.read(own(name)).found.pixels
    for row, colour in BANDS.items():
        assert np.abs(pixels[:, row, 50] - colour).max() <= 8  # JPEG loses a little


def test_colours_that_jpeg_2000_turned_are_turned_back(tmp_path):
    found, held = dicom.read(own("examples_jpeg2k.dcm")).found, pydicom.dcmread(own("examples_jpeg2k.dcm"))
    assert held.PhotometricInterpretation == "YBR_RCT" and found.pixels.shape == (3, 480, 640)
    grey = found.pixels.std(0) < 2  # most of an ultrasound has no colour
    assert grey.mean() > 0.5
    plain = pydicom.dcmread(own("SC_ybr_full_422_uncompressed.dcm"))
    plain.PhotometricInterpretation = "YBR_RCT"
    plain.save_as(tmp_path / "x.dcm")
    with pytest.raises(DataError, match="photometric interpretation YBR_RCT"):
        dicom.read(tmp_path / "x.dcm")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("test-SR.dcm", "SR"), ("rtdose.dcm", "RTDOSE"), ("liver_1frame.dcm", "SEG"), ("rtstruct.dcm", "RTSTRUCT")],
)
def test_what_is_no_image_is_named(name, kind):
    assert (segments.read(own(name)) is None) == (kind != "SEG")
    with pytest.raises(DataError, match=f"of kind {kind} that holds no image"):
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
    for i in range(3):
        changed(tmp_path, f"{i}.dcm", ImagePositionPatient=[0, 0, 5])
    _, problems = dicom.volumes([dicom.read(tmp_path / f"{i}.dcm") for i in range(3)])
    assert problems[0].found.endswith("3 slices: at one place")


def test_frames_are_a_volume_or_images_of_their_own(tmp_path):
    held = pydicom.dcmread(own("CT_small.dcm"))
    held.NumberOfFrames, held.SpacingBetweenSlices = 3, "4"
    held.PixelData = held.PixelData * 3
    held.save_as(tmp_path / "x.dcm")
    found = dicom.read(tmp_path / "x.dcm").found
    assert found.pixels.shape == (1, 3, 128, 128) and found.layout.spacing == (4.0, 0.661468, 0.661468)
    flat = list(dicom.frames(found))
    assert len(flat) == 3 and flat[0].layout.spacing == (0.661468, 0.661468)


def test_all_that_may_identify_a_patient_is_told_wherever_it_stands(tmp_path):
    held = pydicom.Dataset()
    held.RequestingPhysician, held.PhysiciansOfRecord, held.AdmissionID = "Miller^A", "", "A 17"
    held.ImageComments, held.EvaluatorName, held.KVP, held.StudyInstanceUID = "Mrs Miller", "Miller^B", 120, "1.2"
    held.add_new(0x00100043, "LO", "of no keyword that is known here")
    inner = pydicom.Dataset()
    inner.OperatorsName, inner.CodeValue = "Miller^C", "T-1"
    held.ProcedureCodeSequence, held.RequestAttributesSequence = [inner], [pydicom.Dataset()]
    held.private_block(0x0011, "SOMEBODY", create=True).add_new(1, "LO", "Mrs Miller")
    told = ["RequestingPhysician", "AdmissionID", "ImageComments", "EvaluatorName", "OperatorsName"]
    told += ["RequestAttributesSequence", dicom.PRIVATE, dicom.NUMBERS, dicom.UNKNOWN]
    whole = pydicom.dcmread(own("CT_small.dcm"))
    for element in held:
        whole[element.tag] = element
    whole.save_as(tmp_path / "x.dcm")
    before, after = (set(dicom.read(file).found.tags) for file in (own("CT_small.dcm"), tmp_path / "x.dcm"))
    assert set(told) <= after and not after & {"PhysiciansOfRecord", "KVP", "CodeValue", "ProcedureCodeSequence"}
    assert not before & {"RequestingPhysician", dicom.UNKNOWN}


def test_an_element_that_nobody_reads_need_not_be_well_formed(tmp_path):
    whole = own("CT_small.dcm").read_bytes()
    harmed = whole.replace(b"AS\x04\x00000Y", b"AS\x04\x00\xff\xfe\x00\x01").replace(
        b"LO\x04\x001CT1", b"LO\x04\x00\xff\xff\xff\xff"
    )
    (tmp_path / "x.dcm").write_bytes(harmed)
    assert {"PatientAge", "PatientID"} <= set(dicom.read(tmp_path / "x.dcm").found.tags)
