"""Noisy counts of columns and of pairs, which is all that a private generator ever knows of the records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

from semblance.core.errors import DataError
from semblance.core.files import write_bytes
from semblance.core.promise import MEASURED, Noise
from semblance.core.shares import simplex

Pair = tuple[int, int]


@dataclass(frozen=True)
class Measured:
    """Noisy counts of each column (size,), and of pairs (classes, groups, groups) within the classes of a `target`
    column, over `groups` (size,) of the codes of each. The sigmas are the noise of a count: of each column, and of all
    pairs. Without a target (None) all records are one class.
    """

    target: int | None
    columns: tuple[np.ndarray, ...]
    sigmas: tuple[float, ...]
    groups: tuple[np.ndarray, ...]
    pairs: Mapping[Pair, np.ndarray] = field(default_factory=dict)
    pair_sigma: float = math.inf

    @cached_property
    def records(self) -> float:
        """The noisy number of records, at least one: that of each table, weighted by how little noise is in it."""
        weights = [1 / (counts.size * sigma**2) for counts, sigma in zip(self.columns, self.sigmas, strict=True)]
        return max(float(np.average([counts.sum() for counts in self.columns], weights=weights)), 1.0)

    def share(self, j: int) -> np.ndarray:
        """(size,) the shares of a column's codes, none below zero."""
        return simplex(self.columns[j] / self.records)

    @property
    def classes(self) -> np.ndarray:
        """(codes of the target,) the class of each; all records are one class without a target."""
        return np.zeros(1, dtype=np.int64) if self.target is None else self.groups[self.target]

    @property
    def paid(self) -> tuple[Noise, ...]:
        """The noise that a ledger has paid for."""
        columns = tuple(Noise(sigma, 1, self.sigmas.count(sigma)) for sigma in dict.fromkeys(self.sigmas))
        return (*columns, Noise(self.pair_sigma, 1, len(self.pairs))) if self.pairs else columns

    def save(self, folder: Path) -> None:
        """Write measured.safetensors in one step."""
        arrays = {f"column {j}": counts for j, counts in enumerate(self.columns)}
        arrays |= {f"group {j}": group for j, group in enumerate(self.groups)}
        arrays |= {f"pair {i} {j}": counts for (i, j), counts in self.pairs.items()}
        arrays["sigma"] = np.array([*self.sigmas, self.pair_sigma])
        arrays["target"] = np.array(-1 if self.target is None else self.target)
        write_bytes(folder / MEASURED, save(arrays))

    @classmethod
    def load(cls, folder: Path) -> Measured | None:
        """What `save` wrote; None where nothing was measured yet. Raises DataError for what another version wrote."""
        if not (folder / MEASURED).exists():
            return None
        arrays = load_file(folder / MEASURED)
        count, target = sum(name.startswith("column ") for name in arrays), int(arrays["target"])
        pairs = sorted((int(i), int(j)) for what, *at in map(str.split, arrays) if what == "pair" for i, j in [at])
        *sigmas, pair_sigma = map(float, arrays["sigma"])
        columns, groups = (tuple(arrays[f"{what} {j}"] for j in range(count)) for what in ("column", "group"))
        if any(counts.ndim != 1 for counts in columns):
            raise DataError.of(
                "noisy counts of another version", rule="a run goes on with the version it began with", fix="begin anew"
            )
        tables = {(i, j): arrays[f"pair {i} {j}"] for i, j in pairs}
        return cls(None if target < 0 else target, columns, tuple(sigmas), groups, tables, pair_sigma)
