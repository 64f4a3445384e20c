"""DICOM images, by `pydicom`: Hounsfield units and other rescaled values, window, spacing, orientation; series, frames.

MONOCHROME1 is turned around, padding is brought to the darkest value, and what is written is MONOCHROME2 (PS3.3 C.7.6).
Compressed pixels are read where a handler of `pydicom` can; what it cannot is named with its transfer syntax.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.core.large import Shelf
from semblance.core.need import need
from semblance.modalities.image.data import Layout
from semblance.modalities.image.found import SUBJECT, Found, whole

NAMED = (
    *("PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames", "PatientBirthDate", "PatientBirthTime"),
    *("PatientAddress", "PatientTelephoneNumbers", "PatientMotherBirthName", "PatientComments", "AccessionNumber"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "InstitutionName", "InstitutionAddress"),
    *("StationName", "DeviceSerialNumber", "StudyID", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"),
)
"""Tags that may identify a patient (PS3.15 E.1, HIPAA's safe harbour); none is learned and none is written."""
NO_IMAGES = ("SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "SR", "PR", "KO", "ECG")
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
_DATE, _TIME = "20000101", "000000"


def _pydicom() -> Any:
    return need("pydicom", extra="images", why="a DICOM image")


def begins(path: Path) -> bool:
    """Whether a file begins as a DICOM file does: 128 bytes, then 'DICM' (PS3.10)."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


# Reading


@dataclass(frozen=True, eq=False)
class Slice:
    """A file of a series: what is `found` in it, which `series` it is of, and its place along the normal."""

    found: Found
    series: str
    place: float


def read(path: Path) -> Slice:
    """The image of a file, of several frames a volume. Raises DataError where there is none, or it is broken."""
    pydicom = _pydicom()
    with whole(path, "a DICOM file", pydicom.errors.InvalidDicomError, pydicom.errors.BytesLengthException):
        held = pydicom.dcmread(path)
        kind = str(held.get("Modality", ""))
        if kind in NO_IMAGES or "PixelData" not in held:
            raise _without_image(path, kind)
        patient = str(held.get("PatientID", "")).strip()
        layout, name = _layout(held, kind), str(held.get("PhotometricInterpretation", ""))
        tags = tuple(tag for tag in NAMED if str(held.get(tag) or "").strip())
        burned = {"YES": True, "NO": False}.get(str(held.get("BurnedInAnnotation", "")))
        series, place = str(held.get("SeriesInstanceUID", path.name)), _place(held)
        _refuse_colours(path, name)
        pixels = _pixels(path, held, name)
    notes = (f"'{path.name}': MONOCHROME1 is turned around",) if name == "MONOCHROME1" else ()
    stored = replace(layout, stored=str(np.dtype(str(layout.stored)).newbyteorder("=")))
    if pixels.ndim == 4:
        between = held.get("SpacingBetweenSlices", held.get("SliceThickness"))
        stored = replace(stored, spacing=(float(between or 1), *stored.spacing) if stored.spacing else ())
    facts = {SUBJECT: patient} if patient else {}
    return Slice(Found(path.name, pixels, stored, facts, tags, burned, notes), series, place)


def _without_image(path: Path, kind: str) -> DataError:
    found = f"'{path.name}' is a DICOM object of kind {kind or 'unknown'} that holds no image"
    return DataError.of(found, rule="every file holds an image", fix="leave it out")


def _refuse_colours(path: Path, name: str) -> None:
    if name not in ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422"):
        found = f"'{path.name}' is of photometric interpretation {name or 'unknown'}"
        raise DataError.of(found, rule="images are MONOCHROME1, MONOCHROME2, RGB or YBR", fix="convert it")


def _layout(held: Any, kind: str) -> Layout:
    signed, bits = int(held.get("PixelRepresentation", 0)), int(held.get("BitsAllocated", 16))
    window = [_first(held.get(f"Window{name}")) for name in ("Center", "Width")]
    across = held.get("ImageOrientationPatient") or ()
    return Layout(
        "dicom",
        f"{'int' if signed else 'uint'}{bits}",
        _first(held.get("RescaleSlope"), 1.0) or 1.0,
        _first(held.get("RescaleIntercept"), 0.0) or 0.0,
        tuple(float(x) for x in held.get("PixelSpacing") or ()),
        None if None in window else (float(window[0] or 0), float(window[1] or 1)),
        kind=kind,
        sop=str(held.get("SOPClassUID", SECONDARY)),
        across=tuple(round(float(x), 6) for x in across),
    )


def _first(value: Any, default: float | None = None) -> float | None:
    if value is None or value == "":
        return default
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return float(value[0] if several else value)


def _place(held: Any) -> float:
    """Where a slice lies along the normal of its plane, else its number."""
    across, at = held.get("ImageOrientationPatient"), held.get("ImagePositionPatient")
    if across and at:
        normal = np.cross(np.array(across[:3], dtype=float), np.array(across[3:], dtype=float))
        return float(normal @ np.array(at, dtype=float))
    return float(held.get("InstanceNumber") or 0)


def _pixels(path: Path, held: Any, name: str) -> np.ndarray:
    """(channels, [frames,] height, width) float32 in physical units."""
    try:
        raw = held.pixel_array
    except (RuntimeError, NotImplementedError):
        syntax = held.file_meta.TransferSyntaxUID.name
        rule, fix = "compressed pixels need a decoder", "pip install pylibjpeg[all], or decompress the file"
        raise DataError.of(f"'{path.name}' is compressed as {syntax}", rule=rule, fix=fix) from None
    colour = int(held.get("SamplesPerPixel", 1)) > 1
    if colour:
        if name.startswith("YBR"):
            pixels = need("pydicom.pixels", extra="images", why="a DICOM image")
            raw = pixels.convert_color_space(raw, name, "RGB")
        return np.ascontiguousarray(np.moveaxis(raw, -1, 0), dtype=np.float32)
    values = raw.astype(np.float32)
    if (padding := held.get("PixelPaddingValue")) is not None and (raw != padding).any():
        values[raw == padding] = values[raw != padding].min()
    if name == "MONOCHROME1":
        values = _ends(held) - values
    slope, intercept = _first(held.get("RescaleSlope"), 1.0), _first(held.get("RescaleIntercept"), 0.0)
    return (values * np.float32(slope) + np.float32(intercept))[None]


def _ends(held: Any) -> float:
    """The sum of the lowest and the highest number that a pixel can be."""
    bits = int(held.BitsStored)
    return -1.0 if int(held.get("PixelRepresentation", 0)) else 2.0**bits - 1


def volumes(slices: Sequence[Slice]) -> tuple[list[Found], list[Problem]]:
    """The slices of each series as one volume, in their order along the normal, and what keeps them from being one."""
    found, problems, shelf = [], [], Shelf()
    for name in dict.fromkeys(one.series for one in slices):
        mine = sorted((one for one in slices if one.series == name), key=lambda one: one.place)
        if len(mine) == 1 and mine[0].found.pixels.ndim == 4:
            found.append(mine[0].found)
            continue
        odd = _uneven(mine)
        if odd:
            problems.append(odd)
        else:
            found.append(_stacked(mine).on(shelf))
    return found, problems


def _uneven(mine: Sequence[Slice]) -> Problem | None:
    first, shapes = mine[0].found, {one.found.pixels.shape for one in mine}
    place = f"the series of '{first.name}', {len(mine)} slices"
    if len(shapes) > 1 or first.pixels.ndim != 3:
        return Problem(f"{place}: sizes differ", "slices of a volume are of one size", "leave other files out")
    gaps = np.diff([one.place for one in mine])
    if len(mine) < 2 or (np.abs(gaps - np.median(gaps)) > 0.1 * max(abs(float(np.median(gaps))), 1e-6)).any():
        fix = "add what is missing, or [image] dimensions = 2"
        return Problem(f"{place}: not evenly apart", "slices of a volume follow each other", fix)
    return None


def _stacked(mine: Sequence[Slice]) -> Found:
    first = mine[0].found
    step = abs(float(np.median(np.diff([one.place for one in mine]))))
    layout = replace(first.layout, spacing=(round(step, 6), *first.layout.spacing) if first.layout.spacing else ())
    pixels = np.stack([one.found.pixels for one in mine], axis=1)
    tags = tuple(dict.fromkeys(tag for one in mine for tag in one.found.tags))
    burned = [one.found.burned for one in mine]
    said = True if True in burned else None if None in burned else False
    return Found(f"the series of {first.name}", pixels, layout, first.facts, tags, said, first.notes)


def frames(one: Found) -> Iterator[Found]:
    """The frames of a volume as images of their own."""
    flat = replace(one.layout, spacing=one.layout.spacing[1:])
    for i in range(one.pixels.shape[1]):
        yield replace(one, name=f"{one.name}, frame {i}", pixels=one.pixels[:, i], layout=flat)


# Writing


def write(numbers: np.ndarray, layout: Layout, path: Path, *, number: int, subject: int) -> Path:
    """A file, or of a volume a folder of slices. Identifiers follow from the pixels and the number of the image."""
    mark = hashlib.sha256(np.ascontiguousarray(numbers).tobytes()).hexdigest()
    if numbers.ndim == 3:
        file = path.with_name(f"{path.name}.dcm")
        _save(_object(numbers, layout, mark, number, subject), file)
        return file
    path.mkdir()
    for i in range(numbers.shape[1]):
        made = _object(numbers[:, i], replace(layout, spacing=layout.spacing[1:]), mark, number, subject, place=i)
        if layout.spacing:
            made.SliceThickness = made.SpacingBetweenSlices = f"{layout.spacing[0]:.10g}"
            _placed(made, layout, i)
        _save(made, path / f"{i + 1:04d}.dcm")
    return path


def _save(made: Any, file: Path) -> None:
    made.save_as(file, enforce_file_format=True)


def _placed(made: Any, layout: Layout, i: int) -> None:
    across = layout.across if len(layout.across) == 6 else (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    normal = np.cross(across[:3], across[3:])
    made.ImageOrientationPatient = [f"{x:.10g}" for x in across]
    made.ImagePositionPatient = [f"{x:.10g}" for x in normal * layout.spacing[0] * i]


def _object(
    numbers: np.ndarray, layout: Layout, mark: str, number: int, subject: int, *, place: int | None = None
) -> Any:
    """The object of (channels, height, width) numbers, marked as synthetic and without a patient."""
    pydicom = _pydicom()
    uids = [_uid(mark, str(number), part) for part in ("study", "series", f"instance {place}")]
    made = pydicom.Dataset()
    told = {
        "SOPClassUID": layout.sop or SECONDARY,
        "SOPInstanceUID": uids[2],
        "StudyInstanceUID": uids[0],
        "SeriesInstanceUID": uids[1],
        "FrameOfReferenceUID": uids[1],
        "ImageType": ["DERIVED", "SECONDARY"],
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
        **_plane(numbers, layout),
    }
    for keyword, value in told.items():
        setattr(made, keyword, value)
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return made


def _uid(*parts: str) -> str:
    """An identifier of its own for what the parts name (PS3.5 B.2)."""
    return f"2.25.{int(hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32], 16)}"


def _scaled(numbers: np.ndarray, layout: Layout) -> tuple[np.ndarray, Layout]:
    """Values as numbers of 16 bit at a scale of their own, as files have it whose scales differ."""
    low, high = float(numbers.min()), float(numbers.max())
    own = replace(layout, stored="uint16", slope=(high - low) / 65535 if high > low else 1.0, intercept=low)
    return own.numbers(numbers), own


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
        "Rows": numbers.shape[1],
        "Columns": numbers.shape[2],
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
        told["PixelSpacing"] = [f"{x:.10g}" for x in layout.spacing]
    if len(layout.across) == 6:
        told["ImageOrientationPatient"] = [f"{x:.10g}" for x in layout.across]
        told["ImagePositionPatient"] = ["0", "0", "0"]
    if layout.window is not None:
        told |= {"WindowCenter": f"{layout.window[0]:.10g}", "WindowWidth": f"{layout.window[1]:.10g}"}
    return told
