"""DICOM objects of synthetic images: planes, slices of a series, and volumes of several frames, as their input was.

They are marked as synthetic, are of no patient, and have identifiers of their own; pixels are MONOCHROME2 or RGB. Which
attributes they have because of their class is told in `classes`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats.classes import DERIVED, ENHANCED, is_capture, own, typed, written
from semblance.modalities.image.formats.dicom import YEARS, library

MIDDLE = 99.0
"""Per cent of pixels that are below the upper end of an image's own window, and above the lower one."""
STACKED = ("FrameContentSequence", "InStackPositionNumber")
"""The dimension of planes."""
_DATE, _TIME = "20000101", "000000"
CONTENT = {"ContentDate": _DATE, "ContentTime": _TIME}


def write(
    numbers: np.ndarray,
    layout: Layout,
    path: Path,
    *,
    number: int,
    subject: int,
    known: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """A file, or of a volume whose input was not one file of several frames, a folder of slices. Identifiers follow
    from the pixels and the number of the image. Of what is `known` of it, each tag has what such a patient has."""
    if layout.windows and len(numbers) == 1:
        layout = replace(layout, window=_window(numbers, layout))
    mark = hashlib.sha256(np.ascontiguousarray(numbers).tobytes()).hexdigest()
    if numbers.ndim == 3 or layout.frames:
        file = path.with_name(f"{path.name}.dcm")
        _save(_object(numbers, layout, mark, number, subject, known), file)
        return file
    path.mkdir()
    for i in range(numbers.shape[1]):
        plane = replace(layout, spacing=layout.spacing[1:])
        made = _object(numbers[:, i], plane, mark, number, subject, known, place=i)
        if layout.spacing:
            made.SliceThickness = made.SpacingBetweenSlices = f"{layout.spacing[0]:.10g}"
            if layout.across:
                made.ImagePositionPatient = _at(layout, i)
        _save(made, path / f"{i + 1:04d}.dcm")
    return path


def _save(made: Any, file: Path) -> None:
    made.save_as(file, enforce_file_format=True)


def _at(layout: Layout, i: int) -> list[str]:
    """Where slice `i` lies, from the first one on; of a plane whose thickness nobody knows, a millimetre on."""
    step = layout.spacing[0] if len(layout.spacing) > 2 else 1.0
    return _decimals(np.cross(layout.across[:3], layout.across[3:]) * step * i)


def _decimals(values: Iterable[float]) -> list[str]:
    """Numbers as DICOM writes them, in at most 16 letters."""
    return [f"{value:.10g}" for value in values]


def _object(
    numbers: np.ndarray,
    layout: Layout,
    mark: str,
    number: int,
    subject: int,
    known: Mapping[str, str],
    *,
    place: int | None = None,
) -> Any:
    """The object of (channels, height, width) numbers, or of (channels, frames, height, width), marked as synthetic and
    without a patient."""
    pydicom, several = library(), numbers.ndim == 4
    layout = replace(layout, sop=written(layout, colours=len(numbers) > 1, several=several))
    if several and is_capture(layout.sop):
        numbers, layout = _unsigned(numbers, layout)
    uids = [uid(mark, str(number), part) for part in ("study", "series", f"instance {place}", "frame of reference")]
    told: dict[str, Any] = {
        "SOPClassUID": layout.sop,
        "SOPInstanceUID": uids[2],
        "StudyInstanceUID": uids[0],
        "SeriesInstanceUID": uids[1],
        "FrameOfReferenceUID": uids[3],
        "PositionReferenceIndicator": "",
        "ImageType": [*DERIVED],
        "SyntheticData": "YES",
        "Modality": layout.kind or "OT",
        "ConversionType": "SYN",
        "PatientName": f"SYNTHETIC^{subject:06d}",
        "PatientID": f"SYNTHETIC-{subject:06d}",
        "PatientBirthDate": "",
        "PatientSex": "",
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": "synthetic: of no patient",
        "BurnedInAnnotation": "NO",
        "ContentQualification": "RESEARCH",
        "SeriesDescription": "synthetic, by semblance",
        "Manufacturer": "semblance",
        "StudyDate": _DATE,
        "StudyTime": _TIME,
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyID": "",
        "SeriesNumber": 1,
        "InstanceNumber": 1 if place is None else place + 1,
        **_plane(numbers, replace(layout, spacing=layout.spacing[-2:])),
        **own(layout.sop),
        **_of_patient(known),
    }
    if "DetectorType" in told and layout.spacing:  # of a radiograph: its pixels lie on the detector
        told["ImagerPixelSpacing"] = told["PixelSpacing"]
    if several or layout.sop in ENHANCED:
        told |= _several(told, layout, numbers.shape[1] if several else 1)
    made = dataset({keyword: value for keyword, value in told.items() if value is not None})
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return made


def _age(text: str) -> str:
    """An age in years as DICOM writes it (PS3.5 6.2): in years from two on, in months, or in days."""
    years = float(text)
    unit = "Y" if years >= 2 else "M" if years >= 2 * YEARS["M"] else "D"
    return f"{min(round(years / YEARS[unit]), 999):03d}{unit}"


_DECIMAL = re.compile(r"\d{1,6}(\.\d{1,6})?")
WRITTEN: Mapping[str, tuple[re.Pattern[str], Callable[[str], str]]] = {
    "PatientAge": (_DECIMAL, _age),
    "PatientSex": (re.compile("[MFO]"), str),
    "PatientSize": (_DECIMAL, str),
    "PatientWeight": (_DECIMAL, str),
}
"""Tags of a synthetic patient: what values they may have, and how these are written."""


def _of_patient(known: Mapping[str, str]) -> dict[str, str]:
    """What is known of a synthetic patient, as far as DICOM has a tag and a value for it."""
    told = {tag: known.get(tag, "") for tag in WRITTEN}
    return {tag: WRITTEN[tag][1](text) for tag, text in told.items() if WRITTEN[tag][0].fullmatch(text)}


def dataset(told: Mapping[str, Any]) -> Any:
    """A data set of these attributes; lists of mappings are sequences."""
    made = library().Dataset()
    for keyword, value in told.items():
        several = isinstance(value, list) and value and isinstance(value[0], Mapping)
        setattr(made, keyword, [dataset(one) for one in value] if several else value)
    return made


GROUPS = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction"),
}
"""Functional groups that all frames share."""


