"""From paths to the recordings that they hold: a folder, a manifest table, or files.

A manifest is a CSV or Parquet with a column `path` (relative to itself); all its other columns say something of the
recording. A folder that holds a `manifest.csv` is read by it, any other by the files of the one format that it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from semblance.core import lines
from semblance.core.errors import DataError, Problem, SemblanceError, UsageError
from semblance.core.listing import MANIFEST, PATH, pathless
from semblance.core.names import names_patients
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.formats import arrays, dicom, edf, samples, wfdb
from semblance.modalities.signal.found import Found, text_of

TABLES = (".csv", ".csv.gz", ".parquet", ".arff", ".arff.gz")
READERS: dict[str, Callable[[Path, Said], Iterator[Found]]] = {
    ".hea": wfdb.read,
    ".edf": edf.read,
    ".bdf": edf.read,
    ".dcm": dicom.read,
    ".npz": arrays.read,
    ".npy": arrays.read,
    **dict.fromkeys(TABLES, samples.read),
}
FOLDERS = (".hea", ".edf", ".bdf", ".dcm")
"""Formats of one recording per file, which come in folders."""
NAMED = (*FOLDERS, ".arff", ".arff.gz")
"""Formats whose files a folder is searched for: their names tell a recording."""
LABEL = "label"
"""The fact that is the target without being named."""


@dataclass(frozen=True)
class Listed:
    """A file to read, and what a manifest says of it."""

    path: Path
    facts: dict[str, str]


def gather(paths: Sequence[str | Path] | str | Path, said: Said) -> tuple[list[Found], list[str], Said]:
    """The recordings, the names of the facts that a manifest gives, and the declarations with its subject and label.

    Raises DataError with every problem of every file.
    """
    listed, given = _listed(paths)
    found: list[Found] = []
    problems: list[Problem] = []
    for entry in listed:
        try:
            found += [replace(one, facts={**one.facts, **entry.facts}) for one in _reader(entry.path)(entry.path, said)]
        except DataError as error:
            problems += error.problems
    problems += [] if problems else _unnamed(found)
    if problems:
        raise DataError(*problems)
    columns = [name for one in found if one.columns for name in one.facts]
    given = list(dict.fromkeys([*given, *columns]))
    said = _with_roles(said, found, given)
    found = [one if one.patient else replace(one, patient=_patient(one, given)) for one in found]
    return found, [name for name in given if name != said.subject], said


def _with_roles(said: Said, found: Sequence[Found], given: Sequence[str]) -> Said:
    """The subject and the label that the data names; a target of every sample is a state, and no fact."""
    known = dict.fromkeys(name for one in found for name in one.facts)
    if said.subject is None:
        said = replace(said, subject=_subject([name for name in known if name not in said.columns], found, given))
    if said.target is None and LABEL in known:
        said = replace(said, target=LABEL)
    return replace(said, target=None) if said.target in {one.state for one in found} else said


def _subject(known: Sequence[str], found: Sequence[Found], given: Sequence[str]) -> str | None:
    """The fact whose name says that it tells patients: one that all recordings have, else a column of which a person
    must be told that some have none (`statics` refuses it)."""
    told = {name: sum(bool(one.facts.get(name)) for one in found) for name in known if names_patients(name)}
    whole = [name for name, count in told.items() if count == len(found)]
    partly = [name for name, count in told.items() if count and name in given]
    return next(iter([*whole, *partly]), None)


def _patient(one: Found, given: Sequence[str]) -> str | None:
    """Whom the comments of a header name, which not every recording may have."""
    named = (text for name, text in one.facts.items() if names_patients(name) and name not in given)
    return next((text for text in named if text), None)


def suffix(path: Path) -> str:
    """The suffix in lower case, with the one before a .gz.

    >>> suffix(Path("A.CSV.gz")), suffix(Path("100.hea"))
    ('.csv.gz', '.hea')
    """
    parts = [part.lower() for part in path.suffixes[-2:]]
    return "".join(parts) if parts[-1:] == [".gz"] else "".join(parts[-1:])


def kind(path: Path) -> str:
    """The suffix of a file's format: DICOM files often have none of their own, but begin like one."""
    own = suffix(path)
    return own if own in READERS or not path.is_file() or not dicom.begins(path) else ".dcm"


def kind_of(paths: Sequence[str | Path] | str | Path) -> str:
    """The suffix of the format that the paths are of. Raises UsageError or DataError where there is none."""
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    if several and not Path(several[0]).exists():
        return suffix(Path(several[0]))
    return kind(_listed(several)[0][0].path)


