"""What kind of column this is, told from its distinct values, and its values as a model wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from semblance.core.errors import DataError, SemblanceError
from semblance.core.schema import Column, Kind
from semblance.modalities.table import dates, notation
from semblance.modalities.table.declare import as_number
from semblance.modalities.table.notation import as_numpy, matches
from semblance.modalities.table.typed import Raw

NEARLY = 0.9
"""A column is meant as numbers (or dates) where at least this share of its known cells are."""
MANY = 50
_PAIRS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})
_CODE = r"^[A-Za-z0-9][A-Za-z0-9.\-/_+*]{0,15}$"
_LETTER_CODE = r"^\s*[A-Za-z]{1,3}[-.]?[0-9][0-9A-Za-z]{0,6}(?:[.\-][0-9A-Za-z]{1,4})?\s*$"


@dataclass(frozen=True)
class Coded:
    """A column by its distinct values.

    `texts` (k,) as written, `codes` (n,) int32 into them with -1 for missing. `hint` is the kind that a typed source
    states, `numbers` (k,) seconds of typed dates, `order` the categories of an ordered type, `na` the missing token.
    """

    name: str
    texts: pa.Array
    codes: np.ndarray
    dtype: str | None
    hint: Kind | None = None
    numbers: np.ndarray | None = None
    order: tuple[str, ...] | None = None
    na: str = ""

    @cached_property
    def counts(self) -> np.ndarray:
        """(k,) rows of each distinct value."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    @property
    def missing(self) -> float:
        """Share of rows without a value."""
        return float(np.mean(self.codes < 0)) if len(self.codes) else 0.0

    def rows(self, distinct: np.ndarray) -> np.ndarray:
        """The first three row numbers (from 1) that hold any of these distinct values."""
        return np.flatnonzero(np.append(distinct, False)[self.codes])[:3] + 1


def code(raw: Raw) -> Coded:
    """A column as read, by its distinct values. Raises DataError for a type that no table of patients should hold."""
    data, kind = raw.data, raw.data.type
    if pt.is_null(kind):
        return Coded(raw.name, pa.array([], pa.string()), np.full(len(data), -1, np.int32), raw.dtype)
    if pt.is_dictionary(kind):
        return _code_dictionary(raw)
    if pt.is_floating(kind):
        data = data.cast(pa.float32()) if pt.is_float16(kind) else data
        data = pc.if_else(pc.is_nan(data), pa.scalar(None, data.type), data)
    elif not _readable(kind):
        raise _no_cell(raw)
    values, codes = _distinct(data)
    if pt.is_string(kind):
        return Coded(raw.name, values, codes, raw.dtype)
    if pt.is_boolean(kind):
        return Coded(raw.name, pc.if_else(values, "True", "False"), codes, raw.dtype, "boolean")
    texts = values.cast(pa.string())
    if pt.is_floating(kind):  # a large float is a number, though its digits alone would be a label
        texts = pc.replace_substring_regex(texts, pattern="^(-?[0-9]{16})$", replacement="\\1.0")
    if pt.is_timestamp(kind) or pt.is_date(kind):
        stamps = pd.Series(values.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False).to_pandas())
        return Coded(raw.name, texts, codes, raw.dtype, "date", dates.seconds_of(stamps))
    return Coded(raw.name, texts, codes, raw.dtype, "integer" if pt.is_integer(kind) else "numeric")


def _readable(kind: pa.DataType) -> bool:
    tests = (pt.is_string, pt.is_boolean, pt.is_timestamp, pt.is_date, pt.is_integer, pt.is_floating, pt.is_decimal)
    return any(test(kind) for test in tests)


def _no_cell(raw: Raw) -> SemblanceError:
    return DataError.of(
        f"values of the type {raw.data.type}",
        rule="a cell is a number, a text, a date or a truth value",
        fix=f'[columns."{raw.name}"] role = "drop", or turn it into such columns',
        column=raw.name,
    )