def _several(told: Mapping[str, Any], layout: Layout, count: int) -> dict[str, Any]:
    """What else is told of so many frames; None for what moves into functional groups."""
    known = len(layout.spacing) > 2  # of a plane nobody knows how thick it is
    step = layout.spacing[0] if known else 1.0
    thick = {"SliceThickness": f"{step:.10g}", "SpacingBetweenSlices": f"{step:.10g}"} if known else {}
    if layout.sop not in ENHANCED:
        vector = {
            "FrameIncrementPointer": 0x00182005,
            "SliceLocationVector": _decimals(step * np.arange(count)),
        }
        return {"NumberOfFrames": count, **thick, **vector}
    whole = {**told, **thick}
    shared = {group: [{k: whole[k] for k in own if k in whole}] for group, own in GROUPS.items() if own[0] in whole}
    each = [
        {"FrameContentSequence": [{"StackID": "1", "InStackPositionNumber": i + 1, "DimensionIndexValues": i + 1}]}
        | ({"PlanePositionSequence": [{"ImagePositionPatient": _at(layout, i)}]} if layout.across else {})
        for i in range(count)
    ]
    gone = dict.fromkeys(("ImagePositionPatient", *(keyword for own in GROUPS.values() for keyword in own)))
    groups = {"SharedFunctionalGroupsSequence": [shared | typed(layout.sop)], "PerFrameFunctionalGroupsSequence": each}
    return {**gone, **CONTENT, "NumberOfFrames": count, **dimensions(told["SeriesInstanceUID"], STACKED), **groups}


