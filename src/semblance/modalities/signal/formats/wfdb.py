"""WFDB records with their annotations, by the `wfdb` package (https://wfdb.io, WFDB specifications of PhysioNet).

Beats are the annotations that PhysioNet lists as beats; a change of rhythm ('+' with a text such as '(AFIB') begins a
state. Of the comments only age and sex are looked for, in the ways that PhysioNet's databases write them; what else
they say in the form 'name: value' is kept for a person to ask for by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.core.need import need
from semblance.modalities.signal.align import listed
from semblance.modalities.signal.beats import BEATS
from semblance.modalities.signal.data import Lead, Marks, Recording
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.found import Found, age_of, sex_of, told
from semblance.modalities.signal.rates import settled, wrong_rate

RHYTHM = "+"
NO_UNIT = "NU"
_CODE = re.compile(r"^\([A-Z0-9_]*$")
_MITBIH = re.compile(r"^(\d{1,3})\s+([MF])\b")
_PAIR = re.compile(r"<?([A-Za-z][\w ()/-]*?)>?\s*[:=]\s*([^<]*)")
_RATE_NOTE = re.compile(rb"## time resolution: \d")
_LABEL_NOTES = re.compile(rb"## annotation type definitions|## end of definitions")
_NO_GAIN = re.compile(r"(0+\.?0*|\.0+)(?![\d.])")
_PERSON = {"age": "age", "sex": "sex", "gender": "sex"}
_BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError)
_WIDTH = {"80": 8, "212": 12, "16": 16, "24": 24, "32": 32}
"""Bits of the formats that `wfdb` writes; the lowest value of each says that none was measured."""
_BYTES = {"8": 1, "16": 2, "24": 3, "32": 4, "61": 2, "80": 1, "160": 2, "212": 1.5, "310": 4 / 3, "311": 4 / 3}

FILLED = 3
"""Samples at most by which a format fills the last bytes of its file."""
GAIN = 200
"""Steps to the unit where a header tells none."""


def _wfdb() -> Any:
    return need("wfdb", extra="signal", why="a WFDB record")


# Reading


def segments(headers: Iterable[Path]) -> set[str]:
    """The names of records that are only segments of another one of these."""
    found: set[str] = set()
    for path in headers:
        lines = _lines(path)
        if lines and "/" in lines[0].split()[0]:
            found |= {line.split()[0] for line in lines[1:]}
    return found


def borrows(header: Path) -> bool:
    """Whether a record is made of other records, or of signal files that are not named as it is."""
    lines = _lines(header)
    named = [line.split()[0] for line in lines[1:]]
    return not lines or "/" in lines[0].split()[0] or any(Path(name).stem != header.stem for name in named)


def _lines(header: Path) -> list[str]:
    """The lines of a header that are no comments."""
    return [line for line in header.read_text("ascii", "ignore").splitlines() if line.strip() and line[0] != "#"]


def read(path: Path, said: Said) -> Iterator[Found]:
    """The record of a header. Raises DataError where it cannot be read whole."""
    name, record = path.stem, str(path.with_suffix(""))
    with _whole(name):
        header = _wfdb().rdheader(record, rd_segments=True)
        stated = _stated_rate(path, header.fs)
        how = f"write it behind the number of signals in {path.name}"
        wrong = wrong_rate(stated, said, where=f"record '{name}'", how=how)
        held = _held(path, header)
        problems = [*wrong, *_too_few(path, header.sig_len, held)]
    if problems:
        raise DataError(*problems)
    with _whole(name):  # where the header does not tell the length, all is read for it
        first = _wfdb().rdrecord(record, sampto=1 if header.sig_len else None, return_res=32)
        length = header.sig_len or first.sig_len
        leads, ends = _leads(first, said), _ends(first)
    rate = settled(stated, said)
    with _whole(name, "its annotations are broken"):
        beats, states, notes = _annotations(path, said, rate, length)
    values = partial(_values, record, header.sig_len or None)
    recording = Recording(name, rate, leads, length, values, beats, states)
    notes = (*_too_many(name, length, held), *_uncalibrated(path, leads), *notes)
    yield Found(recording, _facts(header.comments), ends=ends, notes=notes)


@contextmanager
def _whole(name: str, broken: str = "its header and its samples do not fit together") -> Iterator[None]:
    """What the library raises on a broken record, as an error that names it and none of its values."""
    try:
        yield
    except _BROKEN as error:
        raise _unreadable(name, error, broken) from None


def _unreadable(name: str, error: Exception, broken: str) -> DataError:
    lost = Path(error.filename).name if isinstance(error, OSError) and error.filename else None
    found = f"its file '{lost}' cannot be opened" if lost else broken
    return DataError.of(
        f"record '{name}' cannot be read: {found}",
        rule="a WFDB record is a header and the signal files that it names, whole",
        fix="copy or download all files of the record again",
    )


def _stated_rate(path: Path, read: Any) -> float | None:
    """The rate that the header names, NaN for one that is no number: the standard lets it be left out, and then, or
    where it cannot be `read`, `wfdb` takes 250 Hz, which is a guess."""
    words = _lines(path)[0].split()
    if len(words) < 3:
        return None
    try:
        told = float(words[2].partition("/")[0])
    except ValueError:
        return math.nan
    return told if told <= 0 or math.isclose(told, float(read)) else math.nan


def _held(path: Path, header: Any) -> dict[str, int]:
    """How many samples each signal file holds. Multi-segment and compressed ones `wfdb` checks."""
    if not header.sig_len or getattr(header, "fmt", None) is None:
        return {}
    found = {}
    for file in dict.fromkeys(header.file_name):
        held = [i for i, name in enumerate(header.file_name) if name == file]
        if header.fmt[held[0]] in _BYTES:
            frame = sum(header.samps_per_frame[i] or 1 for i in held) * _BYTES[header.fmt[held[0]]]
            size = path.with_name(file).stat().st_size - (header.byte_offset[held[0]] or 0)
            found[file] = int(size / frame)
    return found


def _too_few(path: Path, length: int, held: Mapping[str, int]) -> list[Problem]:
    """Signal files that hold fewer samples than the header says."""
    rule = "header and signal file agree about the number of samples"
    return [
        Problem(
            f"record '{path.stem}': {file} holds {count:,} of the {length:,} samples",
            rule,
            f"download {file} again, or correct {path.name}",
        )
        for file, count in held.items()
        if count < length
    ]


def _too_many(name: str, length: int, held: Mapping[str, int]) -> tuple[str, ...]:
    """Notes of signal files that hold more than that."""
    return tuple(
        f"record '{name}': {file} holds {count:,} samples, of which the header tells {length:,}: the rest is left out"
        for file, count in held.items()
        if count > length + FILLED
    )


def _uncalibrated(path: Path, leads: Sequence[Lead]) -> tuple[str, ...]:
    """A note of leads without a gain, or with one of 0: `wfdb` takes 200, as the standard says. Into the segments of a
    record nobody looks."""
    first, *lines = _lines(path)
    told = [] if "/" in first.split()[0] else [line.split()[2:3] for line in lines]
    without = [f"'{lead.name}'" for lead, gain in zip(leads, told, strict=False) if not gain or _NO_GAIN.match(gain[0])]
    note = f"record '{path.stem}' tells no gain of {listed(without)}: {GAIN} steps to the unit are assumed"
    return (note,) if without else ()


def _leads(record: Any, said: Said) -> tuple[Lead, ...]:
    names = record.sig_name or [None] * record.n_sig
    formats = record.fmt or ["16"] * record.n_sig
    return tuple(
        Lead(
            name or f"lead {i + 1}",
            said.unit(name) or record.units[i] or "mV",
            float(record.adc_gain[i]),
            int(record.baseline[i]),
            formats[i] if formats[i] in _WIDTH else "16",
            *_converter(record, i),
        )
        for i, name in enumerate(names)
    )


def _converter(record: Any, i: int) -> tuple[int, int]:
    """The bits and the middle of a converter; none where it is as wide as the format, and where its codes do not reach
    the lead's zero, so that something is wrong."""
    bits, middle = (int((held or {i: 0})[i] or 0) for held in (record.adc_res, record.adc_zero))
    if not bits or (bits, middle) == (_WIDTH.get(record.fmt[i]), 0):
        return 0, 0
    low, high = codes(bits, middle)
    return (bits, middle) if low <= record.baseline[i] <= high else (0, 0)


