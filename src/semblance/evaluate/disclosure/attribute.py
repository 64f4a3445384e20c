"""Attribute disclosure as excess: is a secret of a train patient guessed better than the same secret of a stranger?

What a model of the synthetic records knows about all patients of a kind is science; only what it knows better about the
patients it was made from is a disclosure (Pilgram et al. 2025, arXiv 2503.04980).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.judge import measures
from semblance.core.report import Finding
from semblance.evaluate.disclosure.halves import Traces, split, strips, traces
from semblance.evaluate.disclosure.known import known, secrets
from semblance.evaluate.disclosure.risk import excess, table, worst
from semblance.evaluate.disclosure.victims import too_few

METRIC = "privacy.attribute"


@measures(METRIC)
def attribute(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Mean score of guessing a secret of train patients less that of holdout patients, for the worst secret.

    The guess is the value of the synthetic record that is nearest in all other columns, among the 20 nearest in the
    half of the columns that the secret is not in. The score of a category is 1 if right, else 0; that of a number
    1 - |guess - truth| / (95th - 5th percentile), at least 0. The worst secret is chosen on one half of the patients
    and scored on the other. Control: other train records in the synthetic set's place.
    """
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    hidden = secrets(evidence)
    if not (all(split(evidence)) and hidden):
        return (_finding(status="not_applicable", reason="no column is left to be a secret"),)
    made, real = ((closeness(evidence, train), closeness(evidence, stranger)) for train, stranger in traces(evidence))
    names = evidence.features("train").names
    order = [j for half in split(evidence) for j in half if j in hidden]
    detail = {
        "known": [names[j] for j in known(evidence)],
        "secrets": table([names[j] for j in order], made, real, excess),
    }
    return (_finding(estimate=worst(made, excess), control=worst(real, excess), detail=detail),)


def closeness(evidence: Evidence[Any], found: Traces) -> np.ndarray:
    """(n, secrets) 1 less the Gower distance of each guess from the truth; secrets of the first half first."""
    (one, two), hidden = split(evidence), set(secrets(evidence))
    scores = []
    for half, where in ((one, found.second), (two, found.first)):
        places = [i for i, j in enumerate((*one, *two)) if j in half and j in hidden]
        gaps = strips(evidence, found.search, where, (*one, *two))
        scores.append(np.concatenate([_scored(gap, places) for gap in gaps]))
    return np.concatenate(scores, axis=1)


def _scored(gap: np.ndarray, places: list[int]) -> np.ndarray:
    """(strip, places) scores of those of the candidates (strip, k, columns) that are nearest without each place."""
    own = gap[:, :, places]
    nearest = np.argmin(gap.sum(axis=2)[:, :, None] - own, axis=1)
    score: np.ndarray = 1 - np.take_along_axis(own, nearest[:, None], axis=1)[:, 0]
    return score


def _finding(**fields: Any) -> Finding:
    meaning = (
        "How much better the most exposed secret is guessed for patients whose data were used than for other patients "
        "(0: no better, 1: only theirs, and always)."
    )
    return Finding(METRIC, "Attribute disclosure", "privacy", meaning=meaning, **fields)
