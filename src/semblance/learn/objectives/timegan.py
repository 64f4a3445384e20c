"""The three phases of TimeGAN (Yoon et al. 2019): embedding, supervision, and both together with an adversary.

Weights of the losses, their roots and the critic's rest while it is good are those of the authors' program. Roots are
taken of each record's mean squared error, theirs of the batch's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import softplus

from semblance.learn.nets.series import Series
from semblance.learn.nets.timegan import TimeGan
from semblance.learn.network import Phase
from semblance.learn.objectives.conditional import begin, drawn, energy, some_of
from semblance.learn.trainer import Turn

EMBEDDING, SUPERVISION, MOMENTS, FOLLOWING = 10.0, 100.0, 100.0, 0.1
RESTING = 0.15
"""Loss of the critic below which it does not learn."""
TINY = 1e-8


@dataclass(frozen=True)
class Stage:
    """A phase that nothing is held out for."""

    net: nn.Module
    turns: tuple[Turn, ...]

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """None."""
        return None


class Embedded:
    """Losses, phases and sampling of a TimeGan over rows of a Series."""

    def __init__(self, net: TimeGan, parts: Series, *, aside: torch.Tensor | None = None) -> None:
        self.net, self.maker, self.parts, self.aside = net, net.maker, parts, some_of(aside)
        maker = net.maker
        recoding = (*net.embedder.parameters(), *maker.recovery.parameters())
        supervised = tuple(maker.supervisor.parameters())
        self.phases = (
            Phase(Stage(net, (Turn("embedding", self.embedding, recoding),)), 1 / 3),
            Phase(Stage(net, (Turn("supervision", self.supervision, supervised),)), 1 / 3),
            Phase(self, 1 / 3),
        )
        made = Turn("generator", self.generation, (*maker.generator.parameters(), *supervised))
        told = Turn("embedder", self.following, recoding)
        self.turns = (made, told) * 2 + (Turn("critic", self.criticism, tuple(net.critic.parameters())),)

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where given numbers lie."""
        begin(self.net, batch, rng=rng)

    def embedding(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) how far recovered waves are from the real ones."""
        told, frames = self.maker.told(rows), self.maker.frames(rows)
        return EMBEDDING * _root(self.maker.recovery(self.net.embedder(frames, told), told) - frames)

    def supervision(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) how far the state after each is from the one that the supervisor says."""
        told, states = self.maker.told(rows), self._states(rows)
        return _root(_next(self.maker.supervisor(states, told), states))

    def following(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) losses of embedder and recovery in the last phase: states shall be easy to follow, too."""
        told, frames = self.maker.told(rows), self.maker.frames(rows)
        states = self.net.embedder(frames, told)
        error = EMBEDDING * _root(self.maker.recovery(states, told) - frames)
        ahead = _next(_still(self.maker.supervisor, states, told), states).square().mean((1, 2))
        return error + FOLLOWING * ahead

    def generation(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) losses of generator and supervisor: states pass for real, follow each other, and so do the moments."""
        told, maker = self.maker.told(rows), self.maker
        made = maker.generator(maker.noise(len(rows), noise), told)
        followed = maker.supervisor(made, told)
        passing = sum(softplus(-_still(self.net.critic, x, told)).mean((1, 2)) for x in (followed, made))
        waves = _still(maker.recovery, followed, told)
        supervised = SUPERVISION * self.supervision(rows, noise)
        return passing + supervised + MOMENTS * _moments(waves, maker.frames(rows))

    def criticism(self, rows: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) cross-entropy of states, real, made and followed; 0 while it is low."""
        told, maker = self.maker.told(rows), self.maker
        with torch.no_grad():
            made = maker.generator(maker.noise(len(rows), noise), told)
            followed = maker.supervisor(made, told)
        lost = softplus(-self.net.critic(self._states(rows), told)).mean((1, 2))
        for fake in (followed, made):
            lost = lost + softplus(self.net.critic(fake, told)).mean((1, 2))
        return lost * (lost.detach().mean() > RESTING)

    @torch.no_grad()
    def _states(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, steps, units) states of real waves, held still."""
        states: torch.Tensor = self.net.embedder(self.maker.frames(rows), self.maker.told(rows))
        return states

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """How far drawn series are from those kept aside; None where there are none."""
        if self.aside is None:
            return None
        with torch.no_grad():
            made = functional_call(self.net, dict(weights), (self.aside, torch.Generator().manual_seed(0)))
        return energy(made, self.aside[:, : self.parts.numbers])

    @torch.no_grad()
    def sample(self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes."""
        return drawn(self.maker, self.parts, given, labels, rng=rng)


def _still(net: nn.Module, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """What a network says while its own weights are held still."""
    weights = {name: weight.detach() for name, weight in net.named_parameters()}
    out: torch.Tensor = functional_call(net, weights, (x, told))
    return out


def _next(said: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """What is said after each step, less the state that comes next."""
    return said[:, :-1] - states[:, 1:]


def _root(error: torch.Tensor) -> torch.Tensor:
    """(n,) root mean squares of (n, steps, width)."""
    return (error.square().sum((1, 2)) / max(error[0].numel(), 1) + TINY).sqrt()


def _moments(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """(n,) how far mean and spread of each place of a batch are from those of another, for all records the same."""
    mean = (made.mean(0) - real.mean(0)).abs().mean()
    spread = ((made.var(0, correction=0) + TINY).sqrt() - (real.var(0, correction=0) + TINY).sqrt()).abs().mean()
    return (mean + spread).expand(len(made))
