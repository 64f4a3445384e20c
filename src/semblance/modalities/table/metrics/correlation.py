"""Associations: whether columns that are related in real records are as strongly related in synthetic ones.

Two numbers: Pearson's and Spearman's coefficients, over the records that know both. A number and a category: the
correlation ratio eta. Two categories: Cramer's V. The last two without the bias of finite samples; for a category,
missing is a level. Numbers are cut at 4 of train's q95 - q05 from its median: no coefficient must hang on one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.judge import measures
from semblance.core.report import Finding
from semblance.core.schema import Column
from semblance.modalities.table.metrics.association import correlation_ratio, pearson
from semblance.modalities.table.metrics.joint import joint
from semblance.modalities.table.metrics.line import Line, line
from semblance.modalities.table.metrics.pairs import DRAWN, worst_pairs
from semblance.modalities.table.metrics.places import coarse
from semblance.modalities.table.metrics.samples import (
    Measured,
    compared,
    estimates,
    leaving_out,
    row,
    samples,
    too_few,
)

WITHIN = (0.0, 2.0)  # a difference of correlations
FAR = 4.0


@measures("fidelity.correlation")
def correlation(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over pairs of columns of the absolute difference of their association, synthetic against holdout; 0 is best.

    For two numbers, the mean of the differences of both coefficients. The columns are those of `fidelity.pairs`.
    """
    if len(evidence.train.schema.learned) < 2:
        return (_finding(status="not_applicable", reason="an association needs two learned columns"),)
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    chosen = tuple(evidence.train.schema.learned[j] for j in joint(evidence).chosen)
    real = _related(evidence, "holdout", chosen)
    gaps = {part: np.abs(_related(evidence, part, chosen) - real) for part in compared(evidence)}
    matrix = {part: gap.mean(axis=0) for part, gap in gaps.items()}
    above = np.triu_indices(len(chosen), k=1)
    averaged = {part: gap[:, *above].mean(axis=1) for part, gap in matrix.items()}
    detail = {**_detail(evidence, chosen, matrix), "kinds": _kinds(gaps["synthetic"][:, 0], chosen)}
    return (_finding(**estimates(evidence, averaged, within=WITHIN), detail=detail),)


def _finding(**fields: Any) -> Finding:
    meaning = "Mean difference between how strongly two columns are related in synthetic and in real records (0 same)."
    return Finding("fidelity.correlation", "Related columns", "fidelity", meaning=meaning, **fields)


def _detail(evidence: Measured, chosen: tuple[Column, ...], matrix: dict[Part, np.ndarray]) -> dict[str, Any]:
    """Each column by its mean gap to the others, the whole matrix, and its worst pairs."""
    names, others = [column.name for column in chosen], len(chosen) - 1
    made = {part: gap.sum(axis=2) / others for part, gap in matrix.items()}
    detail: dict[str, Any] = {
        "columns": [
            row(evidence, name, {part: gap[:, j] for part, gap in made.items()}, within=WITHIN)
            for j, name in enumerate(names)
        ],
        "worst": worst_pairs(names, matrix["synthetic"][0], matrix["train"][0]),
    }
    if len(names) <= DRAWN:
        detail["matrix"] = np.round(matrix["synthetic"][0], 4).tolist()
    return detail


def _kinds(gap: np.ndarray, chosen: tuple[Column, ...]) -> dict[str, float]:
    """The mean gap of each coefficient, where two columns have it: from (2, c, c) gaps."""
    number = np.array([column.continuous for column in chosen])
    above = np.triu(np.ones((len(chosen), len(chosen)), dtype=bool), k=1)
    both = number[:, None] & number[None, :]
    mixed = number[:, None] ^ number[None, :]
    told = {
        "pearson": gap[0][both & above],
        "spearman": gap[1][both & above],
        "eta": gap[0][mixed & above],
        "cramer": gap[0][~both & ~mixed & above],
    }
    return {name: float(gaps.mean()) for name, gaps in told.items() if len(gaps)}


def _related(evidence: Measured, part: Part, chosen: tuple[Column, ...]) -> np.ndarray:
    """(2, 1 + blocks, c, c) associations; the two differ only between numbers, in Pearson's and Spearman's."""
    made = np.repeat(joint(evidence).cramer[part][None].astype(float), 2, axis=0)
    number = np.array([column.continuous for column in chosen])
    numbers, names = np.flatnonzero(number), np.flatnonzero(~number)
    if not len(numbers):
        return made
    values = _standard(evidence, part, chosen, Line.values)
    made[0][:, numbers[:, None], numbers] = _linear(evidence, part, values)
    made[1][:, numbers[:, None], numbers] = _linear(evidence, part, _standard(evidence, part, chosen, Line.ranks))
    if len(names):
        eta = _ratios(evidence, part, values, joint(evidence).chosen[names])
        made[:, :, names[:, None], numbers] = eta
        made[:, :, numbers[:, None], names] = eta.swapaxes(1, 2)
    return made


def _standard(
    evidence: Measured, part: Part, chosen: tuple[Column, ...], take: Callable[[Line, Part], np.ndarray]
) -> np.ndarray:
    """(n, numbers) of the sample, centred and scaled to variance 1 so that sums of squares keep their digits."""
    taken = [np.clip(take(line(evidence, column), part), -FAR, FAR) for column in chosen if column.continuous]
    return np.stack([_centred(values) for values in taken], axis=1)


def _centred(values: np.ndarray) -> np.ndarray:
    known = values[~np.isnan(values)]
    if not len(known):
        return values
    spread = float(known.std())
    scaled: np.ndarray = (values - known.mean()) / (spread if spread > 0 else 1.0)
    return scaled


def _linear(evidence: Measured, part: Part, values: np.ndarray) -> np.ndarray:
    """(1 + blocks, c, c) Pearson's correlations."""
    known = ~np.isnan(values)
    filled, flags = np.where(known, values, 0), known.astype(float)
    rows = samples(evidence)[part].slices()
    sums = (
        leaving_out(np.stack([a[r].T @ b[r] for r in rows], axis=-1))
        for a, b in ((flags, flags), (filled, flags), (filled**2, flags), (filled, filled))
    )
    return np.moveaxis(pearson(*sums), -1, 0)


def _ratios(evidence: Measured, part: Part, values: np.ndarray, names: np.ndarray) -> np.ndarray:
    """(1 + blocks, categories, numbers) correlation ratios; `names` are positions of categories among the learned."""
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)
    beside = np.concatenate([known, filled, filled**2], axis=1).astype(np.float32)
    grid = coarse(evidence)[part].only(names)
    rows = samples(evidence)[part].slices()
    sums = leaving_out(np.stack([grid.one_hot(r).T @ beside[r] for r in rows], axis=-1))
    count, total, square = np.split(sums, 3, axis=1)
    return np.moveaxis(correlation_ratio(count, total, square, grid.starts), -1, 0)
