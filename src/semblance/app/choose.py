"""What a run is made of: modality, generator and its options. What does not go together is refused before anything is
read."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import chain, islice
from pathlib import Path
from typing import Any

from semblance.app.config import nearest
from semblance.app.values import wrong_values
from semblance.catalog import MODALITIES, modality
from semblance.core.errors import Problem, UsageError
from semblance.core.listing import PATH
from semblance.core.modality import Modality
from semblance.core.model import Wanted, can
from semblance.core.model import refuse_wanted as refuse

CHOOSE = "choose one of `semblance models`"
LOOKED = 10_000
"""Names that are looked at in folders inside a folder, at most."""
ROWS = 100
"""How many rows of a table that lists files are looked at."""


def modality_of(paths: Sequence[str], name: str = "auto") -> Modality:
    """The modality of a name, or the only one whose suffixes fit every path. Raises UsageError otherwise."""
    if name != "auto":
        return _refuse_folder(paths, modality(name))
    names = {path: _names(path) for path in paths}
    listing = {path: _listing(path) for path in paths}
    fitting = [
        m for m in map(modality, MODALITIES) if all(_fits(path, names[path], listing[path], m) for path in paths)
    ]
    if len(fitting) == 1:
        return fitting[0]
    able = [m.name for m in fitting] if fitting else list(MODALITIES)
    known = sorted({suffix for name in MODALITIES for suffix in modality(name).suffixes})
    odd = [f"'{Path(path).name}'" for path in paths if not _has_suffix(path, known)]
    if folders := {path: names[path] for path in paths if Path(path).is_dir()}:
        _refuse_unnamed(folders, known)
        return _refuse_folder([*folders], fitting[0] if fitting else modality(next(iter(MODALITIES))))
    raise UsageError.of(
        "the input fits several modalities" if fitting else f"{', '.join(odd)} fits no modality by its file name",
        rule="one modality must fit every input",
        fix=f"name it: --modality {' | '.join(able)}" + ("" if fitting else f"; known endings: {', '.join(known)}"),
    )


def _names(path: str) -> list[str]:
    """The names by which an input may be known: its own, or those of files in a folder; where none of these is known,
    of the files in folders inside it as well, some of many. What is hidden has no part."""
    if not Path(path).is_dir():
        return [path]
    known = {suffix for name in MODALITIES if modality(name).folders for suffix in modality(name).suffixes}
    inside = _inside(path)
    names = next(inside, [])
    if not any(_has_suffix(name, known) for name in names):
        names += islice(chain.from_iterable(inside), LOOKED)
    return names


def _inside(folder: str) -> Iterator[list[str]]:
    """The names of files in a folder, then in each folder inside it, in order."""
    for _, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield sorted(name for name in files if not name.startswith("."))


def _fits(path: str, names: Iterable[str], listing: str | None, manifest: Modality) -> bool:
    """Whether a name by which an input may be known, or what a table lists, says that a modality can read it."""
    if listing is not None:
        return manifest.name == listing
    able = manifest.folders or not Path(path).is_dir()
    return able and any(_has_suffix(name, manifest.suffixes) for name in names)


def _listing(path: str) -> str | None:
    """The modality of the files that a table lists, where all of them are of one by their names."""
    files = _listed(Path(path))
    able = [m for m in map(modality, MODALITIES) if m.folders]
    fitting = [m.name for m in able if all(_has_suffix(file, m.suffixes) for file in files)]
    return fitting[0] if files and len(fitting) == 1 else None


def _listed(file: Path) -> list[str]:
    """The first files that a table has in its column `path`; none where it has no such column or cannot be read."""
    cells = {".csv": _cells_of_csv, ".parquet": _cells_of_parquet}.get(file.suffix.lower())
    try:
        return [cell for cell in cells(file) if cell] if cells is not None and file.is_file() else []
    except (OSError, ValueError, csv.Error):  # what is wrong with it, its reader tells
        return []


def _cells_of_csv(file: Path) -> list[str]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv.reader(stream)
        names = next(rows, [])
        return [row[names.index(PATH)] for row in islice(rows, ROWS) if len(row) == len(names)] if PATH in names else []


def _cells_of_parquet(file: Path) -> list[str]:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    if PATH not in table.schema_arrow.names:
        return []
    first = next(table.iter_batches(ROWS, columns=[PATH]), None)
    return [] if first is None else [str(cell) for cell in first[PATH].to_pylist() if cell is not None]


def _refuse_unnamed(folders: Mapping[str, Iterable[str]], known: Iterable[str]) -> None:
    """Raise UsageError for folders in which no file has a known ending: a person says what they hold."""
    odd = [Path(path).name for path, names in folders.items() if not any(_has_suffix(name, known) for name in names)]
    rule = "names of files say which modality they are of, or a person does"
    fix = f"name it: --modality {' | '.join(name for name in MODALITIES if modality(name).folders)}"
    if odd:
        raise UsageError(*(Problem(f"no name of a file in the folder '{name}' is known", rule, fix) for name in odd))


def _refuse_folder(paths: Sequence[str], manifest: Modality) -> Modality:
    """The modality. Raises UsageError for a folder where it reads files only."""
    found = [Path(path) for path in paths if Path(path).is_dir() and not manifest.folders]
    if found:
        rule, fix = "an input is a file", "give the file inside it"
        raise UsageError(*(Problem(f"'{path.name}' is a folder", rule, fix) for path in found))
    return manifest


def _has_suffix(path: str, suffixes: Iterable[str]) -> bool:
    file = path.partition("::")[0].lower()
    return any(file.endswith(suffix) for suffix in suffixes)


def generator_name(manifest: Modality, name: str, *, private: bool = False) -> str:
    """The catalogue name of a generator, of which 'auto' may have to be `private`.

    Raises UsageError for one that the modality does not have.
    """
    name = manifest.private if private and name == "auto" and manifest.private else manifest.named(name)
    if name not in manifest.generators:
        known = manifest.generators
        raise UsageError.of(
            f"generator '{name}'",
            rule=f"one of {', '.join(known)}",
            fix=nearest(name, known, otherwise=CHOOSE),
        )
    return name


def build_spec(manifest: Modality, name: str, *, offered: Mapping[str, Any], asked: Mapping[str, Any]) -> Any:
    """The generator with its options: `asked` by the person must exist, `offered` by the run are used where they do.

    Raises UsageError for others, for values that do not fit, and for a smaller `rare` than the profile offers: a person
    may ask for larger groups, never for smaller ones.
    """
    kind = manifest.generator(name)
    known = [field.name for field in fields(kind)]
    problems = [
        Problem(f"[generator] {option}", f"options of '{name}': {', '.join(known)}", nearest(option, known))
        for option in asked
        if option not in known
    ]
    problems += wrong_values(kind, asked, section="generator")
    problems += _too_rare(asked.get("rare"), least=offered.get("rare"))
    if problems:
        raise UsageError(*problems)
    return kind(**{k: v for k, v in {**offered, **asked}.items() if k in known and v is not None})


def _too_rare(asked: object, *, least: int | None) -> list[Problem]:
    """What is wrong with groups of so few patients."""
    if not isinstance(asked, int) or least is None or asked >= least:
        return []
    rule = f"what fewer patients have than the profile wants together, {least}, is not learned by itself"
    return [Problem(f"[generator] rare = {asked}", rule, f"rare = {least} or more, or leave it out")]


def refuse_epsilon(manifest: Modality, name: str, *, epsilon: float | None) -> None:
    """Raise UsageError where an epsilon is asked of a generator that cannot keep one; nothing is trained."""
    if epsilon is None or manifest.generator(name).card.private:
        return
    private = [known for known in manifest.generators if manifest.generator(known).card.private]
    private.sort(key=lambda known: known != manifest.private)
    raise UsageError.of(
        f"epsilon {epsilon:g} asked of '{name}'",
        rule="only a generator that keeps a differential privacy budget can keep an epsilon",
        fix=f"--model {' | '.join(private)}"
        if private
        else "no generator of this catalogue can yet: leave out --epsilon; privacy is then measured by attacks",
    )


def refuse_wanted(manifest: Modality, name: str, *, wanted: Wanted | None) -> None:
    """Raise UsageError where conditions are asked of a generator that draws without any; nothing is trained."""
    card = manifest.generator(name).card
    if wanted and not card.conditional:
        refuse(
            card, wanted=wanted, able=[g for g in manifest.generators if can(manifest.generator(g).card, wanted=wanted)]
        )


def refuse_placed(asked: Mapping[str, Any]) -> None:
    """Raise UsageError where a device is among the options `asked` of a generator: it would be said twice."""
    if "device" in asked:
        rule = "where a run computes is an option of the run"
        raise UsageError.of("[generator] device", rule=rule, fix="say --device, or [synth] device")


def device_of(manifest: Modality, name: str, *, device: str, private: bool = False) -> str:
    """Where a generator learns and draws: what is asked, where 'auto' is cuda if both have it, else cpu.

    Raises UsageError where cuda is asked of a generator that has no choice of devices, of one that learns under
    differential privacy, or of a machine without it.
    """
    able = _placed(manifest, name)
    if device == "cuda" and (private or not able):
        others = [known for known in manifest.generators if _placed(manifest, known)]
        rule = f"only {', '.join(others) or 'other modalities'} can leave the CPU"
        rule += ", not under differential privacy" if private else ""
        raise UsageError.of(f"device cuda with '{name}'", rule=rule, fix="leave out --device, or --device cpu")
    if private or not able:
        return "cpu"
    from semblance.learn.device import device_named  # torch is loaded: such a generator needs it

    return device_named(device).type


def _placed(manifest: Modality, name: str) -> bool:
    """Whether a generator has a choice of devices."""
    return any(field.name == "device" for field in fields(manifest.generator(name)))
