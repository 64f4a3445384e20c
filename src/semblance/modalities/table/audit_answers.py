"""Attacks on a generator under local differential privacy: they see the very answer of the attacked patient.

There is one seat, so that what is tallied is the answer. Whether the planted patient or another one sits there is told
by the likelihood ratio of the answer, and by which question was asked where that gives a patient away: it must not
depend on the record. So the bound comes as near to epsilon as the number of trials allows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.table.audit import CANARIES, SURE, simulated
from semblance.modalities.table.data import Table
from semblance.privacy.audit import Audit, budget, from_one_run, from_rates
from semblance.privacy.local import randomiser

LOOKED = 40
"""So many answers a side show which question gives a patient away."""
CHANCE = 3.0
"""Logarithm of the ratio of two frequencies up to which it is put down to chance."""
Asked = tuple[int, ...]


@dataclass(frozen=True)
class Seat:
    """A mechanism, the records of the two patients of whom one sits in its only seat, and their codes."""

    spec: Any
    tables: tuple[Table, Table]
    codes: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, spec: Any, seed: int) -> Seat:
        """Another patient, and the planted one."""
        cohort = simulated(stream(seed, "audit"))
        schema = replace(cohort.base.schema, n_public=1)
        other, planted = (Table(schema, t.frame, t.subjects) for t in (cohort.base.take(np.array([0])), cohort.planted))
        coders = [spec.encoding_of(table, None).encode(table)[0] for table in (other, planted)]
        return cls(spec, (other, planted), (coders[0], coders[1]))

    def run(self, planted: bool, epsilon: float, delta: float) -> tuple[Asked, float]:
        """Which columns were asked of one of them, and the log-likelihood ratio of what was answered."""
        with budget(epsilon, delta) as ledger:
            _, told = self.spec.measured(self.tables[planted], ledger)
        asked = [tally for tally in told.tallies if tally.asked]
        ratio = 0.0
        for tally in asked:
            by = randomiser(tally.question.size, told.epsilon)
            other, own = (int(tally.question.cells(codes[None])[0]) for codes in self.codes)
            ratio += by.likelihood(tally.counts, own, asked=tally.asked)
            ratio -= by.likelihood(tally.counts, other, asked=tally.asked)
        return tuple(j for tally in asked for j in tally.question.columns), ratio


def audit_answers(
    spec: Any,
    *,
    epsilon: float,
    delta: float,
    trials: int,
    confidence: float,
    seed: int,
    watch: Callable[[int, int], None] | None = None,
) -> Audit:
    """Lower bounds of what an answer to `spec` leaks under a budget of (epsilon, delta), from `trials` answers a side.
    What assumes Gaussian noise is not tried."""
    seat = Seat.of(spec, seed)

    def runs(planted: bool, count: int, done: int) -> list[tuple[Asked, float]]:
        found = []
        for run in range(done, done + count):
            if watch is not None:
                watch(run, 2 * (LOOKED + trials))
            found.append(seat.run(planted, epsilon, delta))
        return found

    telling = _telling(runs(True, LOOKED, 0), runs(False, LOOKED, LOOKED))
    inside, outside = (
        np.array([telling.get(asked, 0.0) + ratio for asked, ratio in runs(planted, trials, done)])
        for planted, done in ((True, 2 * LOOKED), (False, 2 * LOOKED + trials))
    )
    there = stream(seed, "audit", "canaries").random(CANARIES) < 0.5
    every = np.array([seat.run(bool(planted), epsilon, delta)[1] for planted in there])
    # Two attacks are tried, and the better one counts: each has half of what may go wrong.
    how: dict[str, float] = {"delta": delta, "confidence": 1 - (1 - confidence) / 2}
    return Audit(
        epsilon, delta, confidence, trials, from_rates(inside, outside, **how), 0.0, from_one_run(every, there, **how)
    )


def _telling(inside: list[tuple[Asked, float]], outside: list[tuple[Asked, float]]) -> dict[Asked, float]:
    """How much each question speaks for the planted patient, where it does beyond chance."""
    seen, others = (Counter(asked for asked, _ in side) for side in (inside, outside))
    ratios = {asked: math.log((seen[asked] + 1) / (others[asked] + 1)) for asked in seen | others}
    return {asked: math.copysign(SURE, ratio) for asked, ratio in ratios.items() if abs(ratio) > CHANCE}
