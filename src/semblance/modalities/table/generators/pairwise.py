"""Every pair of columns counted under differential privacy, and a mixture of products that has these shares.

Nothing is selected, so nothing is paid for selecting: all pairs are measured at once, each with the same noise, and the
nonnegative mixture that comes nearest to all of them takes most of the noise out again. Where there is a target of few
codes, columns and pairs are counted within each of them, which costs nothing more: a patient stands in one cell of each
table either way. Columns are counted first; what is rare beside the noise is put together before pairs are counted, and
told apart again by what the columns say alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semblance.core.errors import UsageError
from semblance.core.model import Card, Plan, Watch
from semblance.core.promise import Ledger
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.modalities.table.codes import Categories
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedSpec, measured_of, saved
from semblance.modalities.table.generators.grouping import classes, frequent, neighbours, sizes, summed
from semblance.modalities.table.generators.marginals import simplex
from semblance.modalities.table.generators.measured import Measured, Pair
from semblance.modalities.table.generators.mixture import MixtureModel
from semblance.modalities.table.generators.moments import Moments
from semblance.modalities.table.generators.products import Products
from semblance.modalities.table.structure import Structure
from semblance.privacy.accountant import rho_of

CARD = Card(
    name="pairwise",
    summary="differential privacy: all pairs counted with noise, and a mixture fitted to them; exact conditions",
    paper="Liu, Vietri & Wu, NeurIPS 2021; Aydore et al., ICML 2021; McKenna, Miklau & Sheldon, JPC 2021",
    private=True,
    conditional=True,
    needs=("dp-accounting", "opendp"),
)
CERTAIN = 3.0
"""Standard deviations of the noise below which a code is put together with others."""
LEAST, COMMON = 0.002, 0.02
"""Shares of the records below which a code, and a class of the target, is put together with others in any case."""
FEW = 9
"""Codes of a target, the missing one included, within which others are counted; one with more is as any column."""
CELLS = 100
FEWEST, FOLLOWED = 48, 8.0
"""Components at least, and how many times one in the total variation that noise makes in a table of CELLS cells."""


@dataclass(frozen=True)
class Pairwise(CodedSpec):
    """Noisy pairs of all columns."""

    components: int = 256
    """At most so many components; fewer where the noise is large, since more of them would only follow it."""
    steps: int = 1500
    groups: int = 16
    """At most so many codes of a column are told apart within pairs."""
    classes: int = 4
    """Within at most so many classes of the target pairs are counted apart."""
    single: float = 0.3
    """Share of the budget for columns alone; the rest is for pairs."""
    card: ClassVar[Card] = CARD

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
    ) -> PairwiseModel:
        """Measure `train` with what is left in `ledger`; `rng` governs only what comes after.

        What was measured is kept in `resume`, and a fit that finds it there measures nothing and needs no ledger.
        Raises UsageError without a ledger and for columns that are not declared, PrivacyError where nothing is left.
        """
        coder, told = self.measured(train, ledger, kept=resume)
        return self._fitted(coder, told, rng=stream(root_of(rng), "mixture"), watch=watch)

    def floor(self, schema: Schema, *, epsilon: float, delta: float, records: int) -> float:
        """The expected total variation that noise alone makes in a pair of CELLS cells; no record is seen."""
        coder = public_encoding(schema)
        _, pairs = _tables(coder)
        share, tables = (1 - self.single, len(pairs)) if pairs else (1.0, len(coder.columns))
        sigma = math.sqrt(tables / (2 * share * rho_of(epsilon, delta=delta)))
        return _moved(sigma, records)

    def encoding_of(self, train: Table, given: Encoding | None) -> Encoding:
        """The public one, whatever is given: any other has looked at the records."""
        return public_encoding(train.schema)

    def measured(self, train: Table, ledger: Ledger | None, *, kept: Path | None = None) -> tuple[Encoding, Measured]:
        """The codes, and the noisy counts of `train`: of columns first, since they say what is too rare for pairs.

        What is in `kept` already is not measured again.
        """
        coder = self.encoding_of(train, None)
        counter = Counter(coder, coder.encode(train), train.subjects, ledger)
        told = Measured.load(kept) if kept is not None else None
        if told is None:
            told = _saved(self._columns(counter), kept)
        if not told.pairs and _tables(coder)[1]:
            told = _saved(self._pairs(counter, told), kept)
        return coder, told

    def _columns(self, counter: Counter) -> Measured:
        target, pairs = _tables(counter.coder)
        columns = [(j,) for j in range(len(counter.coder.columns))]
        left = 1 - self.single if pairs else 0.0
        found, sigma = counter.counted(_within(target, columns), share=self.single, left=left, note="columns")
        alone = tuple(counts if counts.ndim == 2 else counts[None] for counts in found)
        return Measured(target, alone, sigma, tuple(np.arange(size) for size in counter.coder.sizes))

    def _pairs(self, counter: Counter, told: Measured) -> Measured:
        target, pairs = _tables(counter.coder)
        groups = self._grouped(counter.coder, told)
        asked = _within(target, pairs)
        found, sigma = counter.grouped(groups).counted(asked, share=1.0, left=0.0, note="pairs")
        tables = {pair: counts.reshape(-1, *counts.shape[-2:]) for pair, counts in zip(pairs, found, strict=True)}
        return replace(told, groups=groups, pairs=tables, pair_sigma=sigma)

    def _grouped(self, coder: Encoding, told: Measured) -> tuple[np.ndarray, ...]:
        """Of each column (size,) which codes count as one within pairs."""
        return tuple(self._group(coder, told, j, most=self.groups) for j in range(len(coder.columns)))

    def _group(self, coder: Encoding, told: Measured, j: int, *, most: int) -> np.ndarray:
        least, share, column = CERTAIN * told.sigma * self._wider(coder) / told.records, told.share(j), coder.columns[j]
        if j == told.target:
            return classes(share, most=self.classes, least=max(least, COMMON))
        if isinstance(column, Categories):
            return frequent(share, most=most, least=max(least, LEAST))
        # The missing value first, then cells in their order.
        cells = neighbours(share[1:], most=most, least=least)
        missing = int(cells.max()) + 1 if share[0] > max(least, LEAST) else 0
        return np.concatenate([[missing], cells])

    def _wider(self, coder: Encoding) -> float:
        """How much more noise a pair has than a column, were all of them measured finely."""
        columns, pairs = len(coder.columns), len(_tables(coder)[1])
        return max(1.0, math.sqrt(pairs / columns * self.single / (1 - self.single)))

    def _components(self, told: Measured) -> int:
        """So many that they follow the counts, and not their noise: the more, the less noise is in a pair."""
        if not told.pairs:
            return min(self.components, FEWEST)
        return min(self.components, max(FEWEST, round(FOLLOWED / _moved(told.pair_sigma, told.records))))

    def _fitted(
        self, coder: Encoding, told: Measured, *, rng: np.random.Generator, watch: Watch | None
    ) -> PairwiseModel:
        """The mixture that comes nearest to what was measured."""
        groups = told.groups
        moments = _moments(told, groups)
        fitted, stratum = moments.fitted(components=self._components(told), steps=self.steps, rng=rng, watch=watch)
        levels = np.eye(len(moments.strata), dtype=np.float32)[:, stratum]
        place = {j: k for k, j in enumerate(_learned(told))}
        parts = [fitted.column(place[j]) if j in place else levels for j in range(len(groups))]
        whole = Products(fitted.weights, np.concatenate(parts), sizes(groups))
        structure = Structure(len(groups), tuple(range(len(groups))), ())
        every = apart(whole, groups, _within_groups(told, stratum))
        return PairwiseModel(coder, self.to_json(), structure, every, measured=findings(told, whole))

    @staticmethod
    def load(folder: Path) -> PairwiseModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        structure = Structure.from_json(json.loads((folder / "structure.json").read_text()))
        mixture = Products(arrays["weights"], arrays["shares"], encoding.sizes[structure.learned])
        return PairwiseModel(encoding, options, structure, mixture, measured=measured_of(folder))


@dataclass(frozen=True)
class PairwiseModel(MixtureModel):
    """A mixture that holds noisy measurements and nothing else, and how near it came to them."""

    card: ClassVar[Card] = CARD


@dataclass(frozen=True)
class Counter:
    """Records as (n, columns) codes, and the ledger that pays for counting them."""

    coder: Encoding
    codes: np.ndarray
    subjects: np.ndarray
    ledger: Ledger | None
    groups: tuple[np.ndarray, ...] | None = None

    def grouped(self, groups: tuple[np.ndarray, ...]) -> Counter:
        """The same records, their codes in groups."""
        return replace(self, groups=groups)

    def counted(
        self, subsets: Sequence[tuple[int, ...]], *, share: float, left: float, note: str
    ) -> tuple[list[np.ndarray], float]:
        """Noisy counts for a `share` of the budget, where a share of it is to be `left`, and their sigma."""
        ledger = self._paying()
        parts = [(share, len(subsets)), *([(left, 1)] if left else [])]
        sigma, codes, count = ledger.affordable(parts)[0].sigma, self.codes, self.coder.sizes
        if self.groups is not None:
            codes, count = (
                np.column_stack([group[codes[:, j]] for j, group in enumerate(self.groups)]),
                sizes(self.groups),
            )
        return ledger.noisy_counts(codes, count, subsets, self.subjects, sigma=sigma, note=note), sigma

    def _paying(self) -> Ledger:
        if self.ledger is None:
            raise UsageError.of(
                f"'{CARD.name}' was given no ledger",
                rule="a private generator measures only what a ledger has paid for",
                fix="--epsilon 1, or in Python ledger=sb.Ledger.open(...), with a schema file that names the cohort",
            )
        return self.ledger


def _saved(told: Measured, kept: Path | None) -> Measured:
    """What was measured, kept before anything else is."""
    if kept is not None:
        told.save(kept)
    return told


def _moved(sigma: float, records: float) -> float:
    """The expected total variation that noise makes in a table of CELLS cells."""
    return CELLS * sigma * math.sqrt(2 / math.pi) / records / 2


def _learned(told: Measured) -> list[int]:
    return [j for j in range(len(told.columns)) if j != told.target]


def _moments(told: Measured, groups: Sequence[np.ndarray]) -> Moments:
    """What was measured, as shares of all records, over groups."""
    learned, target, records = _learned(told), told.target, told.records
    place = {j: k for k, j in enumerate(learned)}
    levels = np.zeros(1, dtype=np.int64) if target is None else groups[target]
    single = [summed(told.within(j, levels), groups[j]) for j in learned]
    noise = [_noise(told, groups[j], len(shares)) for j, shares in zip(learned, single, strict=True)]
    pairs = {(place[i], place[j]): counts / records for (i, j), counts in told.pairs.items()}
    strata = np.ones(1) if target is None else simplex(summed(told.columns[target][0] / records, levels))
    return Moments(strata, single, pairs, noise, told.pair_sigma / records)


def _noise(told: Measured, group: np.ndarray, classes: int) -> np.ndarray:
    """(groups,) the noise of a sum of shares: over the codes of a group, and over those of a class."""
    merged = np.bincount(group) * max(len(counts) for counts in told.columns) / classes
    found: np.ndarray = told.sigma / told.records * np.sqrt(merged)
    return found


def findings(told: Measured, fitted: Products) -> dict[str, Any]:
    """How near the model is to what was measured, as mean total variation, and how far noise alone would be."""
    off, noise = [], []
    levels = np.ones((1, len(fitted.weights))) if told.target is None else fitted.column(told.target)
    for (i, j), counts in told.pairs.items():
        shares = np.stack([(fitted.column(i) * fitted.weights * own) @ fitted.column(j).T for own in levels])
        off.append(np.abs(shares - counts / told.records).sum() / 2)
        noise.append(counts.size * told.pair_sigma * math.sqrt(2 / math.pi) / told.records / 2)
    pairs = {"pairs": float(np.mean(off)), "pairs of noise alone": float(np.mean(noise))} if off else {}
    return {"records": round(told.records), **pairs, "noise": [noise.to_json() for noise in told.paid]}


def _tables(encoding: Encoding) -> tuple[int | None, list[Pair]]:
    """The column of the target, if others can be counted within its few codes, and the pairs of those others."""
    every, columns = range(len(encoding.columns)), encoding.columns
    found = [j for j, c in enumerate(encoding.fields) if c.role == "target" and isinstance(columns[j], Categories)]
    few = bool(found) and columns[found[0]].size <= FEW
    target = found[0] if few and len(every) > 2 else None
    return target, list(combinations((j for j in every if j != target), 2))


def _within(target: int | None, subsets: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Each of these tables, within the codes of the target where it is not about the target."""
    return [subset if target is None or target in subset else (target, *subset) for subset in subsets]


