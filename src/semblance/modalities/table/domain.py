"""Codes that are fixed before anybody looks at records: those of the declared columns of a schema.

A category is one of the declared ones, a number lies in a cell of a grid between the declared bounds, and every column
may be missing. So the encoding is public, and a private generator may use it without paying.
"""

from __future__ import annotations

import math

import numpy as np

from semblance.core.errors import Problem, UsageError
from semblance.core.schema import Column, Schema
from semblance.modalities.table.codes import Categories, Numbers, steps
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.relations.kept import Relations

CELLS = 256
"""Whole numbers in a range of at most so many stand for themselves; other numbers get so many cells."""
NEAR = 1e-6
"""How near to the borders of its cell a number may be drawn, as a share of the cell."""


def public_encoding(schema: Schema) -> Encoding:
    """The codes of a schema, one record for each patient. Raises UsageError with every column that is not declared."""
    problems = [problem for column in schema.learned for problem in _undeclared(column)]
    if problems:
        raise UsageError(*problems)
    columns = tuple(_numbers(c) if c.continuous else _categories(c) for c in schema.learned)
    return Encoding(schema, columns, (1.0,), Relations())


def _undeclared(column: Column) -> list[Problem]:
    rule = "under differential privacy what a column may hold is declared, since looking at it would cost budget"
    if column.continuous and (column.bound != "declared" or column.min is None or column.max is None):
        return [Problem("no declared bounds", rule, f'[columns."{column.name}"] min = ..., max = ...', column.name)]
    if not column.continuous and (column.bound != "declared" or not column.categories):
        return [Problem("no declared categories", rule, f'[columns."{column.name}"] categories = [...]', column.name)]
    return []


def _categories(column: Column) -> Categories:
    """The declared ones; whatever else a record holds counts as missing."""
    names = tuple(column.categories or ())
    return Categories((*names, None), len(names))


def _numbers(column: Column) -> Numbers:
    low, high = float(column.min or 0), float(column.max or 0)
    if column.kind == "integer" and high - low < CELLS:
        return Numbers(True, np.arange(low, high + 1), np.zeros(0), np.zeros(1), np.zeros(1, dtype=np.int64), 1.0)
    unit = _unit(column, high - low)
    edges = _grid(low, high, unit)
    cells = len(edges) - 1
    # Three knots for each cell: those beside its borders stand for next to no records, so that what is drawn of the
    # cell is spread over it evenly and stays inside.
    width = np.diff(edges)
    knots = np.column_stack([edges[:-1] + NEAR * width, (edges[:-1] + edges[1:]) / 2, edges[1:] - NEAR * width]).ravel()
    mass = np.tile([NEAR, 1 - 2 * NEAR, NEAR], cells)
    shares = np.concatenate([[0.0], np.cumsum(mass) / cells])
    return Numbers(True, np.zeros(0), knots, shares, np.arange(cells + 1, dtype=np.int64) * 3, unit)


def _unit(column: Column, span: float) -> float:
    """How fine values are drawn: whole numbers, the steps of a date's format, else three digits of the range."""
    if column.kind == "integer":
        return 1.0
    if column.kind == "date":
        return steps(column)[-1]
    return 10.0 ** math.floor(math.log10(span / 1000)) if span > 0 else 1.0


def _grid(low: float, high: float, unit: float) -> np.ndarray:
    """Borders of cells: half of them evenly spread, half ever wider from the lower bound, where many numbers crowd.

    They lie between two multiples of the unit, so that no value is moved into the next cell by rounding.
    """
    span, half = (high - low) / unit, CELLS // 2
    even, wider = np.linspace(0, span, half + 1), np.geomspace(1, max(span, 1), half)
    inner = np.unique(np.round(np.concatenate([[0, span + 1], even, wider])))
    borders: np.ndarray = low + (inner - 0.5) * unit
    return borders
