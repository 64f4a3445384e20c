"""Heart rate variability: the numbers of the Task Force (1996) per recording, real against synthetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import jackknife
from semblance.core.judge import Wording, measures, patient_blocks, patients, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.signal.data import BEFORE, Pieces
from semblance.modalities.signal.metrics.samples import BLOCKS, Measured
from semblance.modalities.signal.metrics.transport import unit, wasserstein

METRIC = "fidelity.signal_hrv"
NAMES = ("mean_nn", "sdnn", "rmssd", "pnn50", "lf_hf")
SKEWED = np.array([False, True, True, False, True])
NORMAL = "N"
LEAST = 8  # intervals between normal beats of a recording
LONG = 120.0  # seconds, from which low frequencies can be told
HERTZ = 4.0  # of the intervals as a signal
LOW, HIGH = (0.04, 0.15), (0.15, 0.40)
RECORDINGS = 4  # on a side
FAR = 1.0  # what a number counts that one side lacks

Succession = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Intervals between normal beats (ms), their differences where successive, and when each ends (s)."""


@measures(METRIC)
def hrv(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over five numbers of Wasserstein's distance between recordings, over train's q95 - q05; 0 is best.

    Mean interval between normal beats, SDNN, RMSSD (milliseconds), pNN50 (a share) and LF/HF (a ratio, of recordings of
    at least two minutes). SDNN, RMSSD and LF/HF are compared as logarithms, as they are log-normal.
    `detail["numbers"]` has the distance and the median of each, real and synthetic. One recording is one unit; the
    interval leaves out blocks of patients.
    """
    if BEFORE not in evidence.train.frame:
        return (_finding(METRIC, status="not_applicable", reason="pieces are no beats"),)
    told, who = {}, {}
    for part in _parts(evidence):
        told[part], who[part] = variability(getattr(evidence, part))
    told = {part: x for part, x in told.items() if part != "floor" or len(x) >= RECORDINGS}
    if min(map(len, told.values())) < RECORDINGS or min(map(patients, who.values())) < 2:
        reason = f"fewer than {RECORDINGS} recordings of {LEAST} successive normal beats in a part"
        return (_finding(METRIC, status="insufficient", reason=reason),)
    made = _compared(evidence, told, who)
    estimates = {part: _estimate(one.mean(axis=1), who[part]) for part, one in made.items()}
    return (_finding(METRIC, **slots(estimates), detail={"numbers": _rows(told, made, who)}),)


def _parts(evidence: Measured) -> tuple[Part, ...]:
    known: tuple[Part, ...] = ("synthetic", "train", "holdout")
    return known if evidence.floor is None or not len(evidence.floor) else (*known, "floor")


def variability(pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """(recordings, 5) numbers, NaN where one cannot be told, and the patient of each recording.

    The pieces of a recording stand in order of time. An interval counts where its beat and the beat before are normal:
    where beats have labels, those are N. Two intervals are successive where both count.
    """
    told, who = successions(pieces)
    return np.array([numbers(*one) for one in told]).reshape(-1, len(NAMES)), who


def successions(pieces: Pieces) -> tuple[list[Succession], np.ndarray]:
    """What counts of each recording with LEAST such intervals, and the patient of each of these."""
    order = np.argsort(pieces.source, kind="stable")
    gap = 1000 * pieces.frame[BEFORE].to_numpy(dtype=float)[order]
    normal = np.isin(pieces.labels[order], (NORMAL, ""))
    starts = np.flatnonzero(np.diff(pieces.source[order], prepend=-1))
    rows = map(slice, starts, [*starts[1:], len(order)])
    counted = [_counted(gap[one], normal[one]) for one in rows]
    kept = [i for i, (nn, _, _) in enumerate(counted) if len(nn) >= LEAST]
    who = pieces.subjects[order][starts[kept]] if kept else np.empty(0, dtype=np.int64)
    return [counted[i] for i in kept], who


def _counted(gap: np.ndarray, normal: np.ndarray) -> Succession:
    """The intervals between normal beats, their differences where successive, and when each ends, in seconds."""
    both = normal & np.concatenate([[False], normal[:-1]]) & np.isfinite(gap)
    step = np.diff(gap)[both[1:] & both[:-1]]
    return gap[both], step, (np.nancumsum(gap) / 1000)[both]


def numbers(nn: np.ndarray, step: np.ndarray, when: np.ndarray) -> tuple[float, ...]:
    """Mean NN, SDNN and RMSSD in ms, pNN50 as a share, LF/HF: from intervals (ms), their differences and times (s)."""
    rmssd = float(np.sqrt((step**2).mean())) if len(step) else np.nan
    pnn50 = float((np.abs(step) > 50).mean()) if len(step) else np.nan
    return float(nn.mean()), float(nn.std(ddof=1)), rmssd, pnn50, low_to_high(nn, when)


def low_to_high(nn: np.ndarray, when: np.ndarray) -> float:
    """Power of 0.04 - 0.15 Hz over that of 0.15 - 0.40 Hz, by Welch's method on intervals interpolated at 4 Hz."""
    told = heart_spectrum(nn, when)
    if told is None:
        return np.nan
    low, high = (told[1][(told[0] >= a) & (told[0] < b)].sum() for a, b in (LOW, HIGH))
    return float(low / high) if high > 0 else np.nan


def heart_spectrum(nn: np.ndarray, when: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Frequencies (Hz) and power (ms^2 / Hz) of the intervals, the same frequencies of all recordings; nothing of less
    than LONG seconds."""
    from scipy.signal import welch

    if when[-1] - when[0] < LONG:
        return None
    clock = np.arange(when[0], when[-1], 1 / HERTZ)
    hertz, power = welch(np.interp(clock, when, nn), HERTZ, nperseg=min(256, len(clock)), detrend="linear")
    return hertz, power


def _compared(evidence: Measured, told: dict[Part, np.ndarray], who: dict[Part, np.ndarray]) -> dict[Part, np.ndarray]:
    """Per part, (1 + blocks, 5) distances from holdout."""
    blocks = min(BLOCKS, *(patients(who[part]) for part in told))
    block = {part: patient_blocks(who[part], blocks, rng=stream(evidence.seed, "hrv", part)) for part in told}
    told = {part: _straight(x) for part, x in told.items()}
    scale = unit(told["train"])

    def of(part: Part) -> np.ndarray:
        sides = [(told[part], block[part]), (told["holdout"], block["holdout"])]
        pairs = [[x for x, _ in sides], *([x[b != k] for x, b in sides] for k in range(blocks))]
        return np.array([_apart(*pair) / scale for pair in pairs])

    there = np.isfinite(told["holdout"]).any(axis=0)
    compared: tuple[Part, ...] = tuple(part for part in told if part != "holdout")
    return {part: of(part)[:, there] for part in compared}


def _straight(x: np.ndarray) -> np.ndarray:
    """The numbers with logarithms of those that are log-normal."""
    return np.where(SKEWED, np.log(np.maximum(x, 1e-3)), x)


def _apart(made: np.ndarray, held: np.ndarray) -> np.ndarray:
    if not len(made) or not len(held):
        return np.full(len(NAMES), FAR)
    gap: np.ndarray = np.nan_to_num(wasserstein(made, held), nan=FAR)
    return gap


def _estimate(values: np.ndarray, who: np.ndarray) -> Any:
    return jackknife(float(values[0]), values[1:], n=patients(who), within=(0.0, np.inf))


def _rows(
    told: dict[Part, np.ndarray], made: dict[Part, np.ndarray], who: dict[Part, np.ndarray]
) -> list[dict[str, Any]]:
    there = [name for name, known in zip(NAMES, np.isfinite(told["holdout"]).any(axis=0), strict=True) if known]
    return [
        {
            "name": name,
            **_estimate(made["synthetic"][:, j], who["synthetic"]).plain(),
            "control": float(made["train"][0, j]),
            **{
                f"median_{part}": _median(told[part][:, NAMES.index(name)])
                for part in ("synthetic", "holdout", "train")
            },
        }
        for j, name in enumerate(there)
    ]


def _median(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return round(float(np.median(known)), 4) if len(known) else None


_finding = Wording(
    {
        METRIC: (
            "Heart rate variability",
            "How far the variability of the heart rate in synthetic recordings is from that in real ones, as a share "
            "of the range that holds nine in ten real recordings (0: alike).",
        )
    }
)
