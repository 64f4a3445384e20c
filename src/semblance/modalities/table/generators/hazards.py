"""Survival, covariates first: how long a record is followed and how it ends is drawn from hazards given the others.

The covariates come from the autoregressive network. One more network gives, in every interval of time, the hazard of
every cause of the event and of the end of follow-up; a time is drawn from them, never predicted. Since the covariates
come first, a treatment can be set: the other covariates are kept, and time and event are drawn as in that arm.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors.numpy import load_file, save

from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.files import write_bytes, write_json
from semblance.core.model import Card, Plan, Tick, Wanted, Watch, refuse_ledger
from semblance.core.promise import Ledger
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.learn.nets.hazards import HazardNet
from semblance.learn.objectives.hazards import DiscreteHazards
from semblance.learn.pace import steps_within
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, train_to_end
from semblance.modalities.table.arms import Arms
from semblance.modalities.table.codes import Numbers
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding, EncodingOptions
from semblance.modalities.table.follow_up import Clock, Exits, FollowUp
from semblance.modalities.table.generators.autoregressive import Autoregressive, AutoregressiveModel
from semblance.modalities.table.generators.coded import refuse_unable

CARD = Card(
    name="hazards",
    summary="survival: hazards of every event and of censoring given the covariates; an arm can be set; needs a time",
    paper="Gensheimer & Narasimhan, A scalable discrete-time survival model for neural networks, PeerJ 2019",
    causal=True,
    needs=("torch",),
)
COVARIATES, CALIBRATED, FEWEST = 0.7, 8192, 400
FEW_CODES = 8
"""A number with so few codes has an effect of each, beside its slope."""


@dataclass(frozen=True)
class HazardsPlan(TrainPlan):
    """The plan of the covariates' network, and the steps of the hazards'."""

    hazards: int = FEWEST
    """Steps of training of the hazards."""


@dataclass(frozen=True)
class Hazards(EncodingOptions):
    """An autoregressive network for the covariates, then hazards for time and event."""

    censored: str = ""
    """The event's value that means: followed to the end without it. Where none is named: 0, False or no."""
    entry: str = ""
    """The column that says when a patient came under observation, on the scale of the time (left truncation)."""
    hazard_width: int = 32
    """Width of the hidden layer of the hazards."""
    hazard_epochs: int = 100
    """At most so many passes over the data for the hazards."""
    card: ClassVar[Card] = CARD
    planned: ClassVar[type] = HazardsPlan
    roles: ClassVar[tuple[str, ...]] = ("time", "event")
    """Roles that columns of the data must have; a target may be the event."""

    @property
    def covariates(self) -> Autoregressive:
        """What learns the covariates."""
        options = {f.name: getattr(self, f.name) for f in fields(EncodingOptions)}
        return Autoregressive(**options)

    def to_json(self) -> dict[str, Any]:
        """The options as plain JSON."""
        return asdict(self)

    def plan(self, train: Table, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """A share of `time_budget` seconds (default 60) for the covariates, the rest for the hazards."""
        budget, found = 60.0 if time_budget is None else time_budget, self._found(train)
        first = self.covariates.plan(found.without(train), rng=rng, time_budget=COVARIATES * budget)
        begun, work = time.monotonic(), _Work.of(self, train, found, None, rng=rng)
        rest = (1 - COVARIATES) * budget
        steps = steps_within(work.objective, work.source, _plan_of(0), rng=rng, begun=begun, budget=rest)
        return {**first, "hazards": min(steps, max(self.hazard_epochs * (len(train) // 256), FEWEST))}

    def fit(
        self,
        train: Table,
        *,
        rng: np.random.Generator,
        plan: Plan | None = None,
        ledger: Ledger | None = None,
        encoding: Encoding | None = None,
        watch: Watch | None = None,
        resume: Path | None = None,
    ) -> HazardsModel:
        """Learn the covariates, then the hazards given them. `encoding`, if given, is one of the covariates.

        Raises DataError before training where there is no follow-up, its time or its event break a rule, or too few
        patients have the event or are censored.
        """
        refuse_ledger(CARD, ledger=ledger)
        found = self._found(train)
        chosen = dict(self.plan(train, rng=rng) if plan is None else plan)
        steps, seed, table = int(chosen.pop("hazards", FEWEST)), root_of(rng), found.without(train)
        work = _Work.of(self, train, found, encoding, rng=stream(seed, "hazards"))
        first = self.covariates.fit(
            table,
            rng=stream(seed, "covariates"),
            plan=chosen,
            encoding=work.encoding,
            watch=_within(watch, before=0, after=steps),
            resume=resume,
        )
        assert isinstance(first, AutoregressiveModel)
        told = _within(watch, before=int(chosen["steps"]), after=0)
        work.train(_plan_of(steps), rng=stream(seed, "train"), watch=told, resume=resume)
        work.calibrate(first, found, rng=stream(seed, "calibrate"))
        schema = _schema(train.schema, first.encoding.schema, found, work.exits)
        arms = Arms.of(table, rare=self.rare)
        options = {**first.options, **self.to_json()}
        return HazardsModel(first, options, schema, found, work.clock, work.exits, arms, work.objective)

    def check(self, train: Table, *, wanted: Wanted) -> None:
        """Raise UsageError, before anything is learned, for what no model of `train` could draw."""
        _arm(Arms.of(self._found(train).without(train), rare=self.rare), wanted)

    def _found(self, train: Table) -> FollowUp:
        """The follow-up, and that there is something to explain it by. Raises DataError."""
        found = FollowUp.of(train, censored=self.censored, entry=self.entry, rare=self.rare)
        covariates = found.without(train).schema
        if not covariates.learned:
            raise DataError.of(
                "no column besides time and event",
                rule="hazards are those of patients who differ",
                fix="give covariates, or choose another generator with `semblance models`",
            )
        lost = [rule for rule in train.schema.constraints if rule not in covariates.constraints]
        if lost:
            rule = "time and event are drawn last, from hazards that know no constraint but entry"
            fix = "leave it out ([generator] entry for a late entry), or --model autoregressive"
            raise DataError(*(Problem(f"the constraint {one} names the time or the event", rule, fix) for one in lost))
        return found

    @staticmethod
    def load(folder: Path) -> HazardsModel:
        """The inverse of `save`."""
        first = Autoregressive.load(folder)
        said = json.loads((folder / "hazards.json").read_text())
        clock, exits = Clock(Numbers.from_json(said["clock"])), Exits.from_json(said["exits"])
        arms = None if said["arms"] is None else Arms.from_json(said["arms"])
        net = _net(first.encoding, clock, exits, width=first.options["hazard_width"])
        net.load_state_dict({k: torch.from_numpy(v) for k, v in load_file(folder / "hazards.safetensors").items()})
        schema, found = Schema.from_json(said["schema"]), FollowUp(**said["follow_up"])
        return HazardsModel(first, first.options, schema, found, clock, exits, arms, DiscreteHazards(net))


@dataclass(frozen=True)
class HazardsModel:
    """The model of the covariates, the intervals and exits of the follow-up, and the trained hazards."""

    first: AutoregressiveModel
    options: Mapping[str, Any]
    schema: Schema
    found: FollowUp
    clock: Clock
    exits: Exits
    arms: Arms | None
    objective: DiscreteHazards
    card: ClassVar[Card] = CARD

    def sample(self, n: int, *, rng: np.random.Generator, wanted: Wanted | None = None) -> Iterator[Table]:
        """`n` records in chunks. `wanted.do` names the treatment and an arm: covariates are drawn as ever, then every
        record is put into that arm, and its time and event are drawn.

        Raises UsageError for anything else that is wanted, and for an arm that is not there.
        """
        arm, root = _arm(self.arms, wanted), root_of(rng)
        return self._chunks(n, arm, root)

    def _chunks(self, n: int, arm: int | None, root: int) -> Iterator[Table]:
        for i, drawn in enumerate(self.first.sample(n, rng=stream(root, "covariates"))):
            yield self._followed(drawn if self.arms is None or arm is None else self.arms.set(drawn, arm), root, i)

    def _followed(self, table: Table, root: int, chunk: int) -> Table:
        """The covariates `table` with a time and an event."""
        own, found = stream(root, chunk, "leave"), self.found
        after, entry = found.entered(table, self.clock)
        interval, out = self.objective.sample(self.first.encoding.encode(table), entry, own.random(len(table)))
        times = self.clock.decode(interval, after=after, draw=lambda i: stream(root, chunk, "time", i))
        frame = table.frame.assign(**{found.time: times, found.event: self.exits.decode(out, own)})
        return Table(self.schema, frame[[c.name for c in self.schema.learned]], table.subjects)

    def save(self, folder: Path) -> None:
        """Write the model of the covariates, then hazards.json and hazards.safetensors beside it."""
        self.first.save(folder)
        write_json(folder / "model.json", {"modality": "table", "generator": CARD.name, "options": dict(self.options)})
        weights = {k: v.detach().numpy() for k, v in self.objective.net.state_dict().items()}
        write_bytes(folder / "hazards.safetensors", save(weights))
        told = {
            "schema": self.schema.to_json(),
            "follow_up": asdict(self.found),
            "clock": self.clock.coder.to_json(),
            "exits": self.exits.to_json(),
            "arms": None if self.arms is None else self.arms.to_json(),
        }
        write_json(folder / "hazards.json", told)


@dataclass(frozen=True)
class _Work:
    """What training the hazards needs, made alike by the probe and by the fit; `path` (n, 3) as the follow-up's."""

    encoding: Encoding
    clock: Clock
    exits: Exits
    path: np.ndarray
    source: Rows
    objective: DiscreteHazards

    @classmethod
    def of(
        cls, spec: Hazards, train: Table, found: FollowUp, encoding: Encoding | None, *, rng: np.random.Generator
    ) -> _Work:
        covariates = found.without(train)
        coder = spec.covariates.encoding_of(covariates, encoding)
        clock, exits = found.coders(train, spec, censored=spec.censored)
        path = found.path(train, clock, exits)
        net = _net(coder, clock, exits, width=spec.hazard_width)
        net.start(rng=rng)
        rows = np.column_stack([coder.encode(covariates), path])
        objective = DiscreteHazards(net, records=len(rows))
        objective.begin(*_life_table(path, intervals=clock.size, exits=exits.size))
        return cls(coder, clock, exits, path, Rows(rows, train.subjects), objective)

    def train(self, plan: TrainPlan, *, rng: np.random.Generator, watch: Watch | None, resume: Path | None) -> None:
        """Train the hazards, and keep the averaged weights."""
        checkpoint = None if resume is None else resume / "hazards.safetensors"
        train_to_end(self.objective, self.source, plan, rng=rng, watch=watch, resume=checkpoint)

    def calibrate(self, first: AutoregressiveModel, found: FollowUp, *, rng: np.random.Generator) -> None:
        """Let sampled covariates leave as the records did."""
        (table,) = first.sample(CALIBRATED, rng=rng)
        shares, _ = _life_table(self.path, intervals=self.clock.size, exits=self.exits.size)
        self.objective.calibrate(self.encoding.encode(table), found.entered(table, self.clock)[1], shares)


def _plan_of(steps: int) -> TrainPlan:
    return TrainPlan(steps=steps, rate=1e-2, weight_decay=0.0, ema=0.99)


def _net(encoding: Encoding, clock: Clock, exits: Exits, *, width: int) -> HazardNet:
    sizes, (points, named) = encoding.sizes, _readings(encoding)
    return HazardNet(sizes, points, named, intervals=clock.size, exits=exits.size, width=width)


def _readings(encoding: Encoding) -> tuple[np.ndarray, np.ndarray]:
    """The numbers that each code stands for, its rank and its value, and whether it has an effect of its own."""
    sizes = encoding.sizes
    points, named = np.zeros((int(sizes.sum()), 2 * len(sizes))), np.zeros(int(sizes.sum()))
    for j, (column, place) in enumerate(zip(encoding.columns, encoding.positions, strict=True)):
        rows = slice(int(sizes[:j].sum()), int(sizes[: j + 1].sum()))
        named[rows] = np.isnan(place) | (len(place) <= FEW_CODES)
        if isinstance(column, Numbers):
            points[rows, 2 * j], points[rows, 2 * j + 1] = _scaled(place), _scaled(column.middles)
    return points[:, points.any(0)], named


def _scaled(values: np.ndarray) -> np.ndarray:
    """Centred and scaled over the codes, which are about equally frequent; what is not finite becomes 0 or an end."""
    held = np.isfinite(values)
    if not held.any():
        return np.zeros(len(values))
    filled = np.clip(np.where(np.isnan(values), values[held].mean(), values), values[held].min(), values[held].max())
    return (filled - values[held].mean()) / max(float(values[held].std()), 1e-12)


def _life_table(path: np.ndarray, *, intervals: int, exits: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares of all records that leave (intervals, exits), and that are at risk (intervals,)."""
    entry, leave, out = path.T
    left = np.bincount(leave * exits + out, minlength=intervals * exits).reshape(intervals, exits)
    came = np.bincount(entry, minlength=intervals).cumsum()
    gone = left.sum(1).cumsum() - left.sum(1)
    return left / len(path), (came - gone) / len(path)


def _schema(whole: Schema, covariates: Schema, found: FollowUp, exits: Exits) -> Schema:
    """The schema of the records: the covariates', with time, and with the causes that enough patients have."""
    event = whole[found.event]
    kept = None if event.categories is None else tuple(x for x in event.categories if x in exits.coder.tokens)
    own = {found.time: whole[found.time], found.event: replace(event, categories=kept)}
    return whole.with_columns(own[c.name] if c.name in own else covariates[c.name] for c in whole)


def _arm(arms: Arms | None, wanted: Wanted | None) -> int | None:
    """The place of the arm that is set, None where none is. Raises UsageError for all else that is wanted."""
    if not wanted:
        return None
    refuse_unable(CARD, wanted=replace(wanted, do={}))
    if arms is None or set(wanted.do) != {arms.column}:
        rule = f"only the treatment can be set: {'none was declared' if arms is None else arms.column}"
        raise UsageError.of(f"do sets {', '.join(wanted.do)}", rule=rule, fix='[columns."..."] role = "treatment"')
    return arms.place(wanted.do[arms.column])


def _within(watch: Watch | None, *, before: int, after: int) -> Watch | None:
    """A watch for one part of the work, between the steps of the others."""
    if watch is None:
        return None

    def tell(tick: Tick) -> None:
        watch(replace(tick, step=before + tick.step, steps=before + tick.steps + after))

    return tell
