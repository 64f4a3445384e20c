"""Every pair of columns counted under differential privacy, and a mixture of products that has these shares.

Nothing is selected, so nothing is paid for selecting: all pairs are measured at once, each with the same noise, and the
nonnegative mixture that comes nearest to all of them takes most of the noise out again. Columns are counted first; what
is rare beside the noise is put together before pairs are counted, and told apart again by what the columns say alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import ClassVar

import numpy as np
from safetensors.numpy import load_file, save

from semblance.core.errors import UsageError
from semblance.core.files import write_bytes, write_json
from semblance.core.model import Card, Plan, Watch
from semblance.core.promise import Ledger
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
MEASURED = "measured.safetensors"


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

        What was measured is kept in `resume`, and a fit that finds it there measures nothing and needs no ledger.
        Raises UsageError without a ledger and for columns that are not declared, PrivacyError where nothing is left.
        """
        coder = self.encoding_of(train, encoding)
        told = Measured.load(resume) if resume is not None else None
        if told is None:
            told = self._measured(train, coder, ledger)
            if resume is not None:
                told.save(resume)
        return self._fitted(coder, told, rng=stream(root_of(rng), "mixture"), watch=watch)

    def encoding_of(self, train: Table, given: Encoding | None) -> Encoding:
        """The public one, whatever is given: any other has looked at the records."""
        return public_encoding(train.schema)

    def _measured(self, train: Table, coder: Encoding, ledger: Ledger | None) -> Measured:
        """The noisy counts of `train`: those of columns first, since they say what is too rare to count in pairs."""
        if ledger is None:
            raise UsageError.of(
                f"'{CARD.name}' was given no ledger",
                rule="a private generator measures only what a ledger has paid for",
                fix="--epsilon 1, or in Python epsilon=1, with a schema file that names the cohort",
            )
        every = self._pairs(coder)
        singles, *noises = ledger.affordable([(self.single, len(coder.columns)), *self._parts(every)])
        codes, whose = coder.encode(train), train.subjects
        columns = [(j,) for j in range(len(coder.columns))]
        alone = ledger.noisy_counts(codes, coder.sizes, columns, whose, sigma=singles.sigma, note="columns")
        widest = max(noise.sigma for noise in (singles, *noises))
        groups = self._grouped(coder, alone, widest)
        merged = np.column_stack([group[codes[:, j]] for j, group in enumerate(groups)])
        sizes, counted, sigmas = _sizes(groups), dict[Pair, np.ndarray](), dict[Pair, float]()
        for (note, pairs), noise in zip(every.items(), noises, strict=True):
            found = ledger.noisy_counts(merged, sizes, pairs, whose, sigma=noise.sigma, note=note)
            counted |= dict(zip(pairs, found, strict=True))
            sigmas |= dict.fromkeys(pairs, noise.sigma)
        return Measured(tuple(alone), singles.sigma, groups, counted, sigmas)

    def _fitted(
        self, coder: Encoding, told: Measured, *, rng: np.random.Generator, watch: Watch | None
    ) -> PairwiseModel:
        """The mixture that comes nearest to what was measured."""
        records = told.records
        shares = [simplex(counts / records) for counts in told.columns]
        alone = [
            np.bincount(group, weights=share, minlength=k)
            for group, share, k in zip(told.groups, shares, _sizes(told.groups), strict=True)
        ]
        pairs = {pair: counts / records for pair, counts in told.pairs.items()}
        noise = {pair: sigma / records for pair, sigma in told.pair_sigma.items()}
        moments = Moments(alone, told.column_sigma / records, pairs, noise)
        fitted = moments.fitted(components=self.components, steps=self.steps, rng=rng, watch=watch)
        structure = Structure(len(shares), tuple(range(len(shares))), ())
        mixture = _apart(fitted, told.groups, shares)
        return PairwiseModel(coder, self.to_json(), structure, mixture, told.findings(fitted))

    def _grouped(self, coder: Encoding, alone: Sequence[np.ndarray], sigma: float) -> tuple[np.ndarray, ...]:
        """Of each column (size,) which codes count as one within pairs."""
        records = _records(alone)
        shares = [simplex(counts / records) for counts in alone]
        return tuple(self._groups(share, coder, j, sigma / records) for j, share in enumerate(shares))

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
        return PairwiseModel(encoding, options, structure, mixture, json.loads((folder / "measured.json").read_text()))


