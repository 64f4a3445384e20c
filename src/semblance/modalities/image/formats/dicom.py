"""DICOM images, by `pydicom`: Hounsfield units and other rescaled values, window, spacing, orientation; series, frames.

Planes lie as they are looked at (`directions`). MONOCHROME1 is turned around, and padding is brought to the darkest
value (PS3.3 C.7.6). Compressed pixels are read where `pydicom` has a decoder (GDCM comes with the extra); where it has
none the transfer syntax is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.core.large import Shelf
from semblance.core.need import need
from semblance.modalities.image.data import Layout
from semblance.modalities.image.directions import ALIKE, TURNED, Turn, plane_turn
from semblance.modalities.image.formats import jpeg
from semblance.modalities.image.formats.identifying import OTHERS, PROFILE
from semblance.modalities.image.found import SUBJECT, Found, whole

PRIVATE, NUMBERS, UNKNOWN = "private elements", "unique identifiers", "elements of no known keyword"
"""What many elements that may identify a patient are told as."""
KINDS = {"PN": "DICOM name", **dict.fromkeys(("DA", "TM", "DT"), "DICOM date")}
"""Kinds of elements that may identify a patient, by how their values are written (PS3.5 6.2)."""
CURVES = 0x50
"""The first half of the numbers of groups that hold curves."""
YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
"""Years in the units of an age string (PS3.5 6.2)."""
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
"""Tags that tell how far apart pixels are: in the patient, else on the detector or the film."""
NO_IMAGES = ("SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "SR", "PR", "KO", "ECG")
NEAR = 1e-3
"""Millimetres between slices that lie at one place."""
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"


def library() -> Any:
    """`pydicom`. Raises DataError with the line that installs it."""
    return need("pydicom", extra="images", why="a DICOM image")


def begins(path: Path) -> bool:
    """Whether a file begins as a DICOM file does: 128 bytes, then 'DICM' (PS3.10)."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def object_kind(path: Path) -> str:
    """The modality of the object in a file, also of one that lacks what DICOM files begin with; '' where it tells none.
    Raises DataError where it is broken."""
    pydicom = library()
    with path.open("rb") as stream:
        bare = stream.read(2) == b"\x08\x00"  # its first tag instead
    with whole(path, "a DICOM file", pydicom.errors.InvalidDicomError, pydicom.errors.BytesLengthException):
        held = pydicom.dcmread(path, force=bare, stop_before_pixels=True, specific_tags=["Modality"])
        return str(held.get("Modality", ""))


# Reading


@dataclass(frozen=True, eq=False)
class Slice:
    """A file of a series: what is `found` in it, which `series` it is of, and its place along the `normal`; which
    `instance` it is, and of several frames, the `order` in which they stand (from 0), and their places. Where places
    are no millimetres but numbers, so many lie `between` two; `turn` was done to the pixels of the file."""

    found: Found
    series: str
    place: float
    instance: str = ""
    normal: np.ndarray | None = None
    order: tuple[int, ...] = (0,)
    places: tuple[float, ...] = ()
    between: float | None = None
    turn: Turn = plane_turn(())[0]


