"""EDF, EDF+ and BDF, by `pyedflib` (Kemp and Olivan 2003, https://www.edfplus.info; BDF is its 24-bit form).

EDF+ annotations that last are states, those that are a beat's symbol and do not last are beats; all others are remarks.
Of the patient only sex and age (from the date of birth) are read. A file holds whole data records: where the samples do
not fill the last one it goes on with the last value, and the annotation 'Recording ends' says where they end.
"""

from __future__ import annotations

import math
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError, ResourceError
from semblance.core.need import need
from semblance.modalities.signal.align import resampled
from semblance.modalities.signal.beats import BEATS, marks_of_pairs, marks_of_spans
from semblance.modalities.signal.data import Lead, Marks, Recording
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.found import Found, age_of, sex_of, told
from semblance.modalities.signal.rates import wrong_rate

EDF, BDF = "edf", "bdf"
_END = "Recording ends"
_AGED = re.compile(r"_(\d{1,3})yr\b")
_NO_START = datetime(1985, 1, 1)
"""What EDF+ writes for a date that shall not be told."""


def _edf() -> Any:
    return need("pyedflib", extra="signal", why="an EDF or BDF file")


# Reading


def read(path: Path, said: Said) -> Iterator[Found]:
    """The recording of a file. Raises DataError where it breaks the standard or has no signal."""
    with _opened(path, annotations=True) as reader:
        rates = [float(reader.getSampleFrequency(i)) for i in range(reader.signals_in_file)]
        if not rates or max(rates) <= 0:
            raise _without_samples(path)
        rate = _main_rate(rates)
        if wrong := wrong_rate(rate, said, where=f"record '{path.stem}'", how="correct the header"):
            raise DataError(*wrong)
        marks = list(zip(*reader.readAnnotations(), strict=True))
        length = _length(reader, rates.index(rate), marks, rate)
        leads, ends = zip(*(_lead(reader, i, said, path) for i in range(len(rates))), strict=True)
        facts, patient = _facts(reader), reader.getPatientCode().strip()
    beats, states, notes = _marks(marks, rate, length, path.stem)
    values = partial(_values, path, rate, length)
    recording = Recording(path.stem, rate, leads, length, values, beats, states)
    slow = [lead.name for lead, own in zip(leads, rates, strict=True) if own != rate]
    notes += _beyond(path)
    notes += [f"record '{path.stem}': resampled to {rate:g} Hz: {', '.join(slow)}"] if slow else []
    yield Found(recording, facts, patient if patient not in ("", "X") else None, ends, tuple(notes), remarks=True)


@contextmanager
def _opened(path: Path, *, annotations: bool = False) -> Iterator[Any]:
    edf = _edf()
    mode = edf.READ_ALL_ANNOTATIONS if annotations else edf.DO_NOT_READ_ANNOTATIONS
    try:
        reader = edf.EdfReader(str(path), annotations_mode=mode)
    except OSError as error:
        named = re.search(r"\(([A-Z][\w /]*)\)$", str(error))
        why = f" ({named[1]})" if named else ""
        raise DataError.of(
            f"record '{path.stem}' breaks the EDF standard, or header and data length disagree{why}",
            rule="a file is whole, continuous, and keeps EDF, EDF+ or BDF to the letter",
            fix="copy or download it again, or mend its header (EDFbrowser names what is wrong and corrects it)",
        ) from None
    try:
        yield reader
    finally:
        reader.close()


def _without_samples(path: Path) -> DataError:
    rule = "a recording has at least one signal with a sampling rate"
    return DataError.of(f"record '{path.stem}' has no signal", rule=rule, fix="leave the file out")


def _beyond(path: Path) -> list[str]:
    """A note of bytes behind the last of the data records that the header tells."""
    with path.open("rb") as stream:
        head = stream.read(256)
        signals = int(head[252:256])
        stream.seek(256 + 216 * signals)
        samples = [int(stream.read(8)) for _ in range(signals)]
    size = sum(samples) * (3 if path.suffix.lower() == ".bdf" else 2)
    more = path.stat().st_size - int(head[184:192]) - int(head[236:244]) * size
    return [f"record '{path.stem}': {more:,} bytes behind its last data record are left out"] if more > 0 else []


def _main_rate(rates: list[float]) -> float:
    """The rate that most signals have; of several the highest."""
    count = Counter(rates)
    return max(count, key=lambda rate: (count[rate], rate))


