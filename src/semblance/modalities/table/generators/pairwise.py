"""Every pair of columns counted under differential privacy, and a mixture of products that has these shares.

Nothing is selected, so nothing is paid for selecting: all pairs are measured at once, each with the same noise, and the
nonnegative mixture that comes nearest to all of them takes most of the noise out again. Where there is a target of few
codes, pairs are counted within its classes, which costs nothing more: a patient stands in one cell of each table either
way. Columns are counted first and by themselves, those of many codes with less noise than others; what is rare
beside the noise is put together before pairs are counted, and told apart again by what the columns say alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semblance.core.model import Card, Plan, Watch, paying
from semblance.core.names import age_cuts
from semblance.core.promise import Ledger
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.core.shares import simplex
from semblance.modalities.table.codes import Categories, Numbers
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedSpec, measured_of
from semblance.modalities.table.generators.grouping import cells, classes, frequent, sizes, summed
from semblance.modalities.table.generators.measured import Measured, Pair
from semblance.modalities.table.generators.mixture import MixtureModel, restored
from semblance.modalities.table.generators.moments import Moments
from semblance.modalities.table.generators.products import Products
from semblance.modalities.table.structure import Structure
from semblance.privacy.accountant import rho_of
from semblance.privacy.noise import moved

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
WIDE = 0.5
"""The power of a column's cells with which its share of the budget grows. If the error of a cell were that of its
noise, 2/3 would be best (Zhang et al., PrivSyn, USENIX Security 2021); but most cells of a wide column are empty, and
known to hold no less than nothing."""
FEW = 9
"""Codes, the missing one included, of a target within whose classes pairs are counted; one with more is a number, or
has too many classes to be told apart, and is as any column."""
Later = Sequence[tuple[float, int]]
"""Shares of the budget, and for how many tables each."""
CELLS = 100


@dataclass(frozen=True)
class Pairwise(CodedSpec):
    """Noisy pairs of all columns."""

    components: int = 256
    """At most so many components; never more than codes within the classes of the target."""
    steps: int = 1500
    groups: int = 16
    """At most so many codes of a column are told apart within pairs."""
    classes: int = 4
    """Within at most so many classes of the target pairs are counted apart."""
    single: float = 0.5
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
        told = Measured.load(kept) if kept is not None else None
        if told is None:
            told = _saved(self._columns(Counter.of(coder, train, ledger), coder), kept)
        if not told.pairs and _tables(coder)[1]:
            told = _saved(self._pairs(Counter.of(coder, train, ledger), coder, told), kept)
        return coder, told

    def _columns(self, counter: Counter, coder: Encoding) -> Measured:
        target, pairs = _tables(coder)
        columns, later = [(j,) for j in range(len(coder.columns))], [(1 - self.single, len(pairs))] if pairs else []
        found, sigmas = counter.counted(columns, share=self.single, later=later, wide=WIDE, note="columns")
        return Measured(target, tuple(found), sigmas, tuple(np.arange(size) for size in coder.sizes))

    def _pairs(self, counter: Counter, coder: Encoding, told: Measured) -> Measured:
        _, pairs = _tables(coder)
        return counter.with_pairs(self.grouped(coder, told, len(pairs)), pairs)

    def grouped(self, coder: Encoding, told: Measured, pairs: int) -> Measured:
        """What was measured of columns, and which of their codes count as one where so many pairs are to be counted."""
        noise = self._beyond(told, pairs)
        return replace(told, groups=tuple(self._group(coder, told, j, noise) for j in range(len(coder.columns))))

    def _group(self, coder: Encoding, told: Measured, j: int, noise: float) -> np.ndarray:
        """Of a column (size,) which codes count as one within pairs of such `noise`."""
        least, share = CERTAIN * max(noise, told.sigmas[j]) / told.records, told.share(j)
        codes = coder.columns[j]
        if j == told.target:
            return classes(share, most=self.classes, least=max(least, COMMON))
        if isinstance(codes, Categories):
            return frequent(share, most=self.groups, least=max(least, LEAST))
        rare, cuts = max(least, LEAST), _ages(coder.fields[j].name, codes)
        return cells(share, most=self.groups, least=least, rare=rare, cuts=cuts)

    def _beyond(self, told: Measured, pairs: int) -> float:
        """The noise that each of so many pairs will have, by that of the columns."""
        spent = sum(sigma**-2 for sigma in told.sigmas)
        return math.sqrt(pairs / spent * self.single / (1 - self.single))

    def _fitted(
        self, coder: Encoding, told: Measured, *, rng: np.random.Generator, watch: Watch | None
    ) -> PairwiseModel:
        """The mixture that comes nearest to what was measured, over all codes."""
        whole = self.mixture(told, rng=rng, watch=watch)
        structure = Structure(len(told.groups), tuple(range(len(told.groups))), ())
        every = apart(whole, told.groups, [told.share(j) for j in range(len(told.groups))])
        return PairwiseModel(coder, self.to_json(), structure, every, measured=findings(told, whole))

    def mixture(self, told: Measured, *, rng: np.random.Generator, watch: Watch | None = None) -> Products:
        """The mixture over groups that comes nearest to what was measured."""
        groups, moments = told.groups, _moments(told)
        fitted, stratum = moments.fitted(components=self.components, steps=self.steps, rng=rng, watch=watch)
        levels = np.eye(len(moments.strata), dtype=np.float32)[:, stratum]
        place = {j: k for k, j in enumerate(_learned(told))}
        parts = [fitted.column(place[j]) if j in place else levels for j in range(len(groups))]
        return Products(fitted.weights, np.concatenate(parts), sizes(groups))

    @staticmethod
    def load(folder: Path) -> PairwiseModel:
        """The inverse of `save`."""
        return PairwiseModel(*restored(folder), measured=measured_of(folder))


@dataclass(frozen=True)
class PairwiseModel(MixtureModel):
    """A mixture that holds noisy measurements and nothing else, and how near it came to them."""

    card: ClassVar[Card] = CARD


@dataclass(frozen=True)
class Counter:
    """Records as (n, columns) codes below `sizes`, and the ledger that pays for counting them."""

    codes: np.ndarray
    sizes: np.ndarray
    subjects: np.ndarray
    ledger: Ledger

    @classmethod
    def of(cls, coder: Encoding, train: Table, ledger: Ledger | None) -> Counter:
        """The records of `train`. Raises UsageError without a ledger."""
        paid = paying(CARD, ledger=ledger)
        return cls(coder.encode(train), coder.sizes, train.subjects, paid)

    def merged(self, groups: Sequence[np.ndarray]) -> Counter:
        """The same records, their codes in groups."""
        codes = np.column_stack([group[self.codes[:, j]] for j, group in enumerate(groups)])
        return replace(self, codes=codes, sizes=sizes(groups))

    def counted(
        self, subsets: Sequence[tuple[int, ...]], *, share: float, note: str, later: Later = (), wide: float = 0.0
    ) -> tuple[list[np.ndarray], tuple[float, ...]]:
        """Noisy counts for a `share` of the budget, and their sigmas; other shares are for what is counted `later`.

        Shares grow with the power `wide` of the cells, in powers of two, so that there are few kinds of noise.
        """
        cells = [math.prod(int(self.sizes[j]) for j in subset) for subset in subsets]
        weights = 2.0 ** np.round(wide * np.log2(cells))
        kinds, kind, often = np.unique(weights, return_inverse=True, return_counts=True)
        parts = [(float(share * w * n / weights.sum()), int(n)) for w, n in zip(kinds, often, strict=True)]
        noises = self.ledger.affordable([*parts, *later])
        sigmas = tuple(noises[k].sigma for k in kind)
        counts = self.ledger.noisy_counts(self.codes, self.sizes, subsets, self.subjects, sigma=sigmas, note=note)
        return counts, sigmas

    def with_pairs(self, told: Measured, pairs: Sequence[Pair], *, later: Later = ()) -> Measured:
        """What was measured, and these pairs as well, over its groups: for all that is left of the budget, or one part
        of it where others are for what is counted `later`."""
        asked = pairs if told.target is None else [(told.target, *pair) for pair in pairs]
        found, (sigma, *_) = self.merged(told.groups).counted(asked, share=1.0, note="pairs", later=later)
        tables = {pair: counts.reshape(-1, *counts.shape[-2:]) for pair, counts in zip(pairs, found, strict=True)}
        return replace(told, pairs={**told.pairs, **tables}, pair_sigma=sigma)


def _saved(told: Measured, kept: Path | None) -> Measured:
    """What was measured, kept before anything else is."""
    if kept is not None:
        told.save(kept)
    return told


def _ages(name: str, codes: Numbers) -> list[int]:
    """The codes that begin at a usual age, so that pairs tell children from adults, however few they are."""
    middles = codes.middles[1:]
    return [1 + int(np.searchsorted(middles, cut)) for cut in age_cuts(name, middles[0], middles[-1])]


def _moved(sigma: float, records: float) -> float:
    """The expected total variation that noise makes in a table of CELLS cells."""
    return moved(CELLS, sigma / records)


def _learned(told: Measured) -> list[int]:
    return [j for j in range(len(told.columns)) if j != told.target]


def _moments(told: Measured) -> Moments:
    """What was measured, as shares of all records, over groups."""
    learned, records = _learned(told), told.records
    place = {j: k for k, j in enumerate(learned)}
    single, noise = zip(*(_single(told, j) for j in learned), strict=True) if learned else ((), ())
    pairs = {(place[i], place[j]): counts / records for (i, j), counts in told.pairs.items()}
    whole = (
        np.ones(1) if told.target is None else simplex(summed(told.columns[told.target] / told.records, told.classes))
    )
    return Moments(whole, single, pairs, noise, told.pair_sigma / records)


def _single(told: Measured, j: int) -> tuple[np.ndarray, np.ndarray]:
    """(classes, groups) the shares of a column's groups in each class, and (groups,) their noise: that of a sum over
    the codes of a group. How a group is divided between the classes, the pairs of the column say."""
    group, classes = told.groups[j], int(told.classes.max()) + 1
    shares, noise = summed(told.columns[j], group)[None], told.sigmas[j] * np.sqrt(np.bincount(group))
    if classes > 1:
        own = [(counts, 1 if pair[1] == j else 2) for pair, counts in told.pairs.items() if j in pair]
        parts = np.maximum(np.mean([counts.sum(axis) for counts, axis in own], axis=0), 1e-9)
        added = np.mean([counts.shape[axis] for counts, axis in own]) / len(own)
        shares = parts / parts.sum(0) * shares
        noise = np.hypot(told.pair_sigma * math.sqrt(added), noise / math.sqrt(classes))
    return shares / told.records, noise / told.records


def findings(told: Measured, fitted: Products) -> dict[str, Any]:
    """How near the model is to what was measured, as mean total variation, and how far noise alone would be."""
    off, noise = [], []
    for pair, counts in told.pairs.items():
        off.append(np.abs(implied(told, fitted, pair) - counts / told.records).sum() / 2)
        noise.append(moved(counts.size, told.pair_sigma / told.records))
    pairs = {"pairs": float(np.mean(off)), "pairs of noise alone": float(np.mean(noise))} if off else {}
    return {"records": round(told.records), **pairs, "noise": [noise.to_json() for noise in told.paid]}


def implied(told: Measured, fitted: Products, pair: Pair) -> np.ndarray:
    """(classes, groups, groups) the shares, of all records, that a mixture over groups has of a pair."""
    one, two = (fitted.column(j) for j in pair)
    levels = np.ones((1, len(fitted.weights))) if told.target is None else fitted.column(told.target)
    return np.stack([(one * fitted.weights * own) @ two.T for own in levels])


def _tables(encoding: Encoding) -> tuple[int | None, list[Pair]]:
    """The column of the target, if others can be counted within its classes, and the pairs of those others."""
    target, every = encoding.target, range(len(encoding.columns))
    if target is not None and (encoding.columns[target].size > FEW or len(every) < 3):
        target = None
    return target, list(combinations((j for j in every if j != target), 2))


def apart(fitted: Products, groups: Sequence[np.ndarray], within: Sequence[np.ndarray]) -> Products:
    """The mixture over all codes: within a group, codes are as common as `within` says, (size,) for each column."""
    found = []
    for j, (group, shares) in enumerate(zip(groups, within, strict=True)):
        held = np.maximum(shares, 1e-12)
        held = (held / summed(held, group)[group]).astype(np.float32)
        found.append(fitted.column(j)[group] * held[:, None])
    return Products(fitted.weights, np.concatenate(found).astype(np.float32), np.array([len(g) for g in groups]))
