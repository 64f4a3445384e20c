"""Which classes records shall be of, where nothing else can be asked of them: an image's label, a stay's outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.errors import Problem, UsageError
from semblance.core.model import BALANCED, Wanted
from semblance.core.rng import stream
from semblance.core.shares import largest_remainder


@dataclass(frozen=True, eq=False)
class Classes:
    """The column `name` ('' where records have no class), its `kinds`, and their usual `shares` (k,)."""

    name: str
    kinds: tuple[str, ...]
    shares: np.ndarray

    def asked(self, wanted: Wanted | None) -> np.ndarray | None:
        """(k,) shares of the records that are wanted; None where nothing is asked.

        Raises UsageError with all that cannot be had.
        """
        if not wanted:
            return None
        problems = [*self._other(wanted), *self._strange(wanted)]
        if problems:
            raise UsageError(*problems)
        quota = wanted.quota.get(self.name, {})
        shares = np.full(len(self.kinds), 1 / len(self.kinds)) if quota == BALANCED else self.shares.copy()
        if isinstance(quota, Mapping) and quota:
            said = {str(kind): share for kind, share in quota.items()}
            shares = np.array([said.get(kind, 0.0) for kind in self.kinds])
        if self.name in wanted.given:
            shares = shares * np.isin(self.kinds, _set(wanted.given[self.name]))
        if not shares.sum():
            fix = "ask for one of them"
            raise UsageError.of("a given value beside a quota without it", rule="both hold together", fix=fix)
        made: np.ndarray = shares / shares.sum()
        return made

    def usual(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n,) classes of new records, as frequent as they are."""
        return rng.choice(len(self.kinds), n, p=self.shares) if self.kinds else np.zeros(n, dtype=np.int64)

    def each(
        self, n: int, shares: np.ndarray | None, *, together: int, seed: int, name: str
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Of `n` records so many `together`: the number of the first one, and their classes (together,); those beyond
        the last are of no record. Without `shares` the first ones do not depend on how many follow."""
        every = None if shares is None else dealt(shares, n, rng=stream(seed, "quotas"))
        for first in range(0, n, together):
            own = stream(seed, name, first)
            yield first, self.usual(together, rng=own) if every is None else np.resize(every[first:], together)

    def _other(self, wanted: Wanted) -> Iterator[Problem]:
        """What is asked of anything but the class."""
        rule = f"records have their '{self.name}' given or by quota" if self.name else "nothing can be asked of these"
        fix = f"--quota {self.name}={self.kinds[0]}:1" if self.name else "leave it out"
        for part in ("given", "quota", "shift", "do"):
            for name in getattr(wanted, part):
                if name != self.name or part in ("shift", "do"):
                    yield Problem(f"{part} of '{name}'", rule, fix, name)
        if wanted.fair_on:
            yield Problem("fairness between groups", rule, "leave it out")

    def _strange(self, wanted: Wanted) -> Iterator[Problem]:
        """Values that enough patients do not have."""
        if not self.name:
            return
        quota = wanted.quota.get(self.name, {})
        asked = [*_set(wanted.given.get(self.name, ())), *(map(str, quota) if isinstance(quota, Mapping) else ())]
        strange = [one for one in asked if one not in self.kinds]
        if strange:
            found = f"{len(strange)} values that the model does not know"
            rule, fix = "values that enough patients have", f"of {', '.join(self.kinds)}"
            yield Problem(found, rule, fix, self.name)


def _set(condition: Any) -> list[str]:
    """The values of a condition."""
    several = isinstance(condition, set | frozenset | list | tuple)
    return [str(one) for one in condition] if several else [str(condition)]


def dealt(shares: np.ndarray, n: int, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) classes, of which each has its share to the record, in any order."""
    made: np.ndarray = rng.permutation(np.repeat(np.arange(len(shares)), largest_remainder(shares, n)))
    return made
