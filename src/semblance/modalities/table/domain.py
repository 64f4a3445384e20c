"""A schema and codes that are public: those of columns that are declared, or measured privately.

A category is one of the known ones, a number lies in a cell of a grid between the bounds, and every column may be
missing. So a private generator may use them without paying. Only the names of the columns are taken from the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from semblance.core.constraint import Constraint
from semblance.core.declared import untold_patients
from semblance.core.errors import Problem, UsageError
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.promise import Ledger
from semblance.core.schema import MEASURE, OTHER, Column, Kind, Schema
from semblance.modalities.table.codes import Categories, Numbers, steps
from semblance.modalities.table.data import Table
from semblance.modalities.table.declare import MEASURABLE, Declared, as_number, check
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.measure import Found, kept, measure
from semblance.modalities.table.place import Source
from semblance.modalities.table.read import ACTIONS, declared_like, loaded
from semblance.modalities.table.relations.above import Above
from semblance.modalities.table.relations.joint import Joint
from semblance.modalities.table.relations.kept import Relations
from semblance.modalities.table.relations.relation import Relation
from semblance.modalities.table.typed import raw_of

CELLS = 256
"""Whole numbers in a range of at most so many stand for themselves; other numbers get so many cells."""
NEAR = 1e-6
"""How near to the borders of its cell a number may be drawn, as a share of the cell."""


def read_declared(
    paths: Sequence[str | Path],
    options: ReadOptions,
    *,
    ledger: Callable[[Schema], Ledger] | None = None,
    resume: Path | None = None,
) -> tuple[Table, Profile]:
    """The records under the schema that `options` declare, and a profile that says what does not fit it.

    What is declared as "measured" is measured with a share of what is left in the ledger that `ledger` opens, given an
    outline of the schema, and kept in `resume`; what is found there is not measured again. The profile looks at the
    records, so it is for those inside. Raises UsageError with every column that is not declared, DataError with every
    problem of the records, PrivacyError where nothing is left, and where the noise hides what was asked.
    """
    source = loaded(paths)
    schema, declared = _settled(options, tuple(raw.name for raw in source.columns))
    found = Found()
    if declared.counted or any(declared.asked(column.name) for column in schema.learned):
        found = kept(partial(_measured, source, schema, declared, ledger), folder=resume)
        schema = _filled(schema, declared, found)
    *parts, lost = declared_like(source, schema, declared)
    table = Table(schema, *parts)
    missing = {name: float(table.frame[name].isna().mean()) for name in table.frame}
    plans = tuple(
        FieldPlan(c.name, c.kind, c.role, missing.get(c.name, 0.0), _known(c), ACTIONS.get(c.role, "learn"))
        for c in schema
    )
    notes = [*source.notes, *found.notes]
    if gone := len(source.columns[0].data) - len(table):
        notes.append(f"{gone} records name no patient, and are left out")
    notes += [
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
    texts = {name: None if pd.isna(value) else _text(value, schema[name]) for name, value in told.items()}
    columns = tuple(raw_of(name, pa.chunked_array([[text]], pa.string())) for name, text in texts.items())
    settled, said = _settled(ReadOptions(declared=declared), tuple(schema.names))
    frame, subjects, marks, _ = declared_like(Source(columns), settled, said)
    return Table(settled, frame, subjects, marks)


def _outside(table: Table, column: Column) -> list[str]:
    """What the person shall know of records that do not fit a declaration."""
    held = table.frame[column.name]
    if column.continuous:
        values = held.to_numpy()
        lost = int(((values < (column.min or 0.0)) | (values > (column.max or 0.0))).sum())
        return (
            [f"column '{column.name}': {lost} cells beyond the {column.bound} bounds count as the bound"]
            if lost
            else []
        )
    if column.other is not None:
        return [f"column '{column.name}': {int((held == OTHER).sum())} cells count as '{OTHER}'"]
    lost = int((held.notna() & ~held.isin(list(column.categories or ()))).sum())
    return (
        [f"column '{column.name}': {lost} cells outside the {column.bound} categories count as missing"] if lost else []
    )


def _clipped(table: Table) -> list[str]:
    """What is left out since a patient counts with one record."""
    share = 1 - len(np.unique(table.subjects)) / max(len(table), 1)
    return [f"one record of each patient counts: {share:.1%} of the records are left out"] if share else []


def _known(column: Column) -> str:
    """How it is known what the column may hold."""
    return column.bound if column.learned else "declared"


def _measured(source: Source, schema: Schema, declared: Declared, ledger: Callable[[Schema], Ledger] | None) -> Found:
    """What is asked to be measured."""
    if ledger is None:
        raise UsageError.of(
            "a schema that is to be measured, and no ledger",
            rule="what is measured privately is paid for by the ledger of the cohort",
            fix="sb.read(path, schema=..., private=True, ledger=sb.Ledger.open(...))",
        )
    paid = ledger(_outline(schema, declared))
    if paid.cohort != schema.cohort:
        raise UsageError.of(
            f"a ledger of cohort '{paid.cohort}' for records of cohort '{schema.cohort}'",
            rule="all that is measured of the same patients is paid for by one ledger",
            fix='[cohort] id = "..." in the schema file, as in Ledger.open(folder, cohort="...", ...)',
        )
    looked = schema.with_columns(c for c in schema if c.role == "subject" or (c.learned and declared.asked(c.name)))
    frame, subjects, *_ = declared_like(source, looked, declared)
    return measure(looked, declared, frame, subjects, paid)


def _outline(schema: Schema, declared: Declared) -> Schema:
    """As many columns as there will be, before it is known what those may hold that are to be measured."""
    columns = (
        Column(c.name, "categorical", c.role, categories=(OTHER,), bound="measured") if declared.asked(c.name) else c
        for c in schema
    )
    return replace(schema.with_columns(columns), constraints=())


def _filled(schema: Schema, declared: Declared, found: Found) -> Schema:
    """The schema with what was measured in the place of what was not known."""
    columns = (
        _declared(c.name, {**declared.of(c.name), **found.columns.get(c.name, {})}, declared) if c.learned else c
        for c in schema
    )
    filled = schema.with_columns(columns)
    return replace(filled, n_public=found.patients) if declared.counted else filled


def _settled(options: ReadOptions, names: tuple[str, ...]) -> tuple[Schema, Declared]:
    """The schema as `options` declare it for the columns of these names, and the declarations.

    Raises UsageError with every column that is not declared, and every declaration that is wrong.
    """
    declared, problems = check(options, names, private=True)
    columns = [_declared(name, declared.of(name), declared) for name in names]
    problems += _open(columns, declared)
    problems += [problem for rule in declared.constraints for problem in _untold(rule)]
    if problems:
        raise UsageError(*problems)
    return Schema(tuple(columns), declared.cohort, declared.n_public, declared.constraints, public=True), declared


def _open(columns: Sequence[Column], declared: Declared) -> list[Problem]:
    """What is declared of none of `columns`: what it may hold, or whether it tells patients where its name says so."""
    found = {c.name: _undeclared(c, declared.asked(c.name)) if c.learned else [] for c in columns}
    subject = next((c.name for c in columns if c.role == "subject"), None)
    patients = untold_patients((c.name for c in columns if c.role == "drop" or found[c.name]), subject)
    others = set(found) - {problem.column for problem in patients}
    return [*patients, *(problem for name, problems in found.items() if name in others for problem in problems)]


def _declared(name: str, said: Mapping[str, Any], declared: Declared) -> Column:
    """One column by what was said of it and nothing else; what is to be measured may be said already."""
    role = said.get("role", "feature")
    tokens = declared.tokens(name) or ("",)
    if role in ("subject", "key") or said.get("kind") == "identifier":
        return Column(name, "identifier", "drop" if role == "feature" else role, na=tokens[0])
    listed, asked = said.get("categories"), declared.asked(name)
    guess = "date" if "date_format" in said else "categorical" if listed or "categories" in asked else "numeric"
    kind: Kind = said.get("kind", guess)
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
        bound="measured" if asked else "declared",
        protected=said.get("protected", False),
        quasi=said.get("quasi", False),
    )
    if kind == "integer":
        return replace(column, dtype="int64")
    if kind == "numeric":
        span = (column.max or 0.0) - (column.min or 0.0)
        return replace(column, dtype="float64", decimals=max(0, -round(math.log10(_unit(column, span)))))
    return column


def _text(value: Any, column: Column) -> str:
    """As it would stand in a file."""
    return value.strftime(column.date_format) if column.date_format and isinstance(value, date) else str(value)


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


def _undeclared(column: Column, asked: frozenset[str] = frozenset()) -> list[Problem]:
    """What is neither declared nor `asked` to be measured."""
    rule = "under differential privacy what a column may hold is declared, or measured with a share of the budget"
    useless = asked - ({"min", "max"} if column.continuous else {"categories"})
    if useless:
        said = " and ".join(f'{key} = "{MEASURE}"' for key in sorted(useless))
        fix = "numbers and dates have bounds, others categories: correct the kind, or leave it out"
        return [Problem(f"{said} for kind {column.kind}", rule, fix, column.name)]
    known = {key for key in MEASURABLE if getattr(column, key) not in (None, ())} | asked
    if column.bound == "observed" or not known:
        one = 'categories = [...], or kind = "integer", min = ..., max = ...; or role = "subject" or "drop"'
        fix = f'[columns."{column.name}"] {one}; or "{MEASURE}" in the place of what nobody knows'
        return [Problem("not declared", rule, fix, column.name)]
    bounds = (0.0 if name in asked else getattr(column, name) for name in ("min", "max"))
    if column.continuous and not all(bound is not None and math.isfinite(bound) for bound in bounds):
        fix = f'[columns."{column.name}"] min = ..., max = ...; or min = "{MEASURE}", max = "{MEASURE}"'
        return [Problem("no declared bounds", rule, fix, column.name)]
    if not column.continuous and "categories" not in known:
        fix = f'[columns."{column.name}"] categories = [...]; or categories = "{MEASURE}"'
        return [Problem("no declared categories", rule, fix, column.name)]
    return []


def _categories(column: Column) -> Categories:
    """The known ones; whatever else a record holds counts as missing, or as the category that stands for all others."""
    names = tuple(column.categories or ())
    return Categories((*names, None), len(names) if column.other is None else names.index(column.other))


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