def apart(fitted: Products, groups: Sequence[np.ndarray], within: Sequence[np.ndarray]) -> Products:
    """The mixture over all codes: within a group, codes are as common as `within` says, (components, size) or (1, size)
    for each column."""
    found = []
    for j, (group, shares) in enumerate(zip(groups, within, strict=True)):
        held = np.maximum(shares, 1e-12)
        held = held / summed(held, group)[:, group]
        found.append(fitted.column(j)[group] * held.T.astype(np.float32))
    return Products(fitted.weights, np.concatenate(found).astype(np.float32), np.array([len(g) for g in groups]))


def _within_groups(told: Measured, stratum: np.ndarray) -> list[np.ndarray]:
    """Of each column the shares of its codes in the class of each component, or in all where it is one."""
    levels = np.zeros(1, dtype=np.int64) if told.target is None else told.groups[told.target]
    shares = [_shrunk(told, j, levels) for j in range(len(told.columns))]
    return [held[stratum] if len(held) > 1 else held for held in shares]


def _shrunk(told: Measured, j: int, levels: np.ndarray) -> np.ndarray:
    """(classes, size) shares of the codes of a column: of each class as far from those of all as more than noise says.

    Within a group, the empirical Bayes estimate (Efron & Morris, JASA 1973) around the shares of all classes.
    """
    every, noise, group = told.share(j), told.sigma / told.records, told.groups[j]
    shares = told.within(j, levels)
    if len(shares) == 1:
        return every[None]
    common = every / np.maximum(summed(every, group)[group], 1e-12)
    expected = np.maximum(summed(shares, group), 0)[:, group] * common
    beyond = summed((shares - expected) ** 2 - noise**2, group)[:, group] / np.bincount(group)[group]
    beyond = np.maximum(beyond, 0)
    found: np.ndarray = np.maximum(expected + beyond / (beyond + noise**2) * (shares - expected), 0)
    return found
