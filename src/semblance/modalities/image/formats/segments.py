"""DICOM segmentations (SEG; PS3.3 A.51) beside the images that they mark: read as label maps, and written.

A frame shows a segment on a plane of a series. It lies where the image lies that it names as its source, else where an
image of its series lies at the same place along the normal. Segments become classes by their labels, whatever their
numbers are in one object or another. A pixel is of one class: segments that overlap are refused, and so are fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.core.large import Shelf
from semblance.modalities.image.data import Channel
from semblance.modalities.image.directions import Turn, are_directions, plane_turn
from semblance.modalities.image.formats.classes import DEVICE
from semblance.modalities.image.formats.dicom import Slice, library, object_kind, of_frame
from semblance.modalities.image.formats.objects import CONTENT, STACKED, dataset, dimensions, uid
from semblance.modalities.image.found import whole

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
AROUND = "background"
NEAR = 0.1
"""Millimetres between planes that are one."""
ALIKE = (
    *("StudyInstanceUID", "FrameOfReferenceUID", "SyntheticData", "PatientName", "PatientID", "PatientBirthDate"),
    *("PatientSex", "PatientAge", "PatientSize", "PatientWeight", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("ContentQualification", "Manufacturer"),
    *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID"),
)
"""What a segmentation tells as its images do."""
TISSUE = {"CodeValue": "85756007", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Tissue"}


@dataclass(frozen=True, eq=False)
class Plane:
    """What a frame shows, (height, width) bool, of a segment; the `instance` and the `frame` (from 0) that it is drawn
    on, '' where that is not said, where it lies, as (x, y, z) millimetres, None where not, and what brings it to the
    usual directions, None where nothing says how it lies but its image."""

    segment: int
    shown: np.ndarray
    instance: str
    frame: int
    at: np.ndarray | None
    turn: Turn | None = None


@dataclass(frozen=True, eq=False)
class Segments:
    """The segmentation in the file `name`: the `labels` of segments by number, the series that it marks, its planes;
    `mask` is how their label map is called."""

    name: str
    labels: Mapping[int, str]
    series: str
    planes: tuple[Plane, ...]
    mask: str = "mask"

    def on(self, shelf: Shelf) -> Segments:
        """The same, whose planes need not stay in memory."""
        return replace(self, planes=tuple(replace(one, shown=shelf.put(one.shown)) for one in self.planes))


def read(path: Path) -> Segments | None:
    """The segmentation of a file; None where it is another object. Raises DataError where it cannot be a label map."""
    pydicom = library()
    if object_kind(path) != "SEG":
        return None
    with whole(path, "a DICOM file", pydicom.errors.InvalidDicomError, pydicom.errors.BytesLengthException):
        held = pydicom.dcmread(path)
        kind = str(held.get("SegmentationType", ""))
        if kind not in ("BINARY", "LABELMAP"):
            found = f"'{path.name}' is a segmentation of type {kind or 'unknown'}"
            rule, fix = "a pixel is of a segment or not (BINARY, LABELMAP)", "export it as BINARY"
            raise DataError.of(found, rule=rule, fix=fix)
        labels = {int(one.SegmentNumber): str(one.get("SegmentLabel", "")).strip() for one in held.SegmentSequence}
        labels = {number: text or f"segment {number}" for number, text in labels.items() if number}
        series = held.get("ReferencedSeriesSequence") or [{}]
        pixels = held.pixel_array
        frames = pixels if pixels.ndim == 3 else pixels[None]
        planes = [plane for i, frame in enumerate(frames) for plane in _planes(held, i, frame, kind, labels)]
    return Segments(path.name, labels, str(series[0].get("SeriesInstanceUID", "")), tuple(planes))


def _planes(held: Any, i: int, frame: np.ndarray, kind: str, labels: Mapping[int, str]) -> Iterator[Plane]:
    """What frame `i` shows: of one segment, or of each of a label map."""
    source, at = of_frame(held, "ReferencedSOPInstanceUID", i), of_frame(held, "ImagePositionPatient", i)
    number = of_frame(held, "ReferencedFrameNumber", i)
    first = number[0] if isinstance(number, Sequence) else number
    across = of_frame(held, "ImageOrientationPatient", i) or ()
    own = plane_turn(across)[0] if are_directions(across) else None
    where = str(source or ""), int(first or 1) - 1, None if at is None else np.array(at, dtype=float), own
    if where[1] < 0 or (where[2] is not None and where[2].shape != (3,)):
        raise LookupError("a frame of no place")
    if kind == "BINARY":
        segment = int(of_frame(held, "ReferencedSegmentNumber", i))
        if segment not in labels:
            raise LookupError("a frame of no segment")
        yield Plane(segment, frame != 0, *where)
        return
    for segment in labels:
        if (frame == segment).any():
            yield Plane(segment, frame == segment, *where)


# Beside images


def placed(slices: Sequence[Slice], several: Sequence[Segments]) -> tuple[list[Slice], list[Problem]]:
    """The slices with the label maps of segmentations, and what keeps these from lying on them. A slice of a series
    that is marked, on which nothing is shown, is of the first class everywhere."""
    made, problems, shelf = list(slices), list[Problem](), Shelf()
    instances = {other.instance: i for i, other in enumerate(slices) if other.instance}
    for mask in dict.fromkeys(one.mask for one in several):
        mine = [one for one in several if one.mask == mask]
        numbers = {text: number for one in reversed(mine) for number, text in one.labels.items()}
        names = (AROUND, *sorted(numbers, key=lambda text: (numbers[text], text)))
        maps = dict[int, np.ndarray]()
        for one in mine:
            problems += _drawn(one, names, made, instances, maps, shelf)
        for i, codes in maps.items():
            found = made[i].found
            found = replace(found, masks={**found.masks, mask: codes}, classes={**found.classes, mask: names})
            made[i] = replace(made[i], found=found)
    return made, problems


def _drawn(
    one: Segments,
    names: tuple[str, ...],
    slices: Sequence[Slice],
    instances: Mapping[str, int],
    maps: dict[int, np.ndarray],
    shelf: Shelf,
) -> Iterator[Problem]:
    """Draw the planes of a segmentation into label maps by the position of their slice; yield what is wrong."""
    lost = both = sizes = 0
    for plane in one.planes:
        where = _where(plane, one, slices, instances)
        if where is None:
            lost += bool(plane.shown.any())
            continue
        i, frame = where
        if i not in maps:
            mine = [j for j, other in enumerate(slices) if other.series == slices[i].series]
            kind = np.min_scalar_type(len(names))
            maps |= {j: shelf.put(np.zeros(slices[j].found.pixels.shape[1:], dtype=kind)) for j in mine}
        codes = maps[i][frame] if maps[i].ndim == 3 else maps[i]
        shown = (slices[i].turn if plane.turn is None else plane.turn)(plane.shown)
        if codes.shape != shown.shape:
            sizes += 1
            continue
        code = names.index(one.labels[plane.segment])
        both += int((codes[shown] > 0).sum())
        codes[shown] = code
    if lost:
        rule, fix = "a segmentation lies beside the images that it marks", "add these, or leave it out"
        yield Problem(f"'{one.name}': {lost} of its frames show segments on images that are not here", rule, fix)
    if both:
        rule, fix = "a pixel is of one class", "export segments that overlap apart, and keep one of them"
        yield Problem(f"'{one.name}': segments overlap in {both:,} pixels", rule, fix)
    if sizes:
        rule, fix = "a mask has the size of its image", "resample it by nearest neighbour"
        yield Problem(f"'{one.name}': {sizes} of its frames have another size than their image", rule, fix)


def _where(
    plane: Plane, one: Segments, slices: Sequence[Slice], instances: Mapping[str, int]
) -> tuple[int, int] | None:
    """The slice on which a plane lies, and the place of its frame in it."""
    if plane.instance:
        i = instances.get(plane.instance)
        return None if i is None or plane.frame >= len(slices[i].order) else (i, slices[i].order.index(plane.frame))
    if plane.at is None:
        return None
    for i, other in enumerate(slices):
        if other.series == one.series and other.normal is not None:
            gaps = np.abs(np.array(other.places) - other.normal @ plane.at)
            if gaps.min() < NEAR:
                return i, int(gaps.argmin())
    return None


# Writing


def write(codes: np.ndarray, channel: Channel, images: Path, path: Path) -> Path:
    """A segmentation of a label map's codes (height, width), or (depth, ...), that refers to the DICOM `images`: a file
    or a folder of slices, which were written before."""
    pydicom = library()
    files = sorted(images.iterdir()) if images.is_dir() else [images]
    heads = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    planes = codes if codes.ndim == 3 else codes[None]
    shown = [(k, i) for k in range(1, len(channel.classes)) for i in range(len(planes)) if (planes[i] == k).any()]
    shown = shown or [(1, 0)]
    first = heads[0]
    own = uid(first.SOPInstanceUID, channel.name, "series"), uid(first.SOPInstanceUID, channel.name, "instance")
    bits = np.packbits(np.stack([planes[i] == k for k, i in shown]).ravel(), bitorder="little").tobytes()
    told = {
        **{keyword: first[keyword].value for keyword in ALIKE if keyword in first},
        **DEVICE,
        **CONTENT,
        **dimensions(own[0], ("SegmentIdentificationSequence", "ReferencedSegmentNumber"), STACKED),
        "Modality": "SEG",
        "SOPClassUID": SEG,
        "SeriesDescription": f"synthetic {channel.name}"[:64],
        "SeriesNumber": 2,
        "SeriesInstanceUID": own[0],
        "SOPInstanceUID": own[1],
        "ImageType": ["DERIVED", "PRIMARY"],
        "InstanceNumber": 1,
        "ContentLabel": "SYNTHETIC",
        "ContentDescription": channel.name[:64],
        "ContentCreatorName": "semblance",
        "Rows": planes.shape[1],
        "Columns": planes.shape[2],
        "NumberOfFrames": len(shown),
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelRepresentation": 0,
        "BitsAllocated": 1,
        "BitsStored": 1,
        "HighBit": 0,
        "LossyImageCompression": "00",
        "SegmentationType": "BINARY",
        "SegmentSequence": [_segment(k, name) for k, name in enumerate(channel.classes) if k],
        "ReferencedSeriesSequence": [_series(heads)],
        "SharedFunctionalGroupsSequence": [_shared(first)],
        "PerFrameFunctionalGroupsSequence": [_frame(k, i, heads, len(planes)) for k, i in shown],
        "PixelData": bits + b"\0" * (len(bits) % 2),
    }
    made = dataset(told)
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    file = path.with_name(f"{path.name}.dcm")
    made.save_as(file, enforce_file_format=True)
    return file


def _segment(k: int, name: str) -> dict[str, Any]:
    codes = {"SegmentedPropertyCategoryCodeSequence": [TISSUE], "SegmentedPropertyTypeCodeSequence": [TISSUE]}
    told = {"SegmentNumber": k, "SegmentLabel": name[:64], "SegmentAlgorithmType": "AUTOMATIC"}
    return {**told, "SegmentAlgorithmName": "semblance", **codes}


def _reference(head: Any) -> dict[str, Any]:
    return {"ReferencedSOPClassUID": head.SOPClassUID, "ReferencedSOPInstanceUID": head.SOPInstanceUID}


def _series(heads: Sequence[Any]) -> dict[str, Any]:
    return {
        "SeriesInstanceUID": heads[0].SeriesInstanceUID,
        "ReferencedInstanceSequence": [_reference(head) for head in heads],
    }


def _shared(head: Any) -> dict[str, Any]:
    """The millimetres and the directions of all frames, where the images have them."""
    made = dict[str, Any]()
    if (spacing := of_frame(head, "PixelSpacing", 0)) is not None:
        thick = of_frame(head, "SliceThickness", 0)
        measures = {"PixelSpacing": list(spacing)} | ({} if thick is None else {"SliceThickness": thick})
        made["PixelMeasuresSequence"] = [measures]
    if (across := of_frame(head, "ImageOrientationPatient", 0)) is not None:
        made["PlaneOrientationSequence"] = [{"ImageOrientationPatient": list(across)}]
    return made


def _frame(k: int, i: int, heads: Sequence[Any], planes: int) -> dict[str, Any]:
    """What is told of a frame: its segment, its image, and where it lies."""
    several = len(heads) == 1 and planes > 1
    head, frame = (heads[0], i) if several else (heads[i], 0)
    source = _reference(head) | ({"ReferencedFrameNumber": i + 1} if several else {})
    made = {
        "SegmentIdentificationSequence": [{"ReferencedSegmentNumber": k}],
        "FrameContentSequence": [{"StackID": "1", "InStackPositionNumber": i + 1, "DimensionIndexValues": [k, i + 1]}],
        "DerivationImageSequence": [{"SourceImageSequence": [source]}],
    }
    if (at := of_frame(head, "ImagePositionPatient", frame)) is not None:
        made["PlanePositionSequence"] = [{"ImagePositionPatient": list(at)}]
    return made
