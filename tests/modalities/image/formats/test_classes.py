from __future__ import annotations

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


@pytest.mark.parametrize("end", FURTHER)
def test_every_attribute_that_its_class_demands_is_there(end, tmp_path):
    mine = layout(end)
    shape = (3 if end in COLOURED else 1, *((3,) if mine.frames else ()), 8, 9)
    numbers = np.arange(np.prod(shape)).reshape(shape).astype(mine.stored)
    file = objects.write(numbers, mine, tmp_path / "x", number=1, subject=1)
    held = pydicom.dcmread(file)
    demanded = [*ALL.split(), *FURTHER[end].split()]
    assert [one for one in demanded if one.removesuffix("?") not in held] == []
    assert [one for one in demanded if not one.endswith("?") and held[one].is_empty] == []
    found = dicom.read(file).found
    assert (found.pixels == numbers).all() and found.layout.sop == mine.sop
    assert end in COLOURED or found.layout.spacing == mine.spacing


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
