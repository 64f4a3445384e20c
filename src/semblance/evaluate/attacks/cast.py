"""Who plays in a membership game: members, outsiders and a reference, the same for every attack.

Members are train patients, outsiders as many holdout patients, the reference is the other train patients. All three are
drawn alike from one population, so where nothing leaks the score of a member and of an outsider are exchangeable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.rng import stream

PATIENTS = {"fast": 2_000, "standard": 10_000, "audit": 50_000}
REFERENCE = {"fast": 5_000, "standard": 20_000, "audit": 1_000_000}


@dataclass(frozen=True)
class Cast:
    """Rows of each side. `member` and `reference` are rows of train, `outsider` of holdout.

    `first` and `second` are halves of the reference: a control lets one of them play the synthetic records.
    """

    member: np.ndarray
    outsider: np.ndarray
    reference: np.ndarray

    @property
    def first(self) -> np.ndarray:
        return self.reference[: len(self.reference) // 2]

    @property
    def second(self) -> np.ndarray:
        return self.reference[len(self.reference) // 2 :]


def cast(evidence: Evidence[Any]) -> Cast:
    """The cast of this evidence: equally many members and outsiders, at most PATIENTS of the tier on each side."""
    return evidence.once("cast", lambda: _cast(evidence, rng=stream(evidence.seed, "cast")))


def _cast(evidence: Evidence[Any], *, rng: np.random.Generator) -> Cast:
    train, holdout = (rng.permutation(np.unique(part.subjects)) for part in (evidence.train, evidence.holdout))
    n = min(len(train) // 2, len(holdout), PATIENTS[evidence.tier])
    member = np.isin(evidence.train.subjects, train[:n])
    rest = rng.permutation(np.flatnonzero(~member))[: REFERENCE[evidence.tier]]
    return Cast(np.flatnonzero(member), np.flatnonzero(np.isin(evidence.holdout.subjects, holdout[:n])), rest)


def per_patient(scores: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """The largest score of each patient, in the order of np.unique(subjects): the same for every attack."""
    names, code = np.unique(subjects, return_inverse=True)
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, code, scores)
    return best
