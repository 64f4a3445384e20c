"""The sampling loop: records in chunks, those that break a rule drawn anew, and what that cost.

Every block of records draws from its own child stream and is always drawn whole, so that the first n records do not
depend on how many follow. The first chunk grows block by block, so that a few records cost little. Only where shares
are to be kept to the row does the number of records decide what each is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Protocol

import numpy as np

from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.rng import root_of, stream
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.encode import Encoding

FIRST = 512
"""The first block has so many records, as has the second; then they double up to a chunk."""
ROUNDS = 20
"""A record that breaks a rule is drawn anew in at most so many rounds."""


class Source(Protocol):
    """Where records come from. `labels` say what each record shall be, and mean something to the source alone."""

    def labels(self, n: int, *, rng: np.random.Generator) -> np.ndarray | None:
        """(n,) the labels of a sample of n records; None where all are alike."""
        ...

    def make(self, labels: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        """A record for each label, of new patients numbered from `first_subject`."""
        ...

    def bad(self, table: Table, labels: np.ndarray) -> np.ndarray:
        """(n,) bool: the records that cannot stay."""
        ...

    def told(self) -> dict[str, Any]:
        """What a report says about these draws."""
        ...


@dataclass(frozen=True)
class Free:
    """Records as the model draws them, under the rules of its encoding."""

    encoding: Encoding
    table: Callable[..., Table]

    def labels(self, n: int, *, rng: np.random.Generator) -> np.ndarray | None:
        """All are alike."""
        return None

    def make(self, labels: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        """As many records as labels."""
        return self.table(len(labels), first_subject=first_subject, rng=rng)

    def bad(self, table: Table, labels: np.ndarray) -> np.ndarray:
        """The records that break a declared constraint."""
        return self.encoding.broken(table)

    def told(self) -> dict[str, Any]:
        """Nothing."""
        return {}


@dataclass
class Drawing(Iterator[Table]):
    """`n` records in chunks. `drawn`, `redrawn` and the `broken` ones that were replaced count as chunks are taken."""

    source: Source
    n: int
    rng: np.random.Generator
    chunk: int
    drawn: int = 0
    redrawn: int = 0
    broken: int = 0
    chunks: Iterator[Table] = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or not isinstance(self.n, Integral) or self.n < 0:
            said = f"{self.n} records" if isinstance(self.n, int | float) else f"records: a {type(self.n).__name__}"
            raise UsageError.of(said, rule="a whole number of records, 0 or more", fix="sample(1000)")
        root = root_of(self.rng)
        self.chunks = self._chunks(root, self.source.labels(self.n, rng=stream(root, "labels")))

    def __next__(self) -> Table:
        return next(self.chunks)

    def told(self) -> dict[str, Any]:
        """What a report says about the records drawn so far."""
        cost = {"drawn": self.drawn, "redrawn": self.redrawn, "broken": self.broken} if self.redrawn else {}
        return {**self.source.told(), **cost}

    def _chunks(self, root: int, labels: np.ndarray | None) -> Iterator[Table]:
        patient = 0
        for i, start in enumerate(range(0, self.n, self.chunk)):
            size, blocks = min(self.chunk, self.n - start), []
            for begin, end in _growing(self.chunk) if i == 0 else [(0, self.chunk)]:
                if begin >= size:
                    break
                alike = np.zeros(end - begin, dtype=np.int64)
                own = alike if labels is None else labels[start + begin : start + end]
                blocks.append(self._mended(own, first_subject=patient, rng=stream(root, i, begin)))
                patient = int(blocks[-1].subjects[-1]) + 1
            yield concat(blocks).take(np.arange(size))

    def _mended(self, labels: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        """A chunk without bad records: each gets candidates with its own label, more the fewer are left."""
        table = self.source.make(labels, first_subject=first_subject, rng=rng)
        self.drawn += len(labels)
        for turn in range(ROUNDS):
            bad = np.flatnonzero(self.source.bad(table, labels))
            self.broken += len(bad) if turn == 0 else 0
            if not len(bad):
                return table
            tries = np.repeat(bad, max(1, min(len(labels) // len(bad), 1000)))
            candidates = self.source.make(labels[tries], first_subject=0, rng=rng)
            fine = np.flatnonzero(~self.source.bad(candidates, labels[tries]))
            self.drawn, self.redrawn = self.drawn + len(tries), self.redrawn + len(tries)
            table = _with(table, candidates, place=tries[fine][::-1], taken=fine[::-1])
        bad = self.source.bad(table, labels)
        if bad.any():
            raise self._beyond(table, share=float(bad.mean()))
        return table

    def _beyond(self, table: Table, *, share: float) -> DataError:
        rules = "; ".join(map(str, table.schema.constraints)) or "what is wanted of columns that follow from others"
        return DataError(
            Problem(
                f"{share:.1%} of the records break a rule after {ROUNDS} rounds of drawing them anew ({rules})",
                "a record that breaks a rule is drawn anew, within bounds",
                "relax the rule, ask for less, or choose another generator with `semblance models`",
            )
        )


def _growing(chunk: int) -> Iterator[tuple[int, int]]:
    """Where the blocks of the first chunk begin and end."""
    begin, end = 0, min(FIRST, chunk)
    while begin < chunk:
        yield begin, end
        begin, end = end, min(2 * end, chunk)


def _with(table: Table, candidates: Table, *, place: np.ndarray, taken: np.ndarray) -> Table:
    """`table` with candidates `taken` at `place`; of several for one place the last. Patients stay as they are."""
    if not len(place):
        return table
    rows = np.arange(len(table))
    rows[place] = len(table) + taken
    return Table(table.schema, concat([table, candidates]).take(rows).frame, table.subjects)
