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
from semblance.modalities.table.metrics.flags import Counted, counted, together
from semblance.modalities.table.metrics.samples import (
    Measured,
    compared,
    estimates,
    row,
    samples,
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
    both = {part: _counted(evidence, part, gone) for part in (*compared(evidence), "holdout")}
    rates = {part: _rates(*one) for part, one in both.items()}
    gaps = {part: np.abs(rates[part] - rates["holdout"]) for part in compared(evidence)}
    detail = {
        "columns": [
            row(evidence, column.name, {part: gap[j] for part, gap in gaps.items()})
            for j, column in enumerate(gone)
            if not 0 < _holders(evidence.train, column) < RARE
        ],
        "together": together(evidence, both) if len(gone) > 1 else None,
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


def _counted(evidence: Measured, part: Part, gone: tuple[Column, ...]) -> Counted:
    """The records that miss each two of the columns."""
    sample = samples(evidence)[part]
    return counted(sample, np.stack([_gone(sample.table, column) for column in gone], axis=1))


def _rates(both: np.ndarray, records: np.ndarray) -> np.ndarray:
    """(c, 1 + blocks) share of records that miss each column."""
    rates: np.ndarray = np.moveaxis(np.diagonal(both), -1, 0) / records
    return rates
