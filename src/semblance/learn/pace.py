"""How many steps fit into a time budget, by a short probe. The plan, not the clock, decides the bytes."""

from __future__ import annotations

import time

import numpy as np

from semblance.learn.device import device_of, settle
from semblance.learn.rules import Rule
from semblance.learn.trainer import PLAIN, Objective, Source, TrainPlan, train_loop

PROBE_STEPS, UNSTEADY = 40, 5
MARGIN = 1.05
"""A step of the probe is taken for a little longer than it was."""


def within_epochs(steps: int, *, epochs: int, records: int, batch: int, fewest: int) -> int:
    """`steps`, but no more than so many passes over the data or `fewest` steps, whichever is more; at least 20."""
    ceiling = epochs * max(1, records // min(batch, max(records, 1)))
    return max(20, min(steps, max(ceiling, fewest)))


def steps_within(
    objective: Objective,
    source: Source,
    plan: TrainPlan,
    *,
    rng: np.random.Generator,
    begun: float,
    budget: float,
    rule: Rule = PLAIN,
) -> int:
    """Steps that end `budget` seconds after `begun` (time.monotonic), found by training `objective` for a few.

    What was spent before counts half: `fit` repeats the encoding, but not the probe. At least 20 steps.
    """
    probe, stamps = TrainPlan(**{**plan.to_json(), "steps": PROBE_STEPS}), [time.monotonic()]
    for _ in train_loop(objective, source, rule, probe, rng=rng):
        settle(device_of(objective.net))
        stamps.append(time.monotonic())
        if len(stamps) > UNSTEADY + 3 and stamps[-1] - begun > 0.2 * budget:
            break
    per_step = float(np.median(np.diff(stamps[UNSTEADY:] if len(stamps) > UNSTEADY + 1 else stamps)))
    left = max(budget - (time.monotonic() - begun) / 2, 0.1 * budget)
    return max(20, int(left / (per_step * MARGIN)))
