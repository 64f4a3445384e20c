"""Which files hold images, and what a manifest or their folders say of them. No pixel is read.

A manifest is a CSV or Parquet with a column `path` (relative to itself), `label`, and `subject` or `patient`; `split`
says train or test; `mask` or `mask_<name>` is the path of a label map, `domain` the contrast and `pair` images that
are registered on each other; every other column is known of its image. Without one, the folder of a PNG or TIFF is its
label, and folders named train, val and test are a split.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from os.path import abspath
from pathlib import Path

import pandas as pd

from semblance.core import lines
from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.listing import MANIFEST, PATH, pathless
from semblance.core.names import names_patients
from semblance.modalities.image.data import Layout
from semblance.modalities.image.declare import Said
from semblance.modalities.image.formats import dicom, npz, raster, slides
from semblance.modalities.image.found import DOMAIN, LABEL, PAIR, SPLIT, SUBJECT, whole

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


def files_of(
    paths: Sequence[Path], said: Said, *, lost_too: bool = False
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


def named(paths: Sequence[str | Path], said: Said) -> tuple[str, ...]:
    """What files tell of their images besides pixels, `label` for their label: no pixel is read. What DICOM tells is
    learned only where it is declared."""
    told = dict[str, None]()
    listed, _, _, problems = files_of([Path(path) for path in paths], said)
    if problems:
        raise DataError(*problems)
    for entry in listed:
        told |= dict.fromkeys([LABEL] if LABEL in entry.facts else [])
        told |= dict.fromkeys(npz.named(entry.path, said) if kind_of(entry.path) == "npz" else [])
        told |= dict.fromkeys(entry.columns)
    return tuple(told)


def kind_of(path: Path) -> str | None:
    """What a file's name says it is; files without a known suffix are DICOM where they begin so."""
    name = path.name.lower()
    if name == INDEX:
        return None
    known = next((kind for suffix, kind in KINDS.items() if name.endswith(suffix)), None)
    if known is None and path.is_file() and not name.endswith(BESIDE) and not name.startswith("."):
        return "dicom" if dicom.begins(path) else None
    return known


# Folders


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
