"""DICOM waveforms (12-lead ECG and others), by `pydicom` (DICOM PS3.3 A.34 and C.10.9, PS3.16 CID 3001 for leads).

The first multiplex group is the recording: a second one mostly holds median beats that the device has computed. Values
are in the unit of each channel's sensitivity; the padding value says that none was measured. Of annotations, a beat's
symbol at one sample is a beat, and a text over a segment is a state. Of the patient, age and sex are read, and the
PatientID groups recordings.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError, Problem
from semblance.core.need import need
from semblance.modalities.signal.beats import BEATS, marks_of_pairs, marks_of_spans
from semblance.modalities.signal.data import Lead, Marks, Recording
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.found import Found, age_of, sex_of, told
from semblance.modalities.signal.rates import settled, wrong_rate

DICOM = "dicom"
"""A lead's `fmt` is this word and the UID of the storage class."""
TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
_NO_DATE, _NO_TIME = "19850101", "000000"
_BROKEN = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, NotImplementedError),
    struct.error,
)
_PADDING = -(2**15)
_SHARE = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_MDC = {
    **{"I": "2:1", "II": "2:2", "III": "2:61", "aVR": "2:62", "aVL": "2:63", "aVF": "2:64"},
    **{f"V{i}": f"2:{i + 2}" for i in range(1, 7)},
}
"""Codes of leads (ISO/IEEE 11073-10102)."""


def _pydicom() -> Any:
    return need("pydicom", extra="signal", why="a DICOM waveform")


# Reading


def begins(path: Path) -> bool:
    """Whether a file begins as a DICOM file does: 128 bytes, then 'DICM' (PS3.10)."""
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read(path: Path, said: Said) -> Iterator[Found]:
    """The recording of a file. Raises DataError where it holds no whole waveform."""
    name = path.name.removesuffix(".dcm")
    with _whole(name):
        held = _pydicom().dcmread(path)
        groups = held.get("WaveformSequence", [])
        if not groups:
            raise _without_waveform(name)
        group = groups[0]
        rate = group.get("SamplingFrequency")
        rate = None if rate is None else float(rate)
        wrong = wrong_rate(rate, said, where=f"record '{name}'", how="set SamplingFrequency")
        problems = [*wrong, *_wrong_length(name, group)]
        if problems:
            raise DataError(*problems)
        length = int(group.NumberOfWaveformSamples)
        leads = tuple(_lead(channel, i, said, held) for i, channel in enumerate(group.ChannelDefinitionSequence))
        ends = tuple(_ends(channel, lead) for channel, lead in zip(group.ChannelDefinitionSequence, leads, strict=True))
        beats, states, lost = _marks(held, length)
        facts, patient = _facts(held), str(held.get("PatientID", "")).strip()
    notes = [f"record '{name}': only the first of {len(groups)} groups of channels is read"] * (len(groups) > 1)
    notes += _too_many(name, group)
    notes += [f"record '{name}': {lost} annotations outside the samples are left out"] * (lost > 0)
    recording = Recording(name, settled(rate, said), leads, length, partial(_values, path), beats, states)
    yield Found(recording, facts, patient or None, ends, tuple(notes), remarks=True)


@contextmanager
def _whole(name: str) -> Iterator[None]:
    """What the library raises on a broken file, as an error that names it and none of its values."""
    try:
        yield
    except (*_BROKEN, _pydicom().errors.InvalidDicomError, _pydicom().errors.BytesLengthException):
        rule, fix = "a DICOM file is whole and keeps PS3.10", "export or copy it again"
        raise DataError.of(f"record '{name}' cannot be read as a DICOM waveform", rule=rule, fix=fix) from None


def _without_waveform(name: str) -> DataError:
    rule, fix = "a recording is a DICOM object with a WaveformSequence", "leave the file out"
    return DataError.of(f"record '{name}' holds no waveform", rule=rule, fix=fix)


def _held(group: Any) -> int:
    """How many samples of all channels there are."""
    count, frame = int(group.NumberOfWaveformChannels), int(group.WaveformBitsAllocated) // 8
    return len(group.WaveformData) // (frame * count)


def _too_many(name: str, group: Any) -> list[str]:
    """A note of samples that the header does not tell; one may be the byte that makes a length even."""
    more = _held(group) - int(group.NumberOfWaveformSamples)
    return [f"record '{name}': {more:,} samples beyond those that its header tells are left out"] if more > 1 else []


