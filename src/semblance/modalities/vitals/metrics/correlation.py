"""Which channels go together in a stay."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.metrics.samples import SAMPLES, Measured
from semblance.modalities.vitals.summary import NUMBERS, summary

METRIC = "fidelity.vitals_correlation"
FEW = 30
"""Stays with both channels below which a pair has no correlation."""


@measures(METRIC)
def correlation(evidence: Measured) -> tuple[Finding, ...]:
    """The mean difference from holdout of the correlation between the means of two channels over stays that have both.

    Rank-like: means are cut at train's 2nd and 98th percentile. 0 is best. `detail["pairs"]` has the worst ones.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    known = means(evidence.train)
    low, high = (_quantile(known, q) for q in (0.02, 0.98))
    made = SAMPLES.compared(evidence, lambda stays: np.clip(means(stays), low, high), _apart)
    names, pair = evidence.train.names, np.triu_indices(len(evidence.train.names), 1)
    worst = np.argsort(-made["synthetic"][0])[: min(10, len(pair[0]))]
    pairs = [
        {"name": f"{names[pair[0][j]]}, {names[pair[1][j]]}", "value": float(made["synthetic"][0, j])} for j in worst
    ]
    return (_finding(METRIC, **SAMPLES.estimates(evidence, made, within=(0, 2)), detail={"pairs": pairs}),)


def means(stays: Stays) -> np.ndarray:
    """(n, channels) the mean of each channel, NaN where it was not measured."""
    made: np.ndarray = summary(stays)[..., NUMBERS.index("mean")]
    return made


def _quantile(x: np.ndarray, q: float) -> np.ndarray:
    there = np.isfinite(x).any(0)
    made = np.zeros(x.shape[1])
    made[there] = np.nanquantile(x[:, there], q, axis=0)
    return made


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(pairs,) differences of correlations; 0 where a side has too few stays."""
    (one, many), (two, several) = pairwise(a), pairwise(b)
    pair = np.triu_indices(a.shape[1], 1)
    both = np.minimum(many, several)[pair] >= FEW
    made: np.ndarray = np.where(both, np.abs(one - two)[pair], 0.0)
    return made if len(made) else np.zeros(1)


def pairwise(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(d, d) Pearson correlations over rows that have both, and how many these are."""
    there = np.isfinite(x).astype(float)
    z = np.nan_to_num(x - np.nan_to_num(_quantile(x, 0.5)))
    n = there.T @ there
    safe = np.maximum(n, 1)
    sums, squares = z.T @ there, (z * z).T @ there
    cover = z.T @ z - sums * sums.T / safe
    spread = np.maximum(squares - sums**2 / safe, 0)
    scale = np.sqrt(spread * spread.T)
    return np.where(scale > 1e-12, cover / np.maximum(scale, 1e-12), 0.0), n


_finding = Wording(
    {
        METRIC: (
            "Channels together",
            "How differently two channels of a stay go together, as a difference of correlations (0: alike; aim below "
            ".05).",
        )
    }
)
