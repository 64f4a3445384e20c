"""The only training loop of the project.

It yields after every step, so the caller's `for` shows progress and may stop early with `break`. A step goes through
the objective's turns; each turn draws its own batch and noise, and losses come one value per record: only the rule
draws and reduces them. With the plain rule all randomness follows from the seed and the number of the turn alone, so 20
steps equal 10 steps, a checkpoint, and 10 more, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from semblance.core.errors import DataError
from semblance.core.model import Tick, Watch
from semblance.core.rng import root_of
from semblance.learn.rows import Loss
from semblance.learn.rules import Moment, Plain, Rule
from semblance.learn.state import State

CHECKPOINT_SECONDS = 10.0
PLAIN = Plain()


class Source(Protocol):
    """Records by index, and the patient of each."""

    subjects: np.ndarray

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """The records of `index`, read when they are needed."""
        ...


@dataclass(frozen=True)
class Turn:
    """One loss and the parameters that it moves: `loss(batch, noise)` gives (batch,) values, one per record.

    Turns of one name share an optimizer.
    """

    name: str
    loss: Loss
    parameters: tuple[torch.nn.Parameter, ...]
    looks: bool = True
    """Whether the loss looks at records; one that does not only counts them."""
    beside: Loss | None = None
    """What is lost besides, on a batch of as many records that are not looked at, only counted."""


class Objective(Protocol):
    """A network and its losses. `held_out` is a loss that may be looked at between steps, lower is better."""

    @property
    def net(self) -> torch.nn.Module:
        """Everything in training: what is saved, and averaged."""
        ...

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What one step goes through; a network with one loss has one turn."""
        ...

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """The loss of other weights on records kept aside; None where none are."""
        ...


@dataclass(frozen=True)
class TrainPlan:
    """How much work, decided before the first step."""

    steps: int
    batch: int = 256
    rate: float = 3e-3
    weight_decay: float = 0.3
    beta1: float = 0.9
    """Decay of the optimizer's mean of gradients (Kingma & Ba 2015)."""
    beta2: float = 0.99
    """Decay of its mean of squared gradients."""
    anneal: bool = True
    """Whether the rate falls to zero along a cosine."""
    warmup: int = 100
    ema: float = 0.999
    averages: tuple[float, ...] = ()
    """Further averages of the weights beside that of `ema`, by their width: the standard deviation of the steps that
    are averaged, as a share of the steps so far, below 0.28. Each look scores them all, and the best is kept; without
    a held-out loss it is that of `ema`."""
    look: int = 200
    """Steps between looks at the held-out loss."""
    patience: int = 20
    """Looks without a gain before training stops."""
    threads: int = 1
    """Threads of a step. Small networks win nothing by a second one, and lose much where other programs want its core;
    with one, the same bytes come out on any machine of a kind."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {**asdict(self), "averages": list(self.averages)}

    def rate_at(self, step: int) -> float:
        """Warm-up, then a cosine to zero at the last step (Loshchilov & Hutter 2017), or no fall at all."""
        warm = min(1.0, (step + 1) / max(1, min(self.warmup, self.steps // 10)))
        fall = 0.5 * (1 + math.cos(math.pi * step / max(1, self.steps))) if self.anneal else 1.0
        return self.rate * warm * fall

    def decays_at(self, step: int) -> list[float]:
        """Of each average, that of `ema` first, the share that it keeps at a step, from 1 on. The others are power
        functions of the step: they reach back over the same share of a training of any length (Karras et al.,
        Analyzing and Improving the Training Dynamics of Diffusion Models, CVPR 2024, equation 127)."""
        powers = [(1 - 1 / step) ** _power(width) for width in self.averages]
        return [min(self.ema, (1 + step) / (10 + step)), *powers]


def train_loop(
    objective: Objective,
    source: Source,
    rule: Rule,
    plan: TrainPlan,
    *,
    rng: np.random.Generator,
    resume: Path | None = None,
) -> Iterator[Tick]:
    """Train `objective.net` in place; at the end it holds the best averaged weights. `resume` names a checkpoint.

    Raises DataError where the loss is no number any more: a diverged network is never kept.
    """
    seed, turns = root_of(rng), objective.turns
    rule.check(turns, source, plan)
    optimizers = {turn.name: _optimizer(turn, plan) for turn in turns}
    state = State.fresh(objective.net, optimizers, averages=1 + len(plan.averages))
    if resume is not None and resume.exists():
        state.load(resume)
    saved = time.monotonic()
    while state.step < plan.steps and state.looks_without_gain < plan.patience:
        with threads(plan.threads):
            losses = [_turn(turn, source, rule, plan, state, seed, i) for i, turn in enumerate(turns)]
            _count(objective, plan, state, loss=losses[0])
        last = state.step == plan.steps and rule.once
        if resume is not None and (last or time.monotonic() - saved > CHECKPOINT_SECONDS):
            state.save(resume)
            saved = time.monotonic()
        yield Tick(state.step, plan.steps, *state.last)
    objective.net.load_state_dict(state.best if state.best_step else state.averages[0])


def train_to_end(
    objective: Objective,
    source: Source,
    plan: TrainPlan,
    *,
    rng: np.random.Generator,
    watch: Watch | None = None,
    resume: Path | None = None,
    rule: Rule = PLAIN,
) -> None:
    """`train_loop` to its end; `watch` hears of every step."""
    for tick in train_loop(objective, source, rule, plan, rng=rng, resume=resume):
        if watch is not None:
            watch(tick)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with so many threads, and leave the caller's number as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _optimizer(turn: Turn, plan: TrainPlan) -> torch.optim.Optimizer:
    betas = (plan.beta1, plan.beta2)
    return torch.optim.AdamW(turn.parameters, lr=plan.rate, weight_decay=plan.weight_decay, betas=betas, fused=True)


def _turn(turn: Turn, source: Source, rule: Rule, plan: TrainPlan, state: State, seed: int, i: int) -> float:
    """One turn of a step; what the rule says of its loss."""
    optimizer = state.optimizers[turn.name]
    for group in optimizer.param_groups:
        group["lr"] = plan.rate_at(state.step)
    optimizer.zero_grad(set_to_none=True)
    said = rule.fill(turn, source, Moment(plan.batch, state.step, seed, i))
    optimizer.step()
    return said


def _count(objective: Objective, plan: TrainPlan, state: State, *, loss: float) -> None:
    """The step is done: average the weights and, now and then, look at the held-out loss."""
    state.step += 1
    state.follow(plan.decays_at(state.step))
    look = state.step % plan.look == 0 or state.step == plan.steps
    told = [objective.held_out(average) for average in state.averages] if look else []
    held_out = [one for one in told if one is not None]
    if not all(map(math.isfinite, (loss, *held_out))):
        raise DataError.of(
            f"training diverged at step {state.step}: the loss is no finite number",
            rule="only a network that converges is kept",
            fix="learn more slowly ([plan] rate), or choose another generator with `semblance models`",
        )
    if held_out:
        state.keep_if_best(held_out)
    state.last = (loss, min(held_out, default=None))


@cache
def _power(width: float) -> float:
    """k - 1 of an average of this relative width, whose square is (k - 1) / (k^2 (k + 1)) (ibid., equation 123 with
    k = gamma + 2)."""
    return float(np.roots([width**2, width**2, -1, 1]).real.max()) - 1
