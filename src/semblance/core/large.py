"""Arrays that may outgrow memory: one of more than LARGE bytes lies in a file, and is computed with part by part.

The file has no name: the system removes it with the last array that looks into it, however the process ends. It lies in
the folder for temporary files (TMPDIR), which holds patients' data while they are worked with, readable by nobody else.
An array of a file is a NumPy array like any other. What is no larger is one part, and computed as it would be alone.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from semblance.core.errors import ResourceError, reason

LARGE = 256 * 2**20
"""Bytes of an array beyond which it lies in a file."""
PARTS = 8
"""Of such an array, LARGE / PARTS bytes are looked at together."""
FEWEST = 32
"""Rows that are looked at together however large they are: a step of training has as many."""
ALIGNED = 64


def empty(shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
    """An array to be filled, in memory or in a file. Raises ResourceError where the disk has no room."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    return np.empty(shape, kind) if size <= LARGE else _filed(size)[:size].view(kind).reshape(shape)


def _filed(size: int) -> np.ndarray:
    """Bytes in a file of their own."""
    try:
        with tempfile.TemporaryFile() as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would end the process when pages are written
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, np.uint8, "r+", shape=(size,)).view(np.ndarray)
    except OSError as error:
        raise ResourceError.of(
            f"no room for {size / 2**20:,.0f} MiB in the folder of temporary files ({reason(error)})",
            rule="what is larger than memory lies there while it is worked with",
            fix="free some space, or name another folder in TMPDIR",
        ) from error


def parts(array: np.ndarray) -> list[slice]:
    """The rows of an array, so many together as may be looked at; of one that is not large all of them."""
    n = len(array)
    return slices(n, array.nbytes // max(n, 1))


def slices(n: int, row: int) -> list[slice]:
    """The same of so many rows of so many bytes."""
    step = n if n * row <= LARGE else LARGE // PARTS // row
    step = max(step, 1)
    return [slice(first, min(first + step, n)) for first in range(0, max(n, 1), step)]


def by_rows(compute: Callable[[np.ndarray], np.ndarray], array: np.ndarray) -> np.ndarray:
    """`compute(array)` of what is computed of each row by itself, part by part."""
    done = [compute(array[part]) for part in parts(array)]
    return done[0] if len(done) == 1 else np.concatenate(done)


def few(shape: Sequence[int], *, rng: np.random.Generator, share: int = PARTS) -> np.ndarray:
    """Rows, in order, of a float32 array of this shape: all where it is not large, else LARGE / `share` bytes by
    chance, and at least FEWEST rows."""
    n, row = shape[0], 4 * math.prod(shape[1:])
    if n * row <= LARGE:
        return np.arange(n)
    return np.sort(rng.permutation(n)[: max(FEWEST, LARGE // share // row)])


def filled(fill: Callable[[slice], np.ndarray], shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
    """An array of this shape, of which `fill` gives some rows."""
    kind = np.dtype(dtype)
    every = slices(shape[0], math.prod(shape[1:]) * kind.itemsize)
    if len(every) == 1:
        return fill(every[0]).astype(kind, copy=False)
    made = empty(shape, kind)
    for part in every:
        made[part] = fill(part)
    return made


def taken(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`array[rows]`."""
    return filled(lambda part: array[rows[part]], (len(rows), *array.shape[1:]), array.dtype)


def copied(array: np.ndarray) -> np.ndarray:
    """`array.copy()`."""
    return filled(lambda part: array[part].copy(), array.shape, array.dtype)


def stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """`np.stack(arrays)` of arrays of one shape and type."""
    made = empty((len(arrays), *arrays[0].shape), arrays[0].dtype)
    for i, one in enumerate(arrays):
        made[i] = one
    return made


def concatenated(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """`np.concatenate(arrays)` of arrays of one type, and of one shape but for the rows."""
    made, at = empty((sum(map(len, arrays)), *arrays[0].shape[1:]), arrays[0].dtype), 0
    for one in arrays:
        made[at : at + len(one)] = one
        at += len(one)
    return made


class Shelf:
    """Where arrays are kept that come one after the other: the first LARGE bytes in memory, all others in files."""

    def __init__(self) -> None:
        self._held, self._room = 0, np.empty(0, np.uint8)

    def put(self, array: np.ndarray) -> np.ndarray:
        """The array, or the same in a file."""
        self._held += array.nbytes
        if self._held <= LARGE or not array.nbytes:
            return array
        size = -(-array.nbytes // ALIGNED) * ALIGNED
        if size > len(self._room):
            self._room = _filed(max(size, LARGE))
        made = self._room[: array.nbytes].view(array.dtype).reshape(array.shape)
        self._room = self._room[size:]
        made[...] = array
        return made
