"""The joint tables of all pairs of columns at once, as Gram matrices of indicators, one per block of patients.

One pass over each sample serves the distances between joint tables and the association of categories. The matrices are
large, so no more than two samples' stand in memory, and only what was made of them is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from semblance.core.dataset import Part
from semblance.core.rng import stream
from semblance.modalities.table.grid import Grid
from semblance.modalities.table.metrics.association import cramers_v
from semblance.modalities.table.metrics.places import coarse
from semblance.modalities.table.metrics.samples import Measured, compared, samples

WIDEST = 1500  # codes of all columns together, of which a pairwise table is the square


@dataclass(frozen=True)
class Joint:
    """What the joint tables say of the columns `chosen` (c,), as positions among the learned.

    `distance` (1 + blocks, c, c): total variation from holdout's tables. `cramer` (1 + blocks, c, c): Cramer's V of the
    coarse codes, holdout's too.
    """

    chosen: np.ndarray
    distance: Mapping[Part, np.ndarray]
    cramer: Mapping[Part, np.ndarray]


def joint(evidence: Measured) -> Joint:
    """The joint tables of all columns; of a random choice of them where they have more than WIDEST codes."""
    return evidence.once("joint tables", lambda: _joint(evidence))


def _joint(evidence: Measured) -> Joint:
    chosen = room(coarse(evidence)["holdout"].sizes, rng=stream(evidence.seed, "pairs"))
    grids = _packed({part: grid.only(chosen) for part, grid in coarse(evidence).items()})
    starts = grids["holdout"].starts
    real = _tally(evidence, "holdout", grids["holdout"])
    distance: dict[Part, np.ndarray] = {}
    cramer: dict[Part, np.ndarray] = {"holdout": _associations(real, starts)}
    for part in compared(evidence):
        made = _tally(evidence, part, grids[part])
        distance[part] = _distances(made, real, starts)
        cramer[part] = _associations(made, starts)
    return Joint(chosen, distance, cramer)


def room(sizes: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """All columns, or a random choice whose codes number at most WIDEST, rising."""
    if sizes.sum() <= WIDEST:
        return np.arange(len(sizes))
    order = rng.permutation(len(sizes))
    count = int(np.searchsorted(np.cumsum(sizes[order]), WIDEST, side="right"))
    return np.sort(order[:count])


def _packed(grids: Mapping[Part, Grid]) -> dict[Part, Grid]:
    """The same grids without the codes that no record of any has: a Gram matrix costs the square of its codes."""
    first = next(iter(grids.values()))
    packed = {part: np.empty_like(grid.codes) for part, grid in grids.items()}
    sizes = []
    for j, size in enumerate(first.sizes.tolist()):
        used = np.bincount(np.concatenate([grid.codes[:, j] for grid in grids.values()]), minlength=size) > 0
        sizes.append(int(used.sum()))
        for part, grid in grids.items():
            packed[part][:, j] = (np.cumsum(used) - 1)[grid.codes[:, j]]
    return {part: Grid(codes, np.array(sizes)) for part, codes in packed.items()}


def _tally(evidence: Measured, part: Part, grid: Grid) -> np.ndarray:
    """(blocks, codes, codes) float32 records that hold both codes."""
    return np.stack([grid.gram(rows) for rows in samples(evidence)[part].slices()])


def _left_out(tally: np.ndarray) -> Iterator[np.ndarray]:
    """The tables of everything, then of everything without each block."""
    whole = tally.sum(axis=0)
    yield whole
    yield from (whole - block for block in tally)


def _distances(a: np.ndarray, b: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(1 + blocks, c, c) total variation of each pair's table."""
    made = []
    for left_a, left_b in zip(_left_out(a), _left_out(b), strict=True):
        gap = np.abs(left_a / _records(left_a, starts) - left_b / _records(left_b, starts))
        made.append(np.add.reduceat(np.add.reduceat(gap, starts, axis=0), starts, axis=1) / 2)
    return np.stack(made)


def _records(table: np.ndarray, starts: np.ndarray) -> float:
    """How many records a table counts: the diagonal over the first column's codes."""
    end = starts[1] if len(starts) > 1 else len(table)
    return float(np.diagonal(table)[:end].sum(dtype=float))


def _associations(tally: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.stack([cramers_v(left, starts) for left in _left_out(tally)])
