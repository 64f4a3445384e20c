"""What a DICOM image has because of its storage class: attributes of type 1 and 2 of its mandatory modules (PS3.3).

What nobody knows of an image that nobody took is empty where that is allowed (type 2), and else (type 1) the term for
what is derived, unknown or research. Classes that are not here, such as mammography, PET and angiography, demand what
would have to be invented: a side, a tracer, a dose.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STORAGE = "1.2.840.10008.5.1.4.1.1."
"""How the identifiers of all image storage classes begin (PS3.4 B.5)."""
DERIVED = ("DERIVED", "SECONDARY")
DEVICE = {"ManufacturerModelName": "semblance", "SoftwareVersions": "semblance", "DeviceSerialNumber": "none"}
"""What made an enhanced image, or a segmentation."""
_SLICE = {"SliceThickness": ""}
_RADIOGRAPH = {
    "AcquisitionContextSequence": [],
    "AnatomicRegionSequence": [],
    "DetectorType": "",
    "ImageLaterality": "U",
    "LossyImageCompression": "00",
    "PixelIntensityRelationship": "LOG",
    "PixelIntensityRelationshipSign": -1,
    "PresentationLUTShape": "IDENTITY",
}
_PHOTOGRAPH = {"AcquisitionContextSequence": [], "LossyImageCompression": "00"}
_ENHANCED = {
    "ImageType": ["DERIVED", "PRIMARY", "VOLUME", "NONE"],
    "PixelPresentation": "MONOCHROME",
    "VolumetricProperties": "VOLUME",
    "VolumeBasedCalculationTechnique": "NONE",
    "PresentationLUTShape": "IDENTITY",
    "AcquisitionContextSequence": [],
    **DEVICE,
}
_OWN: Mapping[str, Mapping[str, Any]] = {
    "1": {"BodyPartExamined": "", "ViewPosition": ""},
    "1.1": {**_RADIOGRAPH, "PresentationIntentType": "FOR PRESENTATION"},
    "1.1.1": {**_RADIOGRAPH, "PresentationIntentType": "FOR PROCESSING"},
    "2": {**_SLICE, "ImageType": [*DERIVED, "AXIAL"], "KVP": "", "AcquisitionNumber": ""},
    "4": {
        **_SLICE,
        "ImageType": [*DERIVED, "OTHER"],
        "ScanningSequence": "RM",
        "SequenceVariant": "NONE",
        "ScanOptions": "",
        "MRAcquisitionType": "",
        "EchoTime": "",
        "EchoTrainLength": "",
    },
    **dict.fromkeys(("2.1", "2.2", "4.1", "4.4"), _ENHANCED),
    **dict.fromkeys(("77.1.1", "77.1.2", "77.1.4"), _PHOTOGRAPH),
}
TYPED = {
    **dict.fromkeys((f"{STORAGE}2.1", f"{STORAGE}2.2"), "CTImageFrameTypeSequence"),
    **dict.fromkeys((f"{STORAGE}4.1", f"{STORAGE}4.4"), "MRImageFrameTypeSequence"),
}
"""The functional group of a class that says of what type frames are."""
_OF_FRAMES = ("PixelPresentation", "VolumetricProperties", "VolumeBasedCalculationTechnique")


def own(sop: str) -> dict[str, Any]:
    """The attributes of an image of a storage class, by keyword, besides those that all have."""
    return dict(_OWN.get(sop.removeprefix(STORAGE), {}))


def typed(sop: str) -> dict[str, Any]:
    """The functional group that tells the type of all frames; nothing for other classes."""
    told = own(sop)
    return {TYPED[sop]: [{"FrameType": told["ImageType"]} | {k: told[k] for k in _OF_FRAMES}]} if sop in TYPED else {}
