"""From paths to the images that they hold: an archive, files, a manifest table, or a folder of one format.

A manifest is a CSV or Parquet with a column `path` (relative to itself), `label`, and `subject` or `patient`; `split`
says train or test; `mask` or `mask_<name>` is the path of a label map, `domain` the contrast and `pair` images that
are registered on each other; every other column is known of its image. Without one, the folder of a PNG or TIFF is its
label, and folders named train, val and test are a split. Every file is tried, and all that is wrong is told at once. Of
many files one is held in memory, and what was read before lies in files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os.path import abspath
from pathlib import Path

import numpy as np
import pandas as pd

from semblance.core import lines
from semblance.core.errors import DataError, Problem, ResourceError, UsageError
from semblance.core.large import Shelf
from semblance.core.listing import MANIFEST, PATH, pathless
from semblance.core.names import names_patients
from semblance.modalities.image.data import Layout
from semblance.modalities.image.declare import Said
from semblance.modalities.image.formats import dicom, nifti, npz, raster, segments, slides
from semblance.modalities.image.formats.segments import Segments
from semblance.modalities.image.found import DOMAIN, LABEL, PAIR, SPLIT, SUBJECT, Found, broken, whole

Watch = Callable[[int, int], None]
MASK, LAYOUT = "mask", "layout.json"
SOURCE = "source"
"""A column that tells patients although its name need not say so."""
TESTS, TRAINS = ("test", "holdout"), ("train", "training", "val", "valid", "validation")
BESIDE = (".txt", ".md", ".json", ".csv", ".html", ".xml", ".pdf", ".yaml", ".toml")
"""What may lie beside images and is none."""
INDEX = "dicomdir"
"""A list of what lies on a disc, which begins like its images (PS3.10 8)."""
KINDS = {
    **dict.fromkeys(raster.SUFFIXES, "raster"),
    **dict.fromkeys(slides.SUFFIXES, "slide"),
    ".dcm": "dicom",
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".npz": "npz",
}


@dataclass(frozen=True)
class Listed:
    """A file to read, what a manifest or its folder says of it, the folder that was given, and the manifest's row."""

    path: Path
    facts: dict[str, str]
    masks: dict[str, Path] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    row: int | None = None

    def name(self, path: Path) -> str:
        """How errors call a file: by its place in the folder, which may hold several files of one name."""
        if self.folder is None or not path.is_relative_to(self.folder):
            return path.name
        return path.relative_to(self.folder).as_posix()


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
    listed, subject, notes, lost = _listed(several, said)
    found, problems = _read(_watched(listed, watch), said)
    told = [note for one in found for note in one.notes]
    subject = next((one.subject for one in found if one.subject is not None), subject)
    return Gathered(found, subject, [*notes, *_shortened(told)], [*lost, *problems])


def each(paths: Sequence[str | Path] | str | Path, said: Said, watch: Watch | None = None) -> tuple[list[Found], int]:
    """The images that can be read, each file by itself, and how many files cannot: none has a part in another's, and
    so slices are images of their own, and a row of a manifest names a file that no row before it names."""
    found, lost, shelf = list[Found](), 0, Shelf()
    several = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    for entry in _watched(_once(_listed(several, said, lost_too=True)[0]), watch):
        try:
            read = _of_file(entry.path, said, {}, alone=True)
            some = (one.found if isinstance(one, dicom.Slice) else one for one in read if not isinstance(one, Segments))
            found += [replace(one, facts={**one.facts, **entry.facts}).on(shelf) for one in some]
        except (ResourceError, UsageError):  # a full disk or a missing package is no patient's file that is broken
            raise
        except Exception:  # whatever is wrong with one patient's file, others hear nothing of it
            lost += 1
    return found, lost


def named(paths: Sequence[str | Path], said: Said) -> tuple[str, ...]:
    """What files tell of their images besides pixels, `label` for their label: no pixel is read. What DICOM tells is
    learned only where it is declared."""
    told = dict[str, None]()
    listed, _, _, problems = _listed([Path(path) for path in paths], said)
    if problems:
        raise DataError(*problems)
    for entry in listed:
        told |= dict.fromkeys([LABEL] if LABEL in entry.facts else [])
        told |= dict.fromkeys(npz.named(entry.path, said) if kind_of(entry.path) == "npz" else [])
        told |= dict.fromkeys(entry.columns)
    return tuple(told)


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


def kind_of(path: Path) -> str | None:
    """What a file's name says it is; files without a known suffix are DICOM where they begin so."""
    name = path.name.lower()
    if name == INDEX:
        return None
    known = next((kind for suffix, kind in KINDS.items() if name.endswith(suffix)), None)
    if known is None and path.is_file() and not name.endswith(BESIDE) and not name.startswith("."):
        return "dicom" if dicom.begins(path) else None
    return known


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