def _distinct(data: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
    whole = data.combine_chunks()
    whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
    coded = whole.dictionary_encode()
    return coded.dictionary, as_numpy(coded.indices.fill_null(-1)).astype(np.int32)


def _code_dictionary(raw: Raw) -> Coded:
    ordered = raw.data.type.ordered
    parts = [(chunk.dictionary.cast(pa.string()), chunk.indices) for chunk in raw.data.chunks]
    texts, codes = _distinct(pa.chunked_array([listed.take(places) for listed, places in parts], pa.string()))
    order = tuple(dict.fromkeys(text for listed, _ in parts for text in listed.to_pylist())) if ordered else None
    return Coded(raw.name, texts, codes, raw.dtype, "ordinal" if ordered else "categorical", order=order)


def settle_missing(coded: Coded, *, tokens: tuple[str, ...] | None) -> Coded:
    """The same column with its missing tokens taken out; `na` becomes the token that most rows hold.

    An empty cell is always missing. `tokens` are the declared ones; None detects the usual ones.
    """
    wanted = notation.MISSING if tokens is None else ("", *tokens)
    gone = notation.is_missing(coded.texts, tokens=wanted)
    votes = {"": int((coded.codes < 0).sum())}
    for i in np.flatnonzero(gone):
        votes[coded.texts[int(i)].as_py()] = votes.get(coded.texts[int(i)].as_py(), 0) + int(coded.counts[i])
    na = max(votes, key=lambda t: votes[t]) if any(votes.values()) else (tokens[0] if tokens else "")
    if not gone.any():
        return replace(coded, na=na)
    moved = np.append(np.where(gone, -1, np.cumsum(~gone) - 1), -1).astype(np.int32)
    numbers = None if coded.numbers is None else coded.numbers[~gone]
    order = None if coded.order is None else tuple(t for t in coded.order if t not in wanted)
    return replace(
        coded, texts=coded.texts.filter(pa.array(~gone)), codes=moved[coded.codes], numbers=numbers, order=order, na=na
    )


def trimmed(coded: Coded, *, categories: Sequence[str] | None, other: str | None = None) -> Coded:
    """The same column, in which a value that is a known category but for spaces around it is that category.

    With an `other`, all that is none of the categories becomes it.
    """
    if categories is None:
        return coded
    known, texts = set(map(str, categories)), coded.texts.to_pylist()
    plain = [text if text in known or text.strip() not in known else text.strip() for text in texts]
    if other is not None:
        plain = [text if text in known else other for text in plain]
    if plain == texts:
        return coded
    kept = list(dict.fromkeys(plain))
    moved = np.array([*map(kept.index, plain), -1], dtype=np.int32)
    order = None if coded.order is None else tuple(dict.fromkeys(t if t in known else t.strip() for t in coded.order))
    return replace(coded, texts=pa.array(kept, pa.string()), codes=moved[coded.codes], numbers=None, order=order)


# The kind


def infer(coded: Coded, *, said: Mapping[str, Any]) -> tuple[Column, tuple[str, ...]]:
    """The column of a settled `coded`, under what was `said` of it, and notes for the person.

    Raises DataError where numbers or dates are mixed with other texts.
    """
    column = Column(coded.name, "categorical", na=coded.na, dtype="str" if coded.dtype is None else coded.dtype)
    kind = said.get("kind", "date" if "date_format" in said else "categorical" if "categories" in said else None)
    if coded.hint in ("ordinal", "categorical", "boolean") and kind is None:
        kind = coded.hint
    column, notes = _as_kind(coded, column, kind, said) if kind is not None else _guess(coded, column)
    if coded.order is not None and column.kind == "ordinal":
        column = replace(column, categories=coded.order)
    marked = {flag: said.get(flag, False) for flag in ("protected", "quasi")}
    return replace(_bounded(_typed(coded, column), said), **marked), notes


def _typed(coded: Coded, column: Column) -> Column:
    """Give a column of a file without types the type that pandas would give it."""
    if coded.dtype is not None:
        return column
    if column.kind in ("numeric", "integer"):
        return replace(column, dtype="int64" if column.kind == "integer" and not column.decimals else "float64")
    truth = (
        {t.strip().lower() for t in coded.texts.to_pylist()} == {"true", "false"} if column.kind == "boolean" else False
    )
    return replace(column, dtype="bool" if truth else "str")


def _bounded(column: Column, said: Mapping[str, Any]) -> Column:
    bounds = {k: said[k] for k in ("min", "max", "categories") if k in said}
    if not bounds:
        return column
    listed = bounds.get("categories")
    return replace(
        column,
        min=as_number(bounds.get("min")),
        max=as_number(bounds.get("max")),
        categories=column.categories if listed is None else tuple(str(v) for v in listed),
        bound="declared",
    )


def _as_kind(coded: Coded, column: Column, kind: Kind, said: Mapping[str, Any]) -> tuple[Column, tuple[str, ...]]:
    column = replace(column, kind=kind)
    if kind in ("numeric", "integer"):
        column = _number_column(coded, column, keep=kind)
    elif kind == "date" and coded.numbers is None:
        dating = dates.find_dating(coded.texts, counts=coded.counts)
        column = replace(
            column, date_format=said.get("date_format", "%Y-%m-%d" if dating is None else dating.date_format)
        )
    if column.continuous:
        points(coded, column)
    if kind == "boolean" and len(coded.texts) > 2:
        raise DataError.of(
            "more than two values",
            rule="a boolean has two",
            fix=f'[columns."{coded.name}"] kind = "categorical"',
            column=coded.name,
        )
    return column, ()


def _guess(coded: Coded, column: Column) -> tuple[Column, tuple[str, ...]]:
    if not len(coded.texts):
        return column, ()
    if coded.hint == "date":
        return replace(column, kind="date"), ()
    if _meant_as_numbers(coded):
        return _guess_number(coded, column)
    if len(coded.texts) == 2 and {t.strip().lower() for t in coded.texts.to_pylist()} in _PAIRS:
        return replace(column, kind="boolean"), ()
    dating = dates.find_dating(coded.texts, counts=coded.counts)
    if dating is not None and not matches(coded.texts, "^[0-9]+$").all():
        return _date_column(coded, column, dating)
    return replace(column, kind=_text_kind(coded)), ()


def _meant_as_numbers(coded: Coded) -> bool:
    """Nearly all rows are numbers, none is a number-like label, and what else there is does not look like codes."""
    number = notation.is_number(coded.texts)
    if notation.is_label(coded.texts).any() or coded.counts[number].sum() < NEARLY * coded.counts.sum():
        return False
    return bool(number.all()) or not matches(coded.texts.filter(pa.array(~number)), _LETTER_CODE).all()


def _guess_number(coded: Coded, column: Column) -> tuple[Column, tuple[str, ...]]:
    if coded.hint is None and matches(coded.texts, "^(?:[12][0-9]{7}|[12][0-9]{13})$").all():
        dating = dates.find_dating(coded.texts, counts=coded.counts)
        if dating is not None and dates.in_medicine(dating.seconds):
            return replace(column, kind="date", date_format=dating.date_format), ()
    column = _number_column(coded, replace(column, kind="numeric"), keep=None)
    points(coded, column)
    return column, ()


def _number_column(coded: Coded, column: Column, *, keep: Kind | None) -> Column:
    number = notation.is_number(coded.texts)
    known = coded.texts.filter(pa.array(number, pa.bool_()))
    decimals = notation.count_decimals(known)
    finite = notation.read_numbers(known)
    settled = np.isfinite(finite)
    whole = bool(np.all(finite[settled] % 1 == 0)) and bool(settled.all())
    most = int(decimals.max()) if len(decimals) else 0
    exact = most == 0 or bool((decimals[settled] == most).all())
    kind: Kind = (
        keep if keep is not None else "integer" if whole and most < notation.SHORTEST and len(decimals) else "numeric"
    )
    return replace(column, kind=kind, decimals=most, fixed=most > 0 and exact and most < notation.SHORTEST)


def _date_column(coded: Coded, column: Column, dating: dates.Dating) -> tuple[Column, tuple[str, ...]]:
    column = replace(column, kind="date", date_format=dating.date_format)
    points(coded, column)
    note = (
        f"column '{coded.name}': day and month cannot be told apart, read as {dating.date_format} "
        f'(declare another: [columns."{coded.name}"] date_format = "%d/%m/%Y")'
    )
    return column, (note,) if dating.ambiguous else ()


def _text_kind(coded: Coded) -> Kind:
    counts, rows = coded.counts, coded.counts.sum()
    length = float(as_numpy(pc.utf8_length(coded.texts)) @ counts / rows)
    words = float((as_numpy(pc.count_substring(coded.texts, " ")) + 1) @ counts / rows)
    mostly_distinct = len(coded.texts) >= 0.5 * rows
    if mostly_distinct and ((rows >= 20 and words >= 4 and length >= 20) or (words >= 8 and length >= 50)):
        return "text"
    coded_like = counts[matches(coded.texts, _CODE) & matches(coded.texts, "[0-9]")].sum() >= 0.5 * rows
    return "code" if coded_like and len(coded.texts) > MANY else "categorical"


# The values


def points(coded: Coded, column: Column, *, other_format: bool = False) -> np.ndarray:
    """(k,) float64 values of a continuous column. Raises DataError with the rows whose text is no number or date.

    `other_format` lets dates stand in another format than the column's, as another tool may write them.
    """
    if column.kind == "date":
        found = coded.numbers if coded.numbers is not None else _read_dates(coded, column, other_format)
    else:
        found = notation.read_numbers(coded.texts)
    wrong = np.isnan(found)
    if wrong.any():
        raise _mixed(coded, column, wrong)
    return found


def lenient(coded: Coded, column: Column) -> np.ndarray:
    """(k,) the same, but NaN for a text that is no number, or no date in the column's own format."""
    if column.kind != "date":
        return notation.read_numbers(coded.texts)
    return coded.numbers if coded.numbers is not None else _read_dates(coded, column, False)


def _read_dates(coded: Coded, column: Column, other_format: bool) -> np.ndarray:
    found = dates.read_dates(coded.texts, date_format=column.date_format or "%Y-%m-%d %H:%M:%S")
    if not other_format or not np.isnan(found).any():
        return found
    other = dates.find_dating(coded.texts, counts=coded.counts)
    return found if other is None or np.isnan(other.seconds).any() else other.seconds


def _mixed(coded: Coded, column: Column, wrong: np.ndarray) -> SemblanceError:
    rows = coded.rows(wrong)
    what = "dates in one format" if column.kind == "date" else "numbers"
    listed, count = ", ".join(str(row) for row in rows), int(coded.counts[wrong].sum())
    return DataError.of(
        f"{count} {'cell is' if count == 1 else 'cells are'} no {what} (first in row {listed})",
        rule=f"a column of kind {column.kind} holds {what} and missing values; rows count from 1 below the header",
        fix=f'[columns."{coded.name}"] na = "..." if they mean missing, else kind = "categorical"',
        column=coded.name,
        row=int(rows[0]),
    )


def values(coded: Coded, column: Column, *, other_format: bool = False) -> np.ndarray | pd.Categorical:
    """(n,) the column as the frame holds it: float64 with NaN, or a Categorical with text categories."""
    if column.continuous:
        return np.append(points(coded, column, other_format=other_format), np.nan)[coded.codes]
    texts = coded.texts.to_pylist()
    declared = column.categories if column.categories is not None else ()
    categories = [*declared, *sorted(set(texts).difference(declared))]
    place = {text: i for i, text in enumerate(categories)}
    moved = np.array([*(place[text] for text in texts), -1], dtype=np.int32)
    return pd.Categorical.from_codes(moved[coded.codes], categories=pd.Index(categories, dtype="str"))
