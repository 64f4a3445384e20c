"""From a file or a data frame to the parts of a Table, and the Profile that a person sees first.

One pass over the columns: code by distinct values, settle what is missing, tell the kind, suspect identifiers, decide
the role. Every problem of the input is collected and told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from semblance.core.errors import DataError, Problem, ResourceError, SemblanceError, UsageError
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Column, Schema
from semblance.modalities.table import infer, sources
from semblance.modalities.table.declare import FLAGS, Declared, check
from semblance.modalities.table.identify import Suspicion, same_patients, suspect
from semblance.modalities.table.infer import Coded
from semblance.modalities.table.place import Source, only
from semblance.modalities.table.typed import Raw, raw_of

T = TypeVar("T")
Parts = tuple[Schema, pd.DataFrame, np.ndarray, np.ndarray | None, Profile]


def read(paths: Sequence[str | Path], options: ReadOptions) -> Parts:
    """Schema, frame, subjects, names of patients and profile of a file."""
    return _within_memory(lambda: _assemble(sources.load(only(paths)), options))


def like(paths: Sequence[str | Path], schema: Schema) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """Frame, subjects and names of patients of another file under a known schema."""
    return _within_memory(lambda: _conform(sources.load(only(paths)), schema))


def column_names(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """The columns of a file, in order; none of them is looked into."""
    return _within_memory(lambda: tuple(raw.name for raw in sources.load(only(paths)).columns))


def from_frame(frame: Any, options: ReadOptions) -> Parts:
    """Schema, frame, subjects, names of patients and profile of a pandas, polars or pyarrow table."""
    return _within_memory(lambda: _assemble(frame_source(frame), options))


def _within_memory(work: Callable[[], T]) -> T:
    try:
        return work()
    except (MemoryError, pa.ArrowMemoryError):
        raise ResourceError.of(
            "the table does not fit into memory",
            rule="a table is held in memory",
            fix="use a larger machine, or fewer columns",
        ) from None


# Data frames


def frame_source(frame: Any) -> Source:
    """The columns of a data frame of any library that speaks arrow."""
    if isinstance(frame, pd.DataFrame):
        return _pandas_source(frame)
    if not hasattr(frame, "__arrow_c_stream__"):
        raise UsageError.of(
            f"an object of type {type(frame).__name__}",
            rule="a pandas, polars or pyarrow table, or any that gives an arrow stream",
            fix="convert it to one of these (collect a lazy frame first)",
        )
    table = pa.table(frame)
    if not table.num_rows or not table.num_columns:
        raise _no_rows("the data frame")
    return Source(tuple(raw_of(name, table.column(i)) for i, name in enumerate(table.column_names)))


def _pandas_source(frame: pd.DataFrame) -> Source:
    odd = [i for i, name in enumerate(frame.columns) if not isinstance(name, str)]
    if odd:
        raise DataError.of(
            f"{len(odd)} column names are no text (first: column {odd[0] + 1})",
            rule="column names are texts",
            fix="frame.columns = frame.columns.map(str)",
        )
    if not len(frame) or not len(frame.columns):
        raise _no_rows("the data frame")
    columns: list[Raw] = []
    problems: list[Problem] = []
    for i, name in enumerate(frame.columns):
        try:
            columns.append(_pandas_column(name, frame.iloc[:, i]))
        except DataError as error:
            problems += error.problems
    return Source(tuple(columns), problems=tuple(problems))


def _pandas_column(name: str, series: pd.Series) -> Raw:
    dtype: str | None = str(series.dtype)
    try:
        data = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        raise _mixed_types(name, series) from None
    if dtype == "object" and not (pa.types.is_string(data.type) or pa.types.is_large_string(data.type)):
        dtype = None
    return raw_of(name, data if isinstance(data, pa.ChunkedArray) else pa.chunked_array([data]), dtype=dtype)


def _mixed_types(name: str, series: pd.Series) -> SemblanceError:
    kinds = series.dropna().map(_type_name)
    rarest = kinds.value_counts().index[-1]
    return DataError.of(
        f"values of the types {', '.join(sorted(set(kinds)))}",
        rule="a column holds one type; rows count from 1",
        fix=f"frame[{name!r}] = frame[{name!r}].astype(str), or mend the rows",
        column=name,
        row=int(np.flatnonzero((series.map(_type_name) == rarest) & series.notna())[0]) + 1,
    )


def _type_name(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _no_rows(what: str) -> SemblanceError:
    return DataError.of(
        f"{what} is empty", rule="a table has at least one row and one column", fix="give the full table"
    )


# Reading


@dataclass
class _Gathered:
    """What the pass over the columns has found so far."""

    schema: list[Column] = field(default_factory=list)
    frame: dict[str, Any] = field(default_factory=dict)
    plans: list[FieldPlan] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    subjects: np.ndarray | None = None
    names: np.ndarray | None = None


def _assemble(source: Source, options: ReadOptions) -> Parts:
    names = tuple(raw.name for raw in source.columns)
    problems = [*source.problems, *_check_names(names)]
    declared, usage = check(options, names)
    gathered = _Gathered(notes=list(source.notes))
    unique = len(set(names)) == len(names)
    for raw in source.columns if unique else ():
        try:
            _take_in(raw, declared, gathered)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*problems, *usage)
    if usage:
        raise UsageError(*usage)
    return _finish(gathered, declared, rows=len(source.columns[0].data))


def _check_names(names: Sequence[str]) -> list[Problem]:
    blank = [i + 1 for i, name in enumerate(names) if not name.strip()]
    twice = sorted({name for name in names if name.strip() and names.count(name) > 1})
    return [
        *(
            Problem(f"column {i} has no name", "every column has a name", "name it in the header, or leave it out")
            for i in blank
        ),
        *(Problem("the name stands more than once", "column names are unique", "rename one", name) for name in twice),
    ]


def _take_in(raw: Raw, declared: Declared, gathered: _Gathered) -> None:
    said = declared.of(raw.name)
    if said.get("role") == "drop":
        gathered.schema.append(
            Column(
                raw.name, said.get("kind", "categorical"), "drop", dtype=raw.dtype if raw.dtype is not None else "str"
            )
        )
        gathered.plans.append(
            FieldPlan(raw.name, said.get("kind", "categorical"), "drop", _nulls(raw), "declared", "drop")
        )
        return
    coded = infer.settle_missing(infer.code(raw), tokens=declared.tokens(raw.name))
    coded = infer.trimmed(coded, categories=said.get("categories"))
    column, notes = _describe(coded, said)
    suspicion = suspect(coded, column)
    has_subject = any(c.get("role") == "subject" for c in declared.columns.values()) or gathered.subjects is not None
    column, plan = _decide(coded, column, suspicion, said=said, has_subject=has_subject)
    gathered.schema.append(column)
    gathered.plans.append(plan)
    gathered.notes += notes
    if column.role == "subject":
        gathered.subjects, gathered.names = _subjects(coded)
    if column.learned:
        gathered.frame[column.name] = infer.values(coded, column)
        gathered.notes += _outside(coded, column)


def _nulls(raw: Raw) -> float:
    return raw.data.null_count / max(len(raw.data), 1)


def _describe(coded: Coded, said: Mapping[str, Any]) -> tuple[Column, tuple[str, ...]]:
    if said.get("role") in ("subject", "key") or said.get("kind") == "identifier":
        return Column(coded.name, "identifier", dtype=_identifier_dtype(coded), na=coded.na), ()
    return infer.infer(coded, said=said)


def _identifier_dtype(coded: Coded) -> str:
    if coded.dtype is not None:
        return coded.dtype
    return "int64" if len(coded.texts) and infer.matches(coded.texts, "^(?:0|[1-9][0-9]*)$").all() else "str"


def _decide(
    coded: Coded, column: Column, suspicion: Suspicion | None, *, said: Mapping[str, Any], has_subject: bool
) -> tuple[Column, FieldPlan]:
    """The role of a column, and what the first screen says about it."""
    reason = "" if suspicion is None else suspicion.reason
    unclear = False
    if "role" in said:
        role = _said_role(column, said["role"])
    elif said.get("kind") == "identifier":
        role = "drop"
    elif column.kind == "text":
        role, reason = "drop", "free text is never learned"
    elif suspicion is None:
        role = "feature"
    else:
        role, unclear = _default(coded, suspicion, declared=bool(said.keys() - FLAGS), has_subject=has_subject)
    kind = (
        "identifier"
        if role in ("subject", "key") or (suspicion is not None and suspicion.sort == "direct" and role == "drop")
        else column.kind
    )
    dtype = _identifier_dtype(coded) if kind == "identifier" else column.dtype
    column = replace(column, role=role, kind=kind, dtype=dtype)
    if kind == "identifier":
        column = replace(column, decimals=0, fixed=False, date_format=None)
    return column, _plan(coded, column, reason, unclear)


def _said_role(column: Column, role: Any) -> Any:
    if column.kind == "text" and role not in ("drop", "key", "subject"):
        raise DataError.of(
            f"free text as {role}",
            rule="free text is never learned",
            fix=f'[columns."{column.name}"] kind = "categorical" if the texts repeat, else role = "drop"',
            column=column.name,
        )
    return role


def _default(coded: Coded, suspicion: Suspicion, *, declared: bool, has_subject: bool) -> tuple[Any, bool]:
    """The role of a suspicious column that nobody gave a role, and whether a person has to confirm it."""
    if suspicion.patient and not has_subject and same_patients(coded):
        return "subject", not declared
    if suspicion.sort == "unclear":
        return "feature" if declared or suspicion.learn else "drop", not declared
    return "drop" if suspicion.sort == "direct" else "key", False


ACTIONS = {"drop": "drop", "key": "regenerate", "subject": "regenerate"}


def _plan(coded: Coded, column: Column, reason: str, unclear: bool) -> FieldPlan:
    name = column.name.replace("\\", "\\\\").replace('"', '\\"')
    fix = ""
    if unclear and column.role == "subject":
        fix = f'--subject "{column.name}" if it names the patient, else [columns."{name}"] role = "key"'
    elif unclear:
        fix = f'[columns."{name}"] role = "drop" to leave it out, or role = "feature" to learn it'
    action = ACTIONS.get(column.role, "learn")
    return FieldPlan(column.name, column.kind, column.role, coded.missing, reason, action, unclear, fix)


def _subjects(coded: Coded) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the codes of the patients within this file, and marks of their names that are equal in every file."""
    absent = np.flatnonzero(coded.codes < 0)
    if len(absent):
        raise DataError.of(
            f"{len(absent)} records name no patient",
            rule="every record belongs to a patient",
            fix="fill the cells, remove the rows, or choose another --subject",
            column=coded.name,
            row=int(absent[0]) + 1,
        )
    plain = pd.Series(coded.texts.to_pylist(), dtype=object).str.strip().str.replace(r"\.0+$", "", regex=True)
    marks = pd.util.hash_array(plain.to_numpy(), categorize=False)
    return pd.factorize(marks[coded.codes])[0].astype(np.int64), marks[coded.codes]