def _ends(record: Any) -> tuple[tuple[float, float] | None, ...]:
    """The ends of each converter, from its bits and its middle."""
    return tuple(
        None if not bits else _physical(zero or 0, bits, gain, baseline)
        for bits, zero, gain, baseline in zip(
            record.adc_res or [0] * record.n_sig,
            record.adc_zero or [0] * record.n_sig,
            record.adc_gain,
            record.baseline,
            strict=True,
        )
    )


def _physical(zero: int, bits: int, gain: float, baseline: int) -> tuple[float, float]:
    low, high = codes(bits, zero)
    return (low - baseline) / gain, (high - baseline) / gain


def codes(bits: int, middle: int) -> tuple[int, int]:
    """The lowest and the highest number that a converter gives."""
    return middle - 2 ** (bits - 1), middle + 2 ** (bits - 1) - 1


def _values(record: str, length: int | None) -> np.ndarray:
    """All samples: as many as the header tells, and where it tells no number those that are there."""
    with _whole(Path(record).name):
        return np.asarray(_wfdb().rdrecord(record, sampto=length, return_res=32).p_signal, dtype=np.float32)


def _annotations(path: Path, said: Said, rate: float, length: int) -> tuple[Marks, Marks, tuple[str, ...]]:
    if not path.with_suffix(f".{said.annotator}").exists():
        return Marks(), Marks(), ()
    _refuse_notes(path.with_suffix(f".{said.annotator}").read_bytes())
    held = _wfdb().rdann(str(path.with_suffix("")), said.annotator)
    at = np.asarray(held.sample, dtype=np.int64)
    if held.fs and not np.isclose(held.fs, rate):
        at = np.round(at * rate / held.fs).astype(np.int64)
    inside, symbol = (at >= 0) & (at < length), np.array(held.symbol, dtype=object)
    note = f"record '{path.stem}': {int((~inside).sum())} annotations outside the samples are left out"
    order = np.argsort(at, kind="stable")
    order = order[inside[order]]
    at, symbol, text = at[order], symbol[order], np.array([_rhythm(held.aux_note[i]) for i in order], dtype=object)
    beat, state = np.isin(symbol, list(BEATS)), (symbol == RHYTHM) & np.array([t is not None for t in text], bool)
    return Marks(at[beat], symbol[beat]), Marks(at[state], text[state]), () if inside.all() else (note,)


