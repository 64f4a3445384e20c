"""Membership by distance: a training patient lies nearer to the synthetic records than fresh real records would.

The distance to the nearest synthetic record is compared with the distance to the nearest of a real reference set, which
takes out that some patients live in crowded places (the difference attack of Synth-MIA; calibration as Watson et al.
2022, arXiv 2111.08440). The reference is train patients other than the members, so members and outsiders meet it alike
and the score is exactly exchangeable wherever nothing leaks.
"""

from __future__ import annotations

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.judge import AttackScores, measures
from semblance.core.rng import stream

PATIENTS = {"fast": 2_000, "standard": 10_000, "audit": 50_000}
REFERENCE = {"fast": 5_000, "standard": 20_000, "audit": 1_000_000}
ROWS, POINTS = 1024, 4096  # distances held at once: 16 MiB of float32


@measures("privacy.membership", "privacy.membership_tpr")
def nearest_difference(evidence: Evidence) -> AttackScores:
    """Scores of equally many train and holdout patients; the control plays a real reference half as the synthetic set.

    A patient's score is the largest of its records'. All synthetic records are searched, exactly. Of patients and
    reference records at most PATIENTS and REFERENCE of the tier are taken.
    """
    rng = stream(evidence.seed, "nearest_difference")
    member, outsider, reference = _cast(evidence, rng=rng)
    synthetic, train = evidence.embedding("synthetic"), evidence.embedding("train")
    sides = (
        (train, evidence.train.subjects, member),
        (evidence.embedding("holdout"), evidence.holdout.subjects, outsider),
    )
    scores = [_side(x[rows], who[rows], synthetic, train[reference]) for x, who, rows in sides]
    detail = {"members": len(scores[0][0]), "outsiders": len(scores[1][0]), "reference_records": len(reference)}
    return AttackScores("nearest_difference", scores[0][0], scores[1][0], scores[0][1], scores[1][1], detail=detail)


def _cast(evidence: Evidence, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the members (train), the outsiders (holdout) and the reference (train without the members)."""
    train, holdout = (rng.permutation(np.unique(part.subjects)) for part in (evidence.train, evidence.holdout))
    n = min(len(train) // 2, len(holdout), PATIENTS[evidence.tier])
    member = np.isin(evidence.train.subjects, train[:n])
    rest = rng.permutation(np.flatnonzero(~member))[: REFERENCE[evidence.tier]]
    return np.flatnonzero(member), np.flatnonzero(np.isin(evidence.holdout.subjects, holdout[:n])), rest


def _side(
    x: np.ndarray, subjects: np.ndarray, synthetic: np.ndarray, reference: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One side's scores against the synthetic set, and its control scores between two halves of the reference."""
    if not min(len(x), len(synthetic), len(reference) // 2):
        return np.empty(0), np.empty(0)
    half = len(reference) // 2
    first, second = nearest(x, reference[:half]), nearest(x, reference[half:])
    score = np.minimum(first, second) - nearest(x, synthetic)
    return _per_patient(score, subjects), _per_patient(second - first, subjects)


def _per_patient(scores: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """The largest score of each patient."""
    names, code = np.unique(subjects, return_inverse=True)
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, code, scores)
    return best


def nearest(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n,) float64 Euclidean distance of each query to its nearest point, by exhaustive search.

    |q - p|^2 / 2 is |q|^2 / 2 - (q.p - |p|^2 / 2), so one matrix product finds the nearest point; its distance is then
    taken again from the difference itself, so that an exact copy has distance 0 and not the rounding of a square root.
    """
    centre = points.mean(axis=0)
    queries, points = queries - centre, points - centre
    norms = (points.astype(np.float64) ** 2).sum(axis=1, keepdims=True).astype(np.float32)
    points = np.concatenate([points, -norms / 2], axis=1)
    queries = np.concatenate([queries, np.ones((len(queries), 1), np.float32)], axis=1)
    where = np.concatenate([_best(queries[a : a + ROWS], points) for a in range(0, len(queries), ROWS)])
    gap = queries[:, :-1].astype(np.float64) - points[where, :-1]
    distance: np.ndarray = np.sqrt((gap**2).sum(axis=1))
    return distance


def _best(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The position of the point with the largest product with each query, a block of points at a time."""
    best, where = np.full(len(queries), -np.inf, dtype=np.float32), np.zeros(len(queries), dtype=np.int64)
    for start in range(0, len(points), POINTS):
        gain = queries @ points[start : start + POINTS].T
        at = gain.argmax(axis=1)
        found = gain[np.arange(len(at)), at]
        where = np.where(found > best, at + start, where)
        best = np.maximum(found, best)
    return where
