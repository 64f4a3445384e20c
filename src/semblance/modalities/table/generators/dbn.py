"""Deep belief network: Boltzmann machines learned one above the other.

Each machine learns the hidden states that the one below it has for the records; the last keeps its full energy, the
others are read downwards only (Hinton, Osindero & Teh 2006). A record is drawn by Gibbs sampling in the last machine
and one pass down. Without the paper's fine-tuning by wake and sleep, which is about classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semblance.core.model import Card
from semblance.learn.objectives.rbm import Boltzmann
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.rbm import Rbm, RbmModel

CARD = Card(
    name="dbn",
    summary="deep belief network: Boltzmann machines learned one above the other, drawn from the last one down",
    paper="Hinton, Osindero & Teh, A Fast Learning Algorithm for Deep Belief Nets, Neural Computation 18, 2006",
    needs=("torch",),
)


@dataclass(frozen=True)
class Dbn(Rbm):
    """A stack of machines of equal width."""

    depth: int = 2
    """Machines in the stack; one alone is `rbm`."""
    card: ClassVar[Card] = CARD

    @property
    def machines(self) -> int:
        """How many machines are learned."""
        return self.depth

    def _model(self, encoding: Encoding, shares: tuple[np.ndarray, ...], machines: tuple[Boltzmann, ...]) -> RbmModel:
        return DbnModel(encoding, self.to_json(), shares, machines)


class DbnModel(RbmModel):
    """The trained stack."""

    card: ClassVar[Card] = CARD
