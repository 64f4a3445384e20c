"""ADS-GAN (Yoon, Drumright, van der Schaar, IEEE JBHI 2020): each record keeps away from the real one it is made of.

The generator reads a real record x beside the noise, and besides fooling a Wasserstein critic it is rewarded for the
distance between x and what it makes of it. A feature weighs 1 over its entropy, so that rare ones count more.

The paper samples by feeding the training records again. Here no record is kept: the trained generator maps the
distribution of the data onto itself, so it is applied `sweeps` times to a start whose columns are drawn independently
from their shares (one-hots) and from normal noise (scores). What it reads is then its own last output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch.nn.functional import one_hot

from semblance.core.model import Card
from semblance.learn.nets.mlp import Mlp, start
from semblance.learn.objectives.gan import Adversarial, Players, Scene, Wasserstein
from semblance.modalities.table.generators.adversarial import Act, AdversarialSpec, Heads, Judge, Maker, Records
from semblance.modalities.table.generators.dense import Dense, Span
from semblance.modalities.table.generators.marginals import shares_of

CARD = Card(
    name="adsgan",
    summary="GAN that keeps each generated record away from the real one it was made of (identifiability)",
    paper="Yoon, Drumright, van der Schaar, ADS-GAN, IEEE Journal of Biomedical and Health Informatics 2020",
    needs=("torch",),
)


@dataclass(frozen=True)
class AdsGan(AdversarialSpec):
    """A Wasserstein GAN on records, with an identifiability term."""

    batch: int = 128
    """Records that each turn sees."""
    rate: float = 1e-3
    """Learning rate of both sides."""
    identifiability: float = 0.1
    """Lambda: the weight of the distance from the record that is read. More is more private and less faithful."""
    width: int = 128
    """Width of the hidden layers: three of the generator, two of the critic."""
    penalty: float = 10.0
    """Weight of the gradient penalty."""
    turns: int = 5
    """Turns of the critic before each of the generator."""
    sweeps: int = 5
    """How often the generator is applied to its own output when sampling."""
    card: ClassVar[Card] = CARD

    def maker(self, dense: Dense, facts: Mapping[str, torch.Tensor]) -> AdsGanMaker:
        """Noise and a record through three layers."""
        return AdsGanMaker(dense, facts, latent=self.latent, width=self.width, sweeps=self.sweeps)

    def acts(self, maker: AdsGanMaker, records: Records, judge: Judge, *, rng: np.random.Generator) -> tuple[Act, ...]:
        """Both sides, all the way; the critic sees records alone."""
        net = Players(maker, Mlp(records.dense.width, (self.width,) * 2, 1))
        start(net, rng=rng)
        maker.prefer(maker.net.last)
        weights = feature_weights(records)

        def play(batch: torch.Tensor, noise: torch.Generator) -> Scene:
            fake = maker.make(batch, noise)
            return Scene(batch, fake, -self.identifiability * apart(batch, fake, weights))

        objective = Adversarial(net, play, Wasserstein(self.penalty), turns=self.turns, judge=judge)
        return (Act(objective, records.source),)


class AdsGanMaker(Maker):
    """Uniform noise and a record -> three hidden layers of tanh -> heads."""

    def __init__(
        self, dense: Dense, facts: Mapping[str, torch.Tensor], *, latent: int, width: int, sweeps: int
    ) -> None:
        super().__init__(dense, facts)
        self.latent, self.sweeps, self.heads = latent, sweeps, Heads(dense.spans)
        self.net = Mlp(latent + dense.width, (width,) * 3, dense.width, activation=torch.tanh)

    def make(self, x: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records made of (n, width) others."""
        z = torch.rand((len(x), self.latent), generator=noise) * 2 - 1
        return self.heads(self.net(torch.cat([z, x], 1)), noise)

    def draw(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records, made of a start with independent columns in `sweeps` steps."""
        x = self._independent(n, noise)
        for _ in range(self.sweeps):
            x = _whole(self.make(x, noise), self.dense.spans)
        return x

    def _independent(self, n: int, noise: torch.Generator) -> torch.Tensor:
        x = torch.randn((n, self.dense.width), generator=noise)
        for span in self.dense.spans:
            if span.kind == "onehot":
                drawn = torch.multinomial(self.shares[span.start : span.stop], n, replacement=True, generator=noise)
                x[:, span.start : span.stop] = one_hot(drawn, span.width).float()
        return x


def _whole(x: torch.Tensor, spans: Sequence[Span]) -> torch.Tensor:
    """Every choice as a whole one-hot again: the generator has read nothing else."""
    whole = x.clone()
    for span in spans:
        if span.kind == "onehot":
            part = slice(span.start, span.stop)
            whole[:, part] = one_hot(x[:, part].argmax(1), span.width).float()
    return whole


def feature_weights(records: Records) -> torch.Tensor:
    """(width,) 1 / entropy of each entry's column, their mean 1 so that lambda means the same on every table."""
    shares = shares_of(records.codes, records.dense.encoding.sizes)
    names = [field.name for field in records.dense.encoding.fields]
    entropy = {name: float(-(s[s > 0] * np.log(s[s > 0])).sum()) for name, s in zip(names, shares, strict=True)}
    entries = [1 / max(entropy[s.column], 1e-3) for s in records.dense.spans for _ in range(s.width)]
    weights = torch.tensor(entries, dtype=torch.float32)
    return weights / weights.mean()


def apart(x: torch.Tensor, made: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """(n,) weighted root mean square distance of records from what was made of them."""
    return (((x - made) * weights) ** 2).mean(1).add(1e-12).sqrt()
