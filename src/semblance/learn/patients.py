"""Patients as a source of what each of them has: for training under differential privacy, whose unit is the patient."""

from __future__ import annotations

import numpy as np
import torch

from semblance.privacy.noise import system


class Patients:
    """Rows of records as a source of patients: each gives so many of its records as are `shown`, by chance, those of
    rare classes (n,) oftener than they come.

    What a patient gives follows from its own records and from the operating system's randomness.
    """

    def __init__(self, rows: np.ndarray, labels: np.ndarray, whose: np.ndarray, *, shown: int) -> None:
        self.shown = shown
        order = np.argsort(whose, kind="stable")
        self.rows = torch.from_numpy(np.ascontiguousarray(rows[order]))
        self.subjects, self.first, self.count = np.unique(whose[order], return_index=True, return_counts=True)
        place, labels = np.repeat(np.arange(len(self.subjects)), self.count), labels[order].astype(np.int64)
        kinds = int(labels.max(initial=0)) + 1
        often = np.bincount(place * kinds + labels, minlength=len(self.subjects) * kinds)
        weight = 1 / np.sqrt(often[place * kinds + labels])
        self.weight = weight / np.bincount(place, weights=weight, minlength=len(self.subjects))[place]
        self.ends = np.cumsum(self.weight)

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """(patients, shown, width)."""
        begins = np.concatenate([[0.0], self.ends])[self.first[index]]
        found = np.searchsorted(self.ends, begins[:, None] + system().random((len(index), self.shown)), side="right")
        # Rounding must not give a patient another one's record.
        last = self.first[index] + self.count[index] - 1
        own = np.clip(found, self.first[index][:, None], last[:, None])
        return self.rows[torch.from_numpy(own)]