def read(path: Path, columns: Iterable[str] = ()) -> Slice:
    """The image of a file, of several frames a volume, with the tags that are `columns`. Raises DataError where there
    is none, or it is broken."""
    pydicom = library()
    with whole(path, "a DICOM file", pydicom.errors.InvalidDicomError, pydicom.errors.BytesLengthException):
        try:
            held = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            if (bare := object_kind(path)) in NO_IMAGES:
                raise _without_image(path, bare) from None
            raise
        kind = str(held.get("Modality", ""))
        if kind in NO_IMAGES or "PixelData" not in held:
            raise _without_image(path, kind)
        patient = str(held.get("PatientID", "")).strip()
        turn, across = plane_turn(_across(path, held))
        layout, normal, name = _layout(held, kind), _normal(across), str(held.get("PhotometricInterpretation", ""))
        tags = tuple(dict.fromkeys(_identifying(held)))
        burned = {"YES": True, "NO": False}.get(str(held.get("BurnedInAnnotation", "")))
        series, instance = str(held.get("SeriesInstanceUID", path.name)), str(held.get("SOPInstanceUID", ""))
        known = [name for name in columns if pydicom.datadict.tag_for_keyword(name) is not None and name in held]
        told = {name: _text(held[name]) for name in known}
        _refuse_colours(path, name, held)
        pixels = np.ascontiguousarray(turn(_pixels(path, held, name)))
        places = tuple(_place(held, i, normal) for i in range(pixels.shape[1] if pixels.ndim == 4 else 1))
        # Frames of a film lie at one place, in the order of time.
        lies = normal is not None and bool(of_frame(held, "ImagePositionPatient", 0))
        measured = lies and 1 < len(places) == len(set(places))
        order = tuple(int(i) for i in np.argsort(places, kind="stable")) if measured else tuple(range(len(places)))
        between = of_frame(held, "SpacingBetweenSlices", 0) or of_frame(held, "SliceThickness", 0) or 1
    repaired = {"MONOCHROME1 is turned around": name == "MONOCHROME1", TURNED: bool(turn)}
    notes = tuple(f"'{path.name}': {repair}" for repair, done in repaired.items() if done)
    spacing = tuple(layout.spacing[i] for i in turn.order) if layout.spacing else ()
    kept = str(np.dtype(str(layout.stored)).newbyteorder("="))
    stored = replace(layout, stored=kept, spacing=spacing, across=across)
    if pixels.ndim == 4:
        pixels, places = pixels[:, order], tuple(places[i] for i in order)
        step = round(float(np.median(np.diff(places))), 6) if measured else float(between)
        stored = replace(stored, spacing=(step, *stored.spacing) if stored.spacing else (), frames=True)
    facts = {SUBJECT: patient} if patient else {}
    found = Found(path.name, pixels, stored, facts, tags, burned, notes, columns=told)
    return Slice(found, series, places[0], instance, normal, order, places, None if lies else float(between), turn)


def _text(element: Any) -> str:
    """The value of a tag; an age in years."""
    value: Any = None if element.VR == "SQ" else element.value
    several = isinstance(value, Sequence) and not isinstance(value, str)
    text = str(value[0] if several and len(value) else "" if several or value is None else value).strip()
    if element.VR == "AS" and (told := re.fullmatch(r"(\d{3})([DWMY])", text)):
        years = int(told[1]) * YEARS[told[2]]
        return f"{years:.0f}" if told[2] == "Y" else f"{years:.2f}"
    return text


def _identifying(held: Any) -> Iterator[str]:
    """What is filled of all that may identify a patient, also within sequences: its keyword, or what it is told as."""
    words = library().datadict
    for tag in sorted(held.keys()):  # elements as the file has them: what nobody reads need not be well-formed
        element, keyword = held.get_item(tag), words.keyword_for_tag(tag)
        kind = words.dictionary_VR(tag) if keyword else element.VR
        named = keyword if keyword in PROFILE or keyword in OTHERS or tag.group >> 8 == CURVES else ""
        if not keyword:
            named = PRIVATE if tag.is_private else UNKNOWN
        if tag.element == 0:  # the length of a group
            continue
        if named and _is_filled(element.value):
            yield NUMBERS if kind == "UI" else named
        elif kind == "SQ" and not named:
            for item in held[tag].value:
                yield from _identifying(item)


def told_kind(tag: str) -> str:
    """The kind of an element that may identify a patient, by its keyword, or of many, by what they are told as."""
    if tag in (PRIVATE, NUMBERS, UNKNOWN):
        return "DICOM elements"
    return KINDS.get(library().datadict.dictionary_VR(tag), "DICOM tag")


def _is_filled(value: Any) -> bool:
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return len(value) > 0
    return value is not None and bool((value if isinstance(value, bytes) else str(value).encode()).strip(b" \0"))


def _without_image(path: Path, kind: str) -> DataError:
    found = f"'{path.name}' is a DICOM object of kind {kind or 'unknown'} that holds no image"
    return DataError.of(found, rule="every file holds an image", fix="leave it out")


