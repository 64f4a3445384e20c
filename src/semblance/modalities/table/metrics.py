"""What only tables can measure: single columns, pairs of columns, and (not yet) the order of visits.

Each distance comes with the grouped jackknife's interval over blocks of patients, and with the same distance between
real train and real holdout as its control: a plug-in distance between finite samples is never zero, and the control
shows how far from zero real data lands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import measures, patient_blocks, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.cells import RARE, cells
from semblance.modalities.table.data import Table
from semblance.modalities.table.grid import codes, counts, grid

BLOCKS = 20
WIDEST = 1500  # codes of all columns together, of which a pairwise table is the square
WORST = 20
DRAWN = 64

Measured = Evidence[Table]


def total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Half the sum of absolute differences of shares, over axis 0."""
    gap: np.ndarray = np.minimum(np.abs(p - q).sum(axis=0) / 2, 1)
    return gap


def kolmogorov(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The largest difference of cumulative shares, over axis 0 (values in rising order)."""
    gap: np.ndarray = np.abs(np.cumsum(p, axis=0) - np.cumsum(q, axis=0)).max(axis=0)
    return gap


@measures("fidelity.shape")
def shape(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over columns of the distance of each column's distribution, synthetic against holdout; 0 is best.

    Numbers and dates: Kolmogorov-Smirnov distance, with missing as one more value at the right end of the line, so that
    a wrong missing rate counts. Other kinds: total variation, with missing as a category. No binning, no subsampling.
    """
    if too_few := _too_few(evidence):
        return (Finding("fidelity.shape", "Single columns", "fidelity", status="insufficient", reason=too_few),)
    columns = evidence.train.schema.learned
    made = {
        part: _shapes(evidence, part) for part in ("synthetic", "train", "floor") if getattr(evidence, part) is not None
    }
    finding = Finding(
        "fidelity.shape",
        "Single columns",
        "fidelity",
        estimate=_mean_estimate(evidence, "synthetic", made["synthetic"]),
        control=_mean_estimate(evidence, "train", made["train"]),
        floor=_mean_estimate(evidence, "floor", made["floor"]) if "floor" in made else None,
        meaning="Mean distance between a column's synthetic and real distribution (0 same, 1 disjoint).",
        detail={"columns": [_column_detail(evidence, c, made, j) for j, c in enumerate(columns)], "rare": RARE},
    )
    return (finding,)


def _too_few(evidence: Measured) -> str:
    least = min(
        patients(evidence.synthetic.subjects), patients(evidence.holdout.subjects), patients(evidence.train.subjects)
    )
    return "" if least >= 2 else "an interval needs at least two patients on each side"


def _part(evidence: Measured, part: Part) -> tuple[Table, np.ndarray]:
    """The rows of a part and their jackknife blocks; train is cut to as many rows as synthetic, a fair control."""

    def compute() -> tuple[Table, np.ndarray]:
        table: Table = getattr(evidence, part)
        rng = stream(evidence.seed, "blocks", part)
        if part == "train":
            table = table.take(patient_rows(table.subjects, len(evidence.synthetic), rng=rng))
        return table, patient_blocks(table.subjects, _block_count(evidence), rng=rng)

    return evidence.once(("blocks", part), compute)


def _block_count(evidence: Measured) -> int:
    parts = (evidence.train, evidence.holdout, evidence.synthetic, evidence.floor)
    return min(BLOCKS, *(patients(part.subjects) for part in parts if part is not None))


def _mean_estimate(evidence: Measured, part: Part, distances: np.ndarray) -> Estimate:
    return _estimate(evidence, part, distances.mean(axis=0))


def _estimate(evidence: Measured, part: Part, distances: np.ndarray) -> Estimate:
    """From the distance on everything, followed by the distances that leave one block out."""
    n = min(patients(_part(evidence, part)[0].subjects), patients(evidence.holdout.subjects))
    return jackknife(float(distances[0]), distances[1:], n=n, within=(0.0, 1.0))


def _shapes(evidence: Measured, part: Part) -> np.ndarray:
    """(columns, 1 + blocks) distances of `part` from holdout."""
    blocks = _block_count(evidence)
    (a, block_a), (b, block_b) = _part(evidence, part), _part(evidence, "holdout")
    rows = []
    for column in evidence.train.schema.learned:
        distance, x, y = _values(a, b, column)
        size = int(max(x.max(), y.max())) + 1
        rows.append(distance(_shares(x, block_a, size, blocks), _shares(y, block_b, size, blocks)))
    return np.array(rows)


def _values(a: Table, b: Table, column: Column) -> tuple[Callable[..., np.ndarray], np.ndarray, np.ndarray]:
    """The distance for this kind of column, and both parts' values as ranks in their union."""
    x, y = a.frame[column.name], b.frame[column.name]
    if column.continuous:
        pooled = np.unique(np.concatenate([x.to_numpy(), y.to_numpy()]), return_inverse=True)[1]
        return kolmogorov, pooled[: len(x)], pooled[len(x) :]
    names = counts(x).index.union(counts(y).index, sort=False)
    x, y = (codes(part, names, other=-1, missing=len(names)) for part in (x, y))
    return total_variation, x, y


def _shares(values: np.ndarray, block: np.ndarray, size: int, blocks: int) -> np.ndarray:
    """(size, 1 + blocks) shares of each value: of all records, then without each block."""
    count = np.bincount(values * blocks + block, minlength=size * blocks).reshape(size, blocks)
    return _leaving_out(count.astype(float), axis=1)


def _leaving_out(count: np.ndarray, *, axis: int) -> np.ndarray:
    """From counts per block: shares in everything, then in everything without each block, along `axis`."""
    whole = count.sum(axis=axis, keepdims=True)
    kept = np.concatenate([whole, whole - count], axis=axis)
    other = tuple(i for i in range(count.ndim) if i != axis)
    shares: np.ndarray = kept / kept.sum(axis=other, keepdims=True)
    return shares


def _column_detail(evidence: Measured, column: Column, made: dict[str, np.ndarray], j: int) -> dict[str, Any]:
    estimate, control = (_estimate(evidence, part, made[part][j]) for part in ("synthetic", "train"))
    return {
        "name": column.name,
        "kind": column.kind,
        "distance": "KS" if column.continuous else "TV",
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "control": control.value,
        "cells": cells(evidence.train, evidence.synthetic, column),
    }


@measures("fidelity.pairs")
def pairs(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over all pairs of columns of the total variation between their joint tables, synthetic against holdout.

    Numbers in 10 bins of train quantiles, categories as the 50 most frequent of train and one code for all others,
    missing as a code of its own (as mostlyai-qa, arXiv 2504.01908). Tables of more than 1,500 codes are judged on a
    random choice of columns, which the detail names.
    """
    title = "Pairs of columns"
    if len(evidence.train.schema.learned) < 2:
        reason = "a pair needs two learned columns"
        return (Finding("fidelity.pairs", title, "fidelity", status="not_applicable", reason=reason),)
    if too_few := _too_few(evidence):
        return (Finding("fidelity.pairs", title, "fidelity", status="insufficient", reason=too_few),)
    chosen, made = _joint_distances(evidence)
    above = np.triu_indices(len(chosen), k=1)
    estimates = {part: _estimate(evidence, part, made[part][:, *above].mean(axis=1)) for part in made}
    finding = Finding(
        "fidelity.pairs",
        title,
        "fidelity",
        estimate=estimates["synthetic"],
        control=estimates["train"],
        floor=estimates.get("floor"),
        meaning="Mean distance between a synthetic and a real joint table of two columns (0 same, 1 disjoint).",
        detail=_pair_detail(evidence, chosen, made),
    )
    return (finding,)


def _joint_distances(evidence: Measured) -> tuple[np.ndarray, dict[Part, np.ndarray]]:
    """The columns that are judged, and per part (1 + blocks, c, c) distances of their joint tables from holdout's."""
    sizes = grid(evidence.train.take(np.arange(0)), evidence.train).sizes
    chosen = _room(sizes, rng=stream(evidence.seed, "pairs"))
    real = _joint(evidence, "holdout", chosen)
    starts = np.cumsum(sizes[chosen]) - sizes[chosen]
    made: dict[Part, np.ndarray] = {}
    for part in ("synthetic", "train", "floor"):
        if getattr(evidence, part) is not None:
            made[part] = _joint_distance(_joint(evidence, part, chosen), real, starts)
    return chosen, made


def _room(sizes: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """All columns, or a random choice whose codes number at most WIDEST."""
    if sizes.sum() <= WIDEST:
        return np.arange(len(sizes))
    order = rng.permutation(len(sizes))
    count = int(np.searchsorted(np.cumsum(sizes[order]), WIDEST, side="right"))
    return np.sort(order[:count])


def _joint(evidence: Measured, part: Part, chosen: np.ndarray) -> np.ndarray:
    """(blocks, codes, codes) counts: all joint tables at once, as the Gram matrix of each block's indicators."""
    table, block = _part(evidence, part)
    coded = grid(table, evidence.train).only(chosen)
    tables = []
    for k in range(_block_count(evidence)):
        hot = coded.one_hot(np.flatnonzero(block == k))
        tables.append(hot.T @ hot)
    return np.stack(tables)


def _joint_distance(a: np.ndarray, b: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(1 + blocks, c, c) total variation of each pair's table; slot 0 is everything, slot k + 1 leaves out block k."""
    rows = []
    whole_a, whole_b = a.sum(axis=0), b.sum(axis=0)
    for k in range(-1, len(a)):
        left_a, left_b = (whole_a, whole_b) if k < 0 else (whole_a - a[k], whole_b - b[k])
        gap = np.abs(left_a / _records(left_a, starts) - left_b / _records(left_b, starts))
        rows.append(np.add.reduceat(np.add.reduceat(gap, starts, axis=0), starts, axis=1) / 2)
    return np.stack(rows)


def _records(gram: np.ndarray, starts: np.ndarray) -> float:
    """How many records a Gram matrix counts: the diagonal over the first column's codes."""
    end = starts[1] if len(starts) > 1 else len(gram)
    return float(np.diagonal(gram)[:end].sum(dtype=float))


def _pair_detail(evidence: Measured, chosen: np.ndarray, made: dict[Part, np.ndarray]) -> dict[str, Any]:
    names = [evidence.train.schema.learned[j].name for j in chosen]
    gap, real = made["synthetic"][0], made["train"][0]
    above = np.stack(np.triu_indices(len(chosen), k=1), axis=1)
    worst = sorted(above.tolist(), key=lambda ij: -gap[ij[0], ij[1]])[:WORST]
    detail: dict[str, Any] = {
        "pairs": len(above),
        "columns": names,
        "worst": [
            {"a": names[i], "b": names[j], "value": float(gap[i, j]), "control": float(real[i, j])} for i, j in worst
        ],
    }
    if len(names) <= DRAWN:
        detail["matrix"] = np.round(gap.astype(float), 4).tolist()
    return detail


@measures("fidelity.longitudinal")
def longitudinal(evidence: Measured) -> tuple[Finding, ...]:
    """Whether a patient's later records follow from the earlier ones: not claimed by this version, so never refused."""
    repeated = patients(evidence.train.subjects) < len(evidence.train)
    reason = "no longitudinal claim is made" if repeated else "no patient has more than one record"
    return (Finding("fidelity.longitudinal", "Order of visits", "fidelity", status="not_applicable", reason=reason),)
