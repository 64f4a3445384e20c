"""Where a table lies: the file, the member of a zip, the sheet of a workbook.

`FILE.zip::member` (and `FILE.xlsx::sheet`) chooses one table of several; a zip alone means its largest table.
"""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from semblance.core.errors import DataError, Problem, SemblanceError, UsageError
from semblance.modalities.table.typed import Raw

SUFFIXES = (".csv.gz", ".csv", ".parquet", ".feather", ".xlsx")
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Source:
    """The columns of one file, notes for the person, and the problems found so far."""

    columns: tuple[Raw, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a table lies: `label` names it in messages, `open` gives its bytes, `part` is a sheet."""

    label: str
    suffix: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    part: str | None = None
    notes: tuple[str, ...] = ()


def only(paths: Sequence[str | Path] | str | Path) -> str:
    """The one path of a call. Raises UsageError for none or several."""
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    if len(several) != 1:
        raise UsageError.of(
            f"{len(several)} paths",
            rule="a table is one file",
            fix="give exactly one path; join the tables first if there are more",
        )
    return str(several[0])


def locate(path: str) -> Place:
    """Find the file of `FILE` or `FILE::part` and, in a zip, the member to read."""
    name, _, part = path.partition("::") if not Path(path).exists() else (path, "", "")
    file = Path(name)
    if not file.exists():
        raise UsageError.of(f"no file '{name}'", rule="the path must exist", fix="check the spelling and the folder")
    if file.is_dir():
        raise DataError.of(f"'{name}' is a folder", rule="a table is one file", fix="name the file inside it")
    try:
        file.open("rb").close()
    except OSError as error:
        raise DataError.of(
            f"'{name}' cannot be opened ({error.strerror})", rule="the file must be readable", fix="check its rights"
        ) from None
    if file.suffix.lower() == ".zip":
        return _member(file, part or None)
    place = Place(file.name, _suffix(file.name), lambda: file.open("rb"), part or None)
    if part and place.suffix != ".xlsx":
        raise UsageError.of(
            f"'::{part}' after '{file.name}'", rule="only a zip or an xlsx has parts", fix=f"give '{name}' alone"
        )
    return place


def _suffix(name: str) -> str:
    found = next((s for s in SUFFIXES if name.lower().endswith(s)), None)
    if found is None:
        raise UsageError.of(
            f"'{name}' is no known kind of table",
            rule=f"the name ends in one of {', '.join(SUFFIXES)}, .zip",
            fix="convert the file, or correct its suffix",
        )
    return found


def _member(file: Path, wanted: str | None) -> Place:
    try:
        with zipfile.ZipFile(file) as archive:
            files = [m for m in archive.infolist() if not m.is_dir() and "__MACOSX" not in m.filename]
    except BROKEN:
        raise broken(file.name, "zip archive") from None
    tables = [m for m in files if m.filename.lower().endswith(SUFFIXES)]
    names = ", ".join(m.filename for m in tables)
    if wanted is not None:
        chosen = [m for m in tables if wanted in (m.filename, Path(m.filename).name)]
        if len(chosen) != 1:
            raise UsageError.of(
                f"no member '{wanted}' in '{file.name}'",
                rule="FILE.zip::member names one table",
                fix=f"one of: {names}",
            )
        notes: tuple[str, ...] = ()
    else:
        if not tables:
            raise DataError.of(
                f"'{file.name}' holds no table",
                rule=f"a member ends in {', '.join(SUFFIXES)}",
                fix="put the CSV into the zip",
            )
        chosen = [max(tables, key=lambda m: m.file_size)]
        others = [m.filename for m in tables if m is not chosen[0]]
        notes = (
            (
                f"'{file.name}' holds {len(tables)} tables: using the largest, {chosen[0].filename} "
                f"(choose another with {file.name}::{others[0]})",
            )
            if others
            else ()
        )
    name = chosen[0].filename
    return Place(f"{file.name}::{name}", _suffix(name), lambda: _open_member(file, name), notes=notes)


@contextmanager
def _open_member(file: Path, name: str) -> Iterator[BinaryIO]:
    with zipfile.ZipFile(file) as archive:
        try:
            stream = archive.open(name)
        except RuntimeError:
            raise DataError.of(
                f"'{file.name}' is encrypted", rule="the archive must be readable", fix="unpack it first"
            ) from None
        with stream:
            yield cast(BinaryIO, stream)


def broken(label: str, what: str) -> SemblanceError:
    """The error of a file that ends early or is not what its suffix says."""
    return DataError.of(
        f"'{label}' is no complete {what}",
        rule="the file must be whole and of the kind that its suffix says",
        fix="copy or download it again, or correct its suffix",
    )