def _refuse_colours(path: Path, name: str, held: Any) -> None:
    known = (*("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422"), *_turned_back(held))
    if name not in known:
        found = f"'{path.name}' is of photometric interpretation {name or 'unknown'}"
        raise DataError.of(found, rule="images are MONOCHROME1, MONOCHROME2, RGB or YBR", fix="convert it")


def _turned_back(held: Any) -> tuple[str, ...]:
    """The colours of JPEG 2000, where it compresses the pixels: what decodes it makes them RGB."""
    compressed = held.file_meta.TransferSyntaxUID in library().uid.JPEG2000TransferSyntaxes
    return ("YBR_RCT", "YBR_ICT") if compressed else ()


def _layout(held: Any, kind: str) -> Layout:
    signed, bits = int(held.get("PixelRepresentation", 0)), int(held.get("BitsAllocated", 16))
    window = [_first(of_frame(held, f"Window{name}", 0)) for name in ("Center", "Width")]
    apart = next((told for name in SPACINGS if (told := of_frame(held, name, 0))), ())
    slopes, starts = _scales(held)
    if window[0] is not None and held.get("PhotometricInterpretation") == "MONOCHROME1":
        # Its middle lies half a number beside the centre, but where the window is exact (PS3.3 C.11.2.1).
        beside = 0 if of_frame(held, "VOILUTFunction", 0) == "LINEAR_EXACT" else 1
        window[0] = slopes[0] * _ends(held) + 2 * starts[0] - window[0] + beside
    if len({*zip(slopes, starts, strict=True)}) > 1:  # no number of a file means the same in all frames
        signed, bits, slopes, starts = 0, 0, [1.0], [0.0]
    return Layout(
        "dicom",
        f"{'int' if signed else 'uint'}{bits}" if bits else "float32",
        slopes[0],
        starts[0],
        tuple(map(float, apart)),
        None if None in window else (float(window[0] or 0), float(window[1] or 1)),
        kind=kind,
        sop=str(held.get("SOPClassUID", SECONDARY)),
    )


def _first(value: Any, default: float | None = None) -> float | None:
    if value is None or value == "":
        return default
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return float(value[0] if several else value)


def of_frame(held: Any, keyword: str, frame: int) -> Any:
    """An attribute of a frame (from 0): in its own functional groups, else in those that all share, else of the object
    (PS3.3 C.7.6.16); None where nothing says it."""
    own = list(held.get("PerFrameFunctionalGroupsSequence") or ())[frame : frame + 1]
    for group in (*own, *(held.get("SharedFunctionalGroupsSequence") or ())):
        if (value := _within(group, keyword)) is not None:
            return value
    value = held.get(keyword)
    return None if value == "" else value


def _within(item: Any, keyword: str) -> Any:
    """An attribute of an item, or of the first ones in its sequences."""
    if (value := item.get(keyword)) not in (None, ""):
        return value
    inner = (_within(element.value[0], keyword) for element in item if element.VR == "SQ" and element.value)
    return next((value for value in inner if value is not None), None)


def _scales(held: Any) -> tuple[list[float], list[float]]:
    """The slope and the intercept of each frame."""
    frames = range(int(held.get("NumberOfFrames") or 1))
    slopes = [_first(of_frame(held, "RescaleSlope", i), 1.0) or 1.0 for i in frames]
    return slopes, [_first(of_frame(held, "RescaleIntercept", i), 0.0) or 0.0 for i in frames]


def _across(path: Path, held: Any) -> tuple[float, ...]:
    """The directions of rows and columns, of all frames; () where nobody says them. Raises DataError where frames lie
    in several."""
    frames = range(int(held.get("NumberOfFrames") or 1))
    each = [tuple(map(float, of_frame(held, "ImageOrientationPatient", i) or ())) for i in frames]
    if not _one_direction(each):
        rule, fix = "frames of a file lie in one direction", "export them as files of their own"
        raise DataError.of(f"'{path.name}' has frames of several directions", rule=rule, fix=fix)
    return each[0]


def _one_direction(each: Sequence[tuple[float, ...]]) -> bool:
    return len(set(map(len, each))) == 1 and not (np.ptp(np.array(each), axis=0) > ALIKE).any()