# Which files


def _listed(
    paths: list[Path], said: Said, *, lost_too: bool = False
) -> tuple[list[Listed], str, list[str], list[Problem]]:
    """The files that are there, the name of the column of patients, notes, and what is wrong with rows of manifests."""
    listed, notes, subject = list[Listed](), list[str](), SUBJECT if said.subject is None else said.subject
    problems = list[Problem]()
    for path in paths:
        if not path.exists():
            raise UsageError.of(f"no file '{path}'", rule="the path must exist", fix="check the spelling")
        table = _manifest(path, alone=lost_too)
        if table is not None:
            folder = path if path.is_dir() else path.parent
            some, subject, told, lost = _of_manifest(folder, table, said, lost_too=lost_too)
            problems += lost
        elif path.is_dir():
            some, told = _of_folder(path, said)
        else:
            some, told = [Listed(path, {})], []
        listed, notes = [*listed, *some], [*notes, *told]
    kinds = {kind: entry.name(entry.path) for entry in reversed(listed) if (kind := kind_of(entry.path)) is not None}
    if len(kinds) > 1 and not lost_too:
        fix = "give the files of one format, or list them in a manifest"
        files = ", ".join(f"'{kinds[kind]}'" for kind in sorted(kinds))
        found = f"files of the formats {', '.join(sorted(kinds))}: {files}"
        raise DataError.of(found, rule="a set has one format", fix=fix)
    return listed, subject, notes, [*problems, *([] if lost_too else _again(listed))]


def _again(listed: Iterable[Listed]) -> Iterator[Problem]:
    """Files that are named a second time, and in what that is not as the first time."""
    first = dict[str, Listed]()
    rule, fix = "every file is named once, or images would count twice", "leave out all but one"
    for entry in listed:
        before = first.setdefault(abspath(entry.path), entry)
        if before is entry:
            continue
        told = [{**one.facts, **one.masks, **one.columns} for one in (before, entry)]
        differ = [name for name in {**told[0], **told[1]} if told[0].get(name) != told[1].get(name)]
        odd = f", with another {', '.join(differ)}" if differ else ""
        place = "" if before.row is None else f", first in row {before.row}"
        where = None if entry.row is None else PATH
        yield Problem(f"'{entry.name(entry.path)}' is named again{place}{odd}", rule, fix, where, entry.row)


def _of_folder(folder: Path, said: Said) -> tuple[list[Listed], list[str]]:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    images = [file for file in files if kind_of(file) is not None or _nameless(file)]
    if not images:
        rule = f"a folder of images holds files that end in {', '.join(KINDS)}"
        raise DataError.of(f"'{folder.name}' holds no image", rule=rule, fix="name the folder that holds them")
    other = len(files) - len(images) - (folder / LAYOUT in files)
    counted = "1 file that is no image is" if other == 1 else f"{other:,} files that are no images are"
    notes = [f"'{folder.name}': {counted} not read"] if other else []
    meant = said.folders
    if meant is None and (kept := kept_in(folder)) is not None and not kept.layout.folders:
        meant = "none"
    parts = {file: file.relative_to(folder).parts[:-1] for file in images}
    if meant is None:
        notes += _unlabelled(folder.name, [parts[file] for file in images if _meant(file) == "none"])
    listed = [Listed(file, _facts_of_folder(parts[file], meant or _meant(file)), folder=folder) for file in images]
    return listed, notes


def _unlabelled(folder: str, parts: Iterable[tuple[str, ...]]) -> list[str]:
    """A note of folders that might be labels, but are not taken so."""
    names = {facts[LABEL] for each in parts if LABEL in (facts := _facts_of_folder(each, LABEL))}
    if len(names) < 2:
        return []
    fix = '[image] folders = "label" takes them so, "subject" for patients'
    return [f"'{folder}': the names of {len(names)} folders inside it are not taken for labels: {fix}"]


def _nameless(file: Path) -> bool:
    """An empty file without a suffix may have been a DICOM file."""
    return not file.suffix and file.stat().st_size == 0


def _meant(image: Path) -> str:
    """What the folder of an image is where nobody says so, whatever lies beside it: a label of PNG, TIFF and slides."""
    return "label" if kind_of(image) in ("raster", "slide") else "none"


def _facts_of_folder(parts: tuple[str, ...], meant: str) -> dict[str, str]:
    split = next((part for part in parts if part.lower() in (*TESTS, *TRAINS)), None)
    rest = [part for part in parts if part != split]
    facts = {SPLIT: _split_of(split)} if split is not None else {}
    return {**facts, meant: rest[-1]} if meant != "none" and rest else facts


