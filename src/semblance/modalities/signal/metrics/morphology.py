"""The waves of a beat: how long and how high P, QRS and T are, class by class."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.judge import Wording, measures, slots
from semblance.core.report import Finding
from semblance.modalities.signal.data import BEFORE, Pieces
from semblance.modalities.signal.metrics.samples import (
    Measured,
    classes,
    compared,
    estimate,
    rows,
    samples,
    too_few,
)
from semblance.modalities.signal.metrics.transport import unit, wasserstein

METRIC = "fidelity.signal_morphology"
OnLead = Callable[..., np.ndarray]
NAMES = ("p height", "p width", "qrs height", "qrs width", "t height", "t width", "t place")
SMOOTH = 0.02  # seconds of the moving mean under which waves are measured
WITHIN = 0.15  # seconds around R in which QRS begins and ends
STEEP = 0.12  # of the steepest slope, below which QRS is over
FLAT = 0.012  # seconds for which it must stay below
LEVEL = (0.06, 0.03)  # seconds before QRS that give the level of the line: after P, and before a slow Q
P_FROM, T_FROM, T_TO = 0.28, 0.06, 0.55  # seconds before R, after QRS, after R


@measures(METRIC)
def morphology(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over classes and seven numbers of Wasserstein's distance from holdout, over train's q95 - q05; 0 is best.

    Heights of P, QRS and T (in the lead's unit, against the line just before QRS), widths of P and T at half their
    height, the duration of QRS and the time from R to the top of T (seconds), each from the smoothed beat on its lead
    of the largest swing. A light delineation by slopes, the same on both sides: compare it with its control, not with
    a cardiologist's. `detail["classes"]` has each number of each class.
    """
    if BEFORE not in evidence.train.frame:
        return (_finding(METRIC, status="not_applicable", reason="pieces are no beats"),)
    if reason := too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    return (_finding(METRIC, **over_classes(evidence, delineated, NAMES)),)


def over_classes(evidence: Measured, describe: OnLead, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a finding: the mean over classes and numbers of Wasserstein's distances from holdout, over the
    range of train's. `describe(pieces, lead)` gives (n, names) numbers, all on the lead that swings most in train."""
    labels: tuple[str | None, ...] = classes(evidence) or (None,)
    made = [_class(evidence, describe, label) for label in labels]
    parts: tuple[Part, ...] = tuple(part for part in made[0] if all(part in one for one in made))
    least = min(len(one[part]) for one in made for part in parts)
    mean = {part: np.mean([one[part][:least].mean(axis=1) for one in made], axis=0) for part in parts}
    told = [
        {"label": label or "", "numbers": rows(evidence, names, one, label=label)}
        for label, one in zip(labels, made, strict=True)
    ]
    return {**slots({part: estimate(evidence, part, one) for part, one in mean.items()}), "detail": {"classes": told}}


def _class(evidence: Measured, describe: OnLead, label: str | None) -> dict[Part, np.ndarray]:
    train = samples(evidence, label)["train"].pieces
    alike = partial(describe, lead=leading(train))
    scale = unit(alike(train))
    return compared(evidence, alike, lambda a, b: wasserstein(a, b) / scale, label=label)


def delineated(pieces: Pieces, lead: int = 0) -> np.ndarray:
    """(n, 7) the numbers of NAMES on a lead, of beats whose R is where all waves swing most on average."""
    rate, x = pieces.rate, _smooth(on(pieces, lead), round(SMOOTH * pieces.rate))
    at = np.arange(x.shape[1])
    r = round(0.4 * rate)
    begin, end = _qrs(x, r, rate)
    line = _mean(x, (at >= (begin - LEVEL[0] * rate)[:, None]) & (at < (begin - LEVEL[1] * rate)[:, None]))
    x = x - line[:, None]
    p = (at >= r - P_FROM * rate) & (at < (begin - 0.01 * rate)[:, None])
    t = (at >= (end + T_FROM * rate)[:, None]) & (at < r + T_TO * rate)
    qrs = (at >= begin[:, None]) & (at <= end[:, None])
    (p_top, p_height), (t_top, t_height), (_, r_height) = (_top(x, mask) for mask in (p, t, qrs))
    widths = [_width(x, top, height) / rate for top, height in ((p_top, p_height), (t_top, t_height))]
    return np.column_stack(
        [p_height, widths[0], r_height, (end - begin) / rate, t_height, widths[1], (t_top - r) / rate]
    )


def leading(pieces: Pieces) -> int:
    """The lead of the largest swing over all pieces."""
    if not len(pieces):
        return 0
    return int(np.median(np.ptp(np.nan_to_num(pieces.waves), axis=2), axis=0).argmax())


def on(pieces: Pieces, lead: int) -> np.ndarray:
    """(n, samples) float64 the values of a lead, 0 where nothing is known."""
    known: np.ndarray = np.nan_to_num(pieces.waves[:, lead]).astype(float)
    return known


def _smooth(x: np.ndarray, width: int) -> np.ndarray:
    """A moving mean over an odd number of samples."""
    half = max(width // 2, 1)
    sums = np.cumsum(np.pad(x, ((0, 0), (half + 1, half)), mode="edge"), axis=1)
    made: np.ndarray = (sums[:, 2 * half + 1 :] - sums[:, : -2 * half - 1]) / (2 * half + 1)
    return made


def _qrs(x: np.ndarray, r: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) samples at which QRS begins and ends: from R outwards, the slope stays small from there on for a moment."""
    reach, flat = round(WITHIN * rate), max(round(FLAT * rate), 1)
    slope = np.abs(np.gradient(x, axis=1))
    steepest = slope[:, max(r - reach, 0) : r + reach].max(axis=1, keepdims=True)
    calm = slope < STEEP * steepest
    for _ in range(flat - 1):
        calm[:, 1:] &= calm[:, :-1].copy()
    after = calm[:, r + flat : r + reach + flat]
    end = np.where(after.any(axis=1), r + after.argmax(axis=1), r + reach)
    before = calm[:, r - reach : r][:, ::-1]
    begin = np.where(before.any(axis=1), r - 1 - before.argmax(axis=1), r - reach)
    return begin, end


def _mean(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    made: np.ndarray = np.where(mask, x, 0).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    return made


def _top(x: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the wave is farthest from the line within the mask, and how far, with its sign."""
    top = np.where(mask, np.abs(x), -1).argmax(axis=1)
    return top, np.take_along_axis(x, top[:, None], axis=1)[:, 0]


def _width(x: np.ndarray, top: np.ndarray, height: np.ndarray) -> np.ndarray:
    """(n,) samples around the top in which the wave is at least half as high."""
    at = np.arange(x.shape[1])
    low = x * np.sign(height)[:, None] < np.abs(height)[:, None] / 2
    right = np.where(low & (at > top[:, None]), at, x.shape[1]).min(axis=1)
    left = np.where(low & (at < top[:, None]), at, -1).max(axis=1)
    width: np.ndarray = right - left - 1
    return width


_finding = Wording(
    {
        METRIC: (
            "Waves of a beat",
            "How far heights and widths of P, QRS and T are from those of real beats of the same class, as a share of "
            "the range that holds nine in ten real beats (0: not at all).",
        )
    }
)
