"""Inference (Giomi et al. 2023): does what is known of a patient lead to a synthetic record that tells the rest?

Every other column is a secret, and all are guessed at once from the nearest record on the known columns.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.judge import measures
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.disclosure.halves import spreads
from semblance.evaluate.disclosure.known import drawn, keys, known, secrets
from semblance.evaluate.disclosure.risk import residual_risk, table, worst
from semblance.evaluate.disclosure.space import right, vectors
from semblance.evaluate.disclosure.victims import against, too_few
from semblance.evaluate.shared.neighbours import nearest

METRIC = "privacy.inference"
PATIENTS = {"fast": 1_000, "standard": 6_000, "audit": 50_000}
WIDTH = 64  # of the space of what is known: few columns, hence few distinct points


@measures(METRIC)
def inference(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Residual risk that a secret of a train patient is guessed rightly, beyond holdout patients, for the worst secret.

    A number is right within 5 % of the distance between its 5th and 95th percentile in train, a missing value if
    missing was guessed. Among equally near records one is drawn. The worst secret is chosen on one half of the patients
    and scored on the other; `detail["secrets"]` has all, with Holm's correction. Control: other train records in the
    synthetic set's place.
    """
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    hidden = secrets(evidence)
    if not (known(evidence) and hidden):
        return (_finding(status="not_applicable", reason="no column is left to be a secret"),)
    made, real = against(evidence, PATIENTS[evidence.tier], partial(_hits, evidence))
    names = evidence.features("train").names
    detail = {
        "known": [names[j] for j in known(evidence)],
        "secrets": table([names[j] for j in hidden], made, real, residual_risk),
    }
    return (_finding(estimate=worst(made, residual_risk), control=worst(real, residual_risk), detail=detail),)


def _hits(evidence: Evidence[Any], part: Part, rows: np.ndarray, held: Part, among: np.ndarray) -> np.ndarray:
    """(n, secrets) whether the guesses about `rows` of `part` from the records `among` of `held` are right."""
    asked, points, train = (evidence.features(one) for one in (part, held, "train"))
    hidden, told, scale = list(secrets(evidence)), known(evidence), spreads(evidence)
    made, queries = _distinct(asked.x[rows], told)
    seen, group = _distinct(points.x[among], told)
    near = nearest(*(vectors(x, train, told, scale, width=WIDTH) for x in (made, seen)), k=1).where[queries, 0]
    where = among[drawn(near, group, rng=stream(evidence.seed, "inference", part, held))]
    return right(points.x[where][:, hidden], asked.x[rows][:, hidden], train.categorical[hidden], scale[hidden])


def _distinct(x: np.ndarray, columns: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """One record of each combination of values in the columns, and the combination of each record.

    Few known columns have few combinations, which makes the search quick.
    """
    codes = np.stack([np.unique(column, return_inverse=True)[1] for column in x.T[list(columns)]], axis=1)
    combination = keys(codes, tuple(range(len(columns))))
    _, first, group = np.unique(combination, return_index=True, return_inverse=True)
    return x[first], group


def _finding(**fields: Any) -> Finding:
    meaning = (
        "How often what is known of a patient betrays a secret because the patient was in the data "
        "(0: no more often than for strangers, 1: always)."
    )
    return Finding(METRIC, "Inference of secrets", "privacy", meaning=meaning, **fields)