def _split_of(text: str) -> str:
    return "test" if text.strip().lower() in TESTS else "train"


@dataclass(frozen=True)
class Kept:
    """What a folder of synthetic images tells of them."""

    layout: Layout
    dimensions: int


def kept_in(paths: Sequence[str | Path] | str | Path) -> Kept | None:
    """What the one folder that is given tells, where it does. Raises DataError where that is not what was written."""
    several = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    file = several[0] / LAYOUT if len(several) == 1 else None
    if file is None or not file.is_file():
        return None
    with whole(file, "a layout"):
        told = json.loads(file.read_text(encoding="utf-8"))
        return Kept(Layout.from_json(told["layout"]), int(told["dimensions"]))


# Manifests


def _manifest(path: Path, *, alone: bool) -> pd.DataFrame | None:
    """The table of a path that is a manifest or holds one; each line `alone`, or as a whole. Raises DataError for one
    that names no files."""
    file = path / MANIFEST if path.is_dir() else path
    if not file.is_file() or not file.name.lower().endswith((".csv", ".parquet")):
        return None
    with whole(file, "a manifest"):
        if file.suffix.lower() == ".parquet":
            table = pd.read_parquet(file).astype("string").fillna("")
        else:
            table = lines.read(file) if alone else pd.read_csv(file, dtype=str, keep_default_na=False)
    if PATH not in table.columns:
        raise pathless(file, [str(name) for name in table.columns], KINDS)
    return table


def _of_manifest(
    folder: Path, table: pd.DataFrame, said: Said, *, lost_too: bool
) -> tuple[list[Listed], str, list[str], list[Problem]]:
    names = [str(name) for name in table.columns]
    whose = [n for n in names if (names_patients(n) or n == SOURCE) and n not in said.columns]
    subject = said.subject if said.subject is not None else min(whose, key=SOURCE.__eq__, default=SUBJECT)
    label = said.target if said.target is not None else LABEL
    lost = [name for name in (said.subject, said.target) if name is not None and name not in names]
    if lost:
        rule, fix = "a column is named as in the manifest", f"one of: {', '.join(names)}"
        raise DataError(*(Problem(f"no column '{name}'", rule, fix) for name in lost))
    listed, problems = list[Listed](), list[Problem]()
    masks = [name for name in names if name == MASK or name.startswith(f"{MASK}_")]
    rest = [name for name in names if name not in (PATH, label, subject, SPLIT, DOMAIN, PAIR, *masks)]
    left = [name for name in rest if name in whose]
    for row, told in enumerate(table.to_dict("records"), start=1):
        places = {PATH: folder / str(told[PATH]), **{n: folder / str(told[n]) for n in masks if str(told[n]).strip()}}
        if not lost_too and (odd := [*_lost(folder, places, str(told[PATH]), row)]):
            problems += odd
            continue
        file = places.pop(PATH)
        facts = {LABEL: told.get(label), SUBJECT: told.get(subject)}
        facts |= {name: told.get(name) for name in (SPLIT, DOMAIN, PAIR)}
        known = {name: str(text).strip() for name, text in facts.items() if text is not None}
        if SPLIT in known:
            known[SPLIT] = _split_of(known[SPLIT])
        files = sorted(file.iterdir()) if file.is_dir() and not lost_too else [file]
        further = {name: str(told[name]).strip() for name in rest if name not in left}
        masked = {named_mask(name): place for name, place in places.items()}
        listed += [Listed(one, known, masked, further, folder, row) for one in files]
    if not listed:
        raise DataError(*(problems or [Problem("the manifest is empty", "it lists images", "add some")]))
    notes = [f"left out of the manifest, as '{subject}' says whose images are: {', '.join(left)}"] if left else []
    return listed, subject, notes, problems


def _lost(folder: Path, places: dict[str, Path], path: str, row: int) -> Iterator[Problem]:
    """What no file is of a row; without a `path` it would be the whole folder."""
    fix = f"correct the path; it is relative to the folder '{folder.name}'"
    for name, file in places.items():
        if name == PATH and not path.strip():
            yield Problem("no path", "every row of a manifest names an image", fix, PATH, row)
        elif not file.exists():
            yield Problem("no such file", "every path of a manifest exists", fix, name, row)


def named_mask(column: str) -> str:
    """The name of the mask of a manifest's column."""
    return column.removeprefix(f"{MASK}_")


def column_of(mask: str) -> str:
    """The inverse."""
    return mask if mask == MASK else f"{MASK}_{mask}"
