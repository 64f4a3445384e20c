"""Equal samples of the parts in the embedding, drawn once and shared by the metrics that compare clouds of points."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.judge import patient_rows, patients
from semblance.core.rng import stream

LEAST = 30  # real patients on a side, and synthetic records


def too_few(evidence: Evidence[Any]) -> str:
    """Why the parts cannot be compared, or nothing.

    Synthetic patients are not counted: a set that repeats a handful of them is to be judged and not excused.
    """
    if min(patients(part.subjects) for part in (evidence.train, evidence.holdout)) < LEAST:
        return f"fewer than {LEAST} patients in train or holdout"
    if len(evidence.synthetic) < LEAST:
        return f"fewer than {LEAST} synthetic records"
    return "" if evidence.features("train").x.shape[1] else "there is no column to compare"


def who(evidence: Evidence[Any], part: Part, chosen: np.ndarray) -> np.ndarray:
    """The independent units of some rows: their patients, or the records where the part has too few patients."""
    subjects: np.ndarray = getattr(evidence, part).subjects[chosen]
    return subjects if patients(subjects) >= LEAST else np.arange(len(subjects))


def size(evidence: Evidence[Any], most: int) -> int:
    """Records on a side: as many as the smallest part has, at most `most`; measures of clouds depend on it."""
    floor = () if evidence.floor is None else (evidence.floor,)
    return min(most, *(len(part) for part in (evidence.train, evidence.holdout, evidence.synthetic, *floor)))


def rows(evidence: Evidence[Any], part: Part, n: int) -> np.ndarray:
    """`n` rows of a part in ascending order, taken patient by patient; the same for every metric."""
    rng = stream(evidence.seed, "sample", part)
    made: np.ndarray = evidence.once(
        ("sample", part, n), lambda: patient_rows(getattr(evidence, part).subjects, n, rng=rng)
    )
    return made


def parts(evidence: Evidence[Any]) -> tuple[Part, ...]:
    """What plays the synthetic part: itself, train as the control, the floor where there is one."""
    return ("synthetic", "train") if evidence.floor is None else ("synthetic", "train", "floor")
