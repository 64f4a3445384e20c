"""The default: one any-order masked network over the digits of a table's codes.

Every conditional of every column given any others is one network's output, so one pass trains all masked columns of a
row. Columns are sampled one after the other, the ones that tell most about the others first. Where the schema names a
time and an event, these two come first and jointly, so that the survival curve is nearly the one of the patients.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.files import write_json
from semblance.core.model import Card
from semblance.learn.nets.masked import MaskedNet
from semblance.learn.objectives.autoregressive import AnyOrder
from semblance.learn.pace import steps_within, within_epochs
from semblance.learn.rows import Rows, kept_aside
from semblance.learn.trainer import TrainPlan, train_to_end
from semblance.modalities.table.data import Table
from semblance.modalities.table.digits import Digits
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, Fitting, measured_of, saved
from semblance.modalities.table.generators.marginals import shares_of
from semblance.modalities.table.generators.private import PrivateSpec, Training
from semblance.modalities.table.structure import Structure

CARD = Card(
    name="autoregressive",
    summary="one masked network for every conditional; any mix of kinds, missing values as information; the default",
    paper="Uria et al., A Deep and Tractable Density Estimator, ICML 2014; Hoogeboom et al., ICLR 2022",
    private=True,
    conditional=True,
    needs=("torch",),
)
FEWEST, CALIBRATED = 600, 20_000
TINY = 1e-6
FOLLOW_UP = ("time", "event")
"""Roles of the columns that are drawn first, together."""


@dataclass(frozen=True)
class Autoregressive(PrivateSpec):
    """One any-order masked network."""

    categories: int = 100_000
    """Categories kept per column; the others join the rare class. Large columns are learned digit by digit."""
    width: int = 128
    """Width of the shared trunk."""
    blocks: int = 2
    """Residual blocks of the trunk."""
    ordered: float = 0.4
    """Share of training rows that mask a suffix of the sampling order; the others mask at random."""
    aside: float = 0.05
    """Share of patients kept aside to stop early."""
    epochs: int = 64
    """At most so many passes over the data, however large the budget."""
    card: ClassVar[Card] = CARD
    planned: ClassVar[type] = TrainPlan
    """What a plan holds, so that one from a file can be checked."""

    def probed(self, train: Table, *, rng: np.random.Generator, budget: float, begun: float) -> TrainPlan:
        """As many steps as there is time for, within `epochs`."""
        work = _Work.of(self, train, None, rng=rng)
        if not work.trainable:
            return self._plan_of(0, len(train))
        steps = steps_within(work.objective, work.source, TrainPlan(steps=0), rng=rng, begun=begun, budget=budget)
        return self._plan_of(steps, len(train))

    def _plan_of(self, steps: int, records: int) -> TrainPlan:
        """The plan of so many steps: averages and looks stretch with the length of training."""
        steps = within_epochs(steps, epochs=self.epochs, records=records, batch=256, fewest=FEWEST)
        return TrainPlan(steps=steps, look=max(20, steps // 60))

    def learn_from(self, train: Table, how: Fitting) -> AutoregressiveModel:
        """Train for the plan, and keep the averaged weights that did best on the patients kept aside."""
        work = _Work.of(self, train, how.encoding, rng=how.rng)
        if work.trainable:
            plan, checkpoint = TrainPlan(**how.plan), how.checkpoint("training")
            train_to_end(work.objective, work.source, plan, rng=how.rng, watch=how.watch, resume=checkpoint)
            work.objective.calibrate(work.every, how.rng.random((CALIBRATED, work.every.shape[1])))
        return AutoregressiveModel(work.encoding, self.to_json(), work.structure, work.digits, work.objective)

    def training(self, coder: Encoding, seen: Table, *, rng: np.random.Generator) -> Training:
        """The network, which starts at what stands in for the real records and is raked to it at the end. The order of
        the columns is that of the table, and none is taken to follow from another: to see that, one has to look."""
        structure = Structure(len(coder.columns), _declared_order(coder), ())
        codes = coder.encode(seen)
        digits = _digits(coder, structure, codes[:, structure.learned])
        every = digits.spell(codes[:, structure.learned])
        # Links are within columns: what the event has to do with the time is not in what stands in.
        net = MaskedNet(digits.sizes, width=self.width, blocks=self.blocks, links=digits.parents)
        _start(net, every, [coder.positions[j] for j in structure.learned], digits, rng=rng)
        objective = _objective(net, structure, digits, ordered=self.ordered)

        def source_of(table: Table) -> Rows:
            return Rows(digits.spell(coder.encode(table)[:, structure.learned]), table.subjects)

        def model(measured: Mapping[str, Any]) -> AutoregressiveModel:
            objective.calibrate(every, rng.random((CALIBRATED, every.shape[1])))
            return AutoregressiveModel(coder, self.to_json(), structure, digits, objective, measured=measured)

        return Training(objective, source_of, model, trainable=len(structure.order) > 0)

    @staticmethod
    def load(folder: Path) -> AutoregressiveModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        told = json.loads((folder / "structure.json").read_text())
        structure, digits = Structure.from_json(told), Digits.from_json(told["digits"])
        links = {int(j): tuple(parents) for j, parents in told["links"]}
        net = MaskedNet(digits.sizes, width=options["width"], blocks=options["blocks"], links=links)
        net.load_state_dict({k: torch.from_numpy(v) for k, v in arrays.items()})
        objective = _objective(net, structure, digits, ordered=options["ordered"])
        return AutoregressiveModel(encoding, options, structure, digits, objective, measured=measured_of(folder))


@dataclass(frozen=True)
class AutoregressiveModel(CodedModel):
    """The trained network, how its columns are spelt, and the columns that it need not know."""

    structure: Structure
    digits: Digits
    objective: AnyOrder
    card: ClassVar[Card] = CARD

    @property
    def chain(self) -> tuple[int, ...]:
        """The learned columns in the order in which they are drawn."""
        return self.structure.order

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        return self._read(self.objective.sample(rng.random((n, len(self.digits.sizes)))))

    def complete(self, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes: what is -1 in `known` drawn given the rest of its record."""
        filled = known.copy()
        for root in self._roots():
            rows = np.flatnonzero(self._hinted(filled, root))
            share = self.conditional(filled[rows], root).cumsum(1)
            filled[rows, root] = (share < rng.random((len(rows), 1)) * share[:, -1:]).sum(1)
        uniform = rng.random((len(known), len(self.digits.sizes)))
        drawn = self._read(self.objective.sample(uniform, self._spelt(filled)))
        return np.where(known < 0, drawn, known)

    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        """(n, size) probabilities of a column given (n, columns) codes with -1 for what is not known."""
        size = int(self.encoding.sizes[column])
        if column in self.structure.roots:
            root, lookup = self.structure.roots[column]
            apart = np.where(np.arange(known.shape[1]) == column, -1, known)
            of_root, share = self.conditional(apart, root), np.zeros((size, len(known)))
            np.add.at(share, lookup, of_root.T)
            return share.T
        if column not in self.structure.order:
            return np.full((len(known), size), 1 / size)
        hinted = [root for root in self._roots() if root != column and self._hinted(known, root).any()]
        return self._over(known, column, hinted[0]) if hinted else self._of_learned(known, column)

    def _over(self, known: np.ndarray, column: int, root: int) -> np.ndarray:
        """The conditional of a column, averaged over what `root` may be where only what follows from it is known."""
        weight = self.conditional(known, root)
        weight = np.where(weight > TINY, weight, 0.0)
        row, code = np.nonzero(weight)
        filled = known[row]
        filled[:, root] = code
        each = self.conditional(filled, column) * (weight[row, code] / weight.sum(1)[row])[:, None]
        share = np.zeros((len(known), each.shape[1]))
        np.add.at(share, row, each)
        return share

    def _roots(self) -> list[int]:
        """The learned columns from which others follow."""
        return sorted({root for root, _ in self.structure.roots.values()})

    def _hinted(self, known: np.ndarray, root: int) -> np.ndarray:
        """(n,) bool: records in which something is known of a root that is not known itself."""
        hinted: np.ndarray = (known[:, root] < 0) & ~self._allowed(known, root).all(1)
        return hinted

    def _of_learned(self, known: np.ndarray, column: int) -> np.ndarray:
        """The conditional of a learned column given learned ones and what follows from itself."""
        size, own = int(self.encoding.sizes[column]), known[:, column]
        if (own >= 0).all():
            return _certain(own, size)
        spelt, at = self._spelt(known), int(np.searchsorted(self.structure.learned, column))
        spelt[:, list(self.digits.of_column(at))] = -1
        share = self._spelled(spelt, at) * self._allowed(known, column)
        share /= np.maximum(share.sum(1, keepdims=True), 1e-300)
        held = np.flatnonzero(own >= 0)
        share[held] = _certain(own[held], size)
        return share

    def _spelled(self, spelt: np.ndarray, at: int) -> np.ndarray:
        """(n, size) probabilities of the codes of a learned column: the product over its digits."""
        path, part = self.digits.paths[at], self.digits.of_column(at)
        share = self.objective.conditional(spelt, part[0]).astype(float)[:, path[:, 0]]
        for depth, column in enumerate(part[1:], start=1):
            for before in np.unique(path[:, :depth], axis=0):
                members = np.flatnonzero((path[:, :depth] == before).all(1))
                given = spelt.copy()
                given[:, list(part[:depth])] = before
                within = self.objective.conditional(given, column).astype(float)[:, path[members, depth]]
                # Digits that spell no code of this group have a little probability, which is the others'.
                each = np.unique(path[members, depth], return_index=True)[1]
                share[:, members] *= within / np.maximum(within[:, each].sum(1, keepdims=True), 1e-300)
        return share

    def _allowed(self, known: np.ndarray, column: int) -> np.ndarray:
        """(n, size) bool: the codes of a column that agree with what follows from it and is known."""
        allowed = np.ones((len(known), int(self.encoding.sizes[column])), dtype=bool)
        for child, (root, lookup) in self.structure.roots.items():
            if root == column:
                allowed &= (known[:, [child]] < 0) | (lookup[None, :] == known[:, [child]])
        return allowed

    def _spelt(self, known: np.ndarray) -> np.ndarray:
        return self.digits.spell(known[:, self.structure.learned])

    def _read(self, digits: np.ndarray) -> np.ndarray:
        return self.structure.complete(self.digits.read(digits))

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights."""
        return {k: v.detach().numpy() for k, v in self.objective.net.state_dict().items()}

    def save(self, folder: Path) -> None:
        """Write structure.json beside what every model writes."""
        super().save(folder)
        links = [[j, list(parents)] for j, parents in self.objective.net.links.items()]
        told = {**self.structure.to_json(), "digits": self.digits.to_json(), "links": links}
        write_json(folder / "structure.json", told)


def _certain(codes: np.ndarray, size: int) -> np.ndarray:
    """(n, size) all the probability on the codes that are known."""
    share = np.zeros((len(codes), size))
    share[np.arange(len(codes)), codes] = 1.0
    return share


@dataclass(frozen=True)
class _Work:
    """What training needs, made alike by the probe and by the fit."""

    encoding: Encoding
    structure: Structure
    digits: Digits
    source: Rows
    objective: AnyOrder
    every: np.ndarray
    """(n, digit columns) all records, for calibration."""

    @property
    def trainable(self) -> bool:
        """Whether there is anything to learn, and any record to learn from."""
        return len(self.source.values) > 0 and len(self.structure.order) > 0

    @classmethod
    def of(cls, spec: Autoregressive, train: Table, encoding: Encoding | None, *, rng: np.random.Generator) -> _Work:
        coder = spec.encoding_of(train, encoding)
        codes = coder.encode(train)
        structure = Structure.of(codes, coder.sizes, first=_follow_up(coder))
        digits = _digits(coder, structure, codes[:, structure.learned])
        every = digits.spell(codes[:, structure.learned])
        aside = kept_aside(train.subjects, share=spec.aside, rng=rng)
        net = MaskedNet(digits.sizes, width=spec.width, blocks=spec.blocks, links=_links(coder, structure, digits))
        places = coder.positions
        _start(net, every, [places[j] for j in structure.learned], digits, rng=rng)
        held = torch.from_numpy(every[aside]) if aside.any() else None
        objective = _objective(net, structure, digits, ordered=spec.ordered, aside=held)
        return cls(coder, structure, digits, Rows(every[~aside], train.subjects[~aside]), objective, every)


def _follow_up(encoding: Encoding) -> tuple[int, ...]:
    """The time and the event, where the schema names both."""
    found = {str(field.role): j for j, field in enumerate(encoding.fields)}
    return tuple(found[role] for role in FOLLOW_UP) if all(role in found for role in FOLLOW_UP) else ()


def _declared_order(encoding: Encoding) -> tuple[int, ...]:
    """The columns in which anything is to learn, as the table has them; the time and the event first."""
    first = _follow_up(encoding)
    order = (*first, *(j for j in range(len(encoding.columns)) if j not in first))
    return tuple(j for j in order if encoding.sizes[j] > 1)


def _digits(encoding: Encoding, structure: Structure, codes: np.ndarray) -> Digits:
    learned = structure.learned.tolist()
    columns, fields = [encoding.columns[j] for j in learned], [encoding.fields[j] for j in learned]
    return Digits.of(columns, fields, shares_of(codes, encoding.sizes[learned]))


def _links(encoding: Encoding, structure: Structure, digits: Digits) -> dict[int, tuple[int, ...]]:
    """Links that are learned: later digits to the earlier ones of their column, the event to the time."""
    learned, follow_up = structure.learned.tolist(), _follow_up(encoding)
    part = {j: digits.of_column(at) for at, j in enumerate(learned)}
    links = digits.parents
    if follow_up and all(j in learned for j in follow_up):
        links[part[follow_up[1]][0]] = tuple(part[follow_up[0]])
    return links


def _start(
    net: MaskedNet, codes: np.ndarray, places: list[np.ndarray], digits: Digits, *, rng: np.random.Generator
) -> None:
    """The first weights: what the columns say alone, and what linked ones say of each other."""
    shares = shares_of(codes, digits.sizes)
    flat = np.concatenate([*shares, np.zeros(0)])
    floor = 1 / max(2 * len(codes), 2)
    net.start(np.log(np.maximum(flat, floor)).astype(np.float32), digits.positions(places), rng=rng)
    net.start_links(codes)


def _objective(
    net: MaskedNet, structure: Structure, digits: Digits, *, ordered: float, aside: torch.Tensor | None = None
) -> AnyOrder:
    """The sampling order in digit columns: a column's own stand together, the coarse ones first."""
    places = np.searchsorted(structure.learned, np.array(structure.order, dtype=np.int64))
    order = [c for j in places for c in digits.of_column(int(j))]
    return AnyOrder(net, np.array(order, dtype=np.int64), ordered=ordered, after=digits.parents, aside=aside)