def _wrong_length(name: str, group: Any) -> list[Problem]:
    count, held = int(group.NumberOfWaveformChannels), _held(group)
    if held >= int(group.NumberOfWaveformSamples) and len(group.ChannelDefinitionSequence) == count:
        return []
    found = (
        f"record '{name}' holds {held:,} of the {int(group.NumberOfWaveformSamples):,} samples of its {count} channels"
    )
    return [Problem(found, "header and samples agree", "export or copy it again")]


def _lead(channel: Any, i: int, said: Said, held: Any) -> Lead:
    source = channel.get("ChannelSourceSequence") or [{}]
    label = str(channel.get("ChannelLabel") or source[0].get("CodeMeaning") or f"lead {i + 1}")
    name = label.removeprefix("Lead ").partition(" (")[0].strip()
    step = _number(channel, "ChannelSensitivity", 1.0) * _number(channel, "ChannelSensitivityCorrectionFactor", 1.0)
    baseline = round(-_number(channel, "ChannelBaseline", 0.0) / step)
    units = channel.get("ChannelSensitivityUnitsSequence") or [{}]
    unit = said.unit(name) or str(units[0].get("CodeValue", "")).removeprefix("1")
    return Lead(name, unit, float(f"{1 / step:.10g}"), baseline, f"{DICOM} {held.SOPClassUID}")


def _number(channel: Any, keyword: str, default: float) -> float:
    value = channel.get(keyword)
    return default if value is None or value == "" else float(value)


def _ends(channel: Any, lead: Lead) -> tuple[float, float] | None:
    bits = channel.get("WaveformBitsStored")
    half = 2 ** (int(bits) - 1) if bits else 0
    return ((-half - lead.baseline) / lead.gain, (half - 1 - lead.baseline) / lead.gain) if half else None


def _values(path: Path) -> np.ndarray:
    with _whole(path.name.removesuffix(".dcm")):
        return _read_values(path)


def _read_values(path: Path) -> np.ndarray:
    held = _pydicom().dcmread(path)
    values = held.waveform_array(0).astype(np.float32)
    group = held.WaveformSequence[0]
    if (padding := group.get("WaveformPaddingValue")) is not None:
        raw = need("pydicom.waveforms", extra="signal", why="a DICOM waveform").multiplex_array(held, 0, as_raw=True)
        values[raw == np.frombuffer(padding[: raw.itemsize], raw.dtype)[0]] = np.nan
    return np.asarray(values)


