"""Replicated uniques and disclosure through them (Raab, Nowok and Dibben 2024, arXiv 2406.16826), beyond chance.

Chance alone repeats rare combinations of age, sex and the like: a fresh sample of real strangers does so as well. So
both numbers are taken for train patients and for as many holdout patients, and what counts is the difference.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, difference
from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.evaluate.disclosure.known import coded, keys, known, secrets
from semblance.evaluate.disclosure.risk import excess, share, table, worst
from semblance.evaluate.disclosure.victims import against, too_few

UNIQUE, DISCLOSED = METRICS = ("privacy.unique_combinations", "privacy.disclosed")
PATIENTS = {"fast": 2_000, "standard": 20_000, "audit": 100_000}


@measures(*METRICS)
def uniques(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """Two excesses over an equally large holdout; combinations of what is known, numbers of many values in bands.

    - unique_combinations (repU): share of patients whose combination no other patient of the sample has, and exactly
      one synthetic record.
    - disclosed (DiSCO): share of patients whose combination stands among the synthetic records, always with one and the
      same value of a secret, which is the patient's. Worst secret, chosen on one half and scored on the other.

    Control: other train records in the synthetic set's place.
    """
    if reason := too_few(evidence):
        return _finding.unmeasured(METRICS, status="insufficient", reason=reason)
    if not known(evidence):
        return _finding.unmeasured(METRICS, status="not_applicable", reason="no column is known")
    return _unique(evidence), _disclosed(evidence)


def _unique(evidence: Evidence[Any]) -> Finding:
    made, real = against(evidence, PATIENTS[evidence.tier], partial(_repeated, evidence))
    names = evidence.features("train").names
    detail = {"known": [names[j] for j in known(evidence)], "train": made[0].value, "holdout": made[1].value}
    return _finding(UNIQUE, estimate=difference(*made), control=difference(*real), detail=detail)


def _repeated(evidence: Evidence[Any], part: Part, rows: np.ndarray, held: Part, among: np.ndarray) -> Estimate:
    """The share of patients with a repeated unique combination."""
    mine, theirs = _keyed(evidence, part, rows, held, among)
    alone, times = np.bincount(mine)[mine] == 1, np.bincount(theirs, minlength=mine.max() + 1)[mine]
    return share(alone & (times == 1))


def _keyed(
    evidence: Evidence[Any], part: Part, rows: np.ndarray, held: Part, among: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The combinations of what is known, numbered alike on both sides."""
    codes = np.concatenate([coded(evidence, part)[rows], coded(evidence, held)[among]])
    both = keys(codes, known(evidence))
    return both[: len(rows)], both[len(rows) :]


def _disclosed(evidence: Evidence[Any]) -> Finding:
    if not (hidden := secrets(evidence)):
        return _finding(DISCLOSED, status="not_applicable", reason="no column is left to be a secret")
    made, real = against(evidence, PATIENTS[evidence.tier], partial(_told, evidence))
    names = evidence.features("train").names
    detail = {
        "known": [names[j] for j in known(evidence)],
        "secrets": table([names[j] for j in hidden], made, real, excess),
    }
    return _finding(DISCLOSED, estimate=worst(made, excess), control=worst(real, excess), detail=detail)


def _told(evidence: Evidence[Any], part: Part, rows: np.ndarray, held: Part, among: np.ndarray) -> np.ndarray:
    """(n, secrets) whether a patient's combination has one value of the secret there, which is the patient's."""
    mine, theirs = _keyed(evidence, part, rows, held, among)
    hidden = list(secrets(evidence))
    return disclosed(mine, coded(evidence, part)[rows][:, hidden], theirs, coded(evidence, held)[among][:, hidden])


def disclosed(mine: np.ndarray, truth: np.ndarray, theirs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(n, s) DiSCO's indicator: `mine` (n,) and `theirs` (m,) are combinations, `truth` and `values` the secrets."""
    order = np.argsort(theirs, kind="stable")
    groups, start = np.unique(theirs[order], return_index=True)
    low, high = (ufunc.reduceat(values[order], start, axis=0) for ufunc in (np.minimum, np.maximum))
    at = np.minimum(np.searchsorted(groups, mine), len(groups) - 1)
    found: np.ndarray = (groups[at] == mine)[:, None] & (low[at] == high[at]) & (low[at] == truth)
    return found


_TEXT = {
    UNIQUE: (
        "Repeated uniques",
        "How much more often the unique combination of a patient whose data were used is repeated than a stranger's "
        "(0: no more often, 1: only theirs, and always).",
    ),
    DISCLOSED: (
        "Disclosed secrets",
        "How much more often a known combination points at the right secret of a patient whose data were used than of "
        "a stranger (0: no more often, 1: only theirs, and always).",
    ),
}

_finding = Wording(_TEXT)
