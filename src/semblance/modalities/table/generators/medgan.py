"""medGAN (Choi et al., MLHC 2017): a generator in the latent space of an autoencoder.

First the autoencoder learns the records; then noise becomes a code through layers with shortcut connections, and the
decoder, which keeps learning, turns the code into a record. The critic sees each record beside the mean of its
minibatch, so that a generator that has collapsed gives itself away.

The paper has binary variables or counts. Here a category is a softmax in place of the paper's independent sigmoids, and
a number is the decoder's own output, trained by its squared error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn.functional import relu

from semblance.core.model import Card
from semblance.learn.nets.mlp import BatchNorm, Mlp, linear, start
from semblance.learn.objectives.gan import Adversarial, NonSaturating, Players, Scene
from semblance.learn.trainer import Turn
from semblance.modalities.table.generators.adversarial import Act, AdversarialSpec, Heads, Judge, Maker, Records
from semblance.modalities.table.generators.dense import Dense

CARD = Card(
    name="medgan",
    summary="GAN in the latent space of an autoencoder; the first one for records of diagnosis codes",
    paper="Choi et al., Generating Multi-label Discrete Patient Records using GANs, MLHC 2017",
    needs=("torch",),
)


@dataclass(frozen=True)
class MedGan(AdversarialSpec):
    """medGAN with the layers of its paper."""

    batch: int = 500
    """Records that each turn sees."""
    rate: float = 1e-3
    """Learning rate of the autoencoder and of both sides."""
    layers: int = 2
    """Layers of the generator, each with a shortcut, as wide as the noise."""
    pretrain: float = 0.3
    """Share of the steps in which the autoencoder learns alone."""
    turns: int = 2
    """Turns of the critic before each of the generator."""
    card: ClassVar[Card] = CARD
    decay: ClassVar[float] = 1e-3

    def maker(self, dense: Dense, facts: Mapping[str, torch.Tensor]) -> MedGanMaker:
        """Noise to a code, and a code to a record."""
        return MedGanMaker(dense, facts, latent=self.latent, layers=self.layers)

    def acts(self, maker: MedGanMaker, records: Records, judge: Judge, *, rng: np.random.Generator) -> tuple[Act, ...]:
        """The autoencoder, then both sides."""
        coder, net = Autoencoder(maker), Players(maker, Averaging(records.dense.width))
        start(coder, rng=rng)
        start(net.critic, rng=rng)
        start(maker.layers, rng=rng)
        maker.prefer(maker.decoder)

        def play(batch: torch.Tensor, noise: torch.Generator) -> Scene:
            return Scene(batch, maker.draw(len(batch), noise))

        objective = Adversarial(net, play, NonSaturating(), turns=self.turns, judge=judge)
        return Act(Reconstruction(coder), records.source, self.pretrain), Act(objective, records.source)


class Shortcut(nn.Module):
    """h + f(norm(W h))."""

    def __init__(self, width: int, *, bounded: bool) -> None:
        super().__init__()
        self.layer, self.norm, self.bounded = linear(width, width), BatchNorm(width), bounded

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        moved = self.norm(self.layer(h))
        return h + (torch.tanh(moved) if self.bounded else relu(moved))


class MedGanMaker(Maker):
    """Normal noise -> layers with shortcuts, relu and at last tanh like the codes -> decoder -> heads."""

    def __init__(self, dense: Dense, facts: Mapping[str, torch.Tensor], *, latent: int, layers: int) -> None:
        super().__init__(dense, facts)
        self.latent, self.heads = latent, Heads(dense.spans)
        self.layers = nn.Sequential(*(Shortcut(latent, bounded=i == layers - 1) for i in range(layers)))
        self.decoder = linear(latent, dense.width)

    def draw(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records."""
        code = self.layers(torch.randn((n, self.latent), generator=noise))
        return self.heads(self.decoder(code), noise)


class Averaging(nn.Module):
    """A critic that reads each record beside the mean of its minibatch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = Mlp(2 * width, (256, 128), 1, activation=relu)

    def forward(self, x: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        out: torch.Tensor = self.net(torch.cat([x, x.mean(0, keepdim=True).expand_as(x)], 1), noise)
        return out


class Autoencoder(nn.Module):
    """tanh(V x) and the maker's decoder."""

    def __init__(self, maker: MedGanMaker) -> None:
        super().__init__()
        self.encoder, self.decoder = linear(maker.dense.width, maker.latent), maker.decoder
        self.heads = maker.heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, width) numbers before the heads."""
        out: torch.Tensor = self.decoder(torch.tanh(self.encoder(x)))
        return out


class Reconstruction:
    """What the autoencoder loses: the cross-entropy of every choice and the squared error of every number."""

    def __init__(self, net: Autoencoder) -> None:
        self.net = net
        self.turns = (Turn("autoencoder", self.loss, tuple(net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) losses of (n, width) records."""
        heads, raw = self.net.heads, self.net(batch)
        missed = -(batch[:, heads.choices] * heads.log_shares(raw[:, heads.choices])).sum(1)
        wrong: torch.Tensor = ((batch[:, heads.numbers] - raw[:, heads.numbers]) ** 2).sum(1)
        return missed + wrong

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Not looked at: the adversarial part starts where the autoencoder ends."""
        return None
