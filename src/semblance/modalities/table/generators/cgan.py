"""Conditional GAN (Mirza & Osindero 2014): generator and critic are both told the class of the record.

The class is the value of the schema's target. A target of many values (a number, a date, codes) is cut into at most
ten classes of about equal mass along its codes, and its own value is generated with the rest. Without a target, or with
one that never varies, there is a single class, and this is the plain GAN of Goodfellow et al. (2014).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch.nn.functional import one_hot, relu

from semblance.core.errors import UsageError
from semblance.core.model import Card
from semblance.learn.nets.mlp import Mlp, start
from semblance.learn.objectives.gan import Adversarial, NonSaturating, Players, Scene
from semblance.modalities.table.codes import Categories
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.adversarial import (
    Act,
    AdversarialModel,
    AdversarialSpec,
    Heads,
    Judge,
    Maker,
    Records,
)
from semblance.modalities.table.generators.dense import Dense

CARD = Card(
    name="cgan",
    summary="GAN told the class of each record, so classes can be drawn in their own or in even shares",
    paper="Mirza & Osindero, Conditional Generative Adversarial Nets, arXiv 2014",
    needs=("torch",),
)
CLASSES, TEMPERATURE = 10, 0.2


@dataclass(frozen=True)
class CGan(AdversarialSpec):
    """A GAN that is conditional on the target."""

    batch: int = 128
    """Records that each turn sees."""
    rate: float = 1e-3
    """Learning rate of both sides."""
    width: int = 128
    """Width of the two hidden layers of either side."""
    dropout: float = 0.5
    """Share of the critic's hidden numbers that are dropped."""
    turns: int = 1
    """Turns of the critic before each of the generator."""
    even: float = 0.0
    """How classes are drawn: 0 in the shares of the data, 1 all equally often, between them in between."""
    card: ClassVar[Card] = CARD

    def facts(self, records: Records) -> dict[str, torch.Tensor]:
        """Besides the shares of all choices, those of the classes."""
        held = class_of(records.dense.encoding, records.codes)
        counts = torch.bincount(held, minlength=_classes(records.dense.encoding)) / max(len(held), 1)
        return {**super().facts(records), "classes": counts}

    def maker(self, dense: Dense, facts: Mapping[str, torch.Tensor]) -> CGanMaker:
        """Noise and a class through two layers."""
        return CGanMaker(dense, facts, latent=self.latent, width=self.width, even=self.even)

    def acts(self, maker: CGanMaker, records: Records, judge: Judge, *, rng: np.random.Generator) -> tuple[Act, ...]:
        """Both sides, all the way; batches carry the class of every record."""
        classes = len(maker.classes)
        critic = Mlp(records.dense.width + classes, (self.width,) * 2, 1, dropout=self.dropout)
        net = Players(maker, critic)
        start(net, rng=rng)
        maker.prefer(maker.net.last)

        def play(batch: torch.Tensor, noise: torch.Generator) -> Scene:
            asked = batch[:, -classes:]
            return Scene(batch, torch.cat([maker.make(asked, noise), asked], 1))

        objective = Adversarial(net, play, NonSaturating(), turns=self.turns, judge=judge)
        return (Act(objective, Labelled(records, classes)),)

    def model(self, encoding: Encoding, options: Mapping[str, Any], maker: Maker) -> CGanModel:
        """The fitted generator."""
        return CGanModel(encoding, options, maker, self)