def dimensions(series: str, *each: tuple[str, str]) -> dict[str, Any]:
    """The dimensions of frames (PS3.3 C.7.6.17), each by its functional group and its attribute."""
    words, organization = library().datadict, {"DimensionOrganizationUID": uid(series, "dimensions")}
    tags = [map(words.tag_for_keyword, one) for one in each]
    index = [organization | {"FunctionalGroupPointer": group, "DimensionIndexPointer": own} for group, own in tags]
    return {"DimensionOrganizationSequence": [organization], "DimensionIndexSequence": index}


def uid(*parts: str) -> str:
    """An identifier of its own for what the parts name (PS3.5 B.2)."""
    return f"2.25.{int(hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32], 16)}"


def _scaled(numbers: np.ndarray, layout: Layout) -> tuple[np.ndarray, Layout]:
    """Values as numbers of 16 bit at a scale of their own, as files have it whose scales differ."""
    low, high = float(numbers.min()), float(numbers.max())
    own = replace(layout, stored="uint16", slope=(high - low) / 65535 if high > low else 1.0, intercept=low)
    return own.numbers(numbers), own


def _window(numbers: np.ndarray, layout: Layout) -> tuple[float, float]:
    """The middle and the width of what nearly all pixels are between; of an even image, a step of its scale."""
    low, high = sorted((np.percentile(numbers, [100 - MIDDLE, MIDDLE]) * layout.slope + layout.intercept).tolist())
    return (low + high) / 2, high - low if high > low else abs(layout.slope)


def _unsigned(numbers: np.ndarray, layout: Layout) -> tuple[np.ndarray, Layout]:
    """The same values as numbers from 0 on, as several frames of Secondary Capture have them (PS3.3 A.8.3.4)."""
    kind = np.dtype(layout.stored)
    if kind.kind != "i":
        return numbers, layout
    low, stored = int(np.iinfo(kind).min), f"u{kind.name}"
    made = (numbers.astype(np.int64) - low).astype(stored)
    return made, replace(layout, stored=stored, intercept=layout.intercept + low * layout.slope)


def _plane(numbers: np.ndarray, layout: Layout) -> dict[str, Any]:
    """What says how the pixels are to be read, and the pixels."""
    if np.dtype(layout.stored).kind == "f":
        numbers, layout = _scaled(numbers, layout)
    kind, colour = np.dtype(layout.stored), len(numbers) > 1
    bits = 8 * kind.itemsize
    raw = (np.moveaxis(numbers, 0, -1) if colour else numbers[0]).astype(kind.newbyteorder("<")).tobytes()
    told: dict[str, Any] = {
        "SamplesPerPixel": len(numbers),
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "Rows": numbers.shape[-2],
        "Columns": numbers.shape[-1],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(kind.kind == "i"),
        "PixelData": raw + b"\0" * (len(raw) % 2),
    }
    if colour:
        return {**told, "PlanarConfiguration": 0}
    told |= {"RescaleSlope": f"{layout.slope:.10g}", "RescaleIntercept": f"{layout.intercept:.10g}"}
    told["RescaleType"] = "HU" if layout.kind == "CT" else "US"
    if layout.spacing:
        told["PixelSpacing"] = _decimals(layout.spacing)
    if layout.across:
        told["ImageOrientationPatient"] = _decimals(layout.across)
        told["ImagePositionPatient"] = ["0", "0", "0"]
    if layout.window is not None:
        told |= {"WindowCenter": f"{layout.window[0]:.10g}", "WindowWidth": f"{layout.window[1]:.10g}"}
        told |= {"VOILUTFunction": "LINEAR_EXACT"} if layout.windows else {}
    return told
