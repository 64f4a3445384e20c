"""Two denoisers of one record: of what it is given, a mask, and of what is painted beside that."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from semblance.learn.device import array_of, beside
from semblance.learn.nets.beside import Beside
from semblance.learn.network import Phase
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.inpainting import Inpainting
from semblance.learn.objectives.subspace import Seen

FIRST = 0.5
"""The share of steps in which what is given is learned; they are the cheaper ones."""


class Layered:
    """Losses and sampling of both, in `steps` steps each; the network of what is given, `first`, says of how many
    numbers it is. Of the records kept `aside` it looks at so many, `looked`, and at `part` at once."""

    def __init__(
        self, first: Beside, net: Beside, *, steps: int, aside: torch.Tensor | None, looked: int, part: int
    ) -> None:
        self.parts, some = net.parts, some_of(aside, looked)
        self.net = nn.ModuleDict({"first": first, "painter": net})
        self.first = Inpainting(first, steps=steps, part=part, alone=True)
        self.painter = Inpainting(net, steps=steps, part=part, alone=True, aside=some)
        self.first.aside = None if some is None else self.given_of(some)
        self.phases = (Phase(Seen(self.first, self.given_of), FIRST), Phase(self.painter, 1 - FIRST))
        self.turns = tuple(turn for phase in self.phases for turn in phase.objective.turns)

    def given_of(self, batch: torch.Tensor) -> torch.Tensor:
        """Rows of what is given, of facts and of a class, of rows of what is painted, of what is given, ..."""
        return batch[:, self.parts.numbers :]

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """None: each part has its own."""
        return None

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where numbers lie."""
        self.first.start(array_of(self.given_of(beside(self.net, batch))), rng=rng)
        self.painter.start(batch, rng=rng)

    def sample(self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, numbers) float32 of what is painted, for (n, given) numbers and (n,) classes."""
        return self.painter.sample(given, labels, rng=rng)

    def complete(
        self, rows: np.ndarray, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, numbers) float32: `rows` (n, numbers) with a draw for every NaN; the class `classes` is none."""
        return self.painter.complete(rows, given, labels, rng=rng)
