"""WGAN-GP: records against a critic that bounds the earth mover's distance (Gulrajani et al., NeurIPS 2017).

A category is its softmax, shown to the critic as it is, like the characters of their language model (section 5.4); the
largest entry is the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import relu

from semblance.core.model import Card
from semblance.learn.nets.mlp import Mlp, start
from semblance.learn.objectives.gan import Adversarial, Players, Scene, Veiled, Wasserstein
from semblance.learn.trainer import Objective, TrainPlan
from semblance.modalities.table.generators.adversarial import Act, AdversarialSpec, Heads, Judge, Maker, Records
from semblance.modalities.table.generators.dense import Dense

CARD = Card(
    name="wgan_gp",
    summary="Wasserstein GAN with gradient penalty over normal scores and one-hots; the steadiest plain GAN",
    paper="Gulrajani et al., Improved Training of Wasserstein GANs, NeurIPS 2017",
    private=True,
    needs=("torch",),
)


@dataclass(frozen=True)
class WganGp(AdversarialSpec):
    """A Wasserstein GAN with gradient penalty."""

    batch: int = 128
    """Records that each turn sees."""
    rate: float = 1e-3
    """Learning rate of both sides."""
    width: int = 128
    """Width of the hidden layers."""
    depth: int = 2
    """Hidden layers of either side."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    turns: int = 5
    """Turns of the critic before each of the generator."""
    card: ClassVar[Card] = CARD
    private_base: ClassVar[TrainPlan] = TrainPlan(
        steps=0, rate=1e-3, weight_decay=0.1, beta1=0.5, beta2=0.9, anneal=False, warmup=0, ema=0.98
    )

    @property
    def looks(self) -> int:
        """The critic's turns."""
        return self.turns

    def maker(self, dense: Dense, facts: Mapping[str, torch.Tensor]) -> PlainMaker:
        """Noise through hidden layers."""
        return PlainMaker(dense, facts, latent=self.latent, widths=(self.width,) * self.depth)

    def acts(self, maker: PlainMaker, records: Records, judge: Judge, *, rng: np.random.Generator) -> tuple[Act, ...]:
        """Both sides, all the way."""
        net = Players(maker, Mlp(records.dense.width, (self.width,) * self.depth, 1))
        start(net, rng=rng)
        maker.prefer(maker.net.last)

        def play(batch: torch.Tensor, noise: torch.Generator) -> Scene:
            return Scene(batch, maker.draw(len(batch), noise))

        objective = Adversarial(net, play, Wasserstein(self.penalty), turns=self.turns, judge=judge)
        return (Act(objective, records.source),)

    def veiled(self, maker: PlainMaker, records: Records, *, rng: np.random.Generator) -> Objective:
        """Both sides; only the critic's own score of a real record is made of it. There is no penalty then: it would
        tie each real record to a generated one."""
        net = Players(maker, Mlp(records.dense.width, (self.width,) * self.depth, 1))
        if records.dense.width:
            start(net, rng=rng)
            maker.prefer(maker.net.last)
        return Veiled(net, maker.draw, turns=self.turns)


RARELY = 0.01
"""Added to a share by which a distance is divided, for what few records have."""


class PlainMaker(Maker):
    """Normal noise -> hidden layers -> heads; choices are drawn where there is a `temperature` among the facts, and
    numbers start at a noise of their own where there are a `middle` and a `spread` of each."""

    middle: torch.Tensor
    spread: torch.Tensor

    def __init__(
        self, dense: Dense, facts: Mapping[str, torch.Tensor], *, latent: int, widths: tuple[int, ...]
    ) -> None:
        super().__init__(dense, facts)
        drawn = facts.get("temperature")
        self.latent, self.heads = latent, Heads(dense.spans, temperature=None if drawn is None else float(drawn))
        self.net, self.apart = Mlp(latent, widths, dense.width, activation=relu), "spread" in facts

    def draw(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records."""
        raw = self.net(torch.randn((n, self.latent), generator=noise))
        if self.apart:
            own = torch.randn((n, len(self.heads.numbers)), generator=noise)
            moved = self.middle + self.spread * (own + raw[:, self.heads.numbers])
            raw = raw.index_copy(1, self.heads.numbers, moved)
        return self.heads(raw, noise)

    def astray(self, x: torch.Tensor) -> torch.Tensor:
        """How far the columns of (n, width) records are from where they started: squared distances of the shares of
        choices, over the shares, and of the means and deviations of numbers, in units of their `spread`."""
        choices, numbers = self.heads.choices, self.heads.numbers
        shares = self.shares[choices]
        off = ((x[:, choices].mean(0) - shares) ** 2 / (shares + RARELY)).sum()
        known = self.spread > 0 if self.apart else torch.zeros(0, dtype=torch.bool)
        if known.any():
            own = ((x[:, numbers] - self.middle) / self.spread.clamp(1e-6))[:, known]
            off = off + (own.mean(0) ** 2).sum() + ((own.std(0) - 1) ** 2).sum()
        return off
