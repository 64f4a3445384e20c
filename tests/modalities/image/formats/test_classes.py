from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats import classes, dicom, objects

pydicom = pytest.importorskip("pydicom")

ALL = """
        AccessionNumber? BitsAllocated BitsStored Columns HighBit Modality PatientBirthDate? PatientID?
        PatientName? PatientSex? PhotometricInterpretation PixelRepresentation ReferringPhysicianName? Rows
        SOPClassUID SOPInstanceUID SamplesPerPixel SeriesInstanceUID SeriesNumber? StudyDate? StudyID?
        StudyInstanceUID StudyTime?
"""
"""Attributes of type 1 of the mandatory modules of all classes below (PS3.3 A and C), and, with a question mark, 2."""
FURTHER = {
    "1": """
        BodyPartExamined? InstanceNumber? Manufacturer? ViewPosition?
    """,
    "1.1": """
        AcquisitionContextSequence? AnatomicRegionSequence? BurnedInAnnotation DetectorType? ImageLaterality
        ImageType ImagerPixelSpacing InstanceNumber? LossyImageCompression Manufacturer?
        PixelIntensityRelationship PixelIntensityRelationshipSign PresentationIntentType PresentationLUTShape
        RescaleIntercept RescaleSlope RescaleType
    """,
    "1.1.1": """
        AcquisitionContextSequence? AnatomicRegionSequence? BurnedInAnnotation DetectorType? ImageLaterality
        ImageType ImagerPixelSpacing InstanceNumber? LossyImageCompression Manufacturer?
        PixelIntensityRelationship PixelIntensityRelationshipSign PresentationIntentType PresentationLUTShape
        RescaleIntercept RescaleSlope RescaleType
    """,
    "2": """
        AcquisitionNumber? FrameOfReferenceUID ImageOrientationPatient ImagePositionPatient ImageType
        InstanceNumber? KVP? Manufacturer? PixelSpacing PositionReferenceIndicator? RescaleIntercept
        RescaleSlope SliceThickness?
    """,
    "4": """
        EchoTime? EchoTrainLength? FrameOfReferenceUID ImageOrientationPatient ImagePositionPatient ImageType
        InstanceNumber? MRAcquisitionType? Manufacturer? PixelSpacing PositionReferenceIndicator? ScanOptions?
        ScanningSequence SequenceVariant SliceThickness?
    """,
    "6.1": """
        ImageType? InstanceNumber? Manufacturer?
    """,
    "7": """
        ConversionType InstanceNumber?
    """,
    "77.1.1": """
        AcquisitionContextSequence? ImageType InstanceNumber? LossyImageCompression? Manufacturer?
    """,
    "77.1.4": """
        AcquisitionContextSequence? ImageType InstanceNumber? LossyImageCompression? Manufacturer?
    """,
    "3.1": """
        FrameIncrementPointer ImageType? InstanceNumber? Manufacturer? NumberOfFrames
    """,
    "7.2": """
        BurnedInAnnotation ConversionType FrameIncrementPointer InstanceNumber? NumberOfFrames
    """,
    "7.3": """
        BurnedInAnnotation ConversionType FrameIncrementPointer InstanceNumber? NumberOfFrames
    """,
    "7.4": """
        BurnedInAnnotation ConversionType FrameIncrementPointer InstanceNumber? NumberOfFrames
    """,
    "2.1": """
        AcquisitionContextSequence? ContentDate ContentTime DeviceSerialNumber DimensionOrganizationSequence
        FrameOfReferenceUID ImageType InstanceNumber Manufacturer ManufacturerModelName NumberOfFrames
        PixelPresentation PositionReferenceIndicator? PresentationLUTShape SharedFunctionalGroupsSequence
        SoftwareVersions VolumeBasedCalculationTechnique VolumetricProperties
    """,
    "2.2": """
        AcquisitionContextSequence? ContentDate ContentTime FrameOfReferenceUID ImageType InstanceNumber
        Manufacturer? NumberOfFrames PixelPresentation PositionReferenceIndicator? PresentationLUTShape
        SharedFunctionalGroupsSequence VolumeBasedCalculationTechnique VolumetricProperties
    """,
    "4.1": """
        AcquisitionContextSequence? ContentDate ContentTime DeviceSerialNumber DimensionOrganizationSequence
        FrameOfReferenceUID ImageType InstanceNumber Manufacturer ManufacturerModelName NumberOfFrames
        PixelPresentation PositionReferenceIndicator? SharedFunctionalGroupsSequence SoftwareVersions
        VolumeBasedCalculationTechnique VolumetricProperties
    """,
    "4.4": """
        AcquisitionContextSequence? ContentDate ContentTime FrameOfReferenceUID ImageType InstanceNumber
        Manufacturer? NumberOfFrames PixelPresentation PositionReferenceIndicator?
        SharedFunctionalGroupsSequence VolumeBasedCalculationTechnique VolumetricProperties
    """,
}
"""Those of each class, by the end of its identifier."""
KINDS = {"1": "CR", "1.1": "DX", "1.1.1": "DX", "6.1": "US", "3.1": "US", "77.1.1": "ES", "77.1.4": "XC"}
SEVERAL, COLOURED = ("3.1", "7.2", "7.3", "7.4", "2.1", "2.2", "4.1", "4.4"), ("7.4", "77.1.1", "77.1.4")


