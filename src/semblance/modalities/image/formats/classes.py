"""What a DICOM image has because of its storage class: attributes of type 1 and 2 of its mandatory modules (PS3.3).

What nobody knows of an image that nobody took is empty where that is allowed (type 2), and else (type 1) the term for
what is derived, unknown or research. Classes that are not here, such as mammography, PET and angiography, demand what
would have to be invented: a side, a tracer, a dose. Images of these are written as Secondary Capture, which demands
nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats.dicom import library

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
_IDENTITY = {"PresentationLUTShape": "IDENTITY"}
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
    **{"3.1": {}, "6.1": {}, "7": {}, "7.2": _IDENTITY, "7.3": _IDENTITY, "7.4": {}},
    **dict.fromkeys(("2.1", "2.2", "4.1", "4.4"), _ENHANCED),
    **dict.fromkeys(("77.1.1", "77.1.2", "77.1.4"), _PHOTOGRAPH),
}
TYPED = {
    **dict.fromkeys((f"{STORAGE}2.1", f"{STORAGE}2.2"), "CTImageFrameTypeSequence"),
    **dict.fromkeys((f"{STORAGE}4.1", f"{STORAGE}4.4"), "MRImageFrameTypeSequence"),
}
"""The functional group of a class that says of what type frames are."""
_CAPTURES = ("7", "7.2", "7.3", "7.4")
_SEVERAL = ("3.1", *_CAPTURES[1:])
_ENHANCED_ENDS = ("2.1", "2.2", "4.1", "4.4")
ENHANCED = tuple(f"{STORAGE}{end}" for end in _ENHANCED_ENDS)
"""Classes of one frame or several which say in functional groups where these lie and what they mean."""
_LYING, _MEASURED = ("2", "4"), ("2", "4", "1.1", "1.1.1", *_ENHANCED_ENDS)
"""Classes of images that lie in a patient, and that have millimetres."""
_OF_FRAMES = ("PixelPresentation", "VolumetricProperties", "VolumeBasedCalculationTechnique")


def written(layout: Layout, *, colours: bool, several: bool) -> str:
    """The class of an image when it is written, of `several` frames or one: that of its layout, where all is known that
    this demands, else Secondary Capture."""
    end = layout.sop.removeprefix(STORAGE)
    if not several:
        end = {"3.1": "6.1"}.get(end, end)
    kept = end in _OWN and end not in _CAPTURES and (end in _ENHANCED_ENDS or (end in _SEVERAL) == several)
    lost = (end in _LYING and not layout.across) or (end in _MEASURED and not layout.spacing)
    if kept and not lost:
        return f"{STORAGE}{end}"
    if not several:
        return f"{STORAGE}7"
    return f"{STORAGE}{'7.4' if colours else '7.2' if np.dtype(layout.stored).itemsize == 1 else '7.3'}"


def is_capture(sop: str) -> bool:
    """Whether a class is Secondary Capture, of one frame or several."""
    return sop.removeprefix(STORAGE) in ("7.1", *_CAPTURES)


def told(layout: Layout, *, several: bool = False) -> Iterator[str]:
    """That images of another class are written as Secondary Capture, and why."""
    if not layout.sop or is_capture(layout.sop) or not is_capture(written(layout, colours=False, several=several)):
        return
    known = layout.sop.removeprefix(STORAGE) in _OWN
    lost = "what these files do not tell" if known else "what would have to be invented, as a side, a tracer or a dose"
    kind = f" of modality {layout.kind}" if layout.kind else ""
    yield f"files come out as Secondary Capture{kind}: {library().uid.UID(layout.sop).name} demands {lost}"


def own(sop: str) -> dict[str, Any]:
    """The attributes of an image of a storage class, by keyword, besides those that all have."""
    return dict(_OWN.get(sop.removeprefix(STORAGE), {}))


def typed(sop: str) -> dict[str, Any]:
    """The functional group that tells the type of all frames; nothing for other classes."""
    told = own(sop)
    return {TYPED[sop]: [{"FrameType": told["ImageType"]} | {k: told[k] for k in _OF_FRAMES}]} if sop in TYPED else {}