def _outside(coded: Coded, column: Column) -> list[str]:
    if column.categories is None or column.continuous:
        return []
    known = np.isin(np.array(coded.texts.to_pylist(), dtype=object), np.array(column.categories, dtype=object))
    cells = int(coded.counts[~known].sum())
    return [f"column '{column.name}': {cells} cells hold a value outside the declared categories"] if cells else []


def _finish(gathered: _Gathered, declared: Declared, *, rows: int) -> Parts:
    if not gathered.frame:
        raise DataError.of(
            "no column is left to learn",
            rule="at least one column is neither identifier, free text nor dropped",
            fix='give a column a role in the schema file, such as [columns.NAME] role = "feature"',
        )
    schema = Schema(tuple(gathered.schema), declared.cohort, declared.n_public, declared.constraints)
    subjects = np.arange(rows, dtype=np.int64) if gathered.subjects is None else gathered.subjects
    patients = int(subjects.max()) + 1
    profile = Profile(rows, patients, tuple(gathered.plans), tuple(gathered.notes))
    return schema, pd.DataFrame(gathered.frame, index=pd.RangeIndex(rows)), subjects, gathered.names, profile


# Reading under a known schema


def loaded(paths: Sequence[str | Path]) -> Source:
    """The columns of a file, of which none is looked into yet; each line of a CSV is read by itself."""
    return _within_memory(lambda: sources.load(only(paths), alone=True))


