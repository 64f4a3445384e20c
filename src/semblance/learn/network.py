"""A network over vectors of numbers, trained within a budget of time, and saved as its weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch

from semblance.core.large import few
from semblance.core.model import Plan, Watch
from semblance.core.rng import root_of, stream
from semblance.learn.device import CPU, array_of
from semblance.learn.drawn import Fitting, Learned, Sizes
from semblance.learn.nets.conditioned import Parts
from semblance.learn.pace import steps_within, within_epochs
from semblance.learn.rows import kept_aside
from semblance.learn.trainer import Objective, Source, TrainPlan, train_to_end

FEWEST, LOOKS = 1000, 60
PROBED = 512
"""Records by which the pace of training is tried."""
BALANCE = 0.5
"""Classes are learned as often as the number of their records to this power: rare ones oftener than they come."""


class Sampler(Objective, Protocol):
    """An objective whose network draws records."""

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where they start."""
        ...

    def sample(self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, numbers) of records of (n,) classes, given (n, given) numbers."""
        ...


def parts_of(sizes: Sizes) -> Parts:
    """What stands in a row that is learned."""
    return Parts(sizes.numbers, sizes.given, sizes.kinds, text=sizes.text)


def drawing(objective: Any) -> torch.nn.Module:
    """All that draws: the `maker` of an objective that has one, else all that it trains."""
    net: torch.nn.Module = objective.maker if hasattr(objective, "maker") else objective.net
    return net


@dataclass(frozen=True)
class Phase:
    """A part of training: what is trained, for which share of the steps, and of how many records each is where that is
    not what the plan says; `begin` hears how many steps these are, `see` then makes what it learns from of the records'
    rows, and `end` looks at that once more."""

    objective: Objective
    share: float
    batch: int | None = None
    begin: Callable[[int], None] = lambda steps: None
    see: Callable[[Joined], Source] = lambda records: records
    end: Callable[[Source, np.random.Generator], None] = lambda source, rng: None

    def of(self, plan: TrainPlan) -> TrainPlan:
        """A plan with this part's records a step."""
        return plan if self.batch is None else replace(plan, batch=self.batch)


def at_once(objective: Any) -> tuple[Phase, ...]:
    """A training of one phase."""
    return (Phase(objective, 1.0),)


def phases_of(objective: Any) -> tuple[Phase, ...]:
    """Those that an objective says, or one."""
    phases: tuple[Phase, ...] = objective.phases if hasattr(objective, "phases") else at_once(objective)
    return phases


Build = Callable[[Parts, "torch.Tensor | None"], Sampler]
"""The objective of a network whose weights are not drawn yet, and which stops by the rows kept aside."""