def layout(end: str) -> Layout:
    kind = KINDS.get(end, {"2": "CT", "4": "MR"}.get(end[0], "OT"))
    stored = "uint8" if end in ("7.2", *COLOURED) else "int16"
    spacing = (2.0, 1.5, 1.0) if end in SEVERAL else (1.5, 1.0)
    across, sop = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), f"{classes.STORAGE}{end}"
    return Layout("dicom", stored, spacing=spacing, kind=kind, sop=sop, across=across, frames=end in SEVERAL)


def lacks(held) -> list[str]:
    """What its class demands and a data set does not have, or has empty where a value is demanded."""
    demanded = [*ALL.split(), *FURTHER[held.SOPClassUID.removeprefix(classes.STORAGE)].split()]
    missing = [one for one in demanded if one.removesuffix("?") not in held]
    return missing or [one for one in demanded if not one.endswith("?") and held[one].is_empty]


@pytest.mark.parametrize("end", FURTHER)
def test_every_attribute_that_its_class_demands_is_there(end, tmp_path):
    mine = layout(end)
    shape = (3 if end in COLOURED else 1, *((3,) if mine.frames else ()), 8, 9)
    numbers = np.arange(np.prod(shape)).reshape(shape).astype(mine.stored)
    file = objects.write(numbers, mine, tmp_path / "x", number=1, subject=1)
    assert lacks(pydicom.dcmread(file)) == []
    found = dicom.read(file).found
    assert (found.pixels == numbers).all() and found.layout.sop == mine.sop
    assert end in COLOURED or found.layout.spacing == mine.spacing


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        *(("1.2", "MG"), ("1.2.1", "MG"), ("1.3", "IO"), ("12.1", "XA"), ("12.2", "RF"), ("20", "NM"), ("128", "PT")),
        *(("77.1.5.1", "OP"), ("130", "PT"), ("4.3", "MR"), ("481.1", "RTIMAGE")),
    ],
)
@pytest.mark.parametrize(
    ("stored", "channels", "several", "capture"),
    [
        *(("uint16", 1, False, "7"), ("uint8", 3, False, "7")),
        *(("uint8", 1, True, "7.2"), ("int16", 1, True, "7.3"), ("uint8", 3, True, "7.4")),
    ],
)
def test_a_class_that_demands_what_nobody_knows_becomes_secondary_capture(
    end, kind, stored, channels, several, capture, tmp_path
):
    """A mammography without a side or a view once was said to be a mammography."""
    mine = replace(layout("2.1" if several else "2"), stored=stored, kind=kind, sop=f"{classes.STORAGE}{end}")
    shape = (channels, *((3,) if several else ()), 8, 9)
    numbers = (np.arange(np.prod(shape)) % 100 - (50 if stored == "int16" else 0)).reshape(shape).astype(stored)
    (note,) = classes.told(mine, several=several)
    assert pydicom.uid.UID(mine.sop).name in note and "Secondary Capture" in note
    file = objects.write(numbers, mine, tmp_path / "x", number=1, subject=1)
    held = pydicom.dcmread(file)
    assert (held.SOPClassUID, held.Modality) == (f"{classes.STORAGE}{capture}", kind) and lacks(held) == []
    assert (dicom.read(file).found.pixels == numbers).all()


def test_frames_of_what_is_kept_by_itself_have_the_class_of_one_frame(tmp_path):
    for end, single in (("3.1", "6.1"), ("7.3", "7"), ("2.1", "2.1")):
        mine = replace(layout(end), spacing=(1.5, 1.0), frames=False)
        file = objects.write(np.zeros((1, 8, 8), np.int16), mine, tmp_path / end, number=1, subject=1)
        assert pydicom.dcmread(file).SOPClassUID == f"{classes.STORAGE}{single}" and [*classes.told(mine)] == []


@pytest.mark.parametrize("end", ["2", "4", "1.1"])
def test_an_image_that_does_not_lie_in_a_patient_is_no_slice_of_one(end, tmp_path):
    for lacking in ({"across": ()}, {"spacing": ()}):
        mine = replace(layout(end), **lacking)
        known = end == "1.1" and "across" in lacking
        file = objects.write(np.zeros((1, 8, 8), np.int16), mine, tmp_path / f"{known}{lacking}", number=1, subject=1)
        assert (pydicom.dcmread(file).SOPClassUID == mine.sop) is known and ([*classes.told(mine)] == []) is known


def test_types_of_images_are_those_of_their_class(tmp_path):
    for end, kind in (("2", "AXIAL"), ("4", "OTHER")):
        file = objects.write(np.zeros((1, 8, 8), np.int16), layout(end), tmp_path / end, number=1, subject=1)
        assert list(pydicom.dcmread(file).ImageType) == ["DERIVED", "SECONDARY", kind]


def test_frames_have_a_type_and_a_place_in_their_dimension(tmp_path):
    file = objects.write(np.zeros((1, 3, 8, 8), np.int16), layout("2.1"), tmp_path / "x", number=1, subject=1)
    held = pydicom.dcmread(file)
    (shared,) = held.SharedFunctionalGroupsSequence
    assert shared.CTImageFrameTypeSequence[0].FrameType == held.ImageType
    (organization,), (index,) = held.DimensionOrganizationSequence, held.DimensionIndexSequence
    assert organization.DimensionOrganizationUID == index.DimensionOrganizationUID
    assert index.DimensionIndexPointer == pydicom.datadict.tag_for_keyword("InStackPositionNumber")
    each = [one.FrameContentSequence[0] for one in held.PerFrameFunctionalGroupsSequence]
    assert [one.DimensionIndexValues for one in each] == [1, 2, 3] == [one.InStackPositionNumber for one in each]
