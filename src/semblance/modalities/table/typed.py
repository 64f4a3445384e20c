"""Columns that bring a type of their own (arrow, pandas, Excel): what it says about the kind, and how it is given back.

`dtype` is the pandas name of the source's type, with three names that pandas lacks: "date32", "decimal128(p, s)" and
"category[<type>]" for categories that are not text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.types as pt

from semblance.core.schema import Column
from semblance.modalities.table import dates, notation

TEXT = ("str", "object", "string")


@dataclass(frozen=True)
class Raw:
    """A column as it was read. `dtype` is None where the file has no types (CSV): the kind decides."""

    name: str
    data: pa.ChunkedArray
    dtype: str | None


def raw_of(name: str, data: pa.ChunkedArray, *, dtype: str | None = None) -> Raw:
    """A typed column; `dtype` is the pandas name where the column came from pandas."""
    kind = data.type
    if is_text(kind):
        return Raw(name, data.cast(pa.string()), dtype if dtype in TEXT else "str")
    if dtype is None or dtype in ("object", "category") or dtype.endswith("[pyarrow]"):
        dtype = dtype_of(kind)
    return Raw(name, data, dtype)


def is_text(kind: pa.DataType) -> bool:
    """Whether an arrow type holds text."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def dtype_of(kind: pa.DataType) -> str:
    """The dtype name of an arrow type."""
    if pt.is_timestamp(kind):
        return f"datetime64[{kind.unit}{'' if kind.tz is None else ', ' + kind.tz}]"
    if pt.is_dictionary(kind):
        return "category" if is_text(kind.value_type) else f"category[{dtype_of(kind.value_type)}]"
    names = {
        "double": "float64",
        "float": "float32",
        "halffloat": "float16",
        "date32[day]": "date32",
        "date64[ms]": "date32",
    }
    return names.get(str(kind), str(kind))


def arrow_type(dtype: str, *, ordered: bool = False) -> pa.DataType:
    """The arrow type that a dtype name is stored as; `ordered` categories keep their order."""
    if dtype in TEXT:
        return pa.string()
    if dtype.startswith("category"):
        return pa.dictionary(pa.int32(), pa.string() if dtype == "category" else arrow_type(dtype[9:-1]), ordered)
    if dtype.startswith("datetime64["):
        unit, _, zone = dtype[11:-1].partition(", ")
        return pa.timestamp(unit, zone or None)
    if dtype.startswith("decimal128"):
        precision, scale = dtype[11:-1].split(",")
        return pa.decimal128(int(precision), int(scale))
    return pa.date32() if dtype == "date32" else pa.type_for_alias({"boolean": "bool"}.get(dtype, dtype.lower()))


def restore(column: Column, values: np.ndarray | pd.Categorical) -> pd.Series:
    """A modelled column as its source's dtype: what a person who gave a data frame gets back."""
    if column.kind == "date":
        return _restore_dates(column, np.asarray(values, dtype=float))
    if column.continuous:
        return _restore_numbers(column, np.asarray(values, dtype=float))
    return _restore_labels(column, pd.Categorical(values))


def _restore_dates(column: Column, seconds: np.ndarray) -> pd.Series:
    if column.dtype in TEXT:
        texts = dates.date_texts(seconds, date_format=column.date_format or "%Y-%m-%d %H:%M:%S", na="")
        return pd.Series(_known(texts, seconds), dtype=column.dtype)
    stamps = pd.Series(dates.stamps_of(seconds))
    if column.dtype == "date32":
        return pd.Series([None if pd.isna(s) else s.date() for s in stamps], dtype=object)
    if not column.dtype.startswith("datetime64["):
        digits = dates.date_texts(seconds, date_format=column.date_format or "%Y%m%d", na="nan")
        return _whole(pd.Series(digits.astype(float)), column.dtype)
    unit, _, zone = column.dtype[11:-1].partition(", ")
    stamps = stamps.astype(f"datetime64[{unit}]")
    return stamps.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else stamps


