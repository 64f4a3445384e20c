"""Every pair of columns counted under differential privacy, and a mixture of products that has these shares.

Nothing is selected, so nothing is paid for selecting: all pairs are measured at once, each with the same noise, and the
nonnegative mixture that comes nearest to all of them takes most of the noise out again. Columns are counted first; what
is rare beside the noise is put together before pairs are counted, and told apart again by what the columns say alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import ClassVar

import numpy as np

from semblance.core.errors import UsageError
from semblance.core.model import Card, Plan, Watch
from semblance.core.promise import Ledger, Noise
from semblance.core.rng import root_of, stream
from semblance.modalities.table.codes import Categories
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedSpec, saved
from semblance.modalities.table.generators.mixture import MixtureModel
from semblance.modalities.table.generators.moments import Moments
from semblance.modalities.table.generators.products import Products
from semblance.modalities.table.structure import Structure

CARD = Card(
    name="pairwise",
    summary="differential privacy: all pairs counted with noise, and a mixture fitted to them; exact conditions",
    paper="Liu, Vietri & Wu, NeurIPS 2021; Aydore et al., ICML 2021; McKenna, Miklau & Sheldon, JPC 2021",
    private=True,
    conditional=True,
    needs=("dp-accounting", "opendp"),
)
Pair = tuple[int, int]
CERTAIN = 3.0
"""Standard deviations of the noise below which a code is put together with others."""
LEAST = 0.002


@dataclass(frozen=True)
class Pairwise(CodedSpec):
    """Noisy pairs of all columns."""

    components: int = 128
    steps: int = 1500
    groups: int = 16
    """At most so many codes of a column are told apart within pairs."""
    single: float = 0.2
    """Share of the budget for columns alone; the rest is for pairs."""
    focus: float = 2.0
    """How much more of the budget a pair with the target gets than another pair."""
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

        Raises UsageError without a ledger and for columns that are not declared, PrivacyError where nothing is left.
        """
        if ledger is None:
            raise UsageError.of(
                f"'{CARD.name}' was given no ledger",
                rule="a private generator measures only what a ledger has paid for",
                fix="ledger=Ledger.open(folder, cohort=..., epsilon=1, delta=1e-6)",
            )
        coder = public_encoding(train.schema) if encoding is None else encoding
        codes = coder.encode(train)
        every = self._pairs(coder)
        singles, *noises = ledger.affordable([(self.single, len(coder.columns)), *self._parts(every)])
        told = _Told(ledger, train.subjects)
        alone = told.counts(codes, coder.sizes, [(j,) for j in range(len(coder.columns))], singles, note="columns")
        records = max(float(np.mean([counts.sum() for counts in alone])), 1.0)
        shares = [simplex(counts / records) for counts in alone]
        widest = max(noise.sigma for noise in (singles, *noises)) / records
        grouped = [self._groups(s, coder, j, widest) for j, s in enumerate(shares)]
        sizes = np.array([int(group.max()) + 1 for group in grouped], dtype=np.int64)
        merged = np.column_stack([group[codes[:, j]] for j, group in enumerate(grouped)])
        found, noise_of = dict[Pair, np.ndarray](), dict[Pair, float]()
        for (note, pairs), noise in zip(every.items(), noises, strict=True):
            counted = told.counts(merged, sizes, pairs, noise, note=note)
            found |= {pair: counts / records for pair, counts in zip(pairs, counted, strict=True)}
            noise_of |= dict.fromkeys(pairs, noise.sigma / records)
        single = [np.bincount(g, weights=s, minlength=k) for g, s, k in zip(grouped, shares, sizes, strict=True)]
        moments = Moments(single, singles.sigma / records, found, noise_of)
        local = stream(root_of(rng), "mixture")
        fitted = moments.fitted(components=self.components, steps=self.steps, rng=local, watch=watch)
        structure = Structure(len(grouped), tuple(range(len(grouped))), ())
        return PairwiseModel(coder, self.to_json(), structure, _apart(fitted, grouped, shares))

    def _pairs(self, encoding: Encoding) -> dict[str, list[Pair]]:
        """All pairs: those with the target, and the others."""
        target = [j for j, field in enumerate(encoding.fields) if field.role == "target"]
        every = list(combinations(range(len(encoding.columns)), 2))
        ahead = [pair for pair in every if set(pair) & set(target)]
        parts = {"pairs with the target": ahead, "pairs": [pair for pair in every if pair not in ahead]}
        return {note: pairs for note, pairs in parts.items() if pairs}

    def _parts(self, every: dict[str, list[Pair]]) -> list[tuple[float, int]]:
        """The share of the budget of each part, and how many pairs it has."""
        each = {note: len(pairs) * (self.focus if "target" in note else 1.0) for note, pairs in every.items()}
        total = sum(each.values())
        return [((1 - self.single) * each[note] / total, len(pairs)) for note, pairs in every.items()]

    def _groups(self, shares: np.ndarray, encoding: Encoding, j: int, noise: float) -> np.ndarray:
        """(size,) which codes count as one within pairs."""
        if isinstance(encoding.columns[j], Categories):
            return _frequent(shares, most=self.groups, least=max(CERTAIN * noise, LEAST))
        # Numbers have the missing value first, then cells in their order.
        cells = _neighbours(shares[1:], most=self.groups)
        apart = shares[0] > max(CERTAIN * noise, LEAST)
        return np.concatenate([[int(cells.max()) + 1 if apart else 0], cells])

    @staticmethod
    def load(folder: Path) -> PairwiseModel:
        """The inverse of `save`."""
        encoding, options, arrays = saved(folder)
        structure = Structure.from_json(json.loads((folder / "structure.json").read_text()))
        mixture = Products(arrays["weights"], arrays["shares"], encoding.sizes[structure.learned])
        return PairwiseModel(encoding, options, structure, mixture)


