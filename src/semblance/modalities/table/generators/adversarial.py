"""What the adversarial generators of tables share: vectors of records, the outputs of a network, fitting and saving.

Only the half that draws is kept: the critic has looked at records, and a model is better without it. The weights of the
look at which pairs of columns were drawn best are kept, and how much of the data they cover stands in the model's JSON.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import nn

from semblance.core.files import write_json
from semblance.core.model import Tick
from semblance.learn.noise import noise_of
from semblance.learn.pace import steps_within
from semblance.learn.rules import Plain
from semblance.learn.trainer import Objective, Source, TrainPlan, train_loop
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, Fitting, measured_of, saved
from semblance.modalities.table.generators.collapse import Monitor
from semblance.modalities.table.generators.dense import Dense, Span, Vectors, read_dense
from semblance.modalities.table.generators.private import PrivateSpec, Training
from semblance.modalities.table.generators.scalars import Kind
from semblance.privacy.noise import system

LOOKS, FEWEST = 30, 300
TEMPERATURE = 0.2
"""Of the choices that a private generator draws: so it has the columns right before it has learned anything else."""
NEVER = 1e-6
"""The share at which a choice starts that no record has."""
AVERAGE = 0.98
"""Decay of the average of the weights that draw (Yazici et al., ICLR 2019): it stills the to and fro of the sides."""


class Heads:
    """What the last layer becomes: a number stays (or lies within -1 and 1), a choice is a softmax.

    With a `temperature` the choice is drawn as a relaxed one-hot (Jang et al., Gumbel-softmax, ICLR 2017), the largest
    entry of which is an exact draw from the softmax.
    """

    def __init__(self, spans: Sequence[Span], *, bounded: bool = False, temperature: float | None = None) -> None:
        numbers = [span.start for span in spans if span.kind == "scalar"]
        choices = [span for span in spans if span.kind == "onehot"]
        places = [i for span in choices for i in range(span.start, span.stop)]
        self.numbers, self.choices = torch.tensor(numbers, dtype=torch.int64), torch.tensor(places, dtype=torch.int64)
        widths = torch.tensor([span.width for span in choices], dtype=torch.int64)
        self.group = torch.repeat_interleave(torch.arange(len(choices)), widths)
        self.back = torch.argsort(torch.cat([self.numbers, self.choices]))
        self.bounded, self.temperature = bounded, temperature

    def __call__(self, raw: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records from as many raw numbers."""
        numbers, logits = raw[:, self.numbers], raw[:, self.choices]
        if self.temperature is not None:
            uniform = torch.rand(logits.shape, generator=noise).clamp_(1e-20, 1 - 1e-7)
            logits = (logits - torch.log(-torch.log(uniform))) / self.temperature
        shares = self.log_shares(logits).exp()
        return torch.cat([numbers.tanh() if self.bounded else numbers, shares], 1)[:, self.back]

    def log_shares(self, logits: torch.Tensor) -> torch.Tensor:
        """(n, choices) log-softmax within each choice, of the entries that are choices."""
        n, groups = len(logits), int(self.group[-1]) + 1 if len(self.group) else 0
        top = torch.full((n, groups), -torch.inf)
        top = top.scatter_reduce(1, self.group.expand(n, -1), logits.detach(), "amax")
        lower = logits - top[:, self.group]
        total = torch.zeros(n, groups).index_add(1, self.group, lower.exp())
        return lower - total.log()[:, self.group]


