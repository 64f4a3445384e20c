"""Diagnostics of nearness to the training records. They never gate: data that pass can still give patients away
(Yao et al. 2025, arXiv 2505.01524), and membership attacks are what does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, patient_rows
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fidelity.samples import rows, too_few
from semblance.evaluate.shared.neighbours import MOST, Neighbours, neighbours

QUERIES = {"fast": 200, "standard": 500, "audit": 5_000}
METRICS = ("privacy.authenticity", "privacy.distance")


@measures(*METRICS)
def authenticity(evidence: Evidence) -> tuple[Finding, ...]:
    """Two diagnostics of copying, from the nearest real records of a sample of synthetic ones.

    - authenticity (Alaa et al. 2022): share of synthetic records that lie farther from their nearest train record than
      this train record lies from its own nearest other one. All of train is searched, since a copy whose source was
      left out looks new. Control: holdout records in the synthetic ones' place.
    - distance: P[d(s, T) < d(s, H)] + P[equal] / 2 for equally many train (T) and holdout (H) records; .5 is ideal.
      Control: train records of patients outside T in the synthetic ones' place. `detail["nndr"]` is the median ratio of
      the distances to the first and to the second nearest in T and in H: a lower one in T hints at copies.

    Both depend on the query only through the real record nearest to it. So the intervals sum by the patient of that
    record, which covers the luck of which patients were there as well as that of the queries.
    """
    if reason := too_few(evidence):
        return _finding.unmeasured(METRICS, status="insufficient", reason=reason)
    n = min(QUERIES[evidence.tier], len(evidence.synthetic), len(evidence.holdout))
    genuine = {part: _authentic(evidence, part, rows(evidence, part, n)) for part in ("synthetic", "holdout")}
    halves, rest = _halves(evidence)
    nearer = _nearer(evidence, "synthetic", rows(evidence, "synthetic", n), halves)
    control = _nearer(evidence, "train", rest[:n], halves) if len(rest) else None
    return (
        _finding(
            METRICS[0],
            estimate=genuine["synthetic"],
            control=genuine["holdout"],
            better="higher",
            detail={"queries": n, "records": len(evidence.train)},
        ),
        _finding(
            METRICS[1],
            estimate=nearer,
            control=control,
            better="half",
            detail={"queries": n, "records": len(halves["train"]), "nndr": _ratios(evidence, n, halves)},
        ),
    )


def _authentic(evidence: Evidence, part: Part, queries: np.ndarray) -> Estimate:
    """Share of the queries that are farther from train than their nearest train record is from the others."""
    found = neighbours(evidence, (part, queries), ("train", None), k=MOST)
    source, far = found.where[:, 0], found.distance[:, 0]
    authentic = _crowded(evidence.embedding("train"), found)
    open_ = np.flatnonzero(~authentic)
    authentic[open_] = _to_others(evidence, source[open_]) < far[open_]
    return _share(authentic, evidence.train.subjects[source])


def _crowded(train: np.ndarray, found: Neighbours) -> np.ndarray:
    """Whether one of the query's further neighbours already lies nearer to the first than the query does: most do, and
    spare a search."""
    gap = train[found.where[:, 1:]] - train[found.where[:, :1]]
    distance: np.ndarray = np.sqrt((gap.astype(float) ** 2).sum(axis=2))
    return distance.min(axis=1, initial=np.inf) < found.distance[:, 0]


def _to_others(evidence: Evidence, source: np.ndarray) -> np.ndarray:
    """Distance of train records, by row, to the nearest train record that is not the same row."""
    once, back = np.unique(source, return_inverse=True)
    around = neighbours(evidence, ("train", once), ("train", None), k=MOST)
    distance: np.ndarray = np.where(around.where == once[:, None], np.inf, around.distance).min(axis=1, initial=np.inf)
    return distance[back]


def _halves(evidence: Evidence) -> tuple[dict[Part, np.ndarray], np.ndarray]:
    """Equally many rows of train and of holdout, at most half of train; and the train rows of all other patients."""
    rng = stream(evidence.seed, "distance")
    subjects = evidence.train.subjects
    n = min(len(evidence.holdout), len(subjects) // 2)
    train = patient_rows(subjects, n, rng=rng)
    rest = np.flatnonzero(~np.isin(subjects, subjects[train]))
    return {"train": train, "holdout": patient_rows(evidence.holdout.subjects, n, rng=rng)}, rng.permutation(rest)


def _nearer(evidence: Evidence, part: Part, queries: np.ndarray, halves: dict[Part, np.ndarray]) -> Estimate:
    """Share of the queries nearer to the train half than to the holdout half, ties half."""
    train, holdout = (neighbours(evidence, (part, queries), (side, among), k=1) for side, among in halves.items())
    gap = holdout.distance[:, 0] - train.distance[:, 0]
    held, other = (np.unique(getattr(evidence, side).subjects, return_inverse=True)[1] for side in halves)
    other = other + held.max() + 1  # files that were read apart number their patients alike
    nearest = np.where(gap >= 0, held[train.where[:, 0]], other[holdout.where[:, 0]])
    return _share(np.where(gap == 0, 0.5, gap > 0), nearest)


def _ratios(evidence: Evidence, n: int, halves: dict[Part, np.ndarray]) -> dict[str, float]:
    """The nearest neighbour distance ratio in each half, 1 where both distances are 0."""
    made = {}
    for side, among in halves.items():
        near = neighbours(evidence, ("synthetic", rows(evidence, "synthetic", n)), (side, among), k=2).distance
        first, second = near[:, 0], near[:, -1]
        ratio = np.divide(first, second, out=np.ones(len(near)), where=second > 0)
        made[str(side)] = round(float(np.median(ratio)), 3)
    return made


def _share(hits: np.ndarray, nearest: np.ndarray) -> Estimate:
    made = mean(hits.astype(float), clusters=nearest)
    return replace(made, low=max(0.0, made.low), high=min(1.0, made.high))


_TEXT = {
    "privacy.authenticity": (
        "Authenticity (diagnostic)",
        "Share of synthetic records that are not suspiciously near to one training record (1 all, 0 none; compare with "
        "the control, which is what unseen real records reach: far below it hints at copying).",
    ),
    "privacy.distance": (
        "Distance to training records (diagnostic)",
        "How often a synthetic record lies nearer to a training record than to an unseen one (.5: no preference, "
        "1: always); it can hint at copying and can never rule it out.",
    ),
}

_finding = Wording(_TEXT)