@dataclass(frozen=True)
class PairwiseModel(MixtureModel):
    """A mixture that holds noisy measurements and nothing else."""

    card: ClassVar[Card] = CARD


@dataclass(frozen=True)
class _Told:
    """What a ledger tells of these patients."""

    ledger: Ledger
    subjects: np.ndarray

    def counts(
        self, codes: np.ndarray, sizes: np.ndarray, subsets: Sequence[tuple[int, ...]], noise: Noise, *, note: str
    ) -> list[np.ndarray]:
        """Joint counts of each subset of the columns."""
        return self.ledger.noisy_counts(codes, sizes, subsets, self.subjects, sigma=noise.sigma, note=note)


def simplex(values: np.ndarray) -> np.ndarray:
    """The nearest nonnegative values that sum to one (Duchi et al., ICML 2008)."""
    ordered = np.sort(values)[::-1]
    above = np.cumsum(ordered) - 1
    last = np.flatnonzero(ordered - above / np.arange(1, len(ordered) + 1) > 0)[-1]
    found: np.ndarray = np.maximum(values - above[last] / (last + 1), 0)
    return found


def _frequent(shares: np.ndarray, *, most: int, least: float) -> np.ndarray:
    """The frequent codes alone, all others together."""
    order = np.argsort(-shares, kind="stable")[: most - 1]
    kept = order[shares[order] >= least]
    group = np.full(len(shares), len(kept))
    group[kept] = np.arange(len(kept))
    return group


def _neighbours(shares: np.ndarray, *, most: int) -> np.ndarray:
    """Cells in order, put together until about 1 / `most` of the records lie in them."""
    group, at, held = np.zeros(len(shares), dtype=np.int64), 0, 0.0
    for cell, share in enumerate(shares):
        if held > 0 and held + share / 2 > 1 / most:
            at, held = at + 1, 0.0
        group[cell] = at
        held += share
    return group


def _apart(fitted: Products, grouped: list[np.ndarray], shares: list[np.ndarray]) -> Products:
    """The mixture over all codes: within a group codes are as common as they are alone."""
    found = []
    for j, (group, alone) in enumerate(zip(grouped, shares, strict=True)):
        within = np.maximum(alone, 1e-12)
        within = within / np.bincount(group, weights=within)[group]
        found.append(fitted.column(j)[group] * within[:, None].astype(np.float32))
    sizes = np.array([len(group) for group in grouped], dtype=np.int64)
    return Products(fitted.weights, np.concatenate(found).astype(np.float32), sizes)
