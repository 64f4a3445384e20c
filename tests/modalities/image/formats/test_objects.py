from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats import dicom, objects

pydicom = pytest.importorskip("pydicom")

LAYOUT = Layout("dicom", "int16", 2.0, -1024.0, (0.5, 0.75), (40.0, 400.0), kind="CT", sop=dicom.SECONDARY)


def test_what_is_written_is_synthetic_of_no_patient_and_opens(tmp_path):
    numbers = np.arange(80).reshape(1, 8, 10).astype(np.int16)
    file = objects.write(numbers, LAYOUT, tmp_path / "000001", number=1, subject=3)
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
        pydicom.dcmread(objects.write(numbers, LAYOUT, tmp_path / name, number=n, subject=1)).SOPInstanceUID
        for name, n in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert uids[0] == uids[1] != uids[2]


@pytest.mark.parametrize("sop", [dicom.SECONDARY, objects.ENHANCED[0], "1.2.840.10008.5.1.4.1.1.7.3"])
@pytest.mark.parametrize("stored", ["int16", "float32"])
def test_where_windows_differ_an_image_has_one_of_its_own_that_is_that_of_its_slices(sop, stored, tmp_path):
    """Files of patients with windows of their own once came out without any."""
    rng = np.random.default_rng(0)
    several = sop != dicom.SECONDARY
    numbers = rng.normal(0, 300 if stored == "int16" else 0.01, (1, 3, 20, 20)).astype(stored)
    scale = (2.0, -100.0) if stored == "int16" else (1.0, 0.0)
    layout = Layout("dicom", stored, *scale, (1.0, 2.0, 2.0), kind="CT", sop=sop, frames=several, windows=True)
    made = objects.write(numbers, layout, tmp_path / "x", number=1, subject=1)
    held = [pydicom.dcmread(file) for file in (sorted(made.iterdir()) if made.is_dir() else [made])]
    ends = np.percentile(numbers * scale[0] + scale[1], [1, 99])
    for one in held:
        assert dicom.of_frame(one, "VOILUTFunction", 0) == "LINEAR_EXACT"
        assert dicom.of_frame(one, "WindowCenter", 0) == pytest.approx(ends.mean(), abs=1e-4)
        assert dicom.of_frame(one, "WindowWidth", 0) == pytest.approx(np.ptp(ends), rel=1e-4)
    plain = objects.write(
        np.zeros((1, 8, 8), np.int16),
        replace(layout, stored="int16", frames=False),
        tmp_path / "y",
        number=1,
        subject=1,
    )
    assert dicom.of_frame(pydicom.dcmread(plain), "WindowWidth", 0) > 0


def test_a_volume_is_written_as_a_series(tmp_path):
    numbers = np.arange(3 * 64).reshape(1, 3, 8, 8).astype(np.int16)
    layout = Layout("dicom", "int16", spacing=(2.5, 1.0, 1.0), kind="MR", across=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    for name, across in (("1", layout.across), ("2", ())):
        folder = objects.write(numbers, replace(layout, across=across), tmp_path / name, number=1, subject=1)
        files = sorted(folder.iterdir())
        (found,), problems = dicom.volumes([dicom.read(file) for file in files])
        assert not problems and (found.pixels == numbers).all() and found.layout.spacing == layout.spacing
        # What nobody knows is not said.
        held = pydicom.dcmread(files[1])
        assert ("ImageOrientationPatient" in held) == ("ImagePositionPatient" in held) == bool(across)
        assert held.FrameOfReferenceUID != held.SeriesInstanceUID


@pytest.mark.parametrize("sop", ["1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.7.3"])
def test_several_frames_are_written_as_they_were_read(sop, tmp_path):
    numbers = np.arange(3 * 8 * 9, dtype=np.int16).reshape(1, 3, 8, 9)
    layout = Layout("dicom", "int16", 2.0, -100.0, (3.0, 2.0, 1.5), (40.0, 400.0), kind="CT", sop=sop, frames=True)
    file = objects.write(numbers, layout, tmp_path / "x", number=1, subject=1)
    held = pydicom.dcmread(file)
    assert held.NumberOfFrames == 3 and ("SharedFunctionalGroupsSequence" in held) is (sop in objects.ENHANCED)
    assert ("RescaleSlope" in held) is (sop not in objects.ENHANCED) and held.SyntheticData == "YES"
    found = dicom.read(file).found
    assert (found.pixels == numbers * 2.0 - 100).all() and found.layout.window == layout.window
    assert found.layout.spacing == layout.spacing and found.layout.frames and found.layout.slope == 2.0


def test_an_enhanced_object_of_one_frame_has_its_groups_as_well(tmp_path):
    numbers = np.arange(72, dtype=np.int16).reshape(1, 8, 9)
    across = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    layout = Layout("dicom", "int16", 2.0, -100.0, (2.0, 1.5), (40.0, 400.0), kind="CT", sop=objects.ENHANCED[0])
    file = objects.write(numbers, replace(layout, across=across), tmp_path / "x", number=1, subject=1)
    held = pydicom.dcmread(file)
    (shared,), (own,) = held.SharedFunctionalGroupsSequence, held.PerFrameFunctionalGroupsSequence
    assert held.NumberOfFrames == 1 and "RescaleSlope" not in held and "PixelSpacing" not in held
    assert shared.PixelMeasuresSequence[0].PixelSpacing == [2.0, 1.5]
    assert "SliceThickness" not in shared.PixelMeasuresSequence[0] and "PlanePositionSequence" in own
    found = dicom.read(file).found
    assert found.layout == replace(layout, across=across) and (found.pixels == numbers * 2.0 - 100).all()


def test_frames_stand_by_their_place_each_with_its_own_scale(tmp_path):
    numbers = np.ones((1, 3, 8, 9), dtype=np.int16)
    layout = Layout("dicom", "int16", spacing=(3.0, 2.0, 1.5), kind="CT", sop=objects.ENHANCED[0], frames=True)
    layout = replace(layout, across=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    file = objects.write(numbers, layout, tmp_path / "x", number=1, subject=1)
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


def test_places_of_frames_are_as_short_as_the_standard_wants_them(tmp_path):
    layout = Layout("dicom", "int16", spacing=(0.7, 1.0, 1.0), kind="CT", sop=dicom.SECONDARY, frames=True)
    file = objects.write(np.zeros((1, 20, 8, 8), np.int16), layout, tmp_path / "x", number=1, subject=1)
    places = pydicom.dcmread(file).SliceLocationVector
    assert max(len(str(place)) for place in places) <= 16 and places[3] == 2.1


def test_what_is_known_of_a_synthetic_patient_is_written_where_it_has_a_tag(tmp_path):
    numbers = np.zeros((1, 8, 8), np.int16)

    def written(**known: str):
        name = "-".join(known.values()) or "none"
        return pydicom.dcmread(objects.write(numbers, LAYOUT, tmp_path / name, number=1, subject=1, known=known))

    held = written(PatientAge="41", PatientSex="F", PatientWeight="70.5", RequestingPhysician="Miller")
    assert (held.PatientAge, held.PatientSex, held.PatientWeight) == ("041Y", "F", 70.5)
    assert "RequestingPhysician" not in held
    ages = {"41.6": "042Y", "1.50": "018M", "0.25": "003M", "0.05": "018D", "0": "000D", "1200": "999Y"}
    assert {years: written(PatientAge=years).PatientAge for years in ages} == ages
    for odd in ({}, {"PatientAge": "", "PatientSex": ""}, {"PatientAge": "40-50", "PatientSex": "female"}):
        held = written(**odd)
        assert "PatientAge" not in held and held.PatientSex == ""
