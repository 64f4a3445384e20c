"""A table <-> real vectors: what networks over vectors (adversarial, variational, diffusion) read and write.

A category is a one-hot, a number a real number beside a one-hot of its states (see `scalars`); a column with one code
has no place at all. Between the two stands the packed form, one number per block, from which batches are spread out:
several thousand one-hots of a million records never stand in memory at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import torch

from semblance.core.errors import DataError
from semblance.learn.packed import Layout
from semblance.modalities.table.codes import Categories, Numbers
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.scalars import Kind, Scalar

SPIKE = 0.05


@dataclass(frozen=True)
class Span:
    """Places `start` to `stop` of a vector: one real number, or the one-hot of a choice, of the table's `column`."""

    start: int
    stop: int
    kind: Literal["scalar", "onehot"]
    column: str

    @property
    def width(self) -> int:
        """How many numbers of the vector it takes."""
        return self.stop - self.start


@dataclass(frozen=True)
class Dense:
    """The vectors of an encoding's columns. `scalars` holds one entry per column of the encoding, None for categories.

    A vector holds, column after column, the real number (where there is one) and then the one-hot (where there is a
    choice).
    """

    encoding: Encoding
    scalars: tuple[Scalar | None, ...]

    @classmethod
    def fit(cls, encoding: Encoding, table: Table, *, numbers: Kind, spike: float = SPIKE) -> Dense:
        """Learn how numbers become real from `table`: as normal "scores", or as "modes" (Xu et al., NeurIPS 2019).

        A value that a share of at least `spike` of the records holds is a state of its own.
        """
        frame = encoding.reduce(table)
        return cls(
            encoding,
            tuple(
                Scalar.fit(coder, frame[field.name].to_numpy(), kind=numbers, spike=spike)
                if isinstance(coder, Numbers)
                else None
                for field, coder in zip(encoding.fields, encoding.columns, strict=True)
            ),
        )

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """What each part of a vector stands for, side by side from 0 to the width."""
        spans: list[Span] = []
        for j, field in enumerate(self.encoding.fields):
            for kind, width in (("scalar", int(self._real(j))), ("onehot", self._choices(j))):
                if width:
                    start = spans[-1].stop if spans else 0
                    spans.append(Span(start, start + width, cast(Literal["scalar", "onehot"], kind), field.name))
        return tuple(spans)

    @property
    def width(self) -> int:
        """The length of a vector."""
        return self.spans[-1].stop if self.spans else 0

    def encode(self, table: Table, *, rng: np.random.Generator) -> np.ndarray:
        """(n, width) float32 vectors. `rng` picks a mode where a number may belong to several."""
        return self.spread(torch.from_numpy(self.pack(table, rng=rng))).numpy()

    def decode(self, x: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        """A table from (n, width) vectors: each one-hot is its largest entry."""
        packed = np.zeros((len(x), len(self.spans)), dtype=np.float32)
        for k, span in enumerate(self.spans):
            part = x[:, span.start : span.stop]
            packed[:, k] = part[:, 0] if span.kind == "scalar" else part.argmax(1)
        return self.unpack(packed, first_subject=first_subject, rng=rng)

    def pack(self, table: Table, *, rng: np.random.Generator) -> np.ndarray:
        """(n, spans) float32: the real number of a scalar, the place of the one in a one-hot."""
        frame, parts = self.encoding.reduce(table), []
        for j, (field, coder) in enumerate(zip(self.encoding.fields, self.encoding.columns, strict=True)):
            scalar, values = self.scalars[j], frame[field.name]
            if scalar is not None:
                state, real = scalar.encode(values.to_numpy(), rng)
                parts += [real] * self._real(j) + [state] * bool(self._choices(j))
            elif self._choices(j):
                parts.append(cast(Categories, coder).encode(values))
        return np.column_stack([np.zeros((len(frame), 0)), *parts]).astype(np.float32)

    def spread(self, packed: torch.Tensor) -> torch.Tensor:
        """(n, width) vectors from their packed form."""
        x = torch.zeros(len(packed), self.width)
        starts, choice = self._starts
        x[:, starts[~choice]] = packed[:, ~choice]
        return x.scatter_(1, starts[choice] + packed[:, choice].long(), 1.0)

    def unpack(self, packed: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        """A table from the packed form."""
        values: dict[str, np.ndarray | pd.Categorical] = {}
        nothing, at = np.zeros(len(packed)), iter(packed.T.astype(float))
        for j, (field, coder) in enumerate(zip(self.encoding.fields, self.encoding.columns, strict=True)):
            scalar = self.scalars[j]
            real = next(at) if self._real(j) else nothing
            state = (next(at) if self._choices(j) else nothing).astype(np.int64)
            if scalar is None or coder.size < 2:
                values[field.name] = coder.decode(state, rng)
            else:
                values[field.name] = scalar.decode(state, real)
        return self.encoding.assemble(values, first_subject=first_subject, rng=rng)

    @cached_property
    def layout(self) -> Layout:
        """What stands where in the packed form."""
        choices = [span for span in self.spans if span.kind == "onehot"]
        place = {span.column: k for k, span in enumerate(choices)}
        numbers = [span.column for span in self.spans if span.kind == "scalar"]
        first = {
            field.name: scalar.first for field, scalar in zip(self.encoding.fields, self.scalars, strict=True) if scalar
        }
        return Layout(
            real=np.array([span.kind == "scalar" for span in self.spans], dtype=bool),
            sizes=np.array([span.width for span in choices], dtype=np.int64),
            owner=np.array([place.get(name, -1) for name in numbers], dtype=np.int64),
            first=np.array([first[name] for name in numbers], dtype=np.int64),
        )

    @cached_property
    def _starts(self) -> tuple[torch.Tensor, torch.Tensor]:
        starts = torch.tensor([span.start for span in self.spans], dtype=torch.int64)
        return starts, torch.tensor([span.kind == "onehot" for span in self.spans], dtype=torch.bool)

    def _real(self, j: int) -> bool:
        scalar = self.scalars[j]
        return scalar is not None and scalar.scalar and scalar.codes.size > 1

    def _choices(self, j: int) -> int:
        """The width of the one-hot of column j: 0 where there is nothing to choose."""
        scalar, size = self.scalars[j], self.encoding.columns[j].size
        states = size if scalar is None or size < 2 else scalar.states
        return states if states > 1 else 0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, without the encoding."""
        return {"scalars": [None if scalar is None else scalar.to_json() for scalar in self.scalars]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], encoding: Encoding) -> Dense:
        """The inverse of `to_json`."""
        return cls(
            encoding,
            tuple(
                Scalar.from_json(entry, cast(Numbers, coder)) if entry is not None else None
                for entry, coder in zip(data["scalars"], encoding.columns, strict=True)
            ),
        )


def read_dense(folder: Path, encoding: Encoding) -> Dense:
    """The vectors of a saved model, from dense.json. Raises DataError where the folder holds none."""
    try:
        return Dense.from_json(json.loads((folder / "dense.json").read_text()), encoding)
    except (OSError, ValueError, KeyError) as error:
        raise DataError.of(
            f"'{folder.name}' does not hold a saved model ({type(error).__name__})",
            rule="dense.json beside model.json, as Model.save writes them",
            fix="give the model/ folder of a run",
        ) from error


class Vectors:
    """The records of a table as a source of batches of (n, width) vectors, spread out batch by batch."""

    def __init__(self, dense: Dense, packed: np.ndarray, subjects: np.ndarray) -> None:
        self.dense, self.packed, self.subjects = dense, torch.from_numpy(packed), subjects

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """The vectors of these records."""
        return self.dense.spread(self.packed[torch.from_numpy(index)])