def declared_like(
    source: Source, schema: Schema, declared: Declared
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None, dict[str, int]]:
    """The same under a schema that was declared, cell by cell: how one is read depends on no other record.

    Where no missing tokens are declared the usual ones count, but for those that are categories. Also gives how many
    cells of each column are no number or date of its format: they are missing. Records that name no patient, where a
    column tells patients, are left out. Raises DataError where none is left.
    """
    lost: dict[str, int] = {}

    def cells(raw: Raw, column: Column) -> Coded:
        said = declared.tokens(column.name)
        usual = tuple(token for token in infer.notation.MISSING if token not in (column.categories or ()))
        coded = infer.settle_missing(infer.code(raw), tokens=usual if said is None else said)
        return infer.trimmed(coded, categories=column.categories, other=column.other)

    def values(coded: Coded, column: Column) -> Any:
        if not column.continuous:
            return infer.values(coded, column)
        found = infer.lenient(coded, column)
        lost[column.name] = int(coded.counts[np.isnan(found)].sum())
        return np.append(found, np.nan)[coded.codes]

    return *_within_memory(lambda: _conform(_named(source, schema, cells), schema, cells, values)), lost


def _named(source: Source, schema: Schema, cells: Callable[[Raw, Column], Coded]) -> Source:
    """The records that name their patient: one that does not has no part in how others are read."""
    subject = schema.where("subject")
    raw = next((raw for raw in source.columns if subject is not None and raw.name == subject.name), None)
    there = np.ones(0, dtype=bool) if subject is None or raw is None else cells(raw, subject).codes >= 0
    if there.all():
        return source
    if not there.any():
        rule, fix = "a record belongs to a patient", 'correct the column of role = "subject"'
        raise DataError.of("no record names its patient", rule=rule, fix=fix)
    kept = pa.array(there)
    return replace(source, columns=tuple(replace(raw, data=raw.data.filter(kept)) for raw in source.columns))