@dataclass(frozen=True)
class CGanModel(AdversarialModel):
    """What draws records, class by class."""

    def with_shares(self, shares: Mapping[str, float]) -> CGanModel:
        """The same model, drawing the target's values in these shares; values that are not named are not drawn.

        Raises UsageError where the target is not a categorical column, for an unknown value, and unless the shares are
        not negative and not all 0.
        """
        target = _target(self.encoding)
        coder = None if target is None else self.encoding.columns[target]
        tokens = coder.tokens if isinstance(coder, Categories) else ()
        unknown = sorted(set(shares) - {token for token in tokens if token is not None})
        if unknown or not shares or min(shares.values()) < 0 or sum(shares.values()) <= 0:
            raise UsageError.of(
                f"shares of {len(shares)} classes, {len(unknown)} of them unknown",
                rule="shares name values of a categorical target, none is negative, and one is above 0",
                fix='with_shares({"yes": 0.5, "no": 0.5}), or the option even for any target',
            )
        maker = copy.deepcopy(self.maker)
        assert isinstance(maker, CGanMaker)
        maker.classes.copy_(torch.tensor([float(shares.get(str(token), 0.0)) for token in tokens]))
        maker.even = 0.0
        return replace(self, maker=maker, options={**self.options, "even": 0.0})


class CGanMaker(Maker):
    """Normal noise and a class -> two hidden layers -> heads. The target is the class, where classes are its values."""

    classes: torch.Tensor

    def __init__(
        self, dense: Dense, facts: Mapping[str, torch.Tensor], *, latent: int, width: int, even: float
    ) -> None:
        super().__init__(dense, facts)
        self.latent, self.even, self.heads = latent, even, Heads(dense.spans, temperature=TEMPERATURE)
        self.net = Mlp(latent + len(self.classes), (width,) * 2, dense.width, activation=relu)
        target = _target(dense.encoding)
        exact = target is not None and isinstance(dense.encoding.columns[target], Categories)
        name = dense.encoding.fields[target].name if exact and target is not None else None
        self.fixed = next((slice(s.start, s.stop) for s in dense.spans if s.column == name), slice(0, 0))

    def make(self, asked: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records of (n, classes) one-hots."""
        z = torch.randn((len(asked), self.latent), generator=noise)
        x = self.heads(self.net(torch.cat([z, asked], 1)), noise)
        return torch.cat([x[:, : self.fixed.start], asked, x[:, self.fixed.stop :]], 1) if self.fixed.stop else x

    def draw(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records, their classes in the shares of the data or more even ones."""
        shares = torch.where(self.classes > 0, self.classes ** (1 - self.even), 0.0)
        drawn = torch.multinomial(shares, n, replacement=True, generator=noise)
        return self.make(one_hot(drawn, len(shares)).float(), noise)


class Labelled:
    """The vectors of records, each followed by the one-hot of its class."""

    def __init__(self, records: Records, classes: int) -> None:
        self.vectors, self.subjects = records.source, records.source.subjects
        self.held, self.classes = class_of(records.dense.encoding, records.codes), classes

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """(n, width + classes) of these records."""
        held = one_hot(self.held[torch.from_numpy(index)], self.classes).float()
        return torch.cat([self.vectors.batch(index), held], 1)


def _target(encoding: Encoding) -> int | None:
    """Which of the coded columns is the target, if one varies."""
    found = [j for j, field in enumerate(encoding.fields) if field.role == "target" and encoding.columns[j].size > 1]
    return found[0] if found else None


def _classes(encoding: Encoding) -> int:
    target = _target(encoding)
    if target is None:
        return 1
    size = encoding.columns[target].size
    return size if isinstance(encoding.columns[target], Categories) else min(size, CLASSES)


def class_of(encoding: Encoding, codes: np.ndarray) -> torch.Tensor:
    """(n,) class of each record of (n, columns) codes."""
    target = _target(encoding)
    if target is None:
        return torch.zeros(len(codes), dtype=torch.int64)
    held, size = codes[:, target], encoding.columns[target].size
    if isinstance(encoding.columns[target], Categories):
        return torch.from_numpy(held)
    share = np.bincount(held, minlength=size) / max(len(held), 1)
    middle = np.cumsum(share) - share / 2
    return torch.from_numpy(np.minimum((middle * _classes(encoding)).astype(np.int64), _classes(encoding) - 1)[held])
