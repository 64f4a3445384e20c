"""What is missing says something about the outcome: whether it still does."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.coded import names
from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.metrics.samples import SAMPLES, Measured
from semblance.modalities.vitals.summary import NUMBERS, summary

METRIC = "fidelity.vitals_missingness"


@measures(METRIC)
def missingness(evidence: Measured) -> tuple[Finding, ...]:
    """The difference from holdout of the correlation between the outcome and how often a channel is measured.

    How often: the logarithm of one more than the number of measurements. The mean over channels and, where there are
    more than two, over outcomes; 0 is best, 2 the worst. `detail["channels"]` has each.
    """
    target = evidence.train.schema.where("target")
    if target is None or target.continuous:
        return (_finding(METRIC, status="not_applicable", reason="no outcome of classes was named"),)
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    known = names(evidence.train.frame[target.name])
    classes = known[1:] if len(known) == 2 else known
    made = SAMPLES.compared(
        evidence, lambda stays: _told(stays, target.name, classes), lambda a, b: _apart(a, b, len(classes))
    )
    detail = {"channels": SAMPLES.rows(evidence, evidence.train.names, made)}
    return (_finding(METRIC, **SAMPLES.estimates(evidence, made, within=(0, 2)), detail=detail),)


def _told(stays: Stays, target: str, classes: pd.Index) -> np.ndarray:
    """(n, classes + channels) indicators of outcomes, then log counts."""
    outcome = stays.frame[target].astype(object).to_numpy()
    count = summary(stays)[..., NUMBERS.index("count")]
    return np.column_stack([*(outcome == one for one in classes), np.log1p(count)]).astype(float)


def _apart(a: np.ndarray, b: np.ndarray, k: int) -> np.ndarray:
    """(channels,) mean differences of correlations."""
    one, two = (_with(x[:, :k], x[:, k:]) for x in (a, b))
    made: np.ndarray = np.abs(one - two).mean(0) if k else np.zeros(a.shape[1])
    return made


def _with(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(k, d) correlations of (n, k) and (n, d) numbers; 0 where one never differs."""
    y, x = y - y.mean(0), x - x.mean(0)
    scale = np.sqrt((y * y).sum(0))[:, None] * np.sqrt((x * x).sum(0))
    made: np.ndarray = np.where(scale > 1e-9, y.T @ x / np.maximum(scale, 1e-9), 0.0)
    return made


_finding = Wording(
    {
        METRIC: (
            "Missingness and outcome",
            "How differently the outcome goes with how often a channel is measured, as a difference of correlations "
            "(0: alike; aim below .05).",
        )
    }
)
