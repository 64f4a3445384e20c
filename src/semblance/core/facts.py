"""What is known of a record as a whole (age, sex, an outcome), read as texts: the kinds of such columns, their values,
and the texts that are written again. Values stay as they are read; rare ones are merged by a generator's encoding."""

from __future__ import annotations

import re
from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import DataError, Problem
from semblance.core.modality import FieldPlan
from semblance.core.names import names_patients
from semblance.core.schema import Column, Schema

CLASSES = 20
"""A label of at most this many whole numbers is a class."""
DECIMALS = 20
"""At most so many decimals of a number are kept."""
UNIQUE, ROWS = 0.95, 20
"""A text may name patients where this share of at least so many recordings have their own."""
MISSING = ("", "?", "na", "n/a", "nan", "none", "null", "unknown")
_IDENTIFYING = re.compile(
    r"(?:^|[_ .-])(?i:(?:sur|first|last|full|family)?name|mrn|ssn|nhs|id|address|street|phone|tel|fax|e?mail|zip"
    r"|post(?:al)?code|dob|birth\w*|date\w*)(?:$|[_ .-])|(?<=[a-z])(?:Id|ID|Name|Date)$"
)
"""Names of columns of the identifiers that HIPAA's safe harbour lists, 45 CFR 164.514(b)(2)."""
_FRACTION = re.compile(r"(?<=\d)\.0+$")
"""What a whole number has behind it where a file has fractions."""
_PAIRS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})


@dataclass(frozen=True, eq=False)
class Statics:
    """What is known of records: the schema, its frame, the patients, and what a person is told of it."""

    schema: Schema
    frame: pd.DataFrame
    subjects: np.ndarray
    plans: tuple[FieldPlan, ...] = ()
    notes: tuple[str, ...] = ()