def _length(reader: Any, signal: int, marks: list[Any], rate: float) -> int:
    held = int(reader.getNSamples()[signal])
    ends = [round(float(onset) * rate) for onset, _, text in marks if text == _END]
    return min([held, *(end for end in ends if end > 0)])


def _lead(reader: Any, i: int, said: Said, path: Path) -> tuple[Lead, tuple[float, float]]:
    low, high = reader.getPhysicalMinimum(i), reader.getPhysicalMaximum(i)
    first, last = reader.getDigitalMinimum(i), reader.getDigitalMaximum(i)
    gain = (last - first) / (high - low)
    name = reader.getLabel(i).strip() or f"lead {i + 1}"
    unit = said.unit(name) or reader.getPhysicalDimension(i).strip()
    fmt = BDF if path.suffix.lower() == ".bdf" else EDF
    return Lead(name, unit, gain, round(first - low * gain), fmt), (min(low, high), max(low, high))


def _facts(reader: Any) -> dict[str, str]:
    """Sex, and age at the start from the date of birth, or as the Sleep-EDF databases write it: 'Female_33yr'."""
    aged = _AGED.search(f"{reader.getPatientName()} {reader.getPatientAdditional()}")
    return told(age=age_of(aged[1]) if aged else _age(reader), sex=sex_of(reader.getSex()))


def _age(reader: Any) -> str | None:
    try:
        born, start = datetime.strptime(reader.getBirthdate(), "%d %b %Y"), reader.getStartdatetime()
    except ValueError:
        return None
    years = start.year - born.year - ((start.month, start.day) < (born.month, born.day))
    return age_of(str(years)) if years >= 0 else None


def _marks(marks: list[Any], rate: float, length: int, name: str) -> tuple[Marks, Marks, list[str]]:
    at = np.array([round(float(onset) * rate) for onset, _, _ in marks], dtype=np.int64)
    inside = (at >= 0) & (at < length)
    lost = int((~inside & np.array([text != _END for _, _, text in marks], dtype=bool)).sum())
    notes = [f"record '{name}': {lost} annotations outside the samples are left out"] if lost else []
    kept = [(int(at[i]), float(marks[i][1]), str(marks[i][2])) for i in np.argsort(at, kind="stable") if inside[i]]
    beats = [(start, text) for start, lasts, text in kept if lasts <= 0 and text in BEATS]
    states = marks_of_spans(
        [(start, start + round(lasts * rate), text) for start, lasts, text in kept if lasts > 0], length
    )
    return marks_of_pairs(beats), states, notes


def _values(path: Path, rate: float, length: int) -> np.ndarray:
    with _opened(path) as reader:
        columns = [_signal(reader, i, rate)[:length] for i in range(reader.signals_in_file)]
    return np.stack(columns, axis=1)


def _signal(reader: Any, i: int, rate: float) -> np.ndarray:
    own, held = float(reader.getSampleFrequency(i)), reader.readSignal(i).astype(np.float32)
    return held if own == rate else resampled(held[:, None], own, rate)[:, 0]


# Writing

_BITS = {EDF: 16, BDF: 24}
_RECORD = (0.2, 1.0, 10.0)
"""Seconds of a data record: at least, at best, at most."""
_TICKS = 100_000
"""EDFlib counts durations of data records in 10 microseconds."""
_WIDEST = 9_999_000.0
"""The largest physical end that eight characters hold with a sign."""
_CHANNELS = 64
"""Annotation channels at most, each of one annotation per data record."""


def write(recordings: Iterable[tuple[Recording, dict[str, str]]], folder: Path) -> None:
    """An EDF+ (BDF+) of each recording, with beats and states as annotations and the sex in its header."""
    for recording, facts in recordings:
        _write_one(recording, facts, folder)


