"""NPZ and NPY: an array of recordings of one length, and in an NPZ what belongs to it.

`x` is (n, leads, samples), (n, samples, leads) or (n, samples). Beside it may stand `rate` (one, or (n,)), `leads`,
`units`, `y` (n,) or (n, samples), `subject` (n,) and further arrays (n,). `length` (n,) says where a recording ends
that is shorter than `x`. Marks are three arrays: `beats_record` (the row of x), `beats_at` and `beats_symbol`; so are
`states_...`. Pickled objects are refused.
"""

from __future__ import annotations

import math
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.core.schema import Schema
from semblance.modalities.signal.beats import marks_of_samples
from semblance.modalities.signal.data import Lead, Marks, Recording, Recordings
from semblance.modalities.signal.declare import Said, unknown
from semblance.modalities.signal.found import Found, sex_of
from semblance.modalities.signal.rates import settled, wrong_rate

X = ("x", "X", "data", "signals", "signal", "waves", "ecg", "eeg", "arr_0")
RATE = ("rate", "fs", "sampling_rate", "sample_rate", "sfreq", "frequency")
NAMES = {
    "leads": ("leads", "lead_names", "channels", "channel_names", "sig_name"),
    "units": ("units", "unit"),
    "label": ("y", "Y", "label", "labels"),
    "subject": ("subject", "subjects", "patient", "patients", "patient_id", "subject_id", "groups"),
    "length": ("length", "lengths"),
}
_BROKEN = (
    *(ValueError, OSError, EOFError, LookupError, SyntaxError, TokenError, MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
PARTS = ("record", "at", "symbol")
MARKS = tuple(f"{kind}_{part}" for kind in ("beats", "states") for part in PARTS)
FIRST, LAST = "leads x samples", "samples x leads"


# Reading


def read(path: Path, said: Said) -> Iterator[Found]:
    """The recordings of an array, one for each row. Raises DataError with all that is wrong with the file."""
    held = _load(path)
    x, key = held.pop(named) if (named := _first(held, X)) else None, named
    if x is None:
        raise DataError(unknown("x", held, "array", where=f"'{path.name}'"))
    parts = {name: held.pop(key) for name, keys in NAMES.items() if (key := _first(held, keys))}
    told = held.pop(key) if (key := _first(held, RATE)) else None
    layout = _layout(x, parts.get("leads"), said)
    marks = {name: held.pop(name) for name in MARKS if name in held}
    rates, odd = _rates(told, len(x), said, path)
    wrong = [*_wrong_array(x, path, layout), *odd, *_wrong_parts({**parts, **held}, x, path)]
    problems = [*wrong, *_wrong_marks(marks, len(x), path)]
    if problems:
        raise DataError(*problems)
    x = x[:, None, :] if x.ndim == 2 else x if layout == FIRST else x.swapaxes(1, 2)
    if problems := _wrong_lengths(parts, x):
        raise DataError(*problems)
    yield from _recordings(x, rates, layout or FIRST, parts, held, marks, said)


def _rates(told: np.ndarray | None, n: int, said: Said, path: Path) -> tuple[list[float], list[Problem]]:
    """The rate of each of n recordings, and what is wrong with them."""
    how = "store it as the array rate"
    if told is None:
        problems = wrong_rate(None, said, where=f"'{path.name}'", how=how)
        return ([] if problems else [settled(None, said)] * n), problems
    rule, fix = "rate is one number of samples per second, or one for each recording", how
    if told.dtype.kind not in "fiu" or told.size not in (1, n):
        shape = " x ".join(map(str, told.shape)) or "one value"
        return [], [Problem(f"'{path.name}': rate is {shape} of {told.dtype}", rule, fix)]
    each = np.broadcast_to(told.ravel(), n).astype(float).tolist()
    where = (f"'{path.name}'" if told.size == 1 else f"record '{i + 1}'" for i in range(told.size))
    problems = [
        p for place, rate in zip(where, each, strict=False) for p in wrong_rate(rate, said, where=place, how=how)
    ]
    return each, problems


def _wrong_lengths(parts: Mapping[str, np.ndarray], x: np.ndarray) -> list[Problem]:
    """Recordings whose `length` is none that they can have."""
    if "length" not in parts:
        return []
    told, most = parts["length"], x.shape[2]
    with np.errstate(invalid="ignore"):
        fine = (told >= 1) & (told <= most) & (told % 1 == 0) if told.dtype.kind in "fiu" else np.zeros(len(x), bool)
    rule, fix = f"length is a whole number from 1 to the {most:,} samples of x", "correct the array length"
    return [Problem(f"record '{i + 1}' has no such length", rule, fix) for i in np.flatnonzero(~fine)]


def _wrong_marks(marks: Mapping[str, np.ndarray], n: int, path: Path) -> Iterator[Problem]:
    """What is wrong with marks before one asks where they stand."""
    for kind in sorted({name.partition("_")[0] for name in marks}):
        names = [f"{kind}_{part}" for part in PARTS]
        held = [marks[name] for name in names if name in marks]
        if len(held) < len(names) or len({one.shape for one in held}) > 1 or held[0].ndim != 1:
            rule, fix = "marks are three arrays of one length", f"store {', '.join(names)}"
            yield Problem(f"'{path.name}': {kind} are not told by such", rule, fix)
        elif any(one.dtype.kind not in "iu" and not _whole(one) for one in held[:2]):
            rule = f"{names[0]} and {names[1]} hold whole numbers: rows of x, and samples"
            yield Problem(f"'{path.name}': {kind} stand at none", rule, "correct the arrays")
        elif lost := int(((held[0] < 0) | (held[0] >= n)).sum()):
            rule, fix = f"{names[0]} holds rows of x, from 0 to {n - 1}", "correct or remove them"
            yield Problem(f"'{path.name}': {lost:,} {kind} are of no recording", rule, fix)


def _whole(part: np.ndarray) -> bool:
    return part.dtype.kind == "f" and bool(np.isfinite(part).all() and (part % 1 == 0).all())


def _first(held: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((name for name in names if name in held), None)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.suffix.lower() == ".npy":
            return {"x": np.load(path, allow_pickle=False, mmap_mode="r")}
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except _BROKEN as error:
        why = "holds Python objects" if "allow_pickle" in str(error) else "cannot be read"
        rule = "arrays of numbers and texts are read, pickled objects never"
        fix = "store it again without dtype=object" if "objects" in why else "copy or download it again"
        raise DataError.of(f"'{path.name}' {why}", rule=rule, fix=fix) from None


def _layout(x: np.ndarray, leads: np.ndarray | None, said: Said) -> str | None:
    """How the axes stand: as declared, as the number of lead names says, else leads on the clearly shorter one."""
    if x.ndim == 2 or said.layout in (FIRST, LAST):
        return said.layout if said.layout in (FIRST, LAST) else FIRST
    if x.ndim != 3:
        return None
    count = len(leads) if leads is not None else len(said.leads) if said.leads is not None else None
    fits = [way for way, axis in ((FIRST, 1), (LAST, 2)) if x.shape[axis] == count]
    if len(fits) == 1:
        return fits[0]
    return None if x.shape[1] == x.shape[2] else FIRST if x.shape[1] < x.shape[2] else LAST


def _wrong_array(x: np.ndarray, path: Path, layout: str | None) -> list[Problem]:
    shape = " x ".join(map(str, x.shape))
    rule = "x holds numbers: recordings x leads x samples, recordings x samples x leads, or recordings x samples"
    if x.dtype.kind not in "fiu" or x.ndim not in (2, 3) or not x.size:
        return [Problem(f"'{path.name}': x is {shape} of {x.dtype}", rule, "store such an array")]
    if layout is None:
        fix = f'[signal] layout = "{FIRST}" or "{LAST}"'
        return [Problem(f"'{path.name}': x is {shape}, which may be either way", rule, fix)]
    return []


def _wrong_parts(parts: Mapping[str, np.ndarray], x: np.ndarray, path: Path) -> list[Problem]:
    rule, fix = f"an array beside x has one entry for each of its {len(x):,} recordings", "correct or remove it"
    return [
        Problem(f"'{path.name}': {name} is {' x '.join(map(str, part.shape)) or 'one value'}", rule, fix)
        for name, part in parts.items()
        if name not in ("leads", "units") and (part.ndim == 0 or len(part) != len(x))
    ]


def _recordings(
    x: np.ndarray,
    rates: list[float],
    layout: str,
    parts: Mapping[str, np.ndarray],
    others: Mapping[str, np.ndarray],
    marks: Mapping[str, np.ndarray],
    said: Said,
) -> Iterator[Found]:
    """The rows of x (n, leads, samples)."""
    leads = _leads(x, parts, layout, said)
    columns = {
        name: _texts(part) for name, part in {**parts, **others}.items() if name not in ("leads", "units", "length")
    }
    per_sample = columns.pop("label") if "label" in columns and np.ndim(columns["label"]) == 2 else None
    length = parts.get("length", np.full(len(x), x.shape[2])).astype(int)
    beats, states = (_marks_of_rows(marks, kind, len(x)) for kind in ("beats", "states"))
    for i in range(len(x)):
        facts = {name: str(column[i]) for name, column in columns.items() if column.ndim == 1}
        facts |= {"sex": sex_of(facts["sex"]) or ""} if "sex" in facts else {}
        state = states[i] if per_sample is None else marks_of_samples(per_sample[i])
        values = partial(_row, x, i, int(length[i]))
        (beat, lost), (state, gone) = _inside(beats[i], length[i]), _inside(state, length[i])
        note = f"record '{i + 1}': {lost + gone} annotations outside the samples are left out"
        one = Recording(str(i + 1), rates[i], leads, int(length[i]), values, beat, state)
        notes = (note,) if lost + gone else ()
        yield Found(one, facts, notes=notes, columns=True, state=None if per_sample is None else "y")


def _inside(marks: Marks, length: int) -> tuple[Marks, int]:
    """The marks that stand within a recording, and how many do not."""
    inside = (marks.at >= 0) & (marks.at < length)
    return (marks, 0) if inside.all() else (marks.take(inside), int((~inside).sum()))


def _leads(x: np.ndarray, parts: Mapping[str, np.ndarray], layout: str, said: Said) -> tuple[Lead, ...]:
    count = x.shape[1]
    listed = [str(n) for n in parts["leads"]] if "leads" in parts else list(said.leads or ())
    names = listed if len(listed) == count else [f"lead {i + 1}" for i in range(count)]
    units = np.resize(_texts(parts["units"]), count) if "units" in parts else [""] * count
    gain = 1.0 if x.dtype.kind in "iu" else fine_gain(np.asarray(x, dtype=np.float32))
    return tuple(Lead(n, said.unit(n) or str(u), gain, fmt=layout) for n, u in zip(names, units, strict=True))


def fine_gain(values: np.ndarray) -> float:
    """A power of ten by which 16 bits hold all values: how finely numbers without a converter are told.

    >>> fine_gain(np.array([0.5, -2.0]))
    10000.0
    """
    most = float(np.nanmax(np.abs(values), initial=0.0)) if not np.isnan(values).all() else 0.0
    return 10.0 ** math.floor(math.log10(32767 / most)) if most > 0 and math.isfinite(most) else 1.0


def _texts(part: np.ndarray) -> np.ndarray:
    """As texts: whole numbers without a point, NaN as nothing."""
    if part.dtype.kind == "f":
        texts = np.where(part % 1 == 0, np.char.mod("%d", np.nan_to_num(part)), part.astype(str))
        return np.where(np.isnan(part), "", texts)
    return part.astype(str)


def _row(x: np.ndarray, i: int, length: int) -> np.ndarray:
    return np.ascontiguousarray(x[i, :, :length].T, dtype=np.float32)


def _marks_of_rows(marks: Mapping[str, np.ndarray], kind: str, rows: int) -> list[Marks]:
    if f"{kind}_at" not in marks:
        return [Marks()] * rows
    record, at = marks[f"{kind}_record"], marks[f"{kind}_at"].astype(np.int64)
    symbol = marks[f"{kind}_symbol"].astype(str).astype(object)
    order = np.lexsort((at, record))
    starts = np.searchsorted(record[order], np.arange(rows + 1))
    return [Marks(at[order[a:b]], symbol[order[a:b]]) for a, b in pairwise(starts)]


# Writing


def write(rows: Iterable[tuple[Recording, dict[str, str]]], first: Recordings, path: Path) -> None:
    """An NPZ of all recordings. Samples pass through a file, so that they may outgrow memory."""
    facts: list[dict[str, str]] = []
    kept: list[Recording] = []
    with tempfile.TemporaryFile(dir=path.parent) as samples:
        for recording, told in rows:
            samples.write(np.ascontiguousarray(recording.values(), dtype="<f4").tobytes())
            kept.append(recording)
            facts.append(told)
        samples.seek(0)
        with zipfile.ZipFile(path, "w") as archive:
            _write_x(archive, samples, kept)
            for name, array in _beside(kept, facts, first.schema).items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, array, allow_pickle=False)


def _write_x(archive: zipfile.ZipFile, samples: IO[bytes], kept: list[Recording]) -> None:
    count, longest = len(kept[0].leads), max(recording.length for recording in kept)
    last = kept[0].leads[0].fmt == LAST
    shape = (len(kept), longest, count) if last else (len(kept), count, longest)
    with archive.open(zipfile.ZipInfo("x.npy"), "w", force_zip64=True) as stream:
        head = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, head)
        for recording in kept:
            held = np.full((longest, count), np.nan, dtype="<f4")
            raw = samples.read(4 * count * recording.length)
            held[: recording.length] = np.frombuffer(raw, dtype="<f4").reshape(-1, count)
            stream.write((held if last else np.ascontiguousarray(held.T)).tobytes())


def _beside(kept: list[Recording], facts: list[dict[str, str]], schema: Schema) -> dict[str, np.ndarray]:
    leads, length = kept[0].leads, np.array([recording.length for recording in kept])
    made: dict[str, np.ndarray] = {
        "rate": np.array(kept[0].rate),
        "leads": np.array([lead.name for lead in leads]),
        "units": np.array([lead.unit for lead in leads]),
    }
    for column in schema.written:
        texts = [told.get(column.name, "") for told in facts]
        name = "y" if column.name == "label" else column.name
        made[name] = _numbers(texts) if column.continuous or column.dtype == "int64" else np.array(texts)
    for kind in ("beats", "states"):
        made |= _marks(kind, [getattr(recording, kind) for recording in kept])
    return made if (length == length.max()).all() else {**made, "length": length}


def _numbers(texts: list[str]) -> np.ndarray:
    numbers = np.array([float(text) if text else np.nan for text in texts])
    return numbers if np.isnan(numbers).any() or (numbers % 1).any() else numbers.astype(np.int64)


def _marks(kind: str, marks: list[Marks]) -> dict[str, np.ndarray]:
    if not any(map(len, marks)):
        return {}
    return {
        f"{kind}_record": np.repeat(np.arange(len(marks)), [len(one) for one in marks]),
        f"{kind}_at": np.concatenate([one.at for one in marks]),
        f"{kind}_symbol": np.concatenate([one.symbol for one in marks]).astype(str),
    }
