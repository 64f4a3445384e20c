"""Missing values: how many there are in each column, and which columns miss them together."""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.judge import measures, patients
from semblance.core.report import Finding
from semblance.core.schema import Column
from semblance.modalities.table.cells import RARE
from semblance.modalities.table.data import Table
from semblance.modalities.table.metrics.association import phi
from semblance.modalities.table.metrics.samples import (
    Measured,
    compared,
    estimate,
    estimates,
    leaving_out,
    row,
    samples,
    told,
    too_few,
)

PARTS: tuple[Part, ...] = ("train", "holdout", "synthetic")


@measures("fidelity.missing")
def missing(evidence: Measured) -> tuple[Finding, ...]:
    """Mean absolute difference of missing rates from holdout's, over the columns that miss values anywhere; 0 is best.

    `detail["together"]` is the mean absolute difference of phi between the missing flags of two such columns: whether
    the columns that belong together are missing together. Columns that 1 to 10 training patients miss are not listed.
    """
    gone = tuple(c for c in evidence.train.schema.learned if any(_gone(getattr(evidence, p), c).any() for p in PARTS))
    if not gone:
        return (_finding(status="not_applicable", reason="no value is missing anywhere"),)
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    counted = {part: _counted(evidence, part, gone) for part in (*compared(evidence), "holdout")}
    rates = {part: _rates(*counted[part]) for part in counted}
    gaps = {part: np.abs(rates[part] - rates["holdout"]) for part in compared(evidence)}
    detail = {
        "columns": [
            row(evidence, column.name, {part: gap[j] for part, gap in gaps.items()})
            for j, column in enumerate(gone)
            if not 0 < _holders(evidence.train, column) < RARE
        ],
        "together": _together(evidence, counted) if len(gone) > 1 else None,
    }
    return (_finding(**estimates(evidence, {p: gap.mean(axis=0) for p, gap in gaps.items()}), detail=detail),)


def _finding(**fields: Any) -> Finding:
    meaning = "Mean difference of a column's synthetic and real share of missing values (0 same, 1 none against all)."
    return Finding("fidelity.missing", "Missing values", "fidelity", meaning=meaning, **fields)


def _gone(table: Table, column: Column) -> np.ndarray:
    """(n,) whether the value is missing."""
    values = table.frame[column.name]
    flags: np.ndarray = np.isnan(values.to_numpy()) if column.continuous else values.cat.codes.to_numpy() < 0
    return flags


def _holders(train: Table, column: Column) -> int:
    return patients(train.subjects[_gone(train, column)])


def _counted(evidence: Measured, part: Part, gone: tuple[Column, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(c, c, 1 + blocks) records that miss both columns, (1 + blocks,) records."""
    sample = samples(evidence)[part]
    flags = np.stack([_gone(sample.table, column) for column in gone], axis=1).astype(np.float32)
    both = np.stack([flags[rows].T @ flags[rows] for rows in sample.slices()], axis=-1)
    return leaving_out(both), leaving_out(np.bincount(sample.block, minlength=sample.blocks))


def _rates(both: np.ndarray, records: np.ndarray) -> np.ndarray:
    """(c, 1 + blocks) share of records that miss each column."""
    rates: np.ndarray = np.moveaxis(np.diagonal(both), -1, 0) / records
    return rates


def _together(evidence: Measured, counted: dict[Part, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """The mean gap of phi over pairs of columns, with its interval and control."""
    related = {part: phi(*both) for part, both in counted.items()}
    above = np.triu_indices(len(related["holdout"]), k=1)
    value, control = (
        estimate(evidence, part, np.abs(related[part] - related["holdout"])[above].mean(axis=0), within=(0.0, 2.0))
        for part in ("synthetic", "train")
    )
    return told(value, control)
