"""A mixture of products with closed forms: likelihood, conditionals, imputation, and exact draws under conditions.

Components start at random records and are refined by cross-fitted expectation maximisation with smoothed shares; those
that stand for too few patients are dropped. Starts from the leaves of an adversarial random forest (Watson et al.,
AISTATS 2023) were no better, and slower.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semblance.core.files import write_json
from semblance.core.model import Card, Plan, Tick, Watch
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, Fitting, saved
from semblance.modalities.table.generators.expectation import (
    Records,
    expected,
    kept,
    passes,
    products,
    started,
    together,
)
from semblance.modalities.table.generators.leaves import Smoother, smoothers
from semblance.modalities.table.generators.products import BLOCK, Evidence, Products
from semblance.modalities.table.structure import Structure

CARD = Card(
    name="mixture",
    summary="mixture of products: exact conditions, likelihood and imputation in closed form, fast draws",
    paper="Dunson & Xing, Nonparametric Bayes Modeling of Multivariate Categorical Data, JASA 2009",
    conditional=True,
)
LEARNED_FROM, PROBED = 100_000, 256


@dataclass(frozen=True)
class MixturePlan:
    """How much work."""

    components: int
    """Components at the start; those that stand for too few patients are dropped."""
    passes: int = 20
    """At most so many passes of expectation maximisation."""


@dataclass(frozen=True)
class Mixture(CodedSpec):
    """A mixture of products of categoricals."""

    components: int = 4000
    """At most so many components."""
    start: int = 12
    """Records for each component at the start."""
    smoothing: float = 0.5
    """Records of the whole table's shares that each component adds to its own."""
    width: float = 0.03
    """How far a number's counts spread to neighbouring values, as a share of the records."""
    least: int = 25
    """No component stands for fewer patients, nor for fewer than `rare`."""
    folds: int = 4
    """Parts of the patients: what a component says of a record comes from the other parts."""
    card: ClassVar[Card] = CARD
    planned: ClassVar[type] = MixturePlan

    def plan(self, train: Table, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """As many components as `time_budget` seconds (default 60) allow, by a probe on one block of records."""
        budget, begun = 60.0 if time_budget is None else time_budget, time.perf_counter()
        work = _Work.of(self, train, None, rng=rng)
        n, plan = len(work.records.codes), MixturePlan(1)
        if n > 1:
            left = max(budget - (time.perf_counter() - begun), 0.2 * budget)  # the fit encodes the table once more
            seen = min(n, LEARNED_FROM) * plan.passes + (2 * n if n > LEARNED_FROM else 0)
            most = min(self.components, n // self.start, int(left / (seen * work.seconds(rng=rng))))
            plan = MixturePlan(max(1, most))
        return asdict(plan)

    def learn_from(self, train: Table, how: Fitting) -> MixtureModel:
        """Learn structure on at most 100,000 records, then pass twice over all of them if there are more."""
        chosen, work = MixturePlan(**how.plan), _Work.of(self, train, how.encoding, rng=how.rng)
        mixture = work.learned(chosen, how.watch, rng=how.rng)
        return MixtureModel(work.encoding, self.to_json(), work.structure, mixture)

    @staticmethod
    def load(folder: Path) -> MixtureModel:
        """The inverse of `save`."""
        return MixtureModel(*restored(folder))


def restored(folder: Path) -> tuple[Encoding, dict[str, Any], Structure, Products]:
    """What a saved mixture of any origin is made of."""
    encoding, options, arrays = saved(folder)
    structure = Structure.from_json(json.loads((folder / "structure.json").read_text()))
    return (
        encoding,
        options,
        structure,
        Products(arrays["weights"], arrays["shares"], encoding.sizes[structure.learned]),
    )


@dataclass(frozen=True)
class _Work:
    """What is learned from."""

    spec: Mixture
    encoding: Encoding
    structure: Structure
    records: Records
    smooth: tuple[Smoother, ...]

    @classmethod
    def of(cls, spec: Mixture, train: Table, encoding: Encoding | None, *, rng: np.random.Generator) -> _Work:
        coder = spec.encoding_of(train, encoding)
        codes, places = coder.encode(train), coder.positions
        structure = Structure.of(codes, coder.sizes)
        learned, sizes = codes[:, structure.learned], coder.sizes[structure.learned]
        folds = spec.folds if len(codes) >= 2 * spec.folds else 1
        records = Records.of(learned, sizes, train.subjects, folds=folds, rng=rng)
        positions = [places[j] for j in structure.learned]
        smooth = smoothers(learned, sizes, positions, weight=spec.smoothing, width=spec.width)
        return cls(spec, coder, structure, records, smooth)

    def seconds(self, *, rng: np.random.Generator) -> float:
        """Seconds per record and component."""
        part = self.records.take(np.arange(min(BLOCK, len(self.records.codes))))
        counts = started(self.records, [self.records], PROBED, rng)[0]
        model, stamps = products(counts, part.sizes, self.smooth), [time.perf_counter()]
        for _ in range(4):
            expected(model, part)
            stamps.append(time.perf_counter())
        return float(np.diff(stamps).min()) / (len(part.codes) * len(model.weights))

    def learned(self, plan: MixturePlan, watch: Watch | None, *, rng: np.random.Generator) -> Products:
        """The mixture of the last pass."""
        some = self.records
        if len(some.codes) > LEARNED_FROM:
            some = some.take(np.sort(rng.permutation(len(some.codes))[:LEARNED_FROM]))
        parts, least = some.folds(), max(self.spec.rare, self.spec.least)
        counts = started(some, parts, max(1, plan.components), rng)
        steps = passes(counts, parts, self.smooth, most=plan.passes, least=least)
        for step, (counts, mean) in enumerate(steps, 1):  # noqa: B007
            if watch is not None:
                watch(Tick(step, plan.passes, -mean, -mean))
        if some is not self.records:
            for _ in range(2):
                held, _ = expected(products(together(counts), some.sizes, self.smooth), self.records)
                counts = kept([held], least=least)
        return products(together(counts), some.sizes, self.smooth)


@dataclass(frozen=True)
class MixtureModel(CodedModel):
    """The mixture over the columns that `structure` says to learn. All codes are those of the encoding's columns."""

    structure: Structure
    mixture: Products
    card: ClassVar[Card] = CARD

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        return self.structure.complete(self.mixture.draw(n, rng=rng))

    def log_prob(self, codes: np.ndarray) -> np.ndarray:
        """(n,) natural log-likelihood of (n, columns) codes; -inf where a column contradicts what it follows from."""
        learned = codes[:, self.structure.learned]
        agree = (self.structure.complete(learned) == codes).all(1)
        return np.where(agree, self.mixture.log_prob(learned), -np.inf)

    def marginals(self) -> tuple[np.ndarray, ...]:
        """Per column (size,) the probabilities of its codes."""
        free = np.full((1, len(self.encoding.sizes)), -1)
        return tuple(self.conditional(free, j)[0] for j in range(len(self.encoding.sizes)))

    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        """(n, size) probabilities of a column given (n, columns) codes with -1 for what is not known."""
        if column not in self._origin:
            return np.ones((len(known), 1))
        origin, lookup = self._origin[column]
        shares = self.mixture.conditional(self._evidence(known), origin)
        found = np.zeros((len(known), int(self.encoding.sizes[column])))
        np.add.at(found.T, lookup, shares.T)
        return found

    def complete(self, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes: the unknown (-1) drawn given the known, which stay as they are."""
        drawn = self.structure.complete(self.mixture.complete(self._evidence(known), rng=rng))
        return np.where(known >= 0, known, drawn)

    def choose(self, allowed: Sequence[np.ndarray], n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes of records in which column j has a code by its weight allowed[j] (size,) in [0, 1].

        Exact and without rejection: equality, sets, ranges, or any share of a code.
        """
        return self.structure.complete(self.mixture.choose(self._allowed(allowed), n, rng=rng))

    def probability(self, allowed: Sequence[np.ndarray]) -> float:
        """The probability that a record is accepted by every column's weights."""
        return self.mixture.probability(self._allowed(allowed))

    @cached_property
    def _origin(self) -> dict[int, tuple[int, np.ndarray]]:
        """Of each column that is not constant: the learned column it follows from (its place), and its code of each."""
        sizes, learned = self.encoding.sizes, self.structure.learned
        found = {int(j): (i, np.arange(sizes[j])) for i, j in enumerate(learned)}
        for child, parent, lookup in reversed(self.structure.derived):
            place, first = found[parent]
            found[child] = (place, np.asarray(lookup, dtype=np.int64)[first])
        return found

    def _allowed(self, allowed: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """The weights of the codes of the learned columns."""
        found = [np.ones(int(self.encoding.sizes[j])) for j in self.structure.learned]
        for column, (place, lookup) in self._origin.items():
            found[place] = found[place] * np.asarray(allowed[column], dtype=float)[lookup]
        return tuple(found)

    def _evidence(self, known: np.ndarray) -> Evidence:
        found = [self._known(i, known) for i in range(len(self.structure.learned))]
        which = [rows for _, rows in found]
        return Evidence(
            tuple(patterns for patterns, _ in found),
            np.column_stack(which) if which else np.zeros((len(known), 0), dtype=np.int64),
        )

    def _known(self, place: int, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The distinct things known of a learned column and those that follow from it, and which of them each row is.

        Columns that contradict the one they follow from say nothing.
        """
        columns = [column for column, (origin, _) in self._origin.items() if origin == place]
        distinct, which = np.unique(known[:, columns], axis=0, return_inverse=True)
        patterns = np.ones((len(distinct), int(self.mixture.sizes[place])))
        for column, codes in zip(columns, distinct.T, strict=True):
            same = self._origin[column][1] == codes[:, None]
            narrowed = np.where(codes[:, None] >= 0, patterns * same, patterns)
            patterns = np.where(narrowed.any(1, keepdims=True), narrowed, patterns)
        return patterns, which.ravel()

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights of the components and their shares of every code."""
        return {"weights": self.mixture.weights, "shares": np.ascontiguousarray(self.mixture.shares)}

    def save(self, folder: Path) -> None:
        """Write structure.json beside what every model writes."""
        super().save(folder)
        write_json(folder / "structure.json", self.structure.to_json())