def _restore_numbers(column: Column, values: np.ndarray) -> pd.Series:
    if column.dtype in TEXT:
        texts = notation.number_texts(values, column=column)
        return pd.Series(_known(texts, values), dtype=column.dtype)
    near = notation.rounded(values, column=column)
    if column.dtype.startswith("decimal"):
        texts = notation.number_texts(near, column=column)
        return pd.Series(pa.array(_known(texts, near)).cast(arrow_type(column.dtype)).to_pandas())
    if _is_whole(column.dtype):
        return _whole(pd.Series(near), column.dtype)
    return pd.Series(near).astype(column.dtype)


def _known(texts: np.ndarray, values: np.ndarray) -> np.ndarray:
    held = texts.copy()
    held[np.isnan(values)] = None
    return held


def _is_whole(dtype: str) -> bool:
    return dtype.lower().startswith(("int", "uint"))


def _nullable(dtype: str) -> str:
    return dtype.lower().replace("int", "Int").replace("uInt", "UInt")


def _whole(values: pd.Series, dtype: str) -> pd.Series:
    """Whole numbers of an integer type; the nullable type takes over where a value is missing."""
    bounds = np.iinfo(dtype.lower())
    fitted = values.replace([np.inf, -np.inf], np.nan).clip(float(bounds.min), np.nextafter(float(bounds.max), 0))
    return fitted.round().astype(_nullable(dtype) if fitted.isna().any() else dtype)


def _restore_labels(column: Column, values: pd.Categorical) -> pd.Series:
    if column.dtype in TEXT:
        return _spread(values, column.dtype)
    if column.dtype == "null":
        return pd.Series([None] * len(values), dtype=object)
    if column.dtype.startswith("category"):
        return pd.Series(_category(column, values))
    if column.dtype.lower() in ("bool", "boolean"):
        truth = pd.Series(values, dtype=object).str.strip().str.lower().map({"true": True, "false": False})
        return truth.astype("bool" if column.dtype == "bool" and not truth.isna().any() else "boolean")
    return _restore_digits(column, pd.Series(np.asarray(values, dtype=object)))


def _spread(values: pd.Categorical, dtype: str) -> pd.Series:
    if dtype == "object":
        return pd.Series(np.asarray(values, dtype=object), dtype=object)
    return pd.Series(values.categories.astype(dtype).array.take(values.codes, allow_fill=True))


def _restore_digits(column: Column, labels: pd.Series) -> pd.Series:
    """Numbers that were modelled as labels; a label that is no number (such as a rare class) becomes missing."""
    known = pd.to_numeric(labels.dropna(), errors="coerce").dropna()
    if not _is_whole(column.dtype):
        return known.reindex(labels.index).astype(column.dtype)
    whole = known.astype(_nullable(column.dtype)).reindex(labels.index)
    return whole if whole.isna().any() else whole.astype(column.dtype)


def _category(column: Column, values: pd.Categorical) -> pd.Categorical:
    values = pd.Categorical(values, categories=values.categories, ordered=column.kind == "ordinal")
    if column.dtype == "category":
        return values
    native = _natives(values.categories.to_list(), arrow_type(column.dtype[9:-1]))
    kept = [i for i, value in enumerate(native) if value is not None]
    place = np.full(len(native) + 1, -1)
    place[kept] = np.arange(len(kept))
    return pd.Categorical.from_codes(place[values.codes], pd.Index([native[i] for i in kept]), ordered=values.ordered)


def _natives(texts: list[str], kind: pa.DataType) -> list[Any]:
    """Each category as the source's type; None where it is none of that type (such as a rare class)."""
    try:
        return list(pa.array(texts, pa.string()).cast(kind).to_pandas())
    except pa.ArrowInvalid:
        return [value for text in texts for value in _natives([text], kind)] if len(texts) > 1 else [None]


def as_arrow(column: Column, series: pd.Series, *, na: str | None = None) -> pa.Array:
    """A restored column as its stored arrow type; `na` replaces missing texts."""
    kind = arrow_type(column.dtype, ordered=column.kind == "ordinal")
    if pt.is_dictionary(kind):
        return pa.array(series, from_pandas=True).cast(kind)
    made = pa.array(series, type=kind, from_pandas=True)
    return made if na is None or not pt.is_string(kind) else made.fill_null(na)
