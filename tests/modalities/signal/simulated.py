"""Simulated ECG of patients who differ: sums of Gaussians (after McSharry et al. 2003) with beats of four classes.

Every patient has own waves, heart rate, breathing and burden of ectopic beats. A premature supraventricular beat (A)
has another P and comes early; a ventricular one (V) has no P, a wide QRS, an opposite T and a pause after it; a fusion
beat (F) is the mean of a normal and a ventricular one. CORRUPTIONS spoil pieces in ways that a judge has to see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.signal.data import AFTER, BEFORE, Lead, Marks, Pieces, Recording, Recordings

RATE = 250.0
LEADS = (Lead("II"), Lead("V1"))
AAMI = {"N": "N", "A": "S", "V": "V", "F": "F"}
HEAD, TAIL = 100, 156  # samples of a piece before R, and from R on, at 250 Hz
REACH = 0.7  # seconds around R in which a beat is drawn
STATICS = (
    Column("age", "integer", dtype="int64", quasi=True),
    Column("sex", "categorical", protected=True, quasi=True),
)
PATIENT = Column("patient", "identifier", "subject")

# P, Q, R, S, T: millivolts in each lead, seconds from R, seconds of width.
NORMAL = np.array([[0.12, -0.10, 1.10, -0.25, 0.30], [0.06, 0.0, 0.25, -0.95, -0.10]])
AT, WIDTH = np.array([-0.17, -0.035, 0.0, 0.032, 0.29]), np.array([0.025, 0.011, 0.012, 0.011, 0.055])
WIDE = np.array([[0.0, -0.15, 1.30, -0.55, -0.45], [0.0, 0.10, 0.90, -0.60, -0.40]])
WIDE_AT, WIDE_WIDTH = np.array([-0.17, -0.085, 0.0, 0.085, 0.33]), np.array([0.025, 0.030, 0.040, 0.035, 0.075])


@dataclass(frozen=True)
class Patient:
    """What makes a patient's ECG their own: `normal` and `wide` (3, ...) waves, rhythm and the odds of each class."""

    age: int
    sex: str
    pace: float
    sway: tuple[float, float, float]
    breath: float
    odds: np.ndarray
    normal: tuple[np.ndarray, np.ndarray, np.ndarray]
    wide: tuple[np.ndarray, np.ndarray, np.ndarray]
    noise: float


def patient(rng: np.random.Generator) -> Patient:
    """A patient like no other."""
    age, sex = int(np.clip(rng.normal(64, 13), 20, 95)), "F" if rng.random() < 0.45 else "M"
    young = np.clip((80 - age) / 40, 0.2, 1.2)  # heart rate varies less in the old
    ectopic = rng.random(2) < (0.35, 0.55)
    odds = np.array([0.0, *(ectopic * rng.uniform(0.05, 0.22, 2)), ectopic[1] * rng.uniform(0, 0.06)])
    odds[0] = 1 - odds.sum()
    return Patient(
        age=age,
        sex=sex,
        pace=float(np.clip(rng.normal(0.84 if sex == "M" else 0.78, 0.10), 0.55, 1.2)),
        sway=(0.025 * young * rng.lognormal(0, 0.4), 0.022 * young * rng.lognormal(0, 0.5), 0.008),
        breath=float(rng.uniform(0.18, 0.34)),
        odds=odds,
        normal=_own(NORMAL, AT, WIDTH, rng),
        wide=_own(WIDE, WIDE_AT, WIDE_WIDTH, rng),
        noise=float(0.012 * rng.lognormal(0, 0.3)),
    )


