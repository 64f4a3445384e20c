"""Gaps of a frame filled: what was given keeps its value, its type, its order and its index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from semblance.app.frames import from_pandas, library_of


def filled(frame: Any, drawn: pd.DataFrame, gaps: pd.DataFrame) -> Any:
    """A frame of any library with `drawn` where `gaps` (n, columns) is true; the other cells are untouched."""
    if library_of(frame) == "pandas":
        return frame.assign(**{name: _over(frame[name], drawn[name], gaps[name].to_numpy()) for name in _with(gaps)})
    import pyarrow as pa

    table = frame if library_of(frame) == "pyarrow" else frame.to_arrow()
    for name in _with(gaps):
        at = table.column_names.index(name)
        whole = _over(table.column(at).to_pandas(), drawn[name], gaps[name].to_numpy())
        field = table.schema.field(at)
        array = pa.Array.from_pandas(whole)
        table = table.set_column(at, field, array.cast(field.type))
    return table if library_of(frame) == "pyarrow" else from_pandas(table.to_pandas(), library_of(frame))


def _with(gaps: pd.DataFrame) -> Iterable[str]:
    return [name for name in gaps if gaps[name].any()]


def _over(given: pd.Series, drawn: pd.Series, gaps: np.ndarray) -> pd.Series:
    """`given` with `drawn` in its gaps, in the type of `given`."""
    values = drawn.astype(object).to_numpy()[gaps]
    if isinstance(given.dtype, pd.CategoricalDtype):
        new = [value for value in dict.fromkeys(values) if value not in given.cat.categories]
        given = given.cat.add_categories(new)
    made = given.copy()
    made.iloc[np.flatnonzero(gaps)] = pd.Series(values, dtype=object).astype(given.dtype).array
    return made