@dataclass(frozen=True)
class Network:
    """What is trained: `build` makes it, `aside` is the share of patients by whom training stops. `parts` says what
    stands in a row. Saved is all that draws. Training goes through `phases`, one after the other: the
    last takes the steps that are left. It takes place on a `device`, and what was trained stays there."""

    build: Build
    aside: float
    parts: Callable[[Sizes], Any] = parts_of
    phases: Callable[[Any], tuple[Phase, ...]] = phases_of
    device: torch.device = CPU

    def plan(self, learned: Learned, base: TrainPlan, *, epochs: int, budget: float, begun: float, seed: int) -> Plan:
        """Steps that end `budget` seconds after `begun` (time.monotonic), by a probe; at most so many `epochs`."""
        objective, source = self._work(learned, stream(seed, "work"))

        few = source.few(rng=stream(seed, "few"))

        def alone(phase: Phase) -> int:
            own, since = phase.of(base), time.monotonic()
            seen = phase.see(few)
            rest = (time.monotonic() - since) * (len(source) / len(few) - 1)  # what seeing all others will take
            left = max(budget - rest, 0.0)
            return steps_within(phase.objective, seen, own, rng=stream(seed, "probe"), begun=begun, budget=left)

        # As many as the budget holds where each phase takes its share of them, at its own pace.
        steps = round(1 / sum(phase.share / alone(phase) for phase in self.phases(objective)))
        most = within_epochs(steps, epochs=epochs, records=len(source), batch=base.batch, fewest=FEWEST)
        scored = 1 + len(base.averages)  # a look scores each average, so it is taken so much more seldom
        return replace(base, steps=most, look=scored * max(20, most // LOOKS)).to_json()

    def learn(self, learned: Learned, how: Fitting) -> Drawn:
        """Train for the plan. Raises DataError where training diverges."""
        seed = root_of(how.rng)
        objective, source = self._work(learned, stream(seed, "work"))
        self._train(self.phases(objective), source, how, seed)
        return Drawn(objective)

    def _train(self, phases: tuple[Phase, ...], source: Joined, how: Fitting, seed: int) -> None:
        """All phases, their steps counted through."""
        plan, done = TrainPlan(**how.plan), 0
        shares = np.cumsum([phase.share for phase in phases[:-1]])
        for i, (phase, end) in enumerate(zip(phases, [*(shares * plan.steps).astype(int), plan.steps], strict=True)):
            own = replace(phase.of(plan), steps=int(end) - done)
            if not own.steps:  # fewer steps than phases
                continue
            phase.begin(own.steps)
            name = ("training", i) if i else ("training",)
            checkpoint = None if how.resume is None else how.resume / f"{'-'.join(map(str, name))}.safetensors"
            watch = None if how.watch is None else _counted(how.watch, done, plan.steps)
            seen = phase.see(source)
            train_to_end(phase.objective, seen, own, rng=stream(seed, *name), watch=watch, resume=checkpoint)
            phase.end(seen, stream(seed, *name, "end"))
            done += own.steps

    def restored(self, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Drawn:
        """The trained network, from its arrays."""
        objective = self.build(self.parts(sizes), None)
        drawing(objective).load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        return Drawn(objective)

    def _work(self, learned: Learned, rng: np.random.Generator) -> tuple[Sampler, Joined]:
        """The network at its start, and what it learns from."""
        parts = self.parts(learned.sizes)
        aside = kept_aside(learned.subjects, share=self.aside, rng=rng)
        every, held = (Joined(learned, parts, rows) for rows in (np.arange(len(aside)), np.flatnonzero(aside)))
        objective = self.build(parts, held.some(rng=rng) if len(held) else None)
        objective.start(every.some(rng=rng).numpy(), rng=rng)
        for trained in (objective, *(phase.objective for phase in self.phases(objective))):
            trained.net.to(self.device)
        kept = np.flatnonzero(~aside)
        return objective, Joined(learned, parts, kept[_often(learned.labels[kept])])


class Joined:
    """Some `rows` of what is learned as a source: joined when they are needed, so that memory need not hold them."""

    def __init__(self, learned: Learned, parts: Any, rows: np.ndarray) -> None:
        self.learned, self.parts, self.rows, self.subjects = learned, parts, rows, learned.subjects[rows]

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """(n, width) records of `index`."""
        rows, of = self.rows[index], self.learned
        return torch.from_numpy(self.parts.join(of.coefficients[rows], of.given[rows], of.labels[rows]))

    def few(self, *, rng: np.random.Generator) -> Joined:
        """The same of at most PROBED records, by chance."""
        return Joined(self.learned, self.parts, np.sort(rng.permutation(self.rows)[:PROBED]))

    def some(self, *, rng: np.random.Generator) -> torch.Tensor:
        """All records, or by chance as many as may be looked at together."""
        width = self.learned.coefficients.shape[1] + self.learned.given.shape[1]
        return self.batch(few((len(self), width), rng=rng, share=1))


def _counted(watch: Watch, done: int, steps: int) -> Watch:
    """What hears of steps after so many `done`, of so many in all."""
    return lambda tick: watch(replace(tick, step=done + tick.step, steps=steps))


def _often(labels: np.ndarray) -> np.ndarray:
    """Positions of records, those of rare classes repeatedly."""
    count = np.bincount(labels)
    repeats = np.round((count.max() / np.maximum(count, 1)) ** (1 - BALANCE)).astype(np.int64)
    return np.repeat(np.arange(len(labels)), repeats[labels])


@dataclass(frozen=True, eq=False)
class Drawn:
    """A trained network."""

    objective: Sampler

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) numbers of records."""
        return self.objective.sample(given, labels, rng=rng)

    @property
    def noise(self) -> int:
        """How many normal numbers a record is made of, where it is a function of them."""
        objective: Any = self.objective
        return int(objective.noise)

    def on(self, device: torch.device) -> None:
        """Draw on a device from now on."""
        drawing(self.objective).to(device)

    def draw_from(self, start: np.ndarray, labels: np.ndarray, given: np.ndarray) -> np.ndarray:
        """The same from (n, noise) normal numbers, of which it is a function: what is alike there is alike here."""
        objective: Any = self.objective  # not all begin with noise that is given
        drawn: np.ndarray = objective.sample(given, labels, rng=stream(0, "unused"), start=start)
        return drawn

    def complete(
        self, rows: np.ndarray, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, d) numbers drawn where those of records are NaN, given all others."""
        objective: Any = self.objective  # only some objectives complete records
        made: np.ndarray = objective.complete(rows, given, labels, rng=rng)
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights."""
        return {name: array_of(weight) for name, weight in drawing(self.objective).state_dict().items()}
