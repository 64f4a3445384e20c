"""The default: one any-order masked network over the codes of a table.

Every conditional of every column given any others is one network's output, so one pass trains all masked columns of a
row. Columns are sampled one after the other, the ones that tell most about the others first.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from semblance.core.files import write_json
from semblance.core.model import Card, Plan, Watch, refuse_ledger
from semblance.core.promise import Ledger
from semblance.learn.nets.masked import MaskedNet
from semblance.learn.objectives.autoregressive import AnyOrder
from semblance.learn.pace import steps_within
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_loop
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, saved
from semblance.modalities.table.generators.marginals import shares_of
from semblance.modalities.table.structure import Structure

CARD = Card(
    name="autoregressive",
    summary="one masked network for every conditional; any mix of kinds, missing values as information; the default",
    paper="Uria et al., A Deep and Tractable Density Estimator, ICML 2014; Hoogeboom et al., ICLR 2022",
    needs=("torch",),
)
FEWEST, CALIBRATED = 600, 20_000


@dataclass(frozen=True)
class Autoregressive(CodedSpec):
    """One any-order masked network."""

    width: int = 192
    """Width of the shared trunk."""
    blocks: int = 3
    """Residual blocks of the trunk."""
    ordered: float = 0.4
    """Share of training rows that mask a suffix of the sampling order; the others mask at random."""
    aside: float = 0.05
    """Share of patients kept aside to stop early."""
    epochs: int = 24
    """At most so many passes over the data, however large the budget."""
    card: ClassVar[Card] = CARD
    planned: ClassVar[type] = TrainPlan
    """What a plan holds, so that one from a file can be checked."""

    def plan(self, train: Table, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """A short probe turns `time_budget` seconds (default 60) into steps."""
        budget = 60.0 if time_budget is None else time_budget
        begun = time.monotonic()
        work = _Work.of(self, train, None, rng=rng)
        if not work.trainable:
            return self._plan_of(0, len(train)).to_json()
        steps = steps_within(work.objective, work.source, TrainPlan(steps=0), rng=rng, begun=begun, budget=budget)
        return self._plan_of(steps, len(train)).to_json()

    def _plan_of(self, steps: int, records: int) -> TrainPlan:
        """The plan of so many steps: averages and looks stretch with the length of training."""
        ceiling = self.epochs * max(1, records // min(256, max(records, 1)))
        steps = max(20, min(steps, max(ceiling, FEWEST)))
        return TrainPlan(steps=steps, look=max(20, steps // 60))

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
    ) -> AutoregressiveModel:
        """Train for `plan`, and keep the averaged weights that did best on the patients kept aside."""
        refuse_ledger(CARD, ledger=ledger)
        chosen = self.plan(train, rng=rng) if plan is None else plan
        work = _Work.of(self, train, encoding, rng=rng)
        if work.trainable:
            checkpoint = None if resume is None else resume / "training.safetensors"
            for tick in train_loop(
                work.objective, work.source, Plain(), TrainPlan(**chosen), rng=rng, resume=checkpoint
            ):
                if watch is not None:
                    watch(tick)
            work.objective.calibrate(work.shares, rng.random((CALIBRATED, len(work.structure.order))))
        return AutoregressiveModel(work.encoding, self.to_json(), work.structure, work.objective)

    @staticmethod
    def load(folder: Path) -> AutoregressiveModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        structure = Structure.from_json(json.loads((folder / "structure.json").read_text()))
        net = MaskedNet(encoding.sizes[structure.learned], width=options["width"], blocks=options["blocks"])
        net.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
        objective = AnyOrder(net, _places(structure), ordered=options["ordered"])
        return AutoregressiveModel(encoding, options, structure, objective)


@dataclass(frozen=True)
class AutoregressiveModel(CodedModel):
    """The trained network, and the columns that it need not know."""

    structure: Structure
    objective: AnyOrder
    card: ClassVar[Card] = CARD

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        return self.structure.complete(self.objective.sample(rng.random((n, len(self.structure.order)))))

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights."""
        return {k: v.detach().numpy() for k, v in self.objective.net.state_dict().items()}

    def save(self, folder: Path) -> None:
        """Write structure.json beside what every model writes."""
        super().save(folder)
        write_json(folder / "structure.json", self.structure.to_json())


class _Codes:
    """The encoded table as a source of batches: one contiguous tensor."""

    def __init__(self, codes: np.ndarray, subjects: np.ndarray) -> None:
        self.codes, self.subjects = torch.from_numpy(np.ascontiguousarray(codes)), subjects

    def batch(self, index: np.ndarray) -> torch.Tensor:
        return self.codes[torch.from_numpy(index)]


@dataclass(frozen=True)
class _Work:
    """What training needs, made alike by the probe and by the fit."""

    encoding: Encoding
    structure: Structure
    source: _Codes
    objective: AnyOrder
    shares: tuple[np.ndarray, ...]

    @property
    def trainable(self) -> bool:
        """Whether there is anything to learn, and any record to learn from."""
        return len(self.source.codes) > 0 and len(self.structure.order) > 0

    @classmethod
    def of(cls, spec: Autoregressive, train: Table, encoding: Encoding | None, *, rng: np.random.Generator) -> _Work:
        coder = spec.encoding_of(train, encoding)
        codes = coder.encode(train)
        structure = Structure.of(codes, coder.sizes)
        sizes, learned = coder.sizes[structure.learned], codes[:, structure.learned]
        places = coder.positions
        positions = [places[j] for j in structure.learned]
        aside = _aside(train.subjects, share=spec.aside, rng=rng)
        net = MaskedNet(sizes, width=spec.width, blocks=spec.blocks)
        shares = shares_of(learned, sizes)
        floor = 1 / max(2 * len(codes), 2)
        flat = np.concatenate([*shares, np.zeros(0)])
        net.start(np.log(np.maximum(flat, floor)).astype(np.float32), positions, rng=rng)
        held = torch.from_numpy(learned[aside]) if aside.any() else None
        objective = AnyOrder(net, _places(structure), ordered=spec.ordered, aside=held)
        return cls(coder, structure, _Codes(learned[~aside], train.subjects[~aside]), objective, shares)


def _places(structure: Structure) -> np.ndarray:
    """The sampling order as positions among the learned columns."""
    return np.searchsorted(structure.learned, np.array(structure.order, dtype=np.int64))


def _aside(subjects: np.ndarray, *, share: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) bool: the records of a random share of patients; in a small cohort of 50 patients or a fifth of them.

    Fewer than 20 patients are all learned from: too few would remain to judge by.
    """
    patients = np.unique(subjects)
    count = round(max(share * len(patients), min(50, 0.2 * len(patients)))) if len(patients) >= 20 else 0
    return np.isin(subjects, rng.permutation(patients)[:count])
