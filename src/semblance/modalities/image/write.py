"""Images in the input's format: an archive, or a folder of files with a manifest. Whole, or not at all."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import UsageError
from semblance.core.facts import told_texts
from semblance.core.files import atomic, atomic_folder, write_json
from semblance.core.listing import MANIFEST, PATH
from semblance.modalities.image.apart import Plain, plain
from semblance.modalities.image.data import Channel, Images, Layout
from semblance.modalities.image.formats import nifti, npz, objects, raster, segments
from semblance.modalities.image.found import DOMAIN, PAIR
from semblance.modalities.image.listing import LAYOUT, column_of

_NAME = re.compile(r"[^\w.+-]+")


def write(chunks: Iterable[Images], path: Path) -> Path:
    """Write the chunks one after the other; images and patients are numbered anew. Raises UsageError for no chunks."""
    path, parts = Path(path), iter(chunks)
    first = next((part for part in parts if len(part)), None)
    if first is None:
        raise UsageError.of("nothing to write", rule="there is at least one image", fix="sample at least one")
    every = chain([first], (part for part in parts if len(part)))
    if path.suffix == ".npz":
        with atomic(path) as temporary:
            npz.write(every, temporary)
        return path
    if path.suffix:
        rule = "a name without suffix for a folder, or one that ends in .npz"
        raise UsageError.of(f"'{path.name}' as output", rule=rule, fix="correct its suffix")
    layout = _for_files(first)
    alike = (replace(part, layout=layout) for part in every)
    with atomic_folder(path) as folder:
        _write_folder(alike, replace(first, layout=layout), folder)
    return path


def _for_files(first: Images) -> Layout:
    """The layout; images of an archive become PNG in a folder, or NIfTI where PNG cannot hold them."""
    layout, count = first.layout, 1 if first.layout.apart else first.light.shape[1]
    if layout.fmt != "npz":
        return layout
    colours = first.pixels.ndim == 4 and count in (1, 3)
    held = colours and layout.stored in ("uint8", *(("uint16",) if count == 1 else ()))
    return replace(layout, fmt="png" if held else "nifti", axes="", prefix="")


def _write_folder(chunks: Iterator[Images], first: Images, folder: Path) -> None:
    layout, subject, target = first.layout, first.schema.where("subject"), first.schema.where("target")
    further = [column.name for column in first.schema.learned if column.role != "target"]
    by_label = layout.folders and subject is None and target is not None and not (layout.channels or further)
    names = [*(column.name for column in (target, subject) if column is not None), *further]
    maps = {channel.name: channel for channel in layout.maps.values()}
    names += [*map(column_of, maps), *((DOMAIN, PAIR) if layout.apart else ())]
    with _manifest(folder, names, wanted=not by_label) as table:
        for number, record, one, known, patient in _rows(chunks):
            label = known[target.name] if target is not None else ""
            place = folder / (_NAME.sub("_", label) or "unlabelled") if by_label else folder
            place.mkdir(exist_ok=True)
            file = _file(one.numbers, layout, place / f"{number:06d}", number=number, subject=patient, known=known)
            told = dict(known)
            told |= {} if subject is None else {subject.name: str(patient)}
            told |= {DOMAIN: one.domain, PAIR: str(record)} if layout.apart else {}
            for name, mask in one.masks.items():
                beside = _mask(mask, maps[name], layout, file, folder / f"{number:06d}_{_NAME.sub('_', name)}")
                told[column_of(name)] = str(beside.relative_to(folder))
            table({PATH: str(file.relative_to(folder)), **told})
    write_json(folder / LAYOUT, {"dimensions": first.pixels.ndim - 2, "layout": layout.to_json(), "synthetic": True})


def _rows(chunks: Iterable[Images]) -> Iterator[tuple[int, int, Plain, dict[str, str], int]]:
    """Each image with its number and that of its record, what is known of it, and its patient."""
    number = records = 0
    for chunk in chunks:
        texts = told_texts(chunk.frame, chunk.schema)
        for one in plain(chunk):
            number += 1
            known = {name: column[one.row] for name, column in texts.items()}
            yield number, records + one.row + 1, one, known, int(chunk.subjects[one.row]) + 1
        records += len(chunk)


def _mask(numbers: np.ndarray, channel: Channel, layout: Layout, image: Path, path: Path) -> Path:
    """A label map as a file beside its image: a segmentation beside DICOM, PNG beside planes where it can hold the
    numbers, NIfTI beside volumes."""
    if layout.fmt == "dicom":
        return segments.write(np.searchsorted(channel.numbers, numbers), channel, image, path)
    smallest = np.min_scalar_type(max(channel.numbers))
    if layout.fmt == "nifti" or numbers.ndim == 3 or smallest.itemsize > 2:
        return nifti.write(numbers[None], replace(layout, stored=str(numbers.dtype), slope=1.0, intercept=0.0), path)
    held = numbers if channel.stored in ("uint8", "uint16") else numbers.astype(smallest)
    return raster.write(held[None], replace(layout, fmt="png"), path)


@contextmanager
def _manifest(folder: Path, names: list[str], *, wanted: bool) -> Iterator[Any]:
    """What takes the rows of a manifest; of none where none is wanted."""
    if not wanted:
        yield lambda row: None
        return
    with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, [PATH, *names], lineterminator="\n")
        table.writeheader()
        yield table.writerow


def _file(
    numbers: np.ndarray, layout: Layout, path: Path, *, number: int, subject: int, known: Mapping[str, str]
) -> Path:
    if layout.fmt == "nifti":
        return nifti.write(numbers, layout, path)
    if layout.fmt == "dicom":
        return objects.write(numbers, layout, path, number=number, subject=subject, known=known)
    return raster.write(numbers, layout, path)