def _own(size: np.ndarray, at: np.ndarray, width: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """The waves of one patient, around the usual ones."""
    own = size * rng.lognormal(0, 0.22, size.shape) * rng.lognormal(0, 0.18)
    return own, at * rng.lognormal(0, 0.07, at.shape), width * rng.lognormal(0, 0.12, width.shape)


def rhythm(one: Patient, seconds: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Times of R in seconds and the class of each beat (0 N, 1 A, 2 V, 3 F), with a pause after an early beat."""
    times, classes, ectopic = [rng.uniform(0.1, 0.6)], [0], False
    while True:
        now = times[-1]
        slow, fast, jitter = one.sway
        gap = one.pace * (1 + slow * np.sin(2 * np.pi * 0.1 * now) + fast * np.sin(2 * np.pi * one.breath * now))
        gap += rng.normal(0, jitter)
        kind = 0 if ectopic else int(rng.choice(4, p=one.odds))
        gap *= {0: 1.0, 1: rng.uniform(0.62, 0.78), 2: rng.uniform(0.58, 0.75), 3: rng.uniform(0.88, 0.97)}[kind]
        gap *= {1: rng.uniform(1.0, 1.15), 2: rng.uniform(1.25, 1.45)}.get(classes[-1], 1.0)
        if now + gap > seconds - 0.1:
            return np.array(times), np.array(classes)
        times.append(now + gap)
        classes.append(kind)
        ectopic = kind > 0


def drawn(one: Patient, times: np.ndarray, classes: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """(length, 2) float32 millivolts of the beats, on a wandering line, with noise."""
    size, at, width = _beats(one, times, classes, rng)
    reach = int(REACH * RATE)
    around = np.round(times * RATE).astype(int)[:, None] + np.arange(-reach, reach)
    offset = around / RATE - times[:, None]
    bells = np.exp(-0.5 * ((offset[:, None] - at[..., None]) / width[..., None]) ** 2)
    inside = (around >= 0) & (around < length)
    made = np.zeros((length, 2))
    np.add.at(made, around[inside], np.einsum("blw,bwt->btl", size, bells)[inside])
    clock = np.arange(length) / RATE
    wander = 0.04 * np.sin(2 * np.pi * one.breath * clock + rng.uniform(0, 6)) + 0.03 * np.sin(0.9 * clock)
    return (made + wander[:, None] * (1.0, 0.6) + one.noise * rng.standard_normal((length, 2))).astype(np.float32)


def _beats(one: Patient, times: np.ndarray, classes: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Per beat: (b, 2, 5) sizes, (b, 5) places and (b, 5) widths of its waves. T comes later after a long interval."""
    kind = classes[:, None]
    share = np.select([classes == 2, classes == 3], [1.0, 0.5], 0.0)[:, None]
    size, at, width = (
        a + share.reshape(-1, *[1] * a.ndim) * (b - a) for a, b in zip(one.normal, one.wide, strict=True)
    )
    size = size * np.where(kind == 1, [-0.7, 1, 1, 1, 0.9], 1.0)[:, None]
    stretch = np.sqrt(np.diff(times, prepend=times[0] - one.pace) / one.pace)
    at = at * np.concatenate([np.ones((len(times), 4)), stretch[:, None]], axis=1)
    return size * rng.lognormal(0, 0.04, (len(times), 1, 1)), at, width


@cache
def recordings(n: int, seed: int) -> Recordings:
    """`n` recordings, each of another patient: 12 to 20 s of two leads at 250 Hz, beats marked, age and sex known."""
    people = [patient(stream(seed, "patient", i)) for i in range(n)]
    made = tuple(_recording(one, f"r{i:05d}", seed, i) for i, one in enumerate(people))
    frame = pd.DataFrame(
        {
            "age": np.array([one.age for one in people], dtype=float),
            "sex": pd.Categorical([one.sex for one in people], ["F", "M"]),
        }
    )
    return Recordings(Schema((PATIENT, *STATICS)), frame, made, np.arange(n))


def _recording(one: Patient, name: str, seed: int, i: int) -> Recording:
    rng = stream(seed, "rhythm", i)
    seconds = rng.uniform(12, 20)
    times, classes = rhythm(one, seconds, rng)
    length = int(seconds * RATE)
    beats = Marks(np.round(times * RATE).astype(np.int64), np.array(list("NAVF"), dtype=object)[classes])
    # Drawn when it is first asked for: generators and judges read a recording again and again.
    wave = cache(lambda: drawn(one, times, classes, length, stream(seed, "noise", i)))
    return Recording(name, RATE, LEADS, length, lambda: wave().copy(), beats)


def cut(whole: Recordings) -> Pieces:
    """The beats of recordings at 250 Hz that have a beat before, a beat after and a whole window around them."""
    parts = [_cut(one) for one in whole.recordings]
    source = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    waves, label, before, after = (np.concatenate([part[i] for part in parts]) for i in range(4))
    names = sorted({*"NSVF", *label})
    frame = pd.DataFrame({"label": pd.Categorical(label, names), BEFORE: before, AFTER: after})
    known = whole.frame.iloc[source].reset_index(drop=True)
    columns = (
        whole.schema.where("subject"),
        Column("label", "categorical", "target"),
        Column(BEFORE, "numeric", dtype="float64", decimals=3),
        Column(AFTER, "numeric", dtype="float64", decimals=3),
        *whole.schema.learned,
    )
    schema = Schema(tuple(column for column in columns if column is not None))
    leads = whole.recordings[0].leads
    table, who = pd.concat([frame, known], axis=1), whole.subjects[source]
    return Pieces(schema, table, waves, RATE, leads, source, who, whole.recordings)


def _cut(one: Recording) -> tuple[np.ndarray, ...]:
    at, values = one.beats.at, one.values()
    inner = np.arange(1, len(at) - 1)
    inner = inner[(at[inner] >= HEAD) & (at[inner] + TAIL <= one.length)]
    waves = values[at[inner][:, None] + np.arange(-HEAD, TAIL)].transpose(0, 2, 1)
    gaps = np.diff(at) / one.rate
    label = np.array([AAMI[s] for s in one.beats.symbol[inner]], dtype=object)
    return np.ascontiguousarray(waves), label, gaps[inner - 1], gaps[inner]


@cache
def pieces(n: int, seed: int) -> Pieces:
    """The beats of `n` simulated recordings."""
    return cut(recordings(n, seed))


def windows(n: int, seed: int, *, length: int = 256, leads: int = 3) -> Pieces:
    """Two windows each of `n` patients' EEG-like signals: a rhythm of 10 Hz shared by the leads, in coloured noise."""
    rng = stream(seed, "windows")
    source = np.repeat(np.arange(n), 2)
    clock, alpha = np.arange(length) / 128, rng.uniform(9, 11, n)[source]
    wave = np.sin(2 * np.pi * alpha[:, None] * clock + rng.uniform(0, 6.3, (2 * n, 1)))
    noise = np.cumsum(rng.normal(0, 0.15, (2 * n, leads, length)), axis=2)
    waves = rng.uniform(1, 2, (2 * n, 1, 1)) * wave[:, None] * np.linspace(1, 0.5, leads)[None, :, None]
    waves = waves + noise - noise.mean(axis=2, keepdims=True)
    names, waves = tuple(Lead(f"C{i}", "uV") for i in range(leads)), waves.astype(np.float32)
    whole = waves.reshape(n, 2, leads, length).transpose(0, 1, 3, 2).reshape(n, 2 * length, leads)
    ones = tuple(Recording(f"e{i}", 128.0, names, len(one), partial(np.copy, one)) for i, one in enumerate(whole))
    return Pieces(Schema((PATIENT,)), pd.DataFrame(index=range(2 * n)), waves, 128.0, names, source, source, ones)


def reversed_time(data: Pieces, rng: np.random.Generator) -> Pieces:
    """Every wave backwards."""
    return replace(data, waves=np.ascontiguousarray(data.waves[:, :, ::-1]))


def shuffled_time(data: Pieces, rng: np.random.Generator) -> Pieces:
    """The samples of every wave in random order."""
    return replace(data, waves=data.waves[:, :, rng.permutation(data.waves.shape[2])])


def noisy(data: Pieces, rng: np.random.Generator) -> Pieces:
    """White noise of a third of the spread of each lead."""
    spread = data.waves.std(axis=(0, 2), keepdims=True)
    return replace(data, waves=data.waves + (spread / 3 * rng.standard_normal(data.waves.shape)).astype(np.float32))


def smoothed(data: Pieces, rng: np.random.Generator) -> Pieces:
    """A moving average of 9 samples: the high frequencies are gone."""
    wide = np.pad(data.waves, ((0, 0), (0, 0), (4, 4)), mode="edge")
    return replace(data, waves=np.lib.stride_tricks.sliding_window_view(wide, 9, axis=2).mean(axis=3, dtype=np.float32))


def swapped(data: Pieces, rng: np.random.Generator) -> Pieces:
    """The leads in another order."""
    return replace(data, waves=np.ascontiguousarray(data.waves[:, ::-1]))


def unrelated(data: Pieces, rng: np.random.Generator) -> Pieces:
    """Each lead of another beat."""
    waves = data.waves.copy()
    for lead in range(1, waves.shape[1]):
        waves[:, lead] = waves[rng.permutation(len(waves)), lead]
    return replace(data, waves=waves)


def collapsed(data: Pieces, rng: np.random.Generator) -> Pieces:
    """A handful of pieces again and again."""
    return data.take(np.sort(rng.integers(0, 5, len(data))))


def mislabelled(data: Pieces, rng: np.random.Generator) -> Pieces:
    """Label and intervals of another beat."""
    other = rng.permutation(len(data))
    moved = [c.name for c in data.schema.learned if c.name in ("label", BEFORE, AFTER)]
    return replace(data, frame=data.frame.assign(**{name: data.frame[name].array[other] for name in moved}))


def shifted(data: Pieces, rng: np.random.Generator) -> Pieces:
    """Every wave moved along by 5 to 11 samples."""
    moved = rng.integers(5, 12, len(data))
    index = (np.arange(data.waves.shape[2]) - moved[:, None]).clip(0)
    return replace(data, waves=np.take_along_axis(data.waves, index[:, None, :], axis=2))


Spoil = Callable[[Pieces, np.random.Generator], Pieces]
CORRUPTIONS: Mapping[str, Spoil] = {
    "reversed": reversed_time,
    "shuffled": shuffled_time,
    "noisy": noisy,
    "smoothed": smoothed,
    "swapped": swapped,
    "unrelated": unrelated,
    "collapsed": collapsed,
    "mislabelled": mislabelled,
}
