"""Linkability (Giomi et al. 2023): do the synthetic records tell that two files are about one patient?

The attacker holds two files with disjoint columns of the same patients, finds the synthetic record nearest to each line
of either, and joins two lines that lead to the same record.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate
from semblance.core.judge import measures
from semblance.core.report import Finding
from semblance.evaluate.disclosure.halves import Sides, split, traces
from semblance.evaluate.disclosure.known import known
from semblance.evaluate.disclosure.risk import residual_risk
from semblance.evaluate.disclosure.victims import too_few

METRIC = "privacy.linkability"
WITHIN = 5  # nearest records under each half, at most


@measures(METRIC)
def linkability(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Residual risk that a train patient's two halves share their nearest synthetic record, beyond holdout patients.

    Control: other train records in the synthetic set's place. `detail["within"]` has the same for the 1 to 5 nearest.
    """
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    if not all(split(evidence)):
        return (_finding(status="not_applicable", reason="there are not two columns to link"),)
    names = evidence.features("train").names
    made, real = traces(evidence)
    detail = {
        "known": [names[j] for j in known(evidence)],
        "halves": [[names[j] for j in half] for half in split(evidence)],
        "within": [_risk(made, k).value for k in range(1, WITHIN + 1)],
    }
    return (_finding(estimate=_risk(made, 1), control=_risk(real, 1), detail=detail),)


def _risk(sides: Sides, k: int) -> Estimate:
    train, stranger = (linked(side.first, side.second, k) for side in sides)
    return residual_risk(train, stranger)


def linked(first: np.ndarray, second: np.ndarray, k: int) -> np.ndarray:
    """(n,) whether the k nearest records under each half, (n, most) each, have one in common."""
    common: np.ndarray = (first[:, :k, None] == second[:, None, :k]).any(axis=(1, 2))
    return common


def _finding(**fields: Any) -> Finding:
    meaning = (
        "How often two files about one patient can be joined through the synthetic records because the patient was in "
        "the data (0: no more often than for strangers, 1: always)."
    )
    return Finding(METRIC, "Linkability", "privacy", meaning=meaning, **fields)