def _cells(raw: Raw, column: Column) -> Coded:
    coded = infer.settle_missing(infer.code(raw), tokens=(column.na, *infer.notation.MISSING))
    known = column.categories if column.bound != "observed" else None
    return infer.trimmed(coded, categories=known, other=column.other)


def _values(coded: Coded, column: Column) -> Any:
    return infer.values(coded, column, other_format=True)


def _conform(
    source: Source,
    schema: Schema,
    cells: Callable[[Raw, Column], Coded] = _cells,
    values: Callable[[Coded, Column], Any] = _values,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    problems = [*source.problems, *_check_names([raw.name for raw in source.columns])]
    given = {raw.name: raw for raw in source.columns}
    wanted = [column for column in schema if column.learned or column.role == "subject"]
    # Other tools make no patients: without the subject column each record is a patient of its own, without a name.
    problems += [
        Problem("the column is missing", "the file has the columns of the schema", "add it", column.name)
        for column in wanted
        if column.learned and column.name not in given
    ]
    frame: dict[str, Any] = {}
    subjects, names = np.arange(len(source.columns[0].data), dtype=np.int64), None
    for column in wanted:
        if column.name not in given:
            continue
        try:
            coded = cells(given[column.name], column)
            if column.role == "subject":
                subjects, names = _subjects(coded)
            else:
                frame[column.name] = values(coded, column)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*problems)
    return pd.DataFrame(frame, index=pd.RangeIndex(len(subjects))), subjects, names
