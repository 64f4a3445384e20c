"""What is measured: the values of each channel, and how they change from one measurement to the next."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.metrics.samples import SAMPLES, Measured

CELLS = 64
SOON = 90.0
"""Minutes within which measurements follow each other."""
FEW = 30.0
"""Successive measurements below which a channel has no correlation."""
VALUES, CHANGE = "fidelity.vitals_values", "fidelity.vitals_change"


@measures(VALUES)
def values(evidence: Measured) -> tuple[Finding, ...]:
    """Wasserstein's distance W1 of the values of each channel from holdout, over train's q95 - q05; aim below .1.

    On train's quantiles: 64 cells. The mean over channels; `detail["channels"]` has each.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(VALUES, status="insufficient", reason=reason),)
    edges, width = _grid(evidence.train)
    made = SAMPLES.compared(evidence, lambda stays: _counts(stays, edges), lambda a, b: _w1(a, b, width))
    detail = {"channels": SAMPLES.rows(evidence, evidence.train.names, made)}
    return (_finding(VALUES, **SAMPLES.estimates(evidence, made), detail=detail),)


def _grid(stays: Stays) -> tuple[list[np.ndarray], np.ndarray]:
    """The inner edges (CELLS - 1,) of each channel's cells, and (channels, CELLS - 1) how wide these are."""
    edges, widths = [], []
    for code in range(len(stays.channels)):
        own = stays.value[stays.channel == code]
        found = np.quantile(own, np.linspace(0, 1, CELLS + 1)) if len(own) else np.zeros(CELLS + 1)
        low, high = np.quantile(own, [0.05, 0.95]) if len(own) else (0.0, 1.0)
        unit = high - low if high > low else max(float(found[-1] - found[0]), abs(float(found[0])), 1e-9)
        edges.append(found[1:-1])
        widths.append(np.minimum((found[2:] - found[:-2]) / 2, unit) / unit)
    return edges, np.array(widths)


def _counts(stays: Stays, edges: list[np.ndarray]) -> np.ndarray:
    """(n, channels, CELLS) how many values of each stay lie in each cell; those at an edge by halves."""
    made = np.zeros((len(stays), len(edges), CELLS), dtype=np.float32)
    for code, inner in enumerate(edges):
        at = stays.channel == code
        for side in ("left", "right"):
            np.add.at(made, (stays.stay[at], code, np.searchsorted(inner, stays.value[at], side=side)), 0.5)
    return made


def _w1(a: np.ndarray, b: np.ndarray, width: np.ndarray) -> np.ndarray:
    one, two = (np.cumsum(x.sum(0, dtype=float), 1)[:, :] for x in (a, b))
    total = [x[:, -1:] for x in (one, two)]
    both = ((total[0] > 0) & (total[1] > 0))[:, 0]
    apart = np.abs(one / np.maximum(total[0], 1) - two / np.maximum(total[1], 1))[:, :-1]
    made: np.ndarray = np.where(both, (apart * width).sum(1), np.where(total[1][:, 0] > 0, 1.0, 0.0))
    return made


@measures(CHANGE)
def change(evidence: Measured) -> tuple[Finding, ...]:
    """How values follow each other within 90 minutes: the correlation of successive values, and their mean change.

    The mean over channels of the difference of the correlation from holdout's, and of the difference of the mean
    absolute change, over train's q95 - q05; 0 is best. `detail["channels"]` has each.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(CHANGE, status="insufficient", reason=reason),)
    scale = _scale(evidence.train)
    made = SAMPLES.compared(evidence, lambda stays: _moments(stays, scale), _moved)
    detail = {"channels": SAMPLES.rows(evidence, evidence.train.names, made)}
    return (_finding(CHANGE, **SAMPLES.estimates(evidence, made), detail=detail),)


def _scale(stays: Stays) -> np.ndarray:
    """(channels, 2) the median, and q95 - q05."""
    made = []
    for code in range(len(stays.channels)):
        own = stays.value[stays.channel == code]
        low, middle, high = np.quantile(own, [0.05, 0.5, 0.95]) if len(own) else (0.0, 0.0, 0.0)
        made.append((middle, high - low if high > low else 1.0))
    return np.array(made).reshape(-1, 2)


def _moments(stays: Stays, scale: np.ndarray) -> np.ndarray:
    """(n, channels, 7) sums over successive values x, y: how many, x, y, xx, yy, xy, and |y - x|."""
    n, c = len(stays), len(stays.channels)
    order = np.argsort(stays.stay * c + stays.channel, kind="stable")
    stay, channel, minute = stays.stay[order], stays.channel[order], stays.minute[order]
    value = np.clip((stays.value[order] - scale[channel, 0]) / scale[channel, 1], -2, 2)
    near = (stay[1:] == stay[:-1]) & (channel[1:] == channel[:-1]) & (np.diff(minute) <= SOON)
    x, y, key = value[:-1][near], value[1:][near], (stay * c + channel)[1:][near]
    sums = (np.ones(len(x)), x, y, x * x, y * y, x * y, np.abs(y - x))
    return np.stack([np.bincount(key, one, minlength=n * c) for one in sums], axis=1).reshape(n, c, -1)


def _moved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    one, two = (_following(x.sum(0)) for x in (a, b))
    made: np.ndarray = np.nan_to_num(np.abs(one - two)).mean(1)
    return made


def _following(sums: np.ndarray) -> np.ndarray:
    """(channels, 2) correlation and mean absolute change; NaN where there are few."""
    n, x, y, xx, yy, xy, away = sums.T
    safe = np.maximum(n, 1)
    varied = np.sqrt(np.maximum(xx - x * x / safe, 0) * np.maximum(yy - y * y / safe, 0))
    r = np.where(varied > 1e-6 * safe, (xy - x * y / safe) / np.maximum(varied, 1e-12), 0.0)
    return np.where((n >= FEW)[:, None], np.column_stack([r, away / safe]), np.nan)


_finding = Wording(
    {
        VALUES: (
            "Values of channels",
            "How far values have to be moved to be distributed like real ones, compared with the range of nine tenths "
            "of them (0: not at all).",
        ),
        CHANGE: (
            "From one value to the next",
            "How differently values follow each other: their correlation and their change (0: alike).",
        ),
    }
)