def framed(columns: Mapping[str, Any], rows: int) -> pd.DataFrame:
    """The columns, of so many rows, even if there is no column."""
    return pd.DataFrame(columns, index=pd.RangeIndex(rows), columns=list(columns))


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One frame below the other; a column that is categorical in the first stays so."""
    if len(frames) == 1:
        return frames[0]
    frame = pd.concat(frames, ignore_index=True)
    for name in frame:
        if isinstance(frames[0][name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].astype("category")
    return frame


def refuse_lacking(schema: Schema, known: Container[str], *, who: str) -> None:
    """Raise DataError with all learned columns that nobody tells; `who` should."""
    problems = [
        Problem("the column is missing", f"the {who} tell the columns of the schema", "add it", column.name)
        for column in schema.learned
        if column.name not in known
    ]
    if problems:
        raise DataError(*problems)


def planned(name: str, texts: pd.Series, *, told: Mapping[str, Any], target: str | None) -> tuple[Column, FieldPlan]:
    """The column of (n,) texts, None where missing, and what a person is shown of it; `told` is what is declared of it.

    Raises DataError where a value contradicts the declared kind.
    """
    known = texts.dropna()
    role = "target" if name == target else told.get("role", "feature")
    column = kind_of(name, known, role, told)
    missing, reason = 1 - len(known) / max(len(texts), 1), ""
    if role in ("drop", "key"):
        return replace(column, role="drop"), FieldPlan(name, column.kind, "drop", missing, "declared", "drop")
    if column.kind in ("text", "identifier"):
        reason = "free text is never learned"
        column = replace(column, role="drop")
    elif role == "feature" and not told and (why := suspicion(name, column, known)):
        return _unclear(column, why, missing)
    return column, FieldPlan(name, column.kind, column.role, missing, reason, "drop" if reason else "learn")


def _unclear(column: Column, reason: str, missing: float) -> tuple[Column, FieldPlan]:
    fix = f'[columns."{column.name}"] role = "drop" to leave it out, or role = "feature" to learn it'
    return replace(column, role="drop"), FieldPlan(column.name, column.kind, "drop", missing, reason, "drop", True, fix)


def patient_codes(named: Sequence[Hashable]) -> np.ndarray:
    """(n,) int64: records that name the same patient have one code, one that names none (None or "") its own."""
    whose = [("named", one) if one else ("alone", i) for i, one in enumerate(named)]
    codes: np.ndarray = pd.factorize(pd.Index(whose, tupleize_cols=False))[0].astype(np.int64)
    return codes


def suspicion(name: str, column: Column, known: pd.Series) -> str:
    """Why a column may identify a patient; empty where nothing says so."""
    if _IDENTIFYING.search(name) or names_patients(name):
        return "the name says: it may identify a patient"
    share = known.nunique() / max(len(known), 1)
    unique = column.kind == "categorical" and len(known) >= ROWS and share >= UNIQUE
    return f"{share:.0%} of the values are distinct" if unique else ""


def kind_of(name: str, known: pd.Series, role: Any, told: Mapping[str, Any]) -> Column:
    """The column of the texts that are known, under what was `told` of it. Raises DataError where no number is one."""
    numbers = _numbers(known)
    kind = told.get("kind", "categorical" if "categories" in told else None)
    whole = bool((numbers % 1 == 0).all())
    if kind is None:
        kind = _guess(known, numbers, whole, role)
    if kind in ("numeric", "integer") and numbers.isna().any():
        count = int(numbers.isna().sum())
        raise DataError.of(
            f"{count} {'value is' if count == 1 else 'values are'} no number",
            rule=f"a column of kind {kind} holds numbers and missing values",
            fix=f'[columns."{name}"] na = "..." if they mean missing, else kind = "categorical"',
            column=name,
        )
    decimals = 0 if kind != "numeric" else max(map(_decimals, known.unique()), default=0)
    listed = told.get("categories")
    return Column(
        name,
        kind,
        role,
        dtype="float64" if kind == "numeric" else "int64" if kind == "integer" else "str",
        decimals=decimals,
        min=told.get("min"),
        max=told.get("max"),
        categories=None if listed is None else tuple(map(str, listed)),
        bound="declared" if {"min", "max", "categories"} & told.keys() else "observed",
        protected=told.get("protected", False),
        quasi=told.get("quasi", False),
    )


def _guess(known: pd.Series, numbers: pd.Series, whole: bool, role: str) -> Any:
    if len(known) and numbers.notna().all():
        return (
            "categorical"
            if role == "target" and whole and known.nunique() <= CLASSES
            else "integer"
            if whole
            else "numeric"
        )
    words, length = known.str.split().str.len().mean(), known.str.len().mean()
    if len(known) and known.nunique() >= 0.5 * len(known) and words >= 4 and length >= 20:
        return "text"
    return "boolean" if set(known.str.lower()) in _PAIRS else "categorical"


def values(texts: pd.Series, column: Column) -> Any:
    """(n,) the column as a frame holds it: float64 with NaN, or a Categorical with text categories."""
    if column.continuous:
        return _numbers(texts).to_numpy(dtype=float)
    known = list(column.categories) if column.categories is not None else []
    categories = [*known, *sorted(set(texts.dropna()).difference(known))]
    return pd.Categorical(texts, categories=pd.Index(categories, dtype="str"))


def public_column(name: str, told: Mapping[str, Any], *, target: str | None) -> Column:
    """The column of which all is `told` that differential privacy asks to be declared."""
    kind, listed = told.get("kind", "categorical"), told.get("categories")
    return Column(
        name,
        kind,
        "target" if name == target else told.get("role", "feature"),
        dtype="int64" if kind == "integer" else "float64" if kind == "numeric" else "str",
        decimals=2 if kind == "numeric" else 0,
        min=told.get("min"),
        max=told.get("max"),
        categories=None if listed is None else tuple(map(str, listed)),
        bound="declared",
        protected=told.get("protected", False),
        quasi=told.get("quasi", False),
    )


def public_values(texts: pd.Series, column: Column, *, na: Container[str]) -> Any:
    """(n,) the declared column as a frame holds it, each cell by itself: numbers within its bounds, and what is none of
    what is declared is missing, as are texts of `na`."""
    told = [str(text).strip() for text in texts]
    listed = column.categories or ()
    # A file of fractions writes 1 as 1.0.
    told = [_FRACTION.sub("", text) if text not in listed and text not in na else text for text in told]
    gone = [text in na or (text.lower() in MISSING and text not in listed) for text in told]
    held = pd.Series([None if lost else text for lost, text in zip(gone, told, strict=True)], dtype=object)
    if column.continuous:
        numbers = _numbers(held).to_numpy(dtype=float)
        return numbers.clip(column.min, column.max)
    return pd.Categorical(held.where(held.isin(listed), None), categories=pd.Index(list(listed), dtype="str"))


def _decimals(text: str) -> int:
    """Of a number, however it is written: 2 of 1.50, 3 of 1e-3."""
    return min(max(-int(Decimal(text).as_tuple().exponent), 0), DECIMALS)


def _numbers(texts: pd.Series) -> pd.Series:
    """(n,) NaN for what is no number, or endless."""
    numbers = pd.to_numeric(texts, errors="coerce").astype(float)
    return numbers.where(np.isfinite(numbers))


def told_texts(frame: pd.DataFrame, schema: Schema) -> dict[str, list[str]]:
    """The learned columns as texts, empty where missing: what `values` reads again."""
    return {column.name: _written(frame[column.name], column) for column in schema.learned}


def _written(series: pd.Series, column: Column) -> list[str]:
    if not column.continuous:
        return ["" if pd.isna(value) else str(value) for value in series]
    digits = 0 if column.kind == "integer" else column.decimals
    return ["" if np.isnan(value) else f"{value:.{digits}f}" for value in series.to_numpy(dtype=float)]
