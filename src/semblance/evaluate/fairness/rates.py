"""Rates of groups, and the gaps between them, with a bootstrap over patients that all of them share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semblance.core.dataset import Part
from semblance.evaluate.fairness.groups import Groups

DRAWS = 200
ENOUGH = 30  # patients behind a rate, below which a group has none


@dataclass(frozen=True)
class Resampled:
    """Weights of patients, (1 + draws, patients), the first row all ones (Efron 1979); the patient of each record."""

    weights: np.ndarray
    patient: np.ndarray

    @classmethod
    def of(cls, subjects: np.ndarray, *, rng: np.random.Generator) -> Resampled:
        patient = np.unique(subjects, return_inverse=True)[1]
        n = int(patient.max()) + 1
        drawn = [np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(DRAWS)]
        return cls(np.stack([np.ones(n), *drawn], dtype=np.float32), patient)

    def rate(self, hits: np.ndarray, among: np.ndarray, member: np.ndarray) -> np.ndarray:
        """(1 + draws, groups) share of `hits` (n,) of the records `among` (n,) in each group.

        NaN where fewer than ENOUGH patients have such a record; then it is NaN in all draws.
        """
        counted, hit = (self._by_patient(member * (among * what)[:, None]) for what in (np.ones(len(hits)), hits))
        few = np.count_nonzero(counted, axis=0) < ENOUGH
        with np.errstate(divide="ignore", invalid="ignore"):
            rate: np.ndarray = (self.weights @ hit) / (self.weights @ counted)
        return np.where(few, np.nan, rate)

    def _by_patient(self, values: np.ndarray) -> np.ndarray:
        """(patients, groups) sums of (n, groups) values."""
        n = self.weights.shape[1]
        each = [np.bincount(self.patient, weights=column, minlength=n) for column in values.T]
        return np.stack(each, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Attribute:
    """One attribute in one part: its groups and (n, groups) who belongs to which."""

    groups: Groups
    member: np.ndarray

    @classmethod
    def of(cls, one: Groups, part: Part, rows: np.ndarray) -> Attribute:
        return cls(one, np.stack([group.members[part][rows] for group in one.groups], axis=1).astype(float))


def gap(rate: np.ndarray) -> np.ndarray:
    """(draws,) the largest less the smallest rate of a group; NaN where fewer than two groups have one: no gap can be
    seen, which is not the same as none."""
    known = np.isfinite(rate)
    high = np.where(known, rate, -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(known, rate, np.inf).min(axis=1, initial=np.inf)
    spread: np.ndarray = np.where(known.sum(axis=1) > 1, high - low, np.nan)
    return spread
