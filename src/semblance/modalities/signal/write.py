"""Recordings in the input's format: a folder of files with a manifest, or a single file. Whole, or not at all."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from semblance.core.errors import DataError, UsageError
from semblance.core.facts import told_texts
from semblance.core.files import atomic, atomic_folder
from semblance.core.listing import MANIFEST, PATH
from semblance.modalities.signal.data import Recording, Recordings
from semblance.modalities.signal.formats import arrays, dicom, edf, tables, wfdb

Facts = dict[str, str]
Rows = Iterator[tuple[Recording, Facts]]
_NAME = re.compile(r"^[A-Za-z0-9_-]+$")


def write(chunks: Iterable[Recordings], path: Path) -> Path:
    """Write the chunks one after the other; a path without suffix becomes a folder in the format of the leads' `fmt`.

    Raises UsageError for an unknown suffix or no chunks.
    """
    path, parts = Path(path), iter(chunks)
    first = next(parts, None)
    if first is None or not len(first):
        raise UsageError.of("nothing to write", rule="there is at least one recording", fix="sample at least one")
    rows = _rows(chain([first], parts))
    if not path.suffix:
        _write_folder(rows, first, path)
        return path
    if path.suffix not in _FILES:
        rule = f"a name without suffix for a folder, or one that ends in {', '.join(_FILES)}"
        raise UsageError.of(f"'{path.name}' as output", rule=rule, fix="correct its suffix")
    with atomic(path) as temporary:
        _FILES[path.suffix](rows, first, temporary)
    return path


def _rows(chunks: Iterable[Recordings]) -> Rows:
    """Every recording with its facts as texts; a patient is written by number. Names must do for files, and differ."""
    seen: set[str] = set()
    for chunk in chunks:
        texts = told_texts(chunk.frame, chunk.schema)
        subject = chunk.schema.where("subject")
        for i, recording in enumerate(chunk.recordings):
            if recording.name in seen or not _NAME.match(recording.name):
                rule = "each recording has its own name of letters, digits, - and _"
                raise DataError.of(f"the name '{recording.name}'", rule=rule, fix="rename it")
            seen.add(recording.name)
            patient = {} if subject is None else {subject.name: str(int(chunk.subjects[i]) + 1)}
            yield recording, {**patient, **{name: held[i] for name, held in texts.items()}}


_FILES: dict[str, Callable[[Rows, Recordings, Path], None]] = {
    ".npz": arrays.write,
    ".csv": tables.write_csv,
    ".parquet": tables.write_parquet,
    ".arff": tables.write_arff,
}

# Folders

_FOLDERS: dict[str, tuple[str, Callable[[Rows, Path], None]]] = {
    edf.EDF: (".edf", edf.write),
    edf.BDF: (".bdf", edf.write),
    dicom.DICOM: (".dcm", dicom.write),
}


def _write_folder(rows: Rows, first: Recordings, path: Path) -> None:
    suffix, writer = _FOLDERS.get(first.recordings[0].leads[0].fmt.partition(" ")[0], (".hea", wfdb.write))
    names = [column.name for column in first.schema.written]
    with atomic_folder(path) as folder, _manifest(folder, names) as listed:
        writer(_listing(rows, listed, suffix), folder)


@contextmanager
def _manifest(folder: Path, names: list[str]) -> Iterator[Any]:
    with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, [PATH, *names], lineterminator="\n")
        table.writeheader()
        yield table


def _listing(rows: Rows, table: Any, suffix: str) -> Rows:
    for recording, facts in rows:
        table.writerow({PATH: recording.name + suffix, **facts})
        yield recording, facts