def _facts(held: Any) -> dict[str, str]:
    age = str(held.get("PatientAge") or "").strip()
    if len(age) == 4 and age[:3].isdecimal() and age[3] in _SHARE:
        years: str | None = str(int(int(age[:3]) * _SHARE[age[3]]))
    else:
        born, day = str(held.get("PatientBirthDate") or ""), str(held.get("StudyDate") or "")
        whole = len(born) == 8 and len(day) == 8 and (born + day).isdecimal()
        years = str((int(day) - int(born)) // 10_000) if whole and born <= day else None
    return told(age=age_of(years), sex=sex_of(str(held.get("PatientSex") or "")))


def _marks(held: Any, length: int) -> tuple[Marks, Marks, int]:
    beats: list[tuple[int, str]] = []
    spans: list[tuple[int, int, str]] = []
    lost = 0
    for item in held.get("WaveformAnnotationSequence") or []:
        text, kind = str(item.get("UnformattedTextValue") or ""), item.get("TemporalRangeType")
        places = [int(at) - 1 for at in np.atleast_1d(item.get("ReferencedSamplePositions") or [])]
        if not text or not places:
            continue
        if not 0 <= places[0] < length:
            lost += 1
        elif kind == "POINT" and text in BEATS:
            beats.append((places[0], text))
        elif kind == "SEGMENT" and len(places) == 2:
            spans.append((places[0], min(places[1] + 1, length), text))
    return marks_of_pairs(sorted(beats)), marks_of_spans(sorted(spans), length), lost


# Writing


def write(recordings: Iterable[tuple[Recording, dict[str, str]]], folder: Path) -> None:
    """A waveform object of each recording, in the storage class of its leads, with beats and states as annotations."""
    for recording, facts in recordings:
        _object(recording, facts).save_as(folder / f"{recording.name}.dcm", enforce_file_format=True)


def _set(item: Any, **values: Any) -> Any:
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _object(recording: Recording, facts: dict[str, str]) -> Any:
    pydicom = _pydicom()
    kind = recording.leads[0].fmt.partition(" ")[2] or TWELVE_LEAD
    uids = [pydicom.uid.generate_uid(entropy_srcs=["semblance", recording.name, part]) for part in ("1", "2", "3")]
    made = _set(
        pydicom.Dataset(),
        SOPClassUID=kind,
        SOPInstanceUID=uids[0],
        StudyDate=_NO_DATE,
        ContentDate=_NO_DATE,
        AcquisitionDateTime=_NO_DATE + _NO_TIME,
        StudyTime=_NO_TIME,
        ContentTime=_NO_TIME,
        AccessionNumber="",
        Modality="ECG",
        Manufacturer="semblance",
        ReferringPhysicianName="",
        PatientName="synthetic",
        PatientID=recording.name,
        PatientBirthDate="",
        PatientSex={"female": "F", "male": "M"}.get(facts.get("sex", ""), ""),
        StudyInstanceUID=uids[1],
        SeriesInstanceUID=uids[2],
        StudyID="",
        SeriesNumber=1,
        InstanceNumber=1,
        AcquisitionContextSequence=pydicom.Sequence(),
        WaveformSequence=[_group(recording)],
    )
    if facts.get("age"):
        made.PatientAge = f"{int(float(facts['age'])):03d}Y"
    if annotations := list(_annotations(recording)):
        made.WaveformAnnotationSequence = annotations
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return made


def _group(recording: Recording) -> Any:
    leads = recording.leads
    raw = np.column_stack([_raw(recording.values()[:, i], lead) for i, lead in enumerate(leads)])
    return _set(
        _pydicom().Dataset(),
        WaveformOriginality="ORIGINAL",
        NumberOfWaveformChannels=len(leads),
        NumberOfWaveformSamples=recording.length,
        SamplingFrequency=f"{recording.rate:.10g}",
        MultiplexGroupLabel="RHYTHM",
        ChannelDefinitionSequence=[_channel(lead) for lead in leads],
        WaveformBitsAllocated=16,
        WaveformSampleInterpretation="SS",
        WaveformPaddingValue=np.array(_PADDING, "<i2").tobytes(),
        WaveformData=raw.tobytes(),
    )


def _raw(values: np.ndarray, lead: Lead) -> np.ndarray:
    codes = np.clip(np.round(values.astype(float) * lead.gain) + lead.baseline, _PADDING + 1, -_PADDING - 1)
    return np.where(np.isnan(codes), _PADDING, codes).astype("<i2")


def _channel(lead: Lead) -> Any:
    code = _MDC.get(lead.name)
    source = _code(code, "MDC", f"Lead {lead.name}") if code else _code(lead.name[:16], "99SEMBLANCE", lead.name)
    return _set(
        _pydicom().Dataset(),
        ChannelLabel=lead.name[:16],
        ChannelSourceSequence=[source],
        ChannelSensitivity=f"{1 / lead.gain:.10g}",
        ChannelSensitivityUnitsSequence=[_code(lead.unit or "1", "UCUM", lead.unit or "no units")],
        ChannelSensitivityCorrectionFactor="1",
        ChannelBaseline=f"{-lead.baseline / lead.gain:.10g}",
        ChannelSampleSkew="0",
        WaveformBitsStored=16,
    )


def _code(value: str, scheme: str, meaning: str) -> Any:
    return _set(_pydicom().Dataset(), CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning[:64])


def _annotations(recording: Recording) -> Iterator[Any]:
    """Samples count from 1."""
    states, beats = recording.states, recording.beats
    ends = [*states.at[1:], recording.length][: len(states)]
    for at, text in zip(beats.at, beats.symbol, strict=True):
        yield _annotation(str(text), "POINT", [int(at) + 1], group=0)
    for at, end, text in zip(states.at, ends, states.symbol, strict=True):
        if text:
            yield _annotation(str(text), "SEGMENT", [int(at) + 1, int(end)], group=1)


def _annotation(text: str, kind: str, samples: list[int], *, group: int) -> Any:
    return _set(
        _pydicom().Dataset(),
        ReferencedWaveformChannels=[1, 0],
        TemporalRangeType=kind,
        ReferencedSamplePositions=samples,
        AnnotationGroupNumber=group,
        UnformattedTextValue=text,
    )