class Maker(nn.Module):
    """The half that draws. What it needs to know of the data are its buffers: `shares` (width,) is the share of every
    entry of a one-hot, and subclasses name further `facts`. Networks are `nn.Module`s, so that facts alone have no dot
    in their names.
    """

    shares: torch.Tensor

    def __init__(self, dense: Dense, facts: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self.dense = dense
        for name, fact in facts.items():
            self.register_buffer(name, fact)

    def draw(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n, width) records."""
        raise TypeError(f"{type(self).__name__} does not say how records are drawn")

    def prefer(self, layer: nn.Linear) -> None:
        """Start a last layer at the shares of every choice, so that training begins at the marginals; what no record
        has is next to never drawn."""
        choice = torch.zeros(len(self.shares), dtype=torch.bool)
        for span in self.dense.spans:
            choice[span.start : span.stop] = span.kind == "onehot"
        with torch.no_grad():
            layer.bias.add_(torch.where(choice, self.shares.clamp(NEVER).log(), 0.0))


@dataclass(frozen=True)
class Records:
    """The training records: their codes (n, columns), and their vectors as a source of batches."""

    dense: Dense
    codes: np.ndarray
    source: Vectors

    @property
    def trainable(self) -> bool:
        """Whether there is anything to learn, and any record to learn from."""
        return len(self.codes) > 0 and self.dense.width > 0

    def shares(self) -> torch.Tensor:
        """(width,) share of every entry of a one-hot; 0 for numbers."""
        shares = torch.zeros(self.dense.width)
        for k, span in enumerate(self.dense.spans):
            if span.kind == "onehot":
                count = torch.bincount(self.source.packed[:, k].long(), minlength=span.width)
                shares[span.start : span.stop] = count / max(len(self.codes), 1)
        return shares


@dataclass(frozen=True)
class Act:
    """One part of training: what is trained, on what, and for which share of the steps."""

    objective: Objective
    source: Source
    share: float = 1.0


Judge = Callable[[], float]


@dataclass(frozen=True)
class AdversarialSpec(PrivateSpec):
    """A generator that learns against a critic. Subclasses say what draws (`maker`) and how it is trained (`acts`)."""

    epochs: int = 300
    """At most so many passes over the data, however large the budget."""
    batch: int = 500
    """Records that each turn sees."""
    rate: float = 2e-4
    """Learning rate of both sides."""
    latent: int = 128
    """Width of the noise that records are made of."""
    numbers: ClassVar[Kind] = "scores"
    decay: ClassVar[float] = 0.0
    planned: ClassVar[type] = TrainPlan
    """What a plan holds, so that one from a file can be checked."""

    def facts(self, records: Records) -> dict[str, torch.Tensor]:
        """What the maker must know of the data."""
        return {"shares": records.shares()}

    def maker(self, dense: Dense, facts: Mapping[str, torch.Tensor]) -> Maker:
        """The network that draws, its weights not drawn yet."""
        raise TypeError(f"{type(self).__name__} does not say what draws records")

    def maker_of(self, dense: Dense, facts: Mapping[str, torch.Tensor]) -> Maker:
        """That network, or one without weights where nothing varies."""
        return self.maker(dense, facts) if dense.width else Maker(dense, facts)

    def acts(self, maker: Any, records: Records, judge: Judge, *, rng: np.random.Generator) -> tuple[Act, ...]:
        """The parts of training, the adversarial one last; draws the first weights from `rng`."""
        raise TypeError(f"{type(self).__name__} does not say how it is trained")

    def model(self, encoding: Encoding, options: Mapping[str, Any], maker: Maker) -> AdversarialModel:
        """The fitted generator."""
        return AdversarialModel(encoding, options, maker, self)

    def probed(self, train: Table, *, rng: np.random.Generator, budget: float, begun: float) -> TrainPlan:
        """As many steps as there is time for, within `epochs`."""
        work = _Work.of(self, train, None, rng=rng)
        if not work.acts:
            return self._plan_of(0, len(train))
        probe = replace(self._plan_of(FEWEST, len(train)), look=10**6)
        act = work.acts[-1]
        steps = steps_within(act.objective, act.source, probe, rng=rng, begun=begun, budget=budget)
        return self._plan_of(steps, len(train))

    def _plan_of(self, steps: int, records: int) -> TrainPlan:
        """The plan of so many steps: a steady rate, and no early end."""
        ceiling = self.epochs * max(1, records // self.batch)
        steps = max(20, min(steps, max(ceiling, FEWEST)))
        return TrainPlan(
            steps=steps,
            batch=self.batch,
            rate=self.rate,
            weight_decay=self.decay,
            beta1=0.5,
            beta2=0.9,
            anneal=False,
            warmup=0,
            ema=AVERAGE,
            look=max(20, steps // LOOKS),
            patience=steps + 1,
        )

    def learn_from(self, train: Table, how: Fitting) -> AdversarialModel:
        """Train for the plan. Raises DataError where training diverges or ends in a collapse (see `collapse`)."""
        chosen, work = TrainPlan(**how.plan), _Work.of(self, train, how.encoding, rng=how.rng)
        for tick in work.train(chosen, rng=how.rng, resume=how.resume):
            if how.watch is not None:
                how.watch(tick)
        options = self.to_json()
        if work.acts:
            seen = work.monitor.measure(work.drawn())
            seen.refuse_collapse(name=self.card.name, steps=chosen.steps)
            options["monitor"] = seen.to_json()
        return self.model(work.records.dense.encoding, options, work.maker.eval())

    def training(self, coder: Encoding, seen: Table, *, rng: np.random.Generator) -> Training:
        """Both sides, where all but the critic's score of real records is made of what stands in for them."""
        dense = Dense.fit(coder, seen, numbers=self.numbers)
        records = Records(dense, coder.encode(seen), Vectors(dense, dense.pack(seen, rng=rng), seen.subjects))
        maker = self.maker_of(dense, self.facts(records) | {"temperature": torch.tensor(TEMPERATURE)})

        def source_of(table: Table) -> Vectors:
            return Vectors(dense, dense.pack(table, rng=system()), table.subjects)

        def model(measured: Mapping[str, Any]) -> AdversarialModel:
            return replace(self.model(coder, self.to_json(), maker.eval()), measured=measured)

        return Training(self.veiled(maker, records, rng=rng), source_of, model, trainable=dense.width > 0)

    def veiled(self, maker: Any, records: Records, *, rng: np.random.Generator) -> Objective:
        """The objective of a private training; `records` stand in for the real ones."""
        raise TypeError(f"{type(self).__name__} does not say how it learns privately")

    @classmethod
    def load(cls, folder: Path) -> AdversarialModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        spec = cls(**{f.name: options[f.name] for f in fields(cls)})
        dense = read_dense(folder, encoding)
        state = {k: torch.from_numpy(v) for k, v in arrays.items()}
        maker = spec.maker_of(dense, {k: v for k, v in state.items() if "." not in k})
        maker.load_state_dict(state)
        return replace(spec.model(encoding, options, maker.eval()), measured=measured_of(folder))


@dataclass(frozen=True)
class AdversarialModel(CodedModel):
    """What draws records, and the spec that made it."""

    maker: Maker = field(repr=False)
    spec: AdversarialSpec

    @property
    def card(self) -> Any:  # type: ignore[override]
        """That of the spec."""
        return self.spec.card

    def table(self, n: int, *, first_subject: int, rng: np.random.Generator) -> Table:
        """`n` records of new patients, numbered from `first_subject`."""
        noise = noise_of(rng)
        dense = self.maker.dense
        with torch.no_grad():
            x = self.maker.draw(n, noise) if dense.width else torch.zeros(n, 0)
        return dense.decode(x.numpy(), first_subject=first_subject, rng=rng)

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        return self.encoding.encode(self.table(n, first_subject=0, rng=rng))

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights of what draws."""
        return {k: v.detach().numpy() for k, v in self.maker.state_dict().items()}

    def save(self, folder: Path) -> None:
        """Write dense.json beside what every model writes."""
        super().save(folder)
        write_json(folder / "dense.json", self.maker.dense.to_json())


@dataclass(frozen=True)
class _Work:
    """What training needs, made alike by the probe and by the fit."""

    records: Records
    maker: Maker
    monitor: Monitor
    acts: tuple[Act, ...]

    @classmethod
    def of(cls, spec: AdversarialSpec, train: Table, encoding: Encoding | None, *, rng: np.random.Generator) -> Self:
        coder = spec.encoding_of(train, encoding)
        dense = Dense.fit(coder, train, numbers=spec.numbers)
        packed = dense.pack(train, rng=rng)
        records = Records(dense, coder.encode(train), Vectors(dense, packed, train.subjects))
        maker = spec.maker_of(dense, spec.facts(records))
        if not records.trainable:
            return cls(records, maker, Monitor((), packed[:, :0]), ())
        monitor = Monitor(dense.spans, packed)
        work = cls(records, maker, monitor, ())
        return replace(work, acts=spec.acts(maker, records, work.unlike, rng=rng))

    def drawn(self) -> np.ndarray:
        """(n, spans) records, of the same noise at every look; a record with any NaN is NaN throughout."""
        with torch.no_grad():
            x = self.maker.eval().draw(self.monitor.size, torch.Generator().manual_seed(0))
        packed = packed_of(self.records.dense.spans, x)
        packed[~torch.isfinite(x).all(1).numpy()] = np.nan
        return packed

    def unlike(self) -> float:
        """How far pairs of columns are from the training records'; NaN, which ends training, where anything is."""
        packed = self.drawn()
        return 1 - self.monitor.joint(packed) if np.isfinite(packed).all() else math.nan

    def train(self, plan: TrainPlan, *, rng: np.random.Generator, resume: Path | None) -> Iterator[Tick]:
        """All acts, their steps counted through."""
        done = 0
        for i, act in enumerate(self.acts):
            last = i == len(self.acts) - 1
            steps = plan.steps - done if last else max(1, int(act.share * plan.steps))
            checkpoint = None if resume is None else resume / f"training{i}.safetensors"
            own = replace(plan, steps=steps)
            for tick in train_loop(act.objective, act.source, Plain(), own, rng=rng, resume=checkpoint):
                yield replace(tick, step=done + tick.step, steps=plan.steps)
            done += steps


def packed_of(spans: Sequence[Span], x: torch.Tensor) -> np.ndarray:
    """(n, spans) the number of each scalar and the place of the largest entry of each choice."""
    columns = [x[:, s.start] if s.kind == "scalar" else x[:, s.start : s.stop].argmax(1).float() for s in spans]
    return torch.stack(columns, 1).numpy() if columns else np.zeros((len(x), 0), dtype=np.float32)