def each(paths: Sequence[str | Path], said: Said) -> tuple[list[Found], int]:
    """The recordings that can be read, each file by itself, and how many files cannot: none has a part in another's,
    and so a record that is told by other records' files is none."""
    found, lost = list[Found](), 0
    for entry in _listed(paths, lost_too=True)[0]:
        try:
            if kind(entry.path) == ".hea" and wfdb.borrows(entry.path):
                raise _broken(entry.path)
            found += [replace(one, facts={**one.facts, **entry.facts}) for one in _reader(entry.path)(entry.path, said)]
        except Exception:  # whatever is wrong with one patient's file, others hear nothing of it
            lost += 1
    return found, lost


def _listed(paths: Sequence[str | Path] | str | Path, *, lost_too: bool = False) -> tuple[list[Listed], list[str]]:
    several = [paths] if isinstance(paths, str | Path) else list(paths)
    listed: list[Listed] = []
    given: dict[str, None] = {}
    for path in map(Path, several):
        if not path.exists():
            raise UsageError.of(f"no file '{path}'", rule="the path must exist", fix="check the spelling")
        table = _manifest(path, alone=lost_too)
        if table is not None:
            listed += _of_manifest(*table, lost_too=lost_too)
            given |= dict.fromkeys(name for name in table[1] if name != PATH)
        else:
            files = _of_folder(path, lost_too=lost_too) if path.is_dir() else [path]
            listed += [Listed(file, {}) for file in files]
    if not listed:
        raise UsageError.of("no paths", rule="there is at least one", fix="give a folder, a manifest, or files")
    kinds = sorted({kind(entry.path) for entry in listed})
    if len(kinds) > 1 and not lost_too:
        fix = "give the files of one format, or list them in a manifest"
        raise DataError.of(f"files of the formats {', '.join(kinds)}", rule="a set has one format", fix=fix)
    return listed, list(given)


def _of_folder(folder: Path, *, lost_too: bool) -> list[Path]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and kind(file) in NAMED)
    if not files:
        rule = f"a folder of recordings holds files that end in {', '.join(NAMED)}, or a {MANIFEST} that lists others"
        raise DataError.of(f"'{folder.name}' holds no recording", rule=rule, fix="name the folder that holds them")
    inner = set() if lost_too else wfdb.segments(file for file in files if kind(file) == ".hea")
    return [file for file in files if file.stem not in inner]


def _manifest(path: Path, *, alone: bool) -> tuple[Path, pd.DataFrame] | None:
    """The folder of a manifest and its table, where the path is one or holds one; each line `alone`, or as a whole. A
    table without a column of paths has samples, unless it is called a manifest: then DataError is raised."""
    file = path / MANIFEST if path.is_dir() else path
    if not file.exists() or suffix(file) not in (".csv", ".parquet"):
        return None
    try:
        names = _parquet_names(file) if suffix(file) == ".parquet" else lines.header(file)
        if PATH in names:
            return file.parent, _rows(file, alone=alone)
    except (ValueError, OSError):
        raise _broken(file) from None
    if file.name == MANIFEST:
        raise pathless(file, names, READERS)
    return None


def _rows(file: Path, *, alone: bool) -> pd.DataFrame:
    if suffix(file) == ".parquet":
        return pd.read_parquet(file)
    return lines.read(file) if alone else pd.read_csv(file, dtype=str, keep_default_na=False)


def _parquet_names(file: Path) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(file).names)


def _broken(file: Path) -> SemblanceError:
    rule = "the file is whole and of the kind that its suffix says"
    return DataError.of(f"'{file.name}' cannot be read", rule=rule, fix="copy or download it again")


def _of_manifest(folder: Path, table: pd.DataFrame, *, lost_too: bool = False) -> list[Listed]:
    listed, problems = [], []
    for row, told in enumerate(table.astype(object).where(table.notna(), None).to_dict("records"), start=1):
        entry = {str(name): text_of(value) for name, value in told.items()}
        file = folder / entry.pop(PATH)
        file = file if file.exists() else file.with_name(f"{file.name}.hea")
        if not file.is_file() and not lost_too:
            fix = f"correct the path; it is relative to the folder '{folder.name}'"
            problems.append(Problem("no such file", "every path of a manifest exists", fix, PATH, row))
        listed.append(Listed(file, entry))
    if problems or not listed:
        raise DataError(*(problems or [Problem("the manifest is empty", "it lists recordings", "add some")]))
    return listed


def _reader(path: Path) -> Callable[[Path, Said], Iterator[Found]]:
    if kind(path) not in READERS:
        rule = f"a recording's name ends in one of {', '.join(READERS)}"
        raise UsageError.of(
            f"'{path.name}' is no known kind of recording", rule=rule, fix="convert it, or correct its suffix"
        )
    return READERS[kind(path)]


def _unnamed(found: Sequence[Found]) -> list[Problem]:
    names = [one.recording.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    rule, fix = "each recording has its own name", "rename one of the files"
    return [Problem(f"several recordings have the name '{name}'", rule, fix) for name in twice]
