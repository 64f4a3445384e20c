"""CTGAN (Xu et al., NeurIPS 2019): numbers by mode, and a generator that is asked for one category at a time.

The condition is one value of one categorical column: in training the column is uniform and the value follows its
log-frequency, so that rare values are learned; the real records beside it hold that value (training-by-sampling). When
sampling, values follow their real shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn.functional import leaky_relu, one_hot, relu

from semblance.core.model import Card
from semblance.learn.nets.mlp import BatchNorm, Mlp, linear, start
from semblance.learn.objectives.gan import Adversarial, Players, Scene, Wasserstein
from semblance.modalities.table.codes import Categories
from semblance.modalities.table.generators.adversarial import Act, AdversarialSpec, Heads, Judge, Maker, Records
from semblance.modalities.table.generators.dense import Dense, Span, Vectors
from semblance.modalities.table.generators.scalars import Kind

CARD = Card(
    name="ctgan",
    summary="conditional GAN with mode-specific numbers, trained by sampling; the comparator that most papers use",
    paper="Xu et al., Modeling Tabular Data using Conditional GAN, NeurIPS 2019",
    needs=("torch",),
)
TEMPERATURE, PENALTY = 0.2, 10.0


@dataclass(frozen=True)
class Ctgan(AdversarialSpec):
    """CTGAN; smaller batches and larger steps than the paper's 500 and 2e-4, for budgets of seconds on a processor."""

    batch: int = 200
    """Records that each turn sees."""
    rate: float = 5e-4
    """Learning rate of both sides."""
    width: int = 256
    """Width of the two hidden layers of either side."""
    pack: int = 10
    """Records that the critic sees at once (PacGAN)."""
    dropout: float = 0.5
    """Share of the critic's hidden numbers that are dropped."""
    turns: int = 1
    """Turns of the critic before each of the generator."""
    card: ClassVar[Card] = CARD
    numbers: ClassVar[Kind] = "modes"
    decay: ClassVar[float] = 1e-6

    def maker(self, dense: Dense, facts: Mapping[str, torch.Tensor]) -> CtganMaker:
        """Noise and a condition through two widening layers."""
        return CtganMaker(dense, facts, latent=self.latent, width=self.width)

    def acts(self, maker: CtganMaker, records: Records, judge: Judge, *, rng: np.random.Generator) -> tuple[Act, ...]:
        """Both sides, all the way."""
        pack = max(1, min(self.pack, len(records.codes)))
        inputs = records.dense.width + len(maker.entries)
        critic = Mlp(pack * inputs, (self.width,) * 2, 1, activation=_leaky, dropout=self.dropout)
        net = Players(maker, critic)
        start(net, rng=rng)
        maker.prefer(maker.last)
        drill = Drill(maker, records.source) if len(maker.entries) else None

        def play(batch: torch.Tensor, noise: torch.Generator) -> Scene:
            if drill is None:
                return Scene(batch, maker.draw(len(batch), noise))
            return drill.play(len(batch), noise)

        objective = Adversarial(net, play, Wasserstein(PENALTY), turns=self.turns, pack=pack, judge=judge)
        return (Act(objective, records.source),)


def _leaky(h: torch.Tensor) -> torch.Tensor:
    return leaky_relu(h, 0.2)


class Widening(nn.Module):
    """h and relu(norm(W h)), side by side."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer, self.norm = linear(inputs, outputs), BatchNorm(outputs)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return torch.cat([h, relu(self.norm(self.layer(h)))], 1)


class CtganMaker(Maker):
    """Noise and the condition -> two widening layers -> heads. `entries` are the places of all conditions."""

    def __init__(self, dense: Dense, facts: Mapping[str, torch.Tensor], *, latent: int, width: int) -> None:
        super().__init__(dense, facts)
        self.latent, self.heads = latent, Heads(dense.spans, bounded=True, temperature=TEMPERATURE)
        asked = conditions(dense)
        self.entries = torch.tensor([i for s in asked for i in range(s.start, s.stop)], dtype=torch.int64)
        inputs = latent + len(self.entries)
        self.hidden = nn.Sequential(Widening(inputs, width), Widening(inputs + width, width))
        self.last = linear(inputs + 2 * width, dense.width)

    def raw(self, condition: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n, width) numbers before the heads, for (n, conditions) one-hots."""
        z = torch.randn((len(condition), self.latent), generator=noise)
        out: torch.Tensor = self.last(self.hidden(torch.cat([z, condition], 1)))
        return out

    def draw(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records; conditions by the real shares of their values."""
        condition = torch.zeros(n, 0)
        if len(self.entries):
            drawn = torch.multinomial(self.shares[self.entries], n, replacement=True, generator=noise)
            condition = one_hot(drawn, len(self.entries)).float()
        return self.heads(self.raw(condition, noise), noise)


def conditions(dense: Dense) -> list[Span]:
    """The one-hots of categorical columns: what a generator may be asked for."""
    codes = dict(zip((field.name for field in dense.encoding.fields), dense.encoding.columns, strict=True))
    return [s for s in dense.spans if s.kind == "onehot" and isinstance(codes[s.column], Categories)]


class Drill:
    """Training-by-sampling: a condition, a real record that meets it, and a generated one that should."""

    def __init__(self, maker: CtganMaker, source: Vectors) -> None:
        self.maker, self.source = maker, source
        spans = list(source.dense.spans)
        rows, counts = [], []
        for span in conditions(source.dense):
            held = source.packed[:, spans.index(span)].long()
            rows.append(torch.argsort(held, stable=True).int())
            counts.append(torch.bincount(held, minlength=span.width))
        self.rows, self.counts = torch.cat(rows), torch.cat(counts)
        self.starts = self.counts.cumsum(0) - self.counts
        self.weights = torch.cat([torch.log1p(c) / torch.log1p(c).sum() for c in (c.double() for c in counts)])
        place = torch.full((source.dense.width,), -1)
        place[maker.heads.choices] = torch.arange(len(maker.heads.choices))
        self.logit = place[maker.entries]

    def play(self, n: int, noise: torch.Generator) -> Scene:
        """The generator also loses the cross-entropy of the value that it was asked for."""
        asked = torch.multinomial(self.weights, n, replacement=True, generator=noise)
        condition = one_hot(asked, len(self.weights)).float()
        raw = self.maker.raw(condition, noise)
        heads = self.maker.heads
        missed = -heads.log_shares(raw[:, heads.choices]).gather(1, self.logit[asked][:, None])[:, 0]
        real = self.source.batch(self._holding(asked, noise).numpy())
        fake = heads(raw, noise)
        return Scene(torch.cat([real, condition], 1), torch.cat([fake, condition], 1), missed)

    def _holding(self, asked: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) rows, each uniform among those that hold the value that is asked for."""
        place = (torch.rand(len(asked), generator=noise, dtype=torch.float64) * self.counts[asked]).long()
        return self.rows[self.starts[asked] + place].long()
