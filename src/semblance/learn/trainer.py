"""The only training loop of the project.

It yields after every step, so the caller's `for` shows progress and may stop early with `break`. Losses come one value
per record; only the rule reduces them. Every step draws its batch and its noise from the seed and the step's number
alone, so 20 steps equal 10 steps, a checkpoint, and 10 more, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from semblance.core.model import Tick
from semblance.core.rng import root_of, stream
from semblance.learn.rules import Plain
from semblance.learn.state import State

CHECKPOINT_SECONDS = 10.0


class Source(Protocol):
    """Records by index, and the patient of each."""

    subjects: np.ndarray

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """The records of `index`, read when they are needed."""
        ...


class Objective(Protocol):
    """A network and its loss. `held_out` is a loss that may be looked at between steps, lower is better."""

    @property
    def net(self) -> torch.nn.Module:
        """The network in training."""
        ...

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(batch,) one loss per record."""
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
    warmup: int = 100
    ema: float = 0.999
    look: int = 200
    """Steps between looks at the held-out loss."""
    patience: int = 20
    """Looks without a gain before training stops."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    def rate_at(self, step: int) -> float:
        """Warm-up, then a cosine to zero at the last step (Loshchilov & Hutter 2017)."""
        warm = min(1.0, (step + 1) / max(1, min(self.warmup, self.steps // 10)))
        return self.rate * warm * 0.5 * (1 + math.cos(math.pi * step / max(1, self.steps)))


def train_loop(
    objective: Objective,
    source: Source,
    rule: Plain,
    plan: TrainPlan,
    *,
    rng: np.random.Generator,
    resume: Path | None = None,
) -> Iterator[Tick]:
    """Train `objective.net` in place; at the end it holds the best averaged weights. `resume` names a checkpoint."""
    seed, parameters = root_of(rng), list(objective.net.parameters())
    optimizer = torch.optim.AdamW(
        parameters, lr=plan.rate, weight_decay=plan.weight_decay, betas=(0.9, 0.99), fused=True
    )
    state = State.fresh(objective.net, optimizer)
    if resume is not None and resume.exists():
        state.load(resume)
    saved = time.monotonic()
    while state.step < plan.steps and state.looks_without_gain < plan.patience:
        _step(objective, source, rule, plan, state, seed)
        if resume is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
            state.save(resume)
            saved = time.monotonic()
        yield Tick(state.step, plan.steps, *state.last)
    objective.net.load_state_dict(state.best if state.best_step else state.average)


def _step(objective: Objective, source: Source, rule: Plain, plan: TrainPlan, state: State, seed: int) -> None:
    noise = torch.Generator().manual_seed(int(stream(seed, "noise", state.step).integers(2**62)))
    for group in state.optimizer.param_groups:
        group["lr"] = plan.rate_at(state.step)
    losses = objective.loss(source.batch(batch_at(len(source.subjects), plan.batch, state.step, seed)), noise)
    state.optimizer.zero_grad(set_to_none=True)
    rule.backward(losses, [p for group in state.optimizer.param_groups for p in group["params"]])
    state.optimizer.step()
    state.step += 1
    state.follow(min(plan.ema, (1 + state.step) / (10 + state.step)))
    look = state.step % plan.look == 0 or state.step == plan.steps
    held_out = objective.held_out(state.average) if look else None
    if held_out is not None:
        state.keep_if_best(held_out)
    state.last = (float(losses.detach().mean()), held_out)


def batch_at(n: int, size: int, step: int, seed: int) -> np.ndarray:
    """Indices of the batch of a step: epochs of fresh permutations, cut into equal batches."""
    size = min(size, n)
    per_epoch = n // size
    epoch, place = divmod(step, per_epoch)
    return _permutation(n, seed, epoch)[place * size : (place + 1) * size]


@lru_cache(maxsize=1)
def _permutation(n: int, seed: int, epoch: int) -> np.ndarray:
    return stream(seed, "epoch", epoch).permutation(n)
