"""Arrays of parts in one dictionary of arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]


def under(arrays: Arrays, part: str) -> dict[str, np.ndarray]:
    """The arrays of a part, whose names begin with its name and a point.

    >>> under({"a.x": np.ones(1), "b.x": np.zeros(1)}, "a")
    {'x': array([1.])}
    """
    return {name.removeprefix(f"{part}."): a for name, a in arrays.items() if name.startswith(f"{part}.")}


def within(part: str, arrays: Arrays) -> dict[str, np.ndarray]:
    """The inverse of `under`."""
    return {f"{part}.{name}": array for name, array in arrays.items()}
