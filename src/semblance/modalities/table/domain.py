"""A schema and codes that are fixed before anybody looks at records: those of the declared columns.

A category is one of the declared ones, a number lies in a cell of a grid between the declared bounds, and every column
may be missing. So both are public, and a private generator may use them without paying. Only the names of the columns
are taken from the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from semblance.core.constraint import Constraint
from semblance.core.errors import Problem, UsageError
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Column, Kind, Schema
from semblance.modalities.table.codes import Categories, Numbers, steps
from semblance.modalities.table.data import Table
from semblance.modalities.table.declare import Declared, as_number, check
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.place import Source
from semblance.modalities.table.read import ACTIONS, declared_like, declared_of
from semblance.modalities.table.relations.above import Above
from semblance.modalities.table.relations.joint import Joint
from semblance.modalities.table.relations.kept import Relations
from semblance.modalities.table.relations.relation import Relation
from semblance.modalities.table.typed import raw_of

CELLS = 256
"""Whole numbers in a range of at most so many stand for themselves; other numbers get so many cells."""
NEAR = 1e-6
"""How near to the borders of its cell a number may be drawn, as a share of the cell."""


def read_declared(paths: Sequence[str | Path], options: ReadOptions) -> tuple[Table, Profile]:
    """The records under the schema that `options` declare, and a profile that says what does not fit it.

    The profile looks at the records, so it is for those inside. Raises UsageError with every column that is not
    declared, DataError with every problem of the records.
    """
    schema, frame, subjects, marks, lost = declared_like(paths, partial(_settled, options))
    table = Table(schema, frame, subjects, marks)
    missing = {name: float(table.frame[name].isna().mean()) for name in table.frame}
    plans = tuple(
        FieldPlan(c.name, c.kind, c.role, missing.get(c.name, 0.0), "declared", ACTIONS.get(c.role, "learn"))
        for c in schema
    )
    notes = [
        f"column '{name}': {count} cells are no {'number' if schema[name].kind != 'date' else 'date of its format'} "
        "and count as missing"
        for name, count in lost.items()
        if count
    ]
    notes += [note for column in schema.learned for note in _outside(table, column)]
    return table, Profile(len(table), len(np.unique(table.subjects)), plans, (*notes, *_clipped(table)))


def declared_schema(declared: Mapping[str, Any]) -> Schema:
    """The schema of a parsed schema file, without records. Raises UsageError with every column that it leaves open."""
    return _settled(ReadOptions(declared=declared), tuple(declared.get("columns", {})))[0]


def declared_record(values: Mapping[str, Any], declared: Mapping[str, Any]) -> Table:
    """One record, read in memory under a parsed schema file as it would be from a file; what is left out is missing.

    Raises UsageError for a column that is not declared.
    """
    schema = declared_schema(declared)
    problems = [
        Problem(
            "not declared", "a record has the columns of the schema file", "correct its name, or leave it out", name
        )
        for name in values
        if name not in schema.names
    ]
    if problems:
        raise UsageError(*problems)
    told = {c.name: values.get(c.name) for c in schema.learned}
    texts = {name: None if pd.isna(value) else str(value) for name, value in told.items()}
    columns = tuple(raw_of(name, pa.chunked_array([[text]], pa.string())) for name, text in texts.items())
    settle = partial(_settled, ReadOptions(declared=declared))
    settled, frame, subjects, marks, _ = declared_of(Source(columns), lambda _: settle(tuple(schema.names)))
    return Table(settled, frame, subjects, marks)


def _outside(table: Table, column: Column) -> list[str]:
    """What the person shall know of records that do not fit a declaration."""
    held = table.frame[column.name]
    if column.continuous:
        values = held.to_numpy()
        lost = int(((values < (column.min or 0.0)) | (values > (column.max or 0.0))).sum())
        return [f"column '{column.name}': {lost} cells beyond the declared bounds count as the bound"] if lost else []
    lost = int((held.notna() & ~held.isin(list(column.categories or ()))).sum())
    return [f"column '{column.name}': {lost} cells outside the declared categories count as missing"] if lost else []


def _clipped(table: Table) -> list[str]:
    """What is left out since a patient counts with one record."""
    share = 1 - len(np.unique(table.subjects)) / max(len(table), 1)
    return [f"one record of each patient counts: {share:.1%} of the records are left out"] if share else []


def _settled(options: ReadOptions, names: tuple[str, ...]) -> tuple[Schema, Declared]:
    """The schema as `options` declare it for the columns of these names, and the declarations.

    Raises UsageError with every column that is not declared, and every declaration that is wrong.
    """
    declared, problems = check(options, names)
    columns = [_declared(name, declared.of(name), declared) for name in names]
    problems += [problem for column in columns if column.learned for problem in _undeclared(column)]
    problems += [problem for rule in declared.constraints for problem in _untold(rule)]
    if problems:
        raise UsageError(*problems)
    return Schema(tuple(columns), declared.cohort, declared.n_public, declared.constraints, public=True), declared


def _declared(name: str, said: Mapping[str, Any], declared: Declared) -> Column:
    """One column by what was said of it and nothing else."""
    role = said.get("role", "feature")
    tokens = declared.tokens(name) or ("",)
    if role in ("subject", "key") or said.get("kind") == "identifier":
        return Column(name, "identifier", "drop" if role == "feature" else role, na=tokens[0])
    listed = said.get("categories")
    kind: Kind = said.get("kind", "date" if "date_format" in said else "categorical" if listed else "numeric")
    if kind == "text":
        return Column(name, "text", "drop", na=tokens[0])
    column = Column(
        name,
        kind,
        role,
        na=tokens[0],
        date_format=said.get("date_format", "%Y-%m-%d") if kind == "date" else None,
        min=as_number(said.get("min")),
        max=as_number(said.get("max")),
        categories=None if listed is None else tuple(map(str, listed)),
        bound="declared",
        protected=said.get("protected", False),
        quasi=said.get("quasi", False),
    )
    if kind == "integer":
        return replace(column, dtype="int64")
    if kind == "numeric":
        span = (column.max or 0.0) - (column.min or 0.0)
        return replace(column, dtype="float64", decimals=max(0, -round(math.log10(_unit(column, span)))))
    return column


def public_encoding(schema: Schema) -> Encoding:
    """The codes of a schema, one record for each patient.

    Combinations that are listed become one column; orders and implications are kept by drawing the records that break
    them again. Raises UsageError with every column that is not declared, and every rule that only records could tell.
    """
    if not schema.public:
        raise UsageError.of(
            "a schema that was read off the records",
            rule="under differential privacy it is declared, and the records are read under nothing else",
            fix='sb.read(path, schema="schema.toml", private=True)',
        )
    problems = [problem for column in schema.learned for problem in _undeclared(column)]
    problems += [problem for rule in schema.constraints for problem in _untold(rule)]
    if problems:
        raise UsageError(*problems)
    relations = _relations(schema)
    columns = tuple(_numbers(c) if c.continuous else _categories(c) for c in relations.fields(schema))
    return Encoding(schema, columns, (1.0,), relations)


def _untold(rule: Constraint) -> list[Problem]:
    if rule.kind in ("inequality", "ordered", "implication", "predicate") or rule.rows:
        return []
    said = "under differential privacy a rule is one that needs no look at the records"
    return [Problem(f"{rule}", said, 'kind = "combinations" with rows = [[...], ...], or leave it out')]


def _relations(schema: Schema) -> Relations:
    """The declared rules; those over a column that is in a combination already are looked at."""
    joints = [Joint.declared(schema, rule.columns, rule.rows) for rule in schema.constraints if rule.rows]
    parts = [joint for k, joint in enumerate(joints) if not _owned(joints[:k]) & set(joint.owns)]
    checks: list[Relation] = [joint for joint in joints if joint not in parts]
    for rule in schema.constraints:
        if rule.kind in ("inequality", "ordered"):
            checks += [_above(schema, name, rule.columns[:j], rule.strict) for j, name in enumerate(rule.columns) if j]
    return Relations(tuple(parts), tuple(checks))


def _owned(joints: Sequence[Joint]) -> set[str]:
    return {name for joint in joints for name in joint.owns}


def _above(schema: Schema, high: str, lows: tuple[str, ...], strict: bool) -> Above:
    column = schema[high]
    unit = _unit(column, (column.max or 0.0) - (column.min or 0.0))
    return Above(high, lows, lows if strict else (), column.kind == "date", unit, column.min, column.max, ())


def _undeclared(column: Column) -> list[Problem]:
    rule = "under differential privacy what a column may hold is declared, since looking at it would cost budget"
    if column.bound != "declared" or (column.min is None and column.max is None and not column.categories):
        one = 'categories = [...], or kind = "integer", min = ..., max = ...; or role = "drop"'
        return [Problem("not declared", rule, f'[columns."{column.name}"] {one}', column.name)]
    bounds = (math.nan if bound is None else bound for bound in (column.min, column.max))
    if column.continuous and not all(map(math.isfinite, bounds)):
        return [Problem("no declared bounds", rule, f'[columns."{column.name}"] min = ..., max = ...', column.name)]
    if not column.continuous and not column.categories:
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
