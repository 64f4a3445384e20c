"""Records of one data set as an analyst's models take them: features, and whole numbers that tell patients apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Features, Part
from semblance.core.judge import patient_rows
from semblance.core.modality import load
from semblance.core.rng import stream

RECORDS = {"fast": 10_000, "standard": 100_000, "audit": 1_000_000}


@dataclass(frozen=True)
class Records:
    """Features `x` (n, d) and the `patient` (n,) of each record."""

    x: np.ndarray
    patient: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    @property
    def patients(self) -> int:
        """How many patients stand behind the records."""
        return int(np.count_nonzero(np.bincount(self.patient)))

    def take(self, rows: np.ndarray) -> Records:
        """Some of them; `rows` may be a mask."""
        return Records(self.x[rows], self.patient[rows])

    def part(self, n: int, *, rng: np.random.Generator) -> Records:
        """`n` of them (all, if there are fewer), patient by patient."""
        return self if n >= len(self) else self.take(patient_rows(self.patient, n, rng=rng))

    def halves(self, *, rng: np.random.Generator) -> tuple[Records, Records]:
        """Two halves with different patients."""
        second = rng.permutation(self.patient.max(initial=0) + 1)[self.patient] % 2 == 1
        return self.take(~second), self.take(second)


def records(evidence: Evidence[Any], part: Part) -> Records:
    """The records of a part, at most RECORDS of the tier."""
    made: Records = evidence.once(
        ("records", part), lambda: _records(evidence, getattr(evidence, part), evidence.features(part), part)
    )
    return made


def copies(evidence: Evidence[Any]) -> list[Records]:
    """The same of the further synthetic copies."""
    read = load(evidence.modality.features)
    made: list[Records] = evidence.once(
        ("records", "copies"),
        lambda: [
            _records(evidence, copy, read(copy, evidence.train), f"copy {k}") for k, copy in enumerate(evidence.copies)
        ],
    )
    return made


def _records(evidence: Evidence[Any], data: Any, known: Features, name: str) -> Records:
    whole = Records(known.x, np.unique(data.subjects, return_inverse=True)[1])
    return whole.part(RECORDS[evidence.tier], rng=stream(evidence.seed, "records", name))