@dataclass(frozen=True)
class PairwiseModel(MixtureModel):
    """A mixture that holds noisy measurements and nothing else, and how near it came to them."""

    measured: Mapping[str, float] = field(default_factory=dict)
    card: ClassVar[Card] = CARD

    def save(self, folder: Path) -> None:
        """Also write measured.json."""
        super().save(folder)
        write_json(folder / "measured.json", dict(self.measured))


@dataclass(frozen=True)
class Measured:
    """Noisy counts, all that is ever known of the records: of each column over all codes, and of pairs over groups of
    codes (`groups`: of each column the group of each code). `column_sigma` and `pair_sigma` are the noise of each."""

    columns: tuple[np.ndarray, ...]
    column_sigma: float
    groups: tuple[np.ndarray, ...]
    pairs: Mapping[Pair, np.ndarray]
    pair_sigma: Mapping[Pair, float]

    @property
    def records(self) -> float:
        """The noisy number of records, at least one."""
        return _records(self.columns)

    def findings(self, fitted: Products) -> dict[str, float]:
        """How near the model is to what was measured, as mean total variation, and how far noise alone would be."""
        records, off, noise = self.records, [], []
        for (i, j), counts in self.pairs.items():
            shares = (fitted.column(i) * fitted.weights) @ fitted.column(j).T
            off.append(np.abs(shares - counts / records).sum() / 2)
            noise.append(counts.size * self.pair_sigma[i, j] * math.sqrt(2 / math.pi) / records / 2)
        pairs = {"pairs": float(np.mean(off)), "pairs of noise alone": float(np.mean(noise))} if off else {}
        return {"records": round(records), **pairs}

    def save(self, folder: Path) -> None:
        """Write measured.safetensors in one step."""
        arrays = {f"column {j}": counts for j, counts in enumerate(self.columns)}
        arrays |= {f"group {j}": group for j, group in enumerate(self.groups)}
        arrays |= {f"pair {i} {j}": counts for (i, j), counts in self.pairs.items()}
        arrays |= {f"sigma {i} {j}": np.array(sigma) for (i, j), sigma in self.pair_sigma.items()}
        arrays["sigma"] = np.array(self.column_sigma)
        write_bytes(folder / MEASURED, save(arrays))

    @classmethod
    def load(cls, folder: Path) -> Measured | None:
        """What `save` wrote; None where nothing was measured yet."""
        if not (folder / MEASURED).exists():
            return None
        arrays = load_file(folder / MEASURED)
        count = sum(name.startswith("column ") for name in arrays)
        pairs = [(int(i), int(j)) for what, *at in map(str.split, arrays) if what == "pair" for i, j in [at]]
        return cls(
            tuple(arrays[f"column {j}"] for j in range(count)),
            float(arrays["sigma"]),
            tuple(arrays[f"group {j}"] for j in range(count)),
            {(i, j): arrays[f"pair {i} {j}"] for i, j in pairs},
            {(i, j): float(arrays[f"sigma {i} {j}"]) for i, j in pairs},
        )


def _records(columns: Sequence[np.ndarray]) -> float:
    return max(float(np.mean([counts.sum() for counts in columns])), 1.0)


def _sizes(groups: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([int(group.max()) + 1 for group in groups], dtype=np.int64)


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


def _apart(fitted: Products, grouped: Sequence[np.ndarray], shares: list[np.ndarray]) -> Products:
    """The mixture over all codes: within a group codes are as common as they are alone."""
    found = []
    for j, (group, alone) in enumerate(zip(grouped, shares, strict=True)):
        within = np.maximum(alone, 1e-12)
        within = within / np.bincount(group, weights=within)[group]
        found.append(fitted.column(j)[group] * within[:, None].astype(np.float32))
    sizes = np.array([len(group) for group in grouped], dtype=np.int64)
    return Products(fitted.weights, np.concatenate(found).astype(np.float32), sizes)
