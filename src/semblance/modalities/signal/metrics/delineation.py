"""The intervals that a cardiologist reads off a beat, found by NeuroKit2: P, PR, QRS, QT, and how high the waves are.

NeuroKit2 is part of an extra (`pip install "semblance[signal]"`); without it the finding is not applicable, and
`morphology` measures the same waves by slopes of our own.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.signal.data import BEFORE, Pieces
from semblance.modalities.signal.metrics.morphology import on, over_classes
from semblance.modalities.signal.metrics.samples import Measured, too_few
from semblance.modalities.signal.pieces import R_AT

METRIC = "fidelity.signal_delineation"
NAMES = ("p duration", "pr interval", "qrs duration", "qt interval", "t duration", "p height", "r height", "t height")
MOST = 100
"""Beats of a class and part that are delineated, since each takes a millisecond; the others count as unknown."""


@measures(METRIC)
def delineation(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over classes and eight numbers of Wasserstein's distance from holdout, over train's q95 - q05; 0 is best.

    Durations and intervals in seconds, heights in the lead's unit against the onset of their wave, on the lead that
    swings most, by NeuroKit2's delineation by prominence (Emrich, Gargano, Koka & Muma, Physiology-Informed ECG
    Delineation Based on Peak Prominence, EUSIPCO 2024). `detail["classes"]` has each number of each class.
    """
    if BEFORE not in evidence.train.frame:
        return (_finding(METRIC, status="not_applicable", reason="pieces are no beats"),)
    if find_spec("neurokit2") is None:
        reason = "NeuroKit2 is not installed: pip install 'semblance[signal]'"
        return (_finding(METRIC, status="not_applicable", reason=reason),)
    if reason := too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    return (_finding(METRIC, **over_classes(evidence, delineated, NAMES)),)


def delineated(pieces: Pieces, lead: int = 0) -> np.ndarray:
    """(n, 8) the numbers of NAMES on a lead, of at most MOST beats, evenly spread; NaN where nothing is found."""
    made = np.full((len(pieces), len(NAMES)), np.nan)
    some = np.unique(np.linspace(0, len(pieces) - 1, min(MOST, len(pieces))).round().astype(int))
    made[some] = _delineated(pieces.take(some), lead)
    return made


def _delineated(pieces: Pieces, lead: int) -> np.ndarray:
    from neurokit2.ecg.ecg_delineate import ecg_delineate

    x, rate = on(pieces, lead), pieces.rate
    middle = max(round(R_AT * rate), x.shape[1] - round(R_AT * rate))
    x = x - np.linspace(x[:, 0], x[:, -1], x.shape[1], axis=1)  # no step where one beat follows the other
    x = np.pad(x, ((0, 0), (middle - round(R_AT * rate), 0)))  # NeuroKit2 looks half an interval to each side of R
    peaks = np.arange(len(x)) * x.shape[1] + middle
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of waves that are not there, which are NaN
        _, found = ecg_delineate(x.ravel(), peaks, sampling_rate=round(rate), method="prominence")
    at = {key.removeprefix("ECG_"): np.asarray(one, dtype=float) for key, one in found.items()}
    p, t = ("P_Onsets", "P_Peaks", "P_Offsets"), ("T_Onsets", "T_Peaks", "T_Offsets")
    between = (p[::2], ("P_Onsets", "R_Onsets"), ("R_Onsets", "R_Offsets"), ("R_Onsets", "T_Offsets"), t[::2])
    above = (p[:2], ("R_Onsets", "R_Peaks"), t[:2])
    at["R_Peaks"] = peaks.astype(float)
    height = [_value(x.ravel(), at[top]) - _value(x.ravel(), at[foot]) for foot, top in above]
    return np.column_stack([*((at[b] - at[a]) / rate for a, b in between), *height])


def _value(signal: np.ndarray, at: np.ndarray) -> np.ndarray:
    known = np.isfinite(at)
    made: np.ndarray = np.where(known, signal[np.where(known, at, 0).astype(int)], np.nan)
    return made


_finding = Wording(
    {
        METRIC: (
            "Intervals of a beat",
            "How far durations of P, QRS and T, the PR and the QT interval and the heights of waves, as NeuroKit2 "
            "reads them, are from those of real beats of the same class, as a share of the range that holds nine in "
            "ten real beats (0: not at all).",
        )
    }
)
