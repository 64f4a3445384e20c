"""How a number and a missing value are written: the only place that knows.

Everything here works on the distinct texts of a column, so that its cost follows the vocabulary and not the rows. What
is read is written back as it stood: a number with the source's decimals, a missing value with the source's token.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from semblance.core.schema import Column

MISSING: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "?", "<NA>")
EXACT = 2**53
SHORTEST = 17
"""`Column.decimals` of a column whose numbers are written in their shortest form, not with a number of decimals."""

_NUMBER = r"^[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_INFINITE = r"^[+-]?(?:[iI]nf|INF|[iI]nfinity)$"
_PADDED = r"^[+-]?0[0-9]+(?:\.[0-9]*)?$"
_WHOLE = r"^[+-]?[0-9]+$"


def as_numpy(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """The values of an arrow array."""
    array: np.ndarray = values.to_numpy(zero_copy_only=False)
    return array


def matches(texts: pa.Array, pattern: str) -> np.ndarray:
    """(k,) bool: which texts the regular expression matches."""
    return as_numpy(pc.match_substring_regex(texts, pattern)).astype(bool)


def trim(texts: pa.Array) -> pa.Array:
    """The texts without white space around them."""
    return pc.utf8_trim_whitespace(texts)


def is_missing(texts: pa.Array, *, tokens: tuple[str, ...]) -> np.ndarray:
    """(k,) bool: which texts stand for a missing value; white space around a token does not matter."""
    wanted = pa.array(tokens, pa.string())
    return as_numpy(pc.or_(pc.is_in(texts, wanted), pc.is_in(trim(texts), wanted))).astype(bool)


def is_label(texts: pa.Array) -> np.ndarray:
    """(k,) bool: digits that are no number, because a number would lose some: leading zeros, or beyond 2**53."""
    trimmed = trim(texts)
    return matches(trimmed, _PADDED) | _beyond(trimmed)


def _beyond(trimmed: pa.Array) -> np.ndarray:
    beyond = matches(trimmed, _WHOLE) & (as_numpy(pc.utf8_length(trimmed)) >= 16)
    suspects = np.flatnonzero(beyond)
    beyond[suspects] = [_magnitude(trimmed[int(i)].as_py()) for i in suspects]
    return beyond


def _magnitude(digits: str) -> bool:
    return len(digits) > 18 or abs(int(digits)) > EXACT


def is_number(texts: pa.Array) -> np.ndarray:
    """(k,) bool: which texts read as a number, infinities included."""
    trimmed = trim(texts)
    return (matches(trimmed, _NUMBER) | matches(trimmed, _INFINITE)) & ~is_label(texts)


def read_numbers(texts: pa.Array) -> np.ndarray:
    """(k,) float64, NaN where the text is no number."""
    valid = pa.array(is_number(texts), pa.bool_())
    return as_numpy(pc.cast(pc.if_else(valid, trim(texts), pa.scalar(None, pa.string())), pa.float64())).astype(float)


def count_decimals(texts: pa.Array) -> np.ndarray:
    """(k,) int: decimals of each number as written; SHORTEST for scientific notation or more than 15 decimals."""
    trimmed = trim(texts)
    tail = pc.replace_substring_regex(trimmed, pattern=r"^[^.]*\.?", replacement="")
    count = as_numpy(pc.utf8_length(tail)).astype(int)
    infinite = matches(trimmed, _INFINITE)
    long = matches(trimmed, "[eE]") | (count > 15)
    return np.where(infinite, 0, np.where(long, SHORTEST, count))


def rounded(values: np.ndarray, *, column: Column) -> np.ndarray:
    """The values at the source's precision: whole for integers, else `decimals`; a negative zero becomes zero."""
    if column.kind != "integer" and column.decimals >= SHORTEST:
        return values + 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.round(values, 0 if column.kind == "integer" else column.decimals)
    return np.where(np.isfinite(near), near, values) + 0.0


def number_texts(values: np.ndarray, *, column: Column) -> np.ndarray:
    """(n,) texts of numbers as the source writes them, `column.na` for NaN."""
    code, distinct = pd.factorize(values)
    texts = [_number(value, column) for value in rounded(distinct, column=column).tolist()]
    return np.array([*texts, column.na], dtype=object)[code]


def _number(value: float, column: Column) -> str:
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if column.decimals >= SHORTEST:
        text = repr(value).removesuffix(".0")
    else:
        text = f"{value:.{column.decimals}f}"
        text = text if column.fixed or not column.decimals else text.rstrip("0").rstrip(".")
    # Beyond 2**53 a text without a point would read as a label.
    return f"{text}.0" if abs(value) > EXACT and text.lstrip("-").isdigit() else text
