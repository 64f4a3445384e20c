"""Features of records one by one and two by two, for modalities whose records are no rows of columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Features, Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import Wording, measures, patient_blocks, patients, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fidelity.samples import LEAST, parts, rows, size

RECORDS = {"fast": 2_000, "standard": 4_000, "audit": 20_000}
BLOCKS = 10
PATIENTS = 5
"""Fewest real patients on a side: with fewer than BLOCKS, each is a block."""
BINS = 10
MOST = 48
"""Features of which pairs are taken, at random where there are more."""
WORST = 20
METRICS = ("fidelity.shape", "fidelity.pairs")


@measures(*METRICS)
def margins(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """How far features of records are from those of unseen real records, 0 the same and 1 disjoint.

    - shape: mean over features of the distance of their distributions: Kolmogorov and Smirnov's of numbers, where the
      missing one is a further value at the right end; total variation of categories.
    - pairs: mean over pairs of features of the total variation between their joint tables: numbers in 10 bins of
      train's quantiles, missing as a bin of its own.

    On at most RECORDS records a side. Grouped jackknife by patient. Control: train against holdout at the same size.
    """
    if reason := _too_few(evidence):
        return _finding.unmeasured(METRICS, status="insufficient", reason=reason)
    n = size(evidence, RECORDS[evidence.tier])
    names = evidence.features("train").names
    sides = {part: _side(evidence, part, n) for part in (*parts(evidence), "holdout")}
    first = {part: _shapes(sides[part], sides["holdout"]) for part in parts(evidence)}
    chosen = np.sort(stream(evidence.seed, "pairs").permutation(len(names))[:MOST])
    tables = {part: _tables(side, chosen) for part, side in sides.items()}
    second = {part: _apart(tables[part], tables["holdout"]) for part in parts(evidence)}
    units = {part: min(sides[part].units, sides["holdout"].units) for part in parts(evidence)}
    shape = _finding(METRICS[0], **slots(_estimates(first, units)), detail={"worst": _rows(names, first), "records": n})
    if len(names) < 2:
        reason = "a pair needs two features"
        return (shape, *_finding.unmeasured(METRICS[1:], status="not_applicable", reason=reason))
    detail = {"taken": len(chosen), "worst": _worst([names[j] for j in chosen], second)}
    return (shape, _finding(METRICS[1], **slots(_estimates(second, units)), detail=detail))


def _too_few(evidence: Evidence[Any]) -> str:
    """Why the parts cannot be compared, or nothing."""
    if min(patients(part.subjects) for part in (evidence.train, evidence.holdout)) < PATIENTS:
        return f"fewer than {PATIENTS} patients in train or holdout"
    few = min(len(part) for part in (evidence.train, evidence.holdout, evidence.synthetic)) < LEAST
    return f"fewer than {LEAST} records in a part" if few else ""


@dataclass(frozen=True)
class Side:
    """Some records: codes (n, d) of bins or categories, ranks (n, d) on a line, and the block of each (n,)."""

    x: np.ndarray
    codes: np.ndarray
    sizes: np.ndarray
    categorical: np.ndarray
    block: np.ndarray
    units: int


def _side(evidence: Evidence[Any], part: Part, n: int) -> Side:
    chosen = rows(evidence, part, n)
    subjects: np.ndarray = getattr(evidence, part).subjects[chosen]
    blocks = _blocks(evidence)
    unit = subjects if patients(subjects) >= blocks else np.arange(len(chosen))
    made, cuts = evidence.features(part), evidence.once("margins", lambda: _cuts(evidence.features("train")))
    x = made.x[chosen]
    codes = np.stack([_coded(x[:, j], cut) for j, cut in enumerate(cuts)], 1)
    block = patient_blocks(unit, blocks, rng=stream(evidence.seed, "margins", part))
    return Side(x, codes, np.array([len(cut) + 2 for cut in cuts]), made.categorical, block, patients(unit))


def _blocks(evidence: Evidence[Any]) -> int:
    """As many blocks for every part: two parts leave out one each."""
    people = (patients(part.subjects) for part in (evidence.train, evidence.holdout))
    return min(BLOCKS, *people)


def _cuts(train: Features) -> list[np.ndarray]:
    """Of each feature the ends of its bins: train's quantiles, or half way between codes."""
    made = []
    for j, categorical in enumerate(train.categorical):
        known = train.x[np.isfinite(train.x[:, j]), j]
        if categorical:
            made.append(np.arange(int(known.max(initial=0)) + 1) + 0.5)
        else:
            made.append(np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.empty(0))
    return made


