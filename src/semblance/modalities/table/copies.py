"""Exact copies: synthetic records that equal a real one on every learned column.

Copies alone prove nothing, since a table of few values repeats itself. So every count stands against the same count on
holdout records, which no generator has seen: only what train has beyond holdout was taken from train.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.table.data import Table


def fingerprints(table: Table) -> np.ndarray:
    """(n,) uint64: equal for records that are equal on all learned columns (missing equals missing, 0 equals -0)."""
    frame = table.frame.copy()
    for column in table.schema.learned:
        if column.continuous:
            frame[column.name] = frame[column.name] + 0.0
    if not frame.shape[1]:
        return np.zeros(len(frame), dtype=np.uint64)
    return np.asarray(pd.util.hash_pandas_object(frame, index=False).to_numpy(), dtype=np.uint64)


@dataclass(frozen=True)
class Real:
    """The fingerprints of real records on one side, with who holds them."""

    marks: np.ndarray
    subjects: np.ndarray

    def held(self) -> tuple[np.ndarray, np.ndarray]:
        """Each distinct fingerprint (sorted), and how many patients hold it."""
        marks, code = np.unique(self.marks, return_inverse=True)
        patient = np.unique(self.subjects, return_inverse=True)[1].astype(np.int64)
        pairs = np.unique(code.astype(np.int64) * (patient.max() + 1) + patient)
        return marks, np.bincount(pairs // (patient.max() + 1), minlength=len(marks))

    def holders(self, marks: np.ndarray) -> np.ndarray:
        """How many patients hold each of `marks`."""
        known, count = self.held()
        at = np.minimum(np.searchsorted(known, marks), len(known) - 1)
        return np.where(known[at] == marks, count[at], 0)


@measures("privacy.copies", "privacy.unique_copies")
def copies(evidence: Evidence[Table]) -> tuple[Finding, ...]:
    """Two excess shares of copied synthetic records, each 0 in expectation for a generator that has not seen train.

    - copies: share of synthetic records that equal a training record, less the share that equal a holdout record, for
      sets of equal size. Train is brought to holdout's size in expectation, not by drawing: a record that c patients
      hold stays in a random set of m of n patients with probability 1 - (1 - m/n)^c (rarefaction, Hurlbert 1971).
    - unique_copies: the same for records that exactly one real patient holds ("replicated uniques", Raab, Nowok and
      Dibben 2024), at full train size: holdout's share is multiplied by the ratio of the sizes.

    The control is the same measure with half of the real train patients as the synthetic set.
    """
    train, holdout = (Real(fingerprints(t), t.subjects) for t in (evidence.train, evidence.holdout))
    if min(patients(train.subjects), patients(holdout.subjects)) < 2 or not len(evidence.synthetic):
        return _finding.unmeasured(_TEXT, status="insufficient", reason="too few patients to compare")
    synthetic = fingerprints(evidence.synthetic)
    measured, control = _excess(synthetic, train, holdout), _control(train, holdout, seed=evidence.seed)
    detail = {
        "train_share": float((train.holders(synthetic) > 0).mean()),
        "holdout_share": float((holdout.holders(synthetic) > 0).mean()),
        "within_synthetic": 1 - len(np.unique(synthetic)) / len(synthetic),
        "within_train": 1 - len(np.unique(train.marks)) / len(train.marks),
    }
    both = zip(_TEXT, measured, control, strict=True)
    return tuple(_finding(metric, estimate=value, control=real, detail=detail) for metric, value, real in both)


def _control(train: Real, holdout: Real, *, seed: int) -> tuple[Estimate, Estimate]:
    half = np.zeros(len(train.marks), dtype=bool)
    half[patient_rows(train.subjects, len(train.marks) // 2, rng=stream(seed, "copies"))] = True
    rest = Real(train.marks[~half], train.subjects[~half])
    return _excess(train.marks[half], rest, holdout)


def _excess(synthetic: np.ndarray, train: Real, holdout: Real) -> tuple[Estimate, Estimate]:
    n, m = patients(train.subjects), patients(holdout.subjects)
    size = min(n, m)
    here, there = train.holders(synthetic), holdout.holders(synthetic)
    plain = _kept(here, size / n) - _kept(there, size / m)
    single = here + there == 1
    unique = (single & (here == 1)) - (single & (there == 1)) * (n / m)
    return _estimate(plain, synthetic, step=1.0), _estimate(unique, synthetic, step=max(1.0, n / m))


def _kept(holders: np.ndarray, share: float) -> np.ndarray:
    """The probability that a record stays in a random `share` of the patients, given how many hold it."""
    kept: np.ndarray = 1 - (1 - share) ** holders
    return kept


def _estimate(values: np.ndarray, marks: np.ndarray, *, step: float) -> Estimate:
    """A mean over synthetic records, equal ones as one cluster; never narrower than the rule of three.

    Where nothing was found, 3/n still may be there (Hanley and Lippman-Hand 1983); `step` is what one find would add.
    """
    found = mean(values, clusters=marks)
    half = max(found.high - found.value, 3 * step / len(values))
    return Estimate(found.value, found.value - half, found.value + half, found.level, found.n)


_TEXT = {
    "privacy.copies": (
        "Exact copies",
        "How much larger the share of synthetic records that equal a training record is than the share that equal one "
        "of as many unseen records (0: no larger, as chance makes it; 1: every record is a copy).",
    ),
    "privacy.unique_copies": (
        "Copies of unique patients",
        "How much larger the share of synthetic records that repeat the record of one training patient alone is than "
        "chance makes it (0: no larger; 1: every record repeats such a patient).",
    ),
}

_finding = Wording(_TEXT)
