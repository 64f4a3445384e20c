"""From paths to the images that they hold: an archive, files, a manifest table, or a folder of one format.

Every file that is listed is tried, and all that is wrong is told at once. Of many files one is held in memory, and what
was read before lies in files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os.path import abspath
from pathlib import Path

import numpy as np

from semblance.core.errors import DataError, Problem, ResourceError, UsageError
from semblance.core.large import Shelf
from semblance.modalities.image.declare import Said
from semblance.modalities.image.formats import dicom, nifti, npz, raster, segments, slides
from semblance.modalities.image.formats.segments import Segments
from semblance.modalities.image.found import Found, broken
from semblance.modalities.image.listing import KINDS, Listed, files_of, kind_of

Watch = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Gathered:
    """What was found; the name of the column of patients; notes of what was not used; what is wrong with files that
    cannot be read."""

    found: list[Found]
    subject: str
    notes: list[str]
    problems: list[Problem]


def gather(paths: Sequence[str | Path] | str | Path, said: Said, watch: Watch | None = None) -> Gathered:
    """Every image of the paths, and every problem of every file; `watch` hears how many files of how many are read.
    Raises DataError where they cannot be listed."""
    several = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    listed, subject, notes, lost = files_of(several, said)
    found, problems = _read(_watched(listed, watch), said)
    told = [note for one in found for note in one.notes]
    subject = next((one.subject for one in found if one.subject is not None), subject)
    return Gathered(found, subject, [*notes, *_shortened(told)], [*lost, *problems])


def each(paths: Sequence[str | Path] | str | Path, said: Said, watch: Watch | None = None) -> tuple[list[Found], int]:
    """The images that can be read, each file by itself, and how many files cannot: none has a part in another's, and
    so slices are images of their own, and a row of a manifest names a file that no row before it names."""
    found, lost, shelf = list[Found](), 0, Shelf()
    several = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    for entry in _watched(_once(files_of(several, said, lost_too=True)[0]), watch):
        try:
            read = _of_file(entry.path, said, {}, alone=True)
            some = (one.found if isinstance(one, dicom.Slice) else one for one in read if not isinstance(one, Segments))
            found += [replace(one, facts={**one.facts, **entry.facts}).on(shelf) for one in some]
        except (ResourceError, UsageError):  # a full disk or a missing package is no patient's file that is broken
            raise
        except Exception:  # whatever is wrong with one patient's file, others hear nothing of it
            lost += 1
    return found, lost


def _watched(listed: list[Listed], watch: Watch | None) -> Iterator[Listed]:
    """The files one by one; each is read when the next one is asked for."""
    for done, entry in enumerate(listed, start=1):
        yield entry
        if watch is not None:
            watch(done, len(listed))


def _once(listed: list[Listed]) -> list[Listed]:
    """Every file once, as what names it first tells of it."""
    first: dict[str, Listed] = {}
    for entry in listed:
        first.setdefault(abspath(entry.path), entry)
    return list(first.values())


def _shortened(notes: list[str]) -> list[str]:
    """Notes of many files that say the same, once."""
    made: dict[str, list[str]] = {}
    for note in notes:
        made.setdefault(note.partition(": ")[2], []).append(note)
    return [some[0] if len(some) == 1 else f"{some[0]} (and {len(some) - 1:,} more files)" for some in made.values()]


def _read(listed: Iterable[Listed], said: Said) -> tuple[list[Found], list[Problem]]:
    found: list[Found] = []
    slices: list[dicom.Slice] = []
    marks = dict[Path, Segments]()
    problems: list[Problem] = []
    shelf = Shelf()
    for entry in listed:
        try:
            beside = kind_of(entry.path)
            held = _held(entry, beside, marks)
            masks = {name: one for name, one in held.items() if not isinstance(one, Segments)}
            lying = [n for n in masks if beside == kind_of(entry.masks[n]) == "nifti" and nifti.lies(entry.masks[n])]
            own = {n: replace(one, mask=n) for n, one in held.items() if isinstance(one, Segments)}
            marks |= {path: own[n].on(shelf) for n, path in entry.masks.items() if n in own and path not in marks}
            with _called(entry.path, entry.name(entry.path)):
                for one in _of_file(entry.path, said, masks, lying):
                    if isinstance(one, Segments):
                        marks.setdefault(entry.path, replace(one, name=entry.name(entry.path)).on(shelf))
                        continue
                    known = _known(one.found if isinstance(one, dicom.Slice) else one, entry)
                    _refuse_endless(known)
                    if isinstance(one, dicom.Slice):
                        own_masks = {name: one.turn(mask) for name, mask in masks.items()}
                        slices.append(replace(one, found=replace(known, masks=own_masks).on(shelf)))
                    else:
                        found.append(known.on(shelf))
        except DataError as error:
            problems += error.problems
    if said.dimensions == 3:
        if any(one.found.masks for one in slices):
            rule, fix = "masks lie beside whole volumes or beside slices that stay so", "convert the series to NIfTI"
            problems.append(Problem("masks beside slices of a DICOM series", rule, fix))
        slices, odd = segments.placed(slices, list(marks.values()))
        problems += odd
        stacked, odd = dicom.volumes(slices)
        return [*found, *stacked], [*problems, *odd]
    slices, odd = segments.placed(slices, list(marks.values()))
    problems, flat = [*problems, *odd], said.dimensions == 2
    for one in slices:
        found += dicom.frames(one.found) if flat and one.found.pixels.ndim == 4 else [one.found]
    return found, problems


def _held(entry: Listed, beside: str | None, marks: Mapping[Path, Segments]) -> dict[str, np.ndarray | Segments]:
    """The masks of an image by name. One segmentation marks all slices of a series, and is read once."""
    held = dict[str, np.ndarray | Segments]()
    for name, path in entry.masks.items():
        with _called(path, entry.name(path)):
            one = marks[path] if path in marks else _mask(path, beside)
            held[name] = replace(one, name=entry.name(path)) if isinstance(one, Segments) else one
    return held


@contextmanager
def _called(path: Path, name: str) -> Iterator[None]:
    """Errors of a file, which its reader calls by its own name, with the one that tells it from others."""
    try:
        yield
    except DataError as error:
        own = (replace(one, found=one.found.replace(f"'{path.name}", f"'{name}", 1)) for one in error.problems)
        raise DataError(*own) from None


def _known(one: Found, entry: Listed) -> Found:
    """An image by its place, with what a manifest or its folder says of it, which counts for more than what the file
    says."""
    name = entry.name(entry.path) + one.name.removeprefix(entry.path.name)
    return replace(one, name=name, facts={**one.facts, **entry.facts}, columns={**one.columns, **entry.columns})


def _refuse_endless(one: Found) -> None:
    if not np.isfinite(one.pixels).all():
        rule, fix = "every pixel is a number", "fill them, as with the value of the background, or crop them"
        raise DataError.of(f"'{one.name}' has values that are no numbers", rule=rule, fix=fix)


def _mask(path: Path, beside: str | None) -> np.ndarray | Segments:
    """The numbers of a file that holds a label map, or the segmentation in it; NIfTI lies as it says `beside` NIfTI
    alone. Raises DataError where it is none."""
    kind = kind_of(path)
    if kind == "dicom" and (marked := segments.read(path)) is not None:
        return marked
    if kind not in ("raster", "nifti") or path.suffix.lower() in raster.LOSSY:
        rule, fix = "a mask is a PNG, a TIFF, a NIfTI or a DICOM segmentation", "convert it"
        raise DataError.of(f"'{path.name}' as a mask", rule=rule, fix=fix)
    turned = beside == "nifti"
    (one,) = [raster.read(path)] if kind == "raster" else nifti.read(path, slices=False, turned=turned)
    if len(one.pixels) != 1:
        rule, fix = "a mask has one channel, of a number for each class", "save it in grey, without colours"
        raise DataError.of(f"'{path.name}' has {len(one.pixels)} channels", rule=rule, fix=fix)
    whole_numbers = np.dtype(one.layout.stored).kind in "ui" and (one.pixels % 1 == 0).all()
    made: np.ndarray = one.pixels[0].astype(one.layout.stored) if whole_numbers else one.pixels[0]
    return made


def _of_file(
    path: Path, said: Said, masks: dict[str, np.ndarray], lying: Sequence[str] = (), *, alone: bool = False
) -> Iterator[Found | dicom.Slice | Segments]:
    match kind_of(path):
        case "npz" | "nifti" | "dicom" if said.tile is not None:
            rule, fix = "tiles are cut of whole slides, .svs or TIFF", "leave out [image] tile"
            raise DataError.of(f"'{path.name}' beside [image] tile", rule=rule, fix=fix)
        case "npz":
            yield from npz.read(path, said, alone=alone)
        case "nifti":
            yield from nifti.read(path, slices=said.dimensions == 2, masks=masks, lying=lying)
        case "dicom":
            marked = segments.read(path)
            if alone and marked is not None:  # no image, and masks are not learned
                return
            tags = () if alone else (*said.columns, *(() if said.prompt is None else (said.prompt,)))
            yield dicom.read(path, tags) if marked is None else marked
        case "slide" | "raster" if said.tile is not None:
            if masks:
                rule, fix = "masks lie beside images, not beside whole slides", "cut slide and mask into tiles"
                raise DataError.of(f"'{path.name}' with a mask", rule=rule, fix=fix)
            yield from slides.read(path, said.tile)
        case "slide":
            rule, fix = (
                "pieces of a whole slide are read",
                "[image] tile = {size = 128, microns = 1.0} in the schema file",
            )
            raise DataError.of(f"'{path.name}' is a whole slide", rule=rule, fix=fix)
        case "raster":
            yield replace(raster.read(path), masks=masks)
        case _ if path.is_file() and path.stat().st_size == 0:
            raise broken(path, "an image")
        case _:
            rule = f"an image's name ends in one of {', '.join(KINDS)}"
            raise DataError.of(f"'{path.name}' is no known kind of image", rule=rule, fix="leave it out, or convert it")
