"""Why a record came out as it did: what each column had to say about each later one of the chain.

Column i's say in column j is log p(x_j | all before) - log p(x_j | all before but i), in nats: how much likelier the
value became by knowing x_i. It is read from the model, so it explains the model and not the patients; over records that
the model drew itself its mean is a conditional mutual information (Cover & Thomas 2006, section 2.5): the strength of
an edge of the model's dependency graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from semblance.modalities.table.data import Table

FLOOR = 1e-9
DRAWN = 256
"""Records that the model draws to weigh the edges of its graph."""
EDGES = 40
"""Edges that a graph keeps, the strongest."""


class Chain(Protocol):
    """A model whose columns are drawn one after the other."""

    @property
    def chain(self) -> tuple[int, ...]:
        """The columns in the order in which they are drawn, without those that follow from others."""
        ...

    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        """(n, size) probabilities of a column given (n, columns) codes with -1 for what is not known."""
        ...


def contributions(model: Chain, codes: np.ndarray) -> np.ndarray:
    """(n, d, d) nats: at [r, j, i] the say of column i in column j of record r; 0 where i is not drawn before j."""
    n, d = codes.shape
    say = np.zeros((n, d, d))
    for place, j in enumerate(model.chain):
        before = list(model.chain[:place])
        if before:
            say[:, j, before] = _says(model, codes, j, before)
    return say


def _says(model: Chain, codes: np.ndarray, column: int, before: list[int]) -> np.ndarray:
    """(n, before) the say of each column of `before`."""
    n = len(codes)
    known = np.full_like(codes, -1)
    known[:, before] = codes[:, before]
    versions = np.repeat(known[None], 1 + len(before), axis=0)
    versions[np.arange(1, 1 + len(before)), :, before] = -1
    share = model.conditional(versions.reshape(-1, codes.shape[1]), column)
    held = share[np.arange(len(share)), np.tile(codes[:, column], 1 + len(before))]
    log = np.log(np.maximum(held, FLOOR)).reshape(1 + len(before), n)
    return (log[0] - log[1:]).T


@dataclass(frozen=True)
class Graph:
    """The model's dependency graph. `edges`: (from, to, mean say in nats), the strongest first."""

    names: tuple[str, ...]
    edges: tuple[tuple[int, int, float], ...]

    @classmethod
    def of(cls, model: Any, *, rng: np.random.Generator) -> Graph:
        """Weighed on records that the model draws; no patient is looked at."""
        names = tuple(field.name for field in model.encoding.fields)
        say = contributions(model, model.draw(DRAWN, rng=rng)).mean(0)
        order = np.argsort(-say, axis=None, kind="stable")[:EDGES]
        pairs = [(int(k % len(names)), int(k // len(names))) for k in order]
        known = [(i, j, round(float(say[j, i]), 4)) for i, j in pairs if say[j, i] > 0.005]
        return cls(names, (*known, *_certain(model)))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"names": list(self.names), "edges": [list(edge) for edge in self.edges]}


def _certain(model: Any) -> list[tuple[int, int, float]]:
    """Columns that follow from others, whose say is without bound and is told as -1."""
    structure = getattr(model, "structure", None)
    return [] if structure is None else [(parent, child, -1.0) for child, parent, _ in structure.derived]


def graph(model: Any, *, rng: np.random.Generator) -> dict[str, Any] | None:
    """The dependency graph as plain JSON; None for a model that has no chain of conditionals."""
    return Graph.of(model, rng=rng).to_json() if hasattr(model, "chain") else None


def explain(model: Any, table: Table) -> pd.DataFrame:
    """One row per record and pair: record, column, because of, nats; the strongest of each record first."""
    names = [field.name for field in model.encoding.fields]
    say = contributions(model, model.encoding.encode(table))
    record, column, cause = np.nonzero(say)
    rows = pd.DataFrame({"record": record, "column": np.array(names)[column], "because of": np.array(names)[cause]})
    rows["nats"] = say[record, column, cause].round(4)
    order = np.lexsort((-np.abs(rows["nats"]), rows["record"]))
    return rows.iloc[order].reset_index(drop=True)