def _normal(across: Sequence[float]) -> np.ndarray | None:
    """(3,) what stands upright on the plane of an image; None where nobody says how it lies."""
    return np.cross(across[:3], across[3:]) if across else None


def _place(held: Any, frame: int, normal: np.ndarray | None) -> float:
    """Where a frame lies along the normal of its plane, else its number."""
    at = of_frame(held, "ImagePositionPatient", frame)
    if normal is not None and at:
        return float(normal @ np.array(at, dtype=float))
    return float(held.get("InstanceNumber") or 0) + frame


def _pixels(path: Path, held: Any, name: str) -> np.ndarray:
    """(channels, [frames,] height, width) float32 in physical units."""
    try:
        raw = jpeg.decoded(path, held) if jpeg.is_deep(held) else held.pixel_array
    except (RuntimeError, NotImplementedError):
        syntax = held.file_meta.TransferSyntaxUID.name
        rule, fix = "compressed pixels need a decoder", "pip install pylibjpeg[all], or decompress the file"
        raise DataError.of(f"'{path.name}' is compressed as {syntax}", rule=rule, fix=fix) from None
    if int(held.get("SamplesPerPixel", 1)) > 1:  # pydicom has turned YBR into RGB already
        return np.ascontiguousarray(np.moveaxis(raw, -1, 0), dtype=np.float32)
    values = raw.astype(np.float32)
    if name == "MONOCHROME1":
        values = _ends(held) - values
    if (padded := _padded(held, raw)).any() and not padded.all():
        values[padded] = values[~padded].min()
    slopes, starts = (np.array(x, dtype=np.float32).reshape(-1, 1, 1) for x in _scales(held))
    return (values * slopes + starts).reshape(1, *values.shape)


def _padded(held: Any, raw: np.ndarray) -> np.ndarray:
    """Which numbers stand for no pixel (PS3.3 C.7.5.1.1.2)."""
    if (one := held.get("PixelPaddingValue")) is None:
        return np.zeros(raw.shape, dtype=bool)
    other = held.get("PixelPaddingRangeLimit")
    low, high = sorted((int(one), int(one if other is None else other)))
    return np.asarray((raw >= low) & (raw <= high))


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
    if not _one_direction([one.found.layout.across for one in mine]):
        fix = "leave out what is seen from elsewhere, or [image] dimensions = 2"
        return Problem(f"{place}: of several directions", "slices of a volume are parallel", fix)
    gaps = np.diff([one.place for one in mine])
    if len(gaps) and np.median(gaps) < NEAR:
        rule, fix = (
            "slices of a volume lie beside each other",
            "give one time or contrast, or [image] dimensions = 2",
        )
        return Problem(f"{place}: at one place", rule, fix)
    if len(mine) < 2 or (np.abs(gaps - np.median(gaps)) > 0.1 * np.median(gaps)).any():
        fix = "add what is missing, or [image] dimensions = 2"
        return Problem(f"{place}: not evenly apart", "slices of a volume follow each other", fix)
    return None


def _stacked(mine: Sequence[Slice]) -> Found:
    first = mine[0].found
    gap = float(np.median(np.diff([one.place for one in mine])))
    step = gap if mine[0].between is None else mine[0].between
    layout = replace(first.layout, spacing=(round(step, 6), *first.layout.spacing) if first.layout.spacing else ())
    pixels = np.stack([one.found.pixels for one in mine], axis=1)
    masks = {name: np.stack([one.found.masks[name] for one in mine]) for name in first.masks}
    tags = tuple(dict.fromkeys(tag for one in mine for tag in one.found.tags))
    burned = [one.found.burned for one in mine]
    said = True if True in burned else None if None in burned else False
    name = f"the series of {first.name}"
    return replace(first, name=name, pixels=pixels, layout=layout, tags=tags, burned=said, masks=masks)


def frames(one: Found) -> Iterator[Found]:
    """The frames of a volume as images of their own."""
    flat = replace(one.layout, spacing=one.layout.spacing[1:], frames=False)
    for i in range(one.pixels.shape[1]):
        masks = {name: mask[i] for name, mask in one.masks.items()}
        yield replace(one, name=f"{one.name}, frame {i}", pixels=one.pixels[:, i], layout=flat, masks=masks)