def _coded(x: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """(n,) bins; the last one is for what is missing."""
    return np.where(np.isnan(x), len(cuts) + 1, np.searchsorted(cuts, np.nan_to_num(x), side="left"))


def _shapes(one: Side, other: Side) -> np.ndarray:
    """(features, 1 + blocks) distances of all records, and without each block."""
    return np.stack([_shape(one, other, j) for j in range(one.x.shape[1])])


def _shape(one: Side, other: Side, j: int) -> np.ndarray:
    if one.categorical[j]:
        size = int(max(one.sizes[j], one.codes[:, j].max() + 1, other.codes[:, j].max() + 1))
        found = [_without(_counted(side.codes[:, j], side.block, size)) for side in (one, other)]
        apart: np.ndarray = np.abs(found[0] - found[1]).sum(0) / 2
        return apart
    both = np.concatenate([one.x[:, j], other.x[:, j]])
    place = np.unique(np.where(np.isnan(both), np.inf, both), return_inverse=True)[1]
    ends, size = np.split(place, [len(one.x)]), int(place.max()) + 1
    found = [_without(_counted(at, side.block, size)) for at, side in zip(ends, (one, other), strict=True)]
    gap: np.ndarray = np.abs(found[0].cumsum(0) - found[1].cumsum(0)).max(0)
    return gap


def _counted(codes: np.ndarray, block: np.ndarray, size: int) -> np.ndarray:
    """(size, blocks) records of each code and block."""
    blocks = int(block.max()) + 1
    return np.bincount(codes * blocks + block, minlength=size * blocks).reshape(size, blocks)


def _without(counts: np.ndarray) -> np.ndarray:
    """(size, 1 + blocks) shares of all, and without each block, of (size, blocks) counts; they sum to 1."""
    whole = counts.sum(1, keepdims=True)
    kept = np.concatenate([whole, whole - counts], 1).astype(float)
    shares: np.ndarray = kept / np.maximum(kept.sum(0), 1)
    return shares


def _tables(side: Side, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(1 + blocks, codes, codes) joint shares of all codes of the chosen features, and the first code of each."""
    sizes = side.sizes[chosen]
    begin = np.concatenate([[0], np.cumsum(sizes)])
    codes = np.minimum(side.codes[:, chosen], sizes - 1) + begin[:-1]
    hot = np.zeros((len(codes), begin[-1]), dtype=np.float32)
    np.put_along_axis(hot, codes, 1.0, axis=1)
    each = np.stack([hot[side.block == b].T @ hot[side.block == b] for b in range(int(side.block.max()) + 1)])
    whole = each.sum(0, keepdims=True)
    count = np.bincount(side.block)
    left = np.concatenate([[len(codes)], len(codes) - count])
    return np.concatenate([whole, whole - each]) / np.maximum(left, 1)[:, None, None], begin


def _apart(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(pairs, 1 + blocks) total variations between the joint tables of two features."""
    gap, begin = np.abs(one[0] - other[0]), one[1]
    summed = np.add.reduceat(np.add.reduceat(gap, begin[:-1], axis=1), begin[:-1], axis=2) / 2
    above = np.triu_indices(summed.shape[1], k=1)
    made: np.ndarray = summed[:, above[0], above[1]].T
    return made


def _estimates(found: dict[Part, np.ndarray], units: dict[Part, int]) -> dict[Part, Estimate]:
    means = {part: distances.mean(0) for part, distances in found.items()}
    return {part: jackknife(mean[0], mean[1:], n=units[part], within=(0, 1)) for part, mean in means.items()}


def _rows(names: tuple[str, ...], found: dict[Part, np.ndarray]) -> list[dict[str, Any]]:
    """The features with the largest gap, and the same gap of real records."""
    gap, real = found["synthetic"][:, 0], found["train"][:, 0]
    order = np.argsort(-gap, kind="stable")[:WORST]
    return [{"name": names[j], "value": float(gap[j]), "control": float(real[j])} for j in order.tolist()]


def _worst(names: list[str], found: dict[Part, np.ndarray]) -> list[dict[str, Any]]:
    above = np.stack(np.triu_indices(len(names), k=1), 1)
    gap, real = found["synthetic"][:, 0], found["train"][:, 0]
    order = np.argsort(-gap, kind="stable")[:WORST]
    return [
        {"a": names[above[i, 0]], "b": names[above[i, 1]], "value": float(gap[i]), "control": float(real[i])}
        for i in order.tolist()
    ]


_finding = Wording(
    {
        METRICS[0]: (
            "Single features",
            "Mean distance between a feature's synthetic and real distribution (0 same, 1 disjoint).",
        ),
        METRICS[1]: (
            "Pairs of features",
            "Mean distance between a synthetic and a real joint table of two features (0 same, 1 disjoint).",
        ),
    }
)