def _refuse_notes(raw: bytes) -> None:
    """ValueError for notes of the file about itself that are none of the standard's: `wfdb` 4.3 reads them forever."""
    known = _RATE_NOTE.findall(raw)
    if len(known) > 1 or raw.count(b"## ") != len(known) + len(_LABEL_NOTES.findall(raw)):
        raise ValueError("a note of the file about itself")


def _rhythm(text: str) -> str | None:
    """The code of a rhythm without its bracket, or None for a text that is none: it may be a remark."""
    text = text.rstrip("\0 ")
    return text[1:] if _CODE.match(text) else None


def _facts(comments: Iterable[str]) -> dict[str, str]:
    """What comments like 'name: value' say; age and sex also as the MIT-BIH databases write them: '69 M 1085'."""
    facts: dict[str, str] = {}
    person: dict[str, str] = {}
    for line in comments:
        for name, value in _PAIR.findall(line):
            known = _PERSON.get(name.lower())
            (facts if known is None else person).setdefault(known or name.strip(), value.strip())
        if match := _MITBIH.match(line):
            person = {"age": match[1], "sex": match[2], **person}
    return {**facts, **told(age=age_of(person.get("age")), sex=sex_of(person.get("sex")))}


# Writing


def write(recordings: Iterable[tuple[Recording, dict[str, str]]], folder: Path) -> None:
    """A header, a signal file and, where there are marks, an .atr of each recording; age and sex as comments."""
    for recording, facts in recordings:
        _write_samples(recording, facts, folder)
        _write_marks(recording, folder)


def _write_samples(recording: Recording, facts: dict[str, str], folder: Path) -> None:
    leads = recording.leads
    # A file has one format: the widest, and that of all where a lead comes from elsewhere.
    fmt = max((lead.fmt if lead.fmt in _WIDTH else "32" for lead in leads), key=_WIDTH.__getitem__)
    record = _wfdb().Record(
        record_name=recording.name,
        fs=recording.rate,
        units=[lead.unit.replace(" ", "_") or NO_UNIT for lead in leads],
        sig_name=[lead.name for lead in leads],
        d_signal=digital(recording.values(), leads, bits=_WIDTH[fmt]),
        fmt=[fmt] * len(leads),
        adc_gain=[lead.gain for lead in leads],
        baseline=[lead.baseline for lead in leads],
        adc_res=[lead.bits or _WIDTH[fmt] for lead in leads],
        adc_zero=[lead.middle for lead in leads],
        comments=[f"{name}: {facts[name]}" for name in ("age", "sex") if facts.get(name)],
    )
    record.set_d_features()
    record.set_defaults()
    record.wrsamp(write_dir=str(folder))


def digital(values: np.ndarray, leads: tuple[Lead, ...], *, bits: int) -> np.ndarray:
    """(n, leads) int64 of values in physical units, at the converter's ends where beyond; the lowest code for NaN."""
    half = 2 ** (bits - 1)
    gain, baseline = np.array([lead.gain for lead in leads]), np.array([lead.baseline for lead in leads])
    ends = [codes(lead.bits or bits, lead.middle) for lead in leads]
    low, high = (np.array(end).clip(1 - half, half - 1) for end in zip(*ends, strict=True))
    held = np.clip(np.round(values * gain) + baseline, low, high)
    return np.where(np.isnan(held), -half, held).astype(np.int64)


def _write_marks(recording: Recording, folder: Path) -> None:
    beats, states = recording.beats, recording.states
    if not len(beats) + len(states):
        return
    at = np.concatenate([states.at, beats.at])
    symbol = [RHYTHM] * len(states) + [str(s) for s in beats.symbol]
    text = [f"({s}" for s in states.symbol] + [""] * len(beats)
    order = np.argsort(at, kind="stable")
    _wfdb().wrann(
        recording.name,
        "atr",
        at[order],
        symbol=[symbol[i] for i in order],
        aux_note=[text[i] for i in order],
        fs=recording.rate,
        write_dir=str(folder),
    )
