"""Columns of which only some combinations occur: one column of combinations, each held by several patients.

A combination that fewer patients hold becomes the most common of those that agree with it in most columns.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from semblance.core.schema import Column, Schema
from semblance.modalities.table.codes import patients_of
from semblance.modalities.table.relations.relation import Frame, Values, derived, labels, numbers

Row = tuple[str | None, ...]
CHUNK = 1000


@dataclass(frozen=True)
class Joint:
    """`rows` are the combinations of the columns that it `owns`, the most common first, as texts; None is missing.

    Columns among `points` hold numbers.
    """

    owns: tuple[str, ...]
    points: tuple[str, ...]
    rows: tuple[Row, ...]
    fields: tuple[Column, ...]

    @classmethod
    def fit(
        cls, schema: Schema, frame: Frame, names: tuple[str, ...], subjects: np.ndarray, *, rare: int, limit: int
    ) -> Joint:
        """At most `limit` combinations, of those that at least `rare` patients hold."""
        points = tuple(name for name in names if schema[name].continuous)
        coded, texts = zip(*(_coded(frame, name, name in points) for name in names), strict=True)
        code, first = _combined(coded)
        count = patients_of(code, subjects, len(first))
        kept = np.argsort(-count, kind="stable")[: min(limit, int((count >= rare).sum()))]
        rows = tuple(tuple(t[c[first[k]]] for c, t in zip(coded, texts, strict=True)) for k in kept)
        return cls._of(schema, names, rows or ((None,) * len(names),))

    @classmethod
    def declared(cls, schema: Schema, names: tuple[str, ...], rows: Sequence[Sequence[str | float]]) -> Joint:
        """The combinations that are listed, and the one in which all is missing."""
        points = [schema[name].continuous for name in names]
        said = [tuple(repr(float(v)) if p else str(v) for v, p in zip(row, points, strict=True)) for row in rows]
        return cls._of(schema, names, (*dict.fromkeys(said), (None,) * len(names)))

    @classmethod
    def _of(cls, schema: Schema, names: tuple[str, ...], rows: tuple[Row, ...]) -> Joint:
        field = Column(
            derived(schema, names[0], f"with {names[-1]}"),
            "categorical",
            categories=tuple(map(_token, rows)),
            bound="declared",
        )
        return cls(names, tuple(name for name in names if schema[name].continuous), rows, (field,))

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    def kept(self, name: str) -> tuple[str, ...]:
        """The values of a column that occur in any combination."""
        place = self.owns.index(name)
        return tuple(dict.fromkeys(row[place] for row in self.rows if row[place] is not None))  # type: ignore[misc]

    def reduce(self, frame: Frame) -> dict[str, Values]:
        return {self.fields[0].name: pd.Categorical.from_codes(self._nearest(frame), categories=self._tokens())}

    def restore(self, frame: Frame) -> dict[str, Values]:
        drawn = labels(frame, self.fields[0].name)
        place = {token: i for i, token in enumerate(self._tokens())}
        row_of = np.array([*(place.get(str(token), 0) for token in drawn.categories), 0], dtype=np.int64)
        rows = row_of[np.asarray(drawn.codes)]
        return {name: self._column(name, rows) for name in self.owns}

    def broken(self, frame: Frame) -> np.ndarray:
        broken: np.ndarray = self._rows(frame) < 0
        return broken

    def _tokens(self) -> list[str]:
        return [_token(row) for row in self.rows]

    def _column(self, name: str, rows: np.ndarray) -> Values:
        texts = [row[self.owns.index(name)] for row in self.rows]
        if name in self.points:
            return np.array([np.nan if text is None else float(text) for text in texts])[rows]
        kept = list(self.kept(name))
        code_of = np.array([-1 if text is None else kept.index(text) for text in texts], dtype=np.int64)
        return pd.Categorical.from_codes(code_of[rows], categories=pd.Index(kept, dtype="str"))

    def _codes(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """(rows, columns) codes of the combinations and (n, columns) codes of records, -1 for what no row holds."""
        held, asked = [], []
        for j, name in enumerate(self.owns):
            place = {value: i for i, value in enumerate(dict.fromkeys(row[j] for row in self.rows))}
            codes, texts = _coded(frame, name, name in self.points)
            asked.append(np.array([*(place.get(text, -1) for text in texts)], dtype=np.int64)[codes])
            held.append(np.array([place[row[j]] for row in self.rows], dtype=np.int64))
        return np.column_stack(held), np.column_stack(asked)

    def _rows(self, frame: Frame) -> np.ndarray:
        """(n,) the combination of each record, -1 for none."""
        return _match(*self._codes(frame))

    def _nearest(self, frame: Frame) -> np.ndarray:
        held, asked = self._codes(frame)
        rows = _match(held, asked)
        lost = np.flatnonzero(rows < 0)
        if len(lost):
            code, first = _combined(list(asked[lost].T))
            rows[lost] = _most_alike(held, asked[lost[first]])[code]
        return rows


def _token(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False)


def _coded(frame: Frame, name: str, points: bool) -> tuple[np.ndarray, list[str | None]]:
    """(n,) codes from 0 and the text of each; the last one is None."""
    if points:
        codes, distinct = pd.factorize(numbers(frame, name))
        texts: list[str | None] = [repr(float(value)) for value in distinct]
    else:
        values = labels(frame, name)
        codes, texts = np.asarray(values.codes, dtype=np.int64), [str(value) for value in values.categories]
    return np.where(codes < 0, len(texts), codes), [*texts, None]


def _combined(codes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(n,) one code for each combination, in order of appearance, and where each code stands first."""
    code = np.zeros(len(codes[0]), dtype=np.int64)
    for column in codes:
        low = int(column.min(initial=0))
        width = int(column.max(initial=0)) - low + 1
        code = pd.factorize(code * width + (column - low))[0].astype(np.int64)
    return code, np.unique(code, return_index=True)[1]


def _match(held: np.ndarray, asked: np.ndarray) -> np.ndarray:
    code, _ = _combined(list(np.vstack([held, asked]).T))
    row_of = np.full(int(code.max(initial=-1)) + 1, -1, dtype=np.int64)
    row_of[code[: len(held)]] = np.arange(len(held))
    return row_of[code[len(held) :]]


def _most_alike(held: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(m,) for each combination asked, the first that is held and agrees in most columns."""
    found = np.zeros(len(asked), dtype=np.int64)
    for start in range(0, len(asked), CHUNK):
        part = asked[start : start + CHUNK]
        alike = sum((part[:, j, None] == held[None, :, j]).astype(np.int16) for j in range(held.shape[1]))
        found[start : start + CHUNK] = np.argmax(alike, axis=1)
    return found
