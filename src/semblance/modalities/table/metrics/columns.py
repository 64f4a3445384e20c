"""Single columns: how far each column's distribution lies from the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.judge import measures
from semblance.core.report import Finding
from semblance.core.schema import Column
from semblance.modalities.table.cells import RARE, cells
from semblance.modalities.table.metrics.line import FAR, line
from semblance.modalities.table.metrics.places import coarse, places
from semblance.modalities.table.metrics.samples import (
    Measured,
    compared,
    continuous,
    estimates,
    row,
    samples,
    told,
    too_few,
)

Distances = dict[Part, np.ndarray]


@measures("fidelity.shape")
def shape(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over columns of the distance of each column's distribution, synthetic against holdout; 0 is best.

    Numbers and dates: Kolmogorov-Smirnov distance, with missing as one more value at the right end of the line, so that
    a wrong missing rate counts. Other kinds: total variation, with missing as a category. No binning.
    """
    if reason := too_few(evidence):
        return (_shape(status="insufficient", reason=reason),)
    columns = evidence.train.schema.learned
    found = {column.name: _column_distance(evidence, column) for column in columns}
    detail = {"columns": [_shape_row(evidence, c, found[c.name]) for c in columns], "rare": RARE}
    return (_shape(**estimates(evidence, _averaged(found)), detail=detail),)


def _shape(**fields: Any) -> Finding:
    meaning = "Mean distance between a column's synthetic and real distribution (0 same, 1 disjoint)."
    return Finding("fidelity.shape", "Single columns", "fidelity", meaning=meaning, **fields)


def _averaged(found: dict[str, Distances]) -> Distances:
    """The mean over columns, part by part."""
    parts = next(iter(found.values()))
    return {part: np.mean([distances[part] for distances in found.values()], axis=0) for part in parts}


def _column_distance(evidence: Measured, column: Column) -> Distances:
    """Per part, (1 + blocks,) distances of one column from holdout's."""
    if column.continuous:
        return {part: line(evidence, column).kolmogorov(part, "holdout") for part in compared(evidence)}
    shares = _category_shares(evidence, column)
    return {part: total_variation(shares[part], shares["holdout"]) for part in compared(evidence)}


def _category_shares(evidence: Measured, column: Column) -> Distances:
    """Per part, (categories + 1, 1 + blocks) shares of each category of any part, and of missing."""
    found = places(evidence, column)
    return {part: shared(sample.count(found.at[part], found.size)) for part, sample in samples(evidence).items()}


def shared(count: np.ndarray) -> np.ndarray:
    """Shares of counts along the first axis."""
    shares: np.ndarray = count / count.sum(axis=0)
    return shares


def total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Half the sum of absolute differences of shares, over the first axis."""
    gap: np.ndarray = np.minimum(np.abs(p - q).sum(axis=0) / 2, 1)
    return gap


def hellinger_distance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """sqrt(sum (sqrt p - sqrt q)^2 / 2) over the first axis, from 0 to 1 (Hellinger 1909)."""
    gap: np.ndarray = np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=0) / 2)
    return np.minimum(gap, 1)


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The square root of Jensen and Shannon's divergence in bits (Lin 1991), over the first axis, from 0 to 1."""
    middle = (p + q) / 2
    divergence = (_entropy(p, middle) + _entropy(q, middle)) / 2
    return np.sqrt(np.clip(divergence, 0, 1))


def _entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    total: np.ndarray = (p * np.log2(ratio)).sum(axis=0)
    return total


def _shape_row(evidence: Measured, column: Column, made: Distances) -> dict[str, Any]:
    return {
        **row(evidence, column.name, made),
        "kind": column.kind,
        "distance": "KS" if column.continuous else "TV",
        "cells": cells(evidence.train, evidence.synthetic, column),
    }


@measures("fidelity.wasserstein")
def wasserstein(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over continuous columns of Wasserstein's distance W1 from holdout, over train's q95 - q05; 0 is best.

    Known values only. A value counts as at most FAR such ranges from the median, so that one absurd or infinite value
    does not outweigh the table; a column that is known on one side only counts 1.
    """
    columns = continuous(evidence)
    if not columns:
        return (_wasserstein(status="not_applicable", reason="no column holds numbers or dates"),)
    if reason := too_few(evidence):
        return (_wasserstein(status="insufficient", reason=reason),)
    found = {
        c.name: {part: line(evidence, c).wasserstein(part, "holdout") for part in compared(evidence)} for c in columns
    }
    within = (0.0, 2 * FAR)
    detail = {"columns": [row(evidence, name, made, within=within) for name, made in found.items()]}
    return (_wasserstein(**estimates(evidence, _averaged(found), within=within), detail=detail),)


def _wasserstein(**fields: Any) -> Finding:
    meaning = (
        "How far values must move on average for a synthetic column to become the real one, as a share of the range "
        "that holds nine in ten real values (0 not at all)."
    )
    return Finding("fidelity.wasserstein", "Distance of numbers", "fidelity", meaning=meaning, **fields)


@measures("fidelity.hellinger")
def hellinger(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over columns of Hellinger's distance from holdout, on 10 bins of train quantiles or train's top 50 names.

    Missing is a bin, and so are all other names. It weighs a small bin's relative error more than total variation does.
    `detail["jensen_shannon"]` is the same mean of Jensen and Shannon's distance.
    """
    if reason := too_few(evidence):
        return (_hellinger(status="insufficient", reason=reason),)
    found = _coarse_distances(evidence, hellinger_distance)
    other = estimates(evidence, _averaged(_coarse_distances(evidence, jensen_shannon)))
    detail = {
        "columns": [row(evidence, name, made) for name, made in found.items()],
        "jensen_shannon": told(other["estimate"], other["control"]),
    }
    return (_hellinger(**estimates(evidence, _averaged(found)), detail=detail),)


def _hellinger(**fields: Any) -> Finding:
    meaning = "Mean distance between a column's synthetic and real shares, stern on small ones (0 same, 1 disjoint)."
    return Finding("fidelity.hellinger", "Shares in columns", "fidelity", meaning=meaning, **fields)


def _coarse_distances(
    evidence: Measured, distance: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> dict[str, Distances]:
    """Per column and part, (1 + blocks,) distances from holdout on the shared coarse codes."""
    found = {}
    for j, column in enumerate(evidence.train.schema.learned):
        real = _coarse_shares(evidence, "holdout")[j]
        found[column.name] = {part: distance(_coarse_shares(evidence, part)[j], real) for part in compared(evidence)}
    return found


def _coarse_shares(evidence: Measured, part: Part) -> list[np.ndarray]:
    """Per column, (codes, 1 + blocks) shares."""

    def make() -> list[np.ndarray]:
        grid, sample = coarse(evidence)[part], samples(evidence)[part]
        return [shared(sample.count(grid.codes[:, j], size)) for j, size in enumerate(grid.sizes.tolist())]

    return evidence.once(("coarse shares", part), make)
