"""What generators over packed records share: one network, trained on most patients and judged on the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

from semblance.core.files import write_json
from semblance.learn.pace import steps_within, within_epochs
from semblance.learn.packed import Layout
from semblance.learn.rows import Rows, kept_aside
from semblance.learn.trainer import Objective, TrainPlan, train_to_end
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, Fitting, measured_of, saved
from semblance.modalities.table.generators.dense import Dense, read_dense
from semblance.modalities.table.generators.private import PrivateSpec, Training
from semblance.privacy.noise import system

FEWEST, LOOKS = 600, 60


class Sampler(Objective, Protocol):
    """An objective whose network draws records."""

    def start(self, packed: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, spans) records say where they start."""
        ...

    def sample(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, spans) packed records."""
        ...


@dataclass(frozen=True)
class PackedSpec(PrivateSpec):
    """A network over packed records. Subclasses say which (`objective`), and where its plan starts."""

    aside: float = 0.05
    """Share of patients kept aside to stop early."""
    epochs: int = 100
    """At most so many passes over the data, however large the budget."""
    base: ClassVar[TrainPlan]
    planned: ClassVar[type] = TrainPlan
    """What a plan holds, so that one from a file can be checked."""

    def dense(self, encoding: Encoding, train: Table) -> Dense:
        """How values become numbers and choices: normal scores, where a subclass does not say otherwise."""
        return Dense.fit(encoding, train, numbers="scores")

    def objective(self, layout: Layout, aside: torch.Tensor | None) -> Sampler:
        """The network, its weights not drawn yet, and its loss."""
        raise TypeError(f"{type(self).__name__} does not say what is trained")

    def probed(self, train: Table, *, rng: np.random.Generator, budget: float, begun: float) -> TrainPlan:
        """As many steps as there is time for, within `epochs`."""
        work = _Work.of(self, train, None, rng=rng)
        if not work.trainable:
            return self._plan_of(0, len(train))
        steps = steps_within(work.objective, work.source, self.base, rng=rng, begun=begun, budget=budget)
        return self._plan_of(steps, len(train))

    def _plan_of(self, steps: int, records: int) -> TrainPlan:
        steps = within_epochs(steps, epochs=self.epochs, records=records, batch=self.base.batch, fewest=FEWEST)
        return replace(self.base, steps=steps, look=max(20, steps // LOOKS))

    def learn_from(self, train: Table, how: Fitting) -> PackedModel:
        """Train for the plan, and keep the averaged weights that did best on the patients kept aside.

        Raises DataError where training diverges.
        """
        work = _Work.of(self, train, how.encoding, rng=how.rng)
        if work.trainable:
            plan, checkpoint = TrainPlan(**how.plan), how.checkpoint("training")
            train_to_end(work.objective, work.source, plan, rng=how.rng, watch=how.watch, resume=checkpoint)
        return self.model(work.dense, self.to_json(), work.objective)

    def training(self, coder: Encoding, seen: Table, *, rng: np.random.Generator) -> Training:
        """The network, which starts at what stands in for the real records."""
        dense = self.dense(coder, seen)
        objective = self.apart(dense.layout)
        objective.start(dense.pack(seen, rng=rng), rng=rng)

        def source_of(table: Table) -> Rows:
            return Rows(dense.pack(table, rng=system()), table.subjects)

        def model(measured: Mapping[str, Any]) -> PackedModel:
            return replace(self.model(dense, self.to_json(), objective), measured=measured)

        return Training(objective, source_of, model, trainable=len(dense.spans) > 0)

    def apart(self, layout: Layout) -> Sampler:
        """The network with a loss in which no record has a part in another's."""
        return self.objective(layout, None)

    def model(self, dense: Dense, options: Mapping[str, Any], objective: Sampler) -> PackedModel:
        """The trained network as a model."""
        raise TypeError(f"{type(self).__name__} does not say what it becomes")

    @classmethod
    def load(cls, folder: Path) -> PackedModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        spec, dense = cls(**options), read_dense(folder, encoding)
        objective = spec.objective(dense.layout, None)
        objective.net.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
        return replace(spec.model(dense, options, objective), measured=measured_of(folder))


@dataclass(frozen=True)
class PackedModel(CodedModel):
    """The trained network, and how its packed records become values."""

    dense: Dense
    objective: Sampler

    def table(self, n: int, *, first_subject: int, rng: np.random.Generator) -> Table:
        """`n` records of new patients, numbered from `first_subject`."""
        drawn = self.objective.sample(n, rng=rng) if self.dense.spans else np.zeros((n, 0))
        return self.dense.unpack(drawn, first_subject=first_subject, rng=rng)

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        return self.encoding.encode(self.table(n, first_subject=0, rng=rng))

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights."""
        return {k: v.detach().numpy() for k, v in self.objective.net.state_dict().items()}

    def save(self, folder: Path) -> None:
        """Write dense.json beside what every model writes."""
        super().save(folder)
        write_json(folder / "dense.json", self.dense.to_json())


@dataclass(frozen=True)
class _Work:
    """What training needs, made alike by the probe and by the fit."""

    dense: Dense
    source: Rows
    objective: Sampler

    @property
    def trainable(self) -> bool:
        """Whether there is anything to learn, and any record to learn from."""
        return len(self.source.values) > 0 and len(self.dense.spans) > 0

    @classmethod
    def of(cls, spec: PackedSpec, train: Table, encoding: Encoding | None, *, rng: np.random.Generator) -> _Work:
        coder = spec.encoding_of(train, encoding)
        dense = spec.dense(coder, train)
        packed = dense.pack(train, rng=rng)
        aside = kept_aside(train.subjects, share=spec.aside, rng=rng)
        held = torch.from_numpy(packed[aside]) if aside.any() else None
        objective = spec.objective(dense.layout, held)
        objective.start(packed, rng=rng)
        return cls(dense, Rows(packed[~aside], train.subjects[~aside]), objective)
