"""The attack on votes: it hears every noisy count of a training by teachers (`objectives.pate`).

It knows the first weights, all records that were generated, and which teacher would have which patient; not who is
there. So it can train that teacher itself, with the patient and without, and knows by how much each count would be
moved. There is nobody else: whoever votes besides would only hide the patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

from semblance.core.rng import stream
from semblance.learn.objectives.pate import Teachers, Votes
from semblance.learn.rules import Rule
from semblance.learn.trainer import TrainPlan, Turn, train_to_end

LEAST = 1e-9
"""Of a sum of squares: counts without any noise are told from others by no more than its logarithm."""


class Overheard:
    """Hears a training from its first step on. `plan` and `rule` are those that it is trained by."""

    def __init__(self, votes: Votes, *, plan: TrainPlan, rule: Rule) -> None:
        self.parts, self.plan, self.rule = votes.parts, plan, rule
        self.first, self.steps = deepcopy(votes.net.teachers), list[tuple[torch.Tensor, np.ndarray, torch.Tensor]]()
        self._asked: tuple[torch.Tensor, np.ndarray] | None = None
        votes.seen = self

    def __call__(self, fake: torch.Tensor, noisy: np.ndarray | None) -> None:
        """Generated records: those that were voted on, with the noisy counts, or those that teachers learn from."""
        if noisy is not None:
            self._asked = fake, noisy
        elif self._asked is not None:
            self.steps.append((*self._asked, fake))

    def scores(self, own: torch.Tensor, teacher: np.ndarray) -> np.ndarray:
        """(n,) log of how much more likely the counts are with each patient, of whom (n, width) records are `own` and
        (n,) says the `teacher`, than without, if each other one of them was there by the toss of a coin.

        The noise is taken to be as large as it looks: what was claimed of it is what is doubted. Noise that is as large
        as claimed looks like that, over some hundred votes.
        """
        if not self.steps:
            return np.zeros(len(own))
        again = _Again(self, own, teacher)
        rng, plan = stream(0, "overheard"), replace(self.plan, steps=len(self.steps))
        train_to_end(again, self.parts, plan, rng=rng, rule=self.rule)
        nobody, moved = np.concatenate(again.counts), np.concatenate(again.moved, axis=1)
        rest = np.concatenate([noisy for _, noisy, _ in self.steps]) - nobody - moved.sum(0) / 2
        without, beside = (np.square(rest + side * moved / 2).sum(1) + LEAST for side in (1, -1))
        found: np.ndarray = len(rest) / 2 * np.log(without / beside)
        return found


class _Again:
    """The objective of teachers alone, on what was heard: all of them without a record, then one for each patient."""

    def __init__(self, heard: Overheard, own: torch.Tensor, teacher: np.ndarray) -> None:
        self.heard, self.own, self.teacher = heard, own, torch.from_numpy(teacher)
        self.count, self.step = len(heard.first.up), 0
        self.net: Teachers = deepcopy(heard.first)
        for name, first in heard.first.named_parameters():
            setattr(self.net, name, nn.Parameter(torch.cat([first.detach(), first.detach()[self.teacher]])))
        self.counts, self.moved = list[np.ndarray](), list[np.ndarray]()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """They learn, as before."""
        return (Turn("teachers", self._teach, tuple(self.net.parameters())),)

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Nothing is kept aside."""
        return None

    def _teach(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        asked, _, fake = self.heard.steps[self.step]
        self.step += 1
        with torch.no_grad():
            votes = (self.net(asked) > 0).int()
        self.counts.append(votes[: self.count].sum(0).numpy())
        self.moved.append((votes[self.count :] - votes[self.teacher]).numpy())
        losses = softplus(self.net(fake)).mean(1)
        real = softplus(-self._of_own())
        # The mean is taken over more teachers than there were.
        return torch.cat([losses[: self.count], losses[self.count :] + real]) * (len(losses) / self.count)

    def _of_own(self) -> torch.Tensor:
        """(n,) the score of each patient's record by the teacher that has it."""
        shown = torch.cat([torch.zeros(self.count, self.own.shape[1]), self.own])[:, None]
        score: torch.Tensor = self.net(shown)[self.count :, 0]
        return score
