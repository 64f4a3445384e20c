"""How a turn's batch is drawn and its gradient is formed: plainly, or with noise that hides every single patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from secrets import randbits
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from semblance.core.promise import Steps
from semblance.core.rng import stream
from semblance.learn.gradients import Gradients
from semblance.learn.noise import noise_of
from semblance.learn.rows import Loss, batch_at
from semblance.privacy.noise import normal, sampled

if TYPE_CHECKING:
    from semblance.learn.trainer import Source, TrainPlan, Turn


@dataclass(frozen=True)
class Moment:
    """A turn of a step: its place among the step's, the seed of the training, and how many records are wanted."""

    size: int
    step: int
    seed: int
    place: int


class Rule(Protocol):
    """How a gradient is formed."""

    @property
    def once(self) -> bool:
        """Whether what was trained may never be trained again, so that a finished training is kept."""
        ...

    def check(self, turns: Sequence[Turn], source: Source, plan: TrainPlan) -> None:
        """Raise, before the first step, where the rule does not hold for such a training."""
        ...

    def fill(self, turn: Turn, source: Source, at: Moment) -> float:
        """Draw a batch and fill `.grad` of every parameter of the turn; a number that tells how it goes."""
        ...


@dataclass(frozen=True)
class Plain:
    """The mean over the batch, its norm clipped for stability (Pascanu et al. 2013)."""

    clip: float = 1.0
    once: bool = False
    """Whether what was trained may never be trained again."""

    def check(self, turns: Sequence[Turn], source: Source, plan: TrainPlan) -> None:
        """It holds for all."""

    def fill(self, turn: Turn, source: Source, at: Moment) -> float:
        """From a batch of the epoch; the mean loss."""
        noise = noise_of(stream(at.seed, "noise", at.step if at.place == 0 else f"{at.step}.{at.place}"))
        index = batch_at(len(source.subjects), at.size, at.step, at.seed, turn=at.place)
        batch = source.batch(index).to(turn.parameters[0].device)
        losses = turn.loss(batch, noise)
        if turn.beside is not None:
            losses = losses + turn.beside(batch.new_zeros(len(losses), 0), noise)
        self.backward(losses, list(turn.parameters))
        return float(losses.detach().mean())

    def backward(self, losses: torch.Tensor, parameters: list[torch.nn.Parameter]) -> None:
        """Fill `.grad` of every parameter from (batch,) losses."""
        losses.mean().backward()
        if self.clip < float("inf"):
            torch.nn.utils.clip_grad_norm_(parameters, self.clip)


ROUNDED = 1 - 1e-3
"""The part of the clip that is used."""
Seen = Callable[["Turn", Sequence[torch.Tensor]], None]
"""Hears, before each step, the turn and the noisy sum of gradients of each parameter: all that is known of records."""


@dataclass(frozen=True)
class Private:
    """DP-SGD (Abadi et al., CCS 2016): the gradient of each record is clipped to the length `clip`, and Gaussian noise
    is added to their sum.

    Each record is in a batch by a coin of its own (Poisson sampling), so a batch may be empty; that is a step as well.
    The sum is divided by the batch that is `expected`, never by the one that came, whose size is private. Coins, noise
    and the randomness of losses are the operating system's: whoever knows one of them can undo the others.

    A record may be shown to the network `times` times, each time with a noise of its own, and the mean is its loss
    (Dockhorn et al., TMLR 2023): that costs nothing more. Losses must draw their noise for each row alike and apart.
    A source may as well give (records, times, width) batches, `times` rows of each patient, drawn afresh by the
    operating system's randomness from what this patient has: the mean loss of these is one loss, clipped once.

    What is lost beside, on records that are not looked at, gets no noise. It is clipped all the same, so that the real
    and the generated weigh alike.
    """

    steps: Steps
    """What a ledger has paid for: a turn that looks at records is one of them."""
    expected: float
    clip: float = 1.0
    times: int = 1
    seen: Seen | None = None
    once = True

    def check(self, turns: Sequence[Turn], source: Source, plan: TrainPlan) -> None:
        """Raises ValueError where a patient has several records, and where other steps are planned than paid for."""
        if len(np.unique(source.subjects)) < len(source.subjects):
            raise ValueError("a patient has several records: only one of them may be learned from")
        planned = plan.steps * sum(turn.looks for turn in turns)
        if planned != self.steps.count:
            raise ValueError(f"{planned} steps are planned, and {self.steps.count} are paid for")

    def fill(self, turn: Turn, source: Source, at: Moment) -> float:
        """The noisy gradient; its length."""
        noise, empty = torch.Generator().manual_seed(randbits(63)), torch.zeros(at.size, 0)
        if turn.looks:
            index = sampled(len(source.subjects), rate=self.steps.rate)
            noisy = [self._noised(x) for x in self._clipped(turn, turn.loss, source.batch(index), noise)]
            if self.seen is not None:
                self.seen(turn, noisy)
            for parameter, x in zip(turn.parameters, noisy, strict=True):
                parameter.grad = x / self.expected
        else:
            turn.loss(empty, noise).mean().backward()
        if turn.beside is not None:
            for parameter, x in zip(turn.parameters, self._clipped(turn, turn.beside, empty, noise), strict=True):
                parameter.grad = x / at.size if parameter.grad is None else parameter.grad + x / at.size
        lengths = [p.grad.detach().square().sum() for p in turn.parameters if p.grad is not None]
        return float(torch.stack(lengths).sum().sqrt())

    def _clipped(self, turn: Turn, loss: Loss, batch: torch.Tensor, noise: torch.Generator) -> list[torch.Tensor]:
        """Of each parameter the sum of the gradients of all records, each of them shortened to `clip`."""
        if not len(batch):
            return [torch.zeros_like(p) for p in turn.parameters]
        gradients = self.gradients(replace(turn, loss=loss), batch, noise)
        return gradients.sums(self.weights(gradients.lengths()))

    def gradients(self, turn: Turn, batch: torch.Tensor, noise: torch.Generator) -> Gradients:
        """Of the loss of each record, its mean over `times` draws of noise."""

        def loss() -> torch.Tensor:
            shown = batch.flatten(0, 1) if batch.ndim == 3 else batch.repeat_interleave(self.times, 0)
            return turn.loss(shown, noise).reshape(len(batch), self.times).mean(1)

        return Gradients.of(loss, turn.parameters, records=len(batch), times=self.times)

    def weights(self, lengths: torch.Tensor) -> torch.Tensor:
        """(n,) what each gradient is multiplied by; 0 where it is no number.

        Lengths are rounded, so a gradient is shortened to a little less than `clip`, and never exceeds it.
        """
        most = ROUNDED * self.clip
        return torch.where(lengths.isfinite(), most / lengths.clamp(min=most), 0.0)

    def _noised(self, x: torch.Tensor) -> torch.Tensor:
        drawn = torch.from_numpy(normal(x.numel())).reshape(x.shape)
        return x.detach() + self.steps.sigma * self.clip * drawn
