"""Whether the first line of a file without types is a header: a first line of data would put a patient into every name.

A name speaks for data if it is a number or a date, or if its own column holds it as a value. Years, and numbers that
count the columns (as a frame without names is written), are names that people give.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semblance.core.errors import DataError
from semblance.modalities.table import dates, notation
from semblance.modalities.table.typed import Raw, is_text

_YEAR = "^(?:19|20)[0-9]{2}$"


def refuse_data(columns: Sequence[Raw], *, label: str, names_alone: bool = False) -> None:
    """Raise DataError where at least half of the names (of two or more columns) speak for data; names none of them.

    With `names_alone` no record is asked: one that holds the names would be seen by others.
    """
    named = [(place, raw) for place, raw in enumerate(columns) if raw.name.strip()]
    if len(columns) < 2 or not named:
        return
    names = pa.array([raw.name.strip() for _, raw in named])
    value = _is_value(names) & ~_counts(names, [place for place, _ in named])
    if not names_alone:
        value |= [_holds(raw) for _, raw in named]
    if value.mean() >= 0.5:
        raise DataError.of(
            f"the first line of '{label}' looks like data",
            rule="the first line names the columns; a name is no number, no date, and no value of its column",
            fix="add a header as the first line (and keep it only there)",
        )


def _is_value(names: pa.Array) -> np.ndarray:
    number = notation.is_number(names) | notation.is_label(names)
    dated = [dates.find_dating(names.slice(i, 1), counts=np.ones(1)) is not None for i in range(len(names))]
    return (number & ~notation.matches(names, _YEAR)) | (dated & ~number)


def _counts(names: pa.Array, places: Sequence[int]) -> np.ndarray:
    """Names that number all columns from 0 or from 1."""
    numbers = any(names.to_pylist() == [str(place + first) for place in places] for first in (0, 1))
    return np.full(len(names), numbers)


def _holds(raw: Raw) -> bool:
    return is_text(raw.data.type) and bool(pc.any(pc.equal(raw.data, raw.name)).as_py())
