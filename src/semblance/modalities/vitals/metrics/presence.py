"""What is measured at all, how often, and with what gaps."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.metrics.samples import SAMPLES, Measured

HOUR = 60.0
EDGES = np.array([1.5, 3.5, 7.5, 12.5, 20, 35, 50, 55, 65, 90, 130, 190, 250, 310, 370, 500, 740, 1100, 1500])
"""Minutes between successive measurements, where a class of gaps ends."""
PRESENCE, GAPS = "fidelity.vitals_presence", "fidelity.vitals_gaps"


@measures(PRESENCE)
def presence(evidence: Measured) -> tuple[Finding, ...]:
    """Differences of two shares of each channel from holdout: of hours that have it, and of stays that have it at all.

    The mean over channels and both shares; 0 is best, 1 the worst. `detail["channels"]` has the mean of each channel.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(PRESENCE, status="insufficient", reason=reason),)
    made = SAMPLES.compared(evidence, filled, _apart)
    detail = {"channels": SAMPLES.rows(evidence, evidence.train.names, made)}
    return (_finding(PRESENCE, **SAMPLES.estimates(evidence, made, within=(0, 1)), detail=detail),)


def filled(stays: Stays) -> np.ndarray:
    """(n, 2 channels): of each channel the share of the stay's hours that have it, then whether the stay has it."""
    n, c = len(stays), len(stays.channels)
    hour = (stays.minute // HOUR).astype(np.int64)
    width = int(hour.max(initial=0)) + 1
    cells = np.unique((stays.stay * c + stays.channel) * width + hour) // width
    count = np.bincount(cells, minlength=n * c).reshape(n, c)
    last = np.zeros(n)
    np.maximum.at(last, stays.stay, hour + 1.0)
    return np.concatenate([count / np.maximum(last, 1)[:, None], count > 0], axis=1)


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    both: np.ndarray = np.abs(a.mean(0) - b.mean(0)).reshape(2, -1).mean(0)
    return both


@measures(GAPS)
def gaps(evidence: Measured) -> tuple[Finding, ...]:
    """Kolmogorov-Smirnov distances from holdout of the minutes between successive measurements of a channel.

    The mean over channels, weighted as often as holdout has them, and over moments of any channel, which count as much
    as all channels; 0 is best, 1 the worst. `detail["channels"]` has each.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(GAPS, status="insufficient", reason=reason),)
    made = SAMPLES.compared(evidence, between, _ks)
    detail = {"channels": SAMPLES.rows(evidence, ("any", *evidence.train.names), made)}
    often = between(evidence.holdout.coded(evidence.train.channels)).sum((0, 2))
    weight = np.concatenate([[1.0], often[1:] / max(often[1:].sum(), 1)])
    whole = {part: one @ weight[:, None] / weight.sum() for part, one in made.items()}
    return (_finding(GAPS, **SAMPLES.estimates(evidence, whole, within=(0, 1)), detail=detail),)


def between(stays: Stays) -> np.ndarray:
    """(n, 1 + channels, classes) counts of gaps between moments, and between measurements of each channel."""
    n, c = len(stays), len(stays.channels)
    made = np.zeros((n, 1 + c, len(EDGES) + 1))
    first = np.diff(stays.moment, prepend=-1) > 0
    _counted(made, stays.stay[first], np.zeros(int(first.sum()), dtype=np.int64), stays.minute[first])
    order = np.argsort(stays.stay * c + stays.channel, kind="stable")
    _counted(made, stays.stay[order], 1 + stays.channel[order], stays.minute[order])
    return made


def _counted(made: np.ndarray, stay: np.ndarray, channel: np.ndarray, minute: np.ndarray) -> None:
    same = (stay[1:] == stay[:-1]) & (channel[1:] == channel[:-1])
    label = np.searchsorted(EDGES, np.diff(minute)[same])
    np.add.at(made, (stay[1:][same], channel[1:][same], label), 1)


def _ks(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(1 + channels,) the largest difference of the shares of gaps up to each length; 0 where a side has none."""
    sums = [x.sum(0) for x in (a, b)]
    total = [x.sum(1, keepdims=True) for x in sums]
    one, two = (np.cumsum(x, 1) / np.maximum(t, 1) for x, t in zip(sums, total, strict=True))
    both = (total[0] > 0) & (total[1] > 0)
    made: np.ndarray = np.where(both[:, 0], np.abs(one - two).max(1), 0.0)
    return made


_finding = Wording(
    {
        PRESENCE: (
            "What is measured",
            "How far the share of hours, and of stays, in which a channel is measured is from that of real stays "
            "(0: alike; .1: ten of a hundred more or fewer).",
        ),
        GAPS: (
            "Gaps between measurements",
            "How differently long the times between measurements are (0: alike; 1: none is like a real one).",
        ),
    }
)
