from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from semblance.core import large
from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.modalities.image.data import Channel, Images, Layout
from semblance.modalities.image.formats import segments
from semblance.modalities.image.read import like, read
from semblance.modalities.image.write import write
from tests.modalities.image.simulated import images

pydicom = pytest.importorskip("pydicom")
CLASSES = ("background", "organ", "nodule")


def marked(n: int, *, depth: bool, frames: bool = False, numbers: tuple[int, ...] = (0, 1, 2)) -> Images:
    """CT images, or volumes, with masks of two classes; of the last one nothing is marked."""
    shape = (4, 9, 10) if depth else (9, 10)
    whole = images(n, 1, shape)
    mask = np.zeros_like(whole.pixels)
    mask[:-1, ..., 2:6, 3:7] = 1
    mask[:-1, ..., 3:5, 4:6] = 2
    channels = (Channel("image"), Channel("mask", CLASSES, numbers, "uint8"))
    sop = "1.2.840.10008.5.1.4.1.1.2.1" if frames else "1.2.840.10008.5.1.4.1.1.2"
    spacing = (3.0, 2.0, 1.5) if depth else (2.0, 1.5)
    layout = Layout("dicom", "int16", 1.0, -100.0, spacing, kind="CT", sop=sop, channels=channels, frames=frames)
    layout = replace(layout, across=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    return replace(whole, pixels=np.concatenate([whole.pixels, mask], 1), layout=layout)


DEMANDED = """
    AccessionNumber? BitsAllocated BitsStored Columns ContentDate ContentDescription? ContentLabel ContentTime
    DeviceSerialNumber DimensionOrganizationSequence HighBit ImageType InstanceNumber LossyImageCompression
    Manufacturer ManufacturerModelName Modality NumberOfFrames PatientBirthDate? PatientID? PatientName? PatientSex?
    PhotometricInterpretation PixelRepresentation ReferringPhysicianName? Rows SOPClassUID SOPInstanceUID
    SamplesPerPixel SegmentSequence SegmentationType SeriesInstanceUID SeriesNumber SharedFunctionalGroupsSequence
    SoftwareVersions StudyDate? StudyID? StudyInstanceUID StudyTime?
"""
"""Attributes of type 1 of the mandatory modules of a segmentation (PS3.3 A.51), and, with a question mark, 2."""


def test_every_attribute_that_a_segmentation_demands_is_there(tmp_path):
    held = pydicom.dcmread(write([marked(3, depth=True)], tmp_path / "x") / "000001_mask.dcm")
    assert [one for one in DEMANDED.split() if one.removesuffix("?") not in held] == []
    assert [one for one in DEMANDED.split() if not one.endswith("?") and held[one].is_empty] == []
    pointers = [(one.FunctionalGroupPointer, one.DimensionIndexPointer) for one in held.DimensionIndexSequence]
    for frame in held.PerFrameFunctionalGroupsSequence:
        found = [frame[group].value[0][own].value for group, own in pointers]
        assert found == list(frame.FrameContentSequence[0].DimensionIndexValues)


@pytest.mark.parametrize(("depth", "frames"), [(False, False), (True, False), (True, True)])
def test_a_segmentation_lies_on_its_images_and_is_written_again(depth, frames, tmp_path):
    data = marked(3, depth=depth, frames=frames)
    made = write([data], tmp_path / "x")
    file = made / "000001_mask.dcm"
    held = pydicom.dcmread(file)
    image = pydicom.dcmread(made / "000001" / "0001.dcm" if depth and not frames else made / "000001.dcm")
    assert held.Modality == "SEG" and held.SyntheticData == "YES" and held.PatientID == image.PatientID
    assert held.ReferencedSeriesSequence[0].SeriesInstanceUID == image.SeriesInstanceUID
    assert held.StudyInstanceUID == image.StudyInstanceUID and held.SeriesInstanceUID != image.SeriesInstanceUID
    assert [one.SegmentLabel for one in held.SegmentSequence] == ["organ", "nodule"]
    assert held.pixel_array.shape[0] == (8 if depth else 2)
    again = like([made], data.schema)
    assert (again.pixels == data.pixels).all() and again.layout.channels == data.layout.channels
    # Without what semblance wrote beside them: from the objects alone.
    for name in ("layout.json", "manifest.csv"):
        (made / name).unlink()
    declared = {"image": {"dimensions": 3}} if depth else {}
    alone, _ = read([made], ReadOptions(declared=declared, rare=1))
    assert alone.layout.channels == data.layout.channels and alone.layout.frames is frames
    assert (alone.pixels == data.pixels).all() and alone.layout.spacing == data.layout.spacing


def test_classes_are_labels_whatever_their_numbers_and_an_object_without_sources_lies_by_its_places(tmp_path):
    data = marked(3, depth=True)
    made = write([data], tmp_path / "x")
    for name in ("layout.json", "manifest.csv"):
        (made / name).unlink()
    file = made / "000001_mask.dcm"
    held = pydicom.dcmread(file)
    for one, label in zip(held.SegmentSequence, ("nodule", "organ"), strict=True):
        one.SegmentLabel = label
    for frame in held.PerFrameFunctionalGroupsSequence:
        own = frame.SegmentIdentificationSequence[0]
        own.ReferencedSegmentNumber = 3 - own.ReferencedSegmentNumber
        del frame.DerivationImageSequence
    held.save_as(file)
    alone, _ = read([made], ReadOptions(declared={"image": {"dimensions": 3}}, rare=1))
    order = [alone.layout.maps[1].classes.index(name) for name in CLASSES]
    assert (alone.pixels[:, 1] == np.array(order)[data.pixels[:, 1].astype(int)]).all()


@pytest.mark.parametrize("said", [True, False])
def test_a_segmentation_lies_as_it_says_or_as_its_images_that_are_turned(said, tmp_path):
    data = marked(3, depth=False)
    made = write([data], tmp_path / "x")
    for file in sorted(made.glob("*.dcm")):
        held, is_mask = pydicom.dcmread(file), file.stem.endswith("mask")
        if is_mask and said:
            continue
        turned = np.flip(held.pixel_array, -1)  # rows to the patient's right
        if is_mask:
            held.PixelData = np.packbits(turned.ravel(), bitorder="little").tobytes().ljust(len(held.PixelData), b"\0")
            del held.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
        else:
            held.PixelData, held.ImageOrientationPatient = turned.tobytes(), [-1, 0, 0, 0, 1, 0]
        held.save_as(file)
    assert (like([made], data.schema).pixels == data.pixels).all()


def spoilt(tmp_path, change) -> None:
    made = write([marked(3, depth=False)], tmp_path / "x")
    for name in ("layout.json", "manifest.csv"):
        (made / name).unlink()
    held = pydicom.dcmread(made / "000001_mask.dcm")
    change(held)
    held.save_as(made / "000001_mask.dcm")
    read([made], ReadOptions())


def overlap(held) -> None:
    shown = np.packbits(np.ones(held.NumberOfFrames * held.Rows * held.Columns, dtype=bool), bitorder="little")
    held.PixelData = shown.tobytes() + b"\0" * (len(shown) % 2)


def elsewhere(held) -> None:
    for frame in held.PerFrameFunctionalGroupsSequence:
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = "2.25.1"


def before_the_first(held) -> None:
    for frame in held.PerFrameFunctionalGroupsSequence:
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = -3


def on_a_line(held) -> None:
    for frame in held.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
        frame.PlanePositionSequence = [pydicom.Dataset()]
        frame.PlanePositionSequence[0].ImagePositionPatient = ["0", "0"]


def of_many_objects(held) -> None:
    held.SegmentSequence = [deepcopy(held.SegmentSequence[0]) for _ in range(300)]
    for i, one in enumerate(held.SegmentSequence, start=1):
        one.SegmentNumber, one.SegmentLabel = i, f"cell {i}"
    for i, frame in enumerate(held.PerFrameFunctionalGroupsSequence, start=299):
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = i


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (before_the_first, "cannot be read"),
        (on_a_line, "cannot be read"),
        (overlap, "segments overlap in 90 pixels"),
        (elsewhere, "2 of its frames show segments on images that are not here"),
        (lambda held: setattr(held, "SegmentationType", "FRACTIONAL"), "of type FRACTIONAL"),
        (lambda held: setattr(held, "SegmentSequence", None), "cannot be read"),
    ],
)
def test_what_does_not_lie_on_its_images_is_refused(change, what, tmp_path):
    with pytest.raises(DataError, match=what):
        spoilt(tmp_path, change)


def test_more_segments_than_a_byte_can_number_are_read(tmp_path):
    spoilt(tmp_path, of_many_objects)


def test_numbers_of_other_files_are_brought_in_line_by_the_names_of_classes(tmp_path):
    data = marked(3, depth=False, numbers=(0, 7, 9))
    made = write([data], tmp_path / "x")
    assert (like([made], data.schema).pixels == data.pixels).all()


def test_what_is_no_segmentation_is_none(tmp_path):
    made = write([marked(2, depth=False)], tmp_path / "x")
    assert segments.read(made / "000001.dcm") is None and segments.read(made / "000001_mask.dcm") is not None


def test_segmentations_of_sets_larger_than_memory_are_the_same(tmp_path, monkeypatch):
    data = marked(3, depth=True)
    made = write([data], tmp_path / "x")
    monkeypatch.setattr(large, "LARGE", 2**10)
    assert (like([made], data.schema).pixels == data.pixels).all()