def _write_one(recording: Recording, facts: dict[str, str], folder: Path) -> None:
    edf, fmt = _edf(), BDF if recording.leads[0].fmt == BDF else EDF
    kind = edf.FILETYPE_BDFPLUS if fmt == BDF else edf.FILETYPE_EDFPLUS
    size = record_size(recording.length, recording.rate)
    scales = [_scale(lead, _BITS[fmt]) for lead in recording.leads]
    annotations = list(_annotations(recording, size))
    records = -(-recording.length // size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the duration is set by hand
        with edf.EdfWriter(str(folder / f"{recording.name}.{fmt}"), len(scales), kind) as writer:
            writer.setDatarecordDuration(size / recording.rate)
            writer.set_number_of_annotation_signals(_channels(len(annotations), records, recording.name))
            headers = zip(recording.leads, scales, strict=True)
            writer.setSignalHeaders([_header(lead, scale, recording.rate) for lead, scale in headers])
            writer.setStartdatetime(_NO_START)
            if facts.get("sex") in ("female", "male"):
                writer.setSex(int(facts["sex"] == "male"))
            writer.writeSamples(_digital(recording.values(), scales, records * size), digital=True)
            for at, lasts, text in annotations:
                writer.writeAnnotation(at, lasts, text)


def record_size(length: int, rate: float) -> int:
    """Samples of a data record: the one nearest to a second that fills all records, else a second.

    >>> record_size(2500, 250), record_size(700, 100), record_size(701, 100)
    (250, 100, 100)
    """
    shortest, second, longest = (max(1, math.ceil(seconds * rate)) for seconds in _RECORD)
    fits = [size for size in range(shortest, longest + 1) if length % size == 0 and _countable(size, rate)]
    if fits:
        return min(fits, key=lambda size: abs(size - rate))
    return next((size for size in range(second, longest + 1) if _countable(size, rate)), second)


def _countable(size: int, rate: float) -> bool:
    ticks = size / rate * _TICKS
    return abs(ticks - round(ticks)) < 1e-6


def _channels(annotations: int, records: int, name: str) -> int:
    """Annotation channels: each holds one annotation per data record."""
    needed = annotations // records + 1
    if needed > _CHANNELS:
        rule = f"an EDF+ file holds {_CHANNELS} of them in each of its data records"
        raise ResourceError.of(f"record '{name}' has {annotations:,} marks", rule=rule, fix="write fewer, or WFDB")
    return needed


@dataclass(frozen=True)
class Scale:
    """The physical and the digital ends of a signal, as its header holds them."""

    low: float
    high: float
    first: int
    last: int

    def codes(self, values: np.ndarray) -> np.ndarray:
        """(n,) int32; beyond the ends the ends. EDF has no missing value: it is written as zero."""
        gain = (self.last - self.first) / (self.high - self.low)
        codes = np.round((np.nan_to_num(values.astype(float), nan=0.0) - self.low) * gain) + self.first
        return np.clip(codes, self.first, self.last).astype(np.int32)


def _scale(lead: Lead, bits: int) -> Scale:
    """Nearly all of the range, with ends of few digits: a header holds them and the lead's own steps exactly."""
    half = 2 ** (bits - 1)
    low = max(short((-half - lead.baseline) / lead.gain, math.ceil), -_WIDEST)
    high = min(short((half - 1 - lead.baseline) / lead.gain, math.floor), _WIDEST)
    return Scale(low, high, round(low * lead.gain) + lead.baseline, round(high * lead.gain) + lead.baseline)


def short(number: float, way: Callable[[float], int]) -> float:
    """The next number of four digits upwards (math.ceil) or downwards (math.floor).

    >>> short(-168.96, math.ceil), short(4.52159, math.floor)
    (-168.9, 4.521)
    """
    digits = min(3 - math.floor(math.log10(abs(number))), 5) if number else 0
    return round(way(number * 10.0**digits) / 10.0**digits, max(digits, 0))


def _header(lead: Lead, scale: Scale, rate: float) -> dict[str, Any]:
    return {
        "label": _ascii(lead.name, 16),
        "dimension": _ascii(lead.unit, 8),
        "sample_frequency": rate,
        "physical_min": scale.low,
        "physical_max": scale.high,
        "digital_min": scale.first,
        "digital_max": scale.last,
        "transducer": "",
        "prefilter": "",
    }


def _ascii(text: str, most: int) -> str:
    return text.replace("µ", "u").replace("μ", "u").encode("ascii", "replace").decode()[:most]


def _digital(values: np.ndarray, scales: list[Scale], length: int) -> list[np.ndarray]:
    """(length,) codes of each signal, which goes on with its last value."""
    columns = [scale.codes(values[:, i]) for i, scale in enumerate(scales)]
    return [np.pad(column, (0, length - len(column)), mode="edge") for column in columns]


def _annotations(recording: Recording, size: int) -> Iterator[tuple[float, float, str]]:
    """Onset and duration in seconds (-1 for none), and text."""
    rate, states = recording.rate, recording.states
    ends = [*states.at[1:], recording.length][: len(states)]
    for at, end, text in zip(states.at, ends, states.symbol, strict=True):
        if text:
            yield at / rate, (end - at) / rate, str(text)
    for at, text in zip(recording.beats.at, recording.beats.symbol, strict=True):
        yield at / rate, -1.0, str(text)
    if recording.length % size:
        yield recording.length / rate, -1.0, _END
