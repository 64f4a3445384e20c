"""Every pair of columns counted under differential privacy, and a mixture of products that has these shares.

Nothing is selected, so nothing is paid for selecting: all pairs are measured at once, each with the same noise, and the
nonnegative mixture that comes nearest to all of them takes most of the noise out again. Where there is a target of few
classes, pairs are counted within each of them, which costs nothing more: a patient stands in one cell of each table
either way. Columns are counted first; what is rare beside the noise is put together before pairs are counted, and told
apart again by what the columns say alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import load_file, save

from semblance.core.errors import UsageError
from semblance.core.files import write_bytes, write_json
from semblance.core.model import Card, Plan, Watch
from semblance.core.promise import MEASURED, Ledger, Noise
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.modalities.table.codes import Categories
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedSpec, saved
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
Pair = tuple[int, int]
CERTAIN = 3.0
"""Standard deviations of the noise below which a code is put together with others."""
LEAST, COMMON = 0.002, 0.02
"""Shares of the records below which a code, and a class of the target, is put together with others in any case."""
CELLS = 100


@dataclass(frozen=True)
class Pairwise(CodedSpec):
    """Noisy pairs of all columns."""

    components: int = 128
    steps: int = 1500
    groups: int = 16
    """At most so many codes of a column are told apart within pairs."""
    classes: int = 4
    """Within at most so many classes of the target pairs are counted apart."""
    single: float = 0.2
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
        coder = self.encoding_of(train, encoding)
        told = Measured.load(resume) if resume is not None else None
        if told is None:
            coder, told = self.measured(train, ledger)
            if resume is not None:
                told.save(resume)
        return self._fitted(coder, told, rng=stream(root_of(rng), "mixture"), watch=watch)

    def floor(self, schema: Schema, *, epsilon: float, delta: float, records: int) -> float:
        """The expected total variation that noise alone makes in a pair of CELLS cells; no record is seen."""
        share, tables = self._parts(public_encoding(schema))[-1]
        sigma = math.sqrt(tables / (2 * share * rho_of(epsilon, delta=delta)))
        return CELLS * sigma * math.sqrt(2 / math.pi) / records / 2

    def _parts(self, coder: Encoding) -> list[tuple[float, int]]:
        """The share of the budget, and how many tables, of columns alone and of pairs where there are any."""
        columns, pairs = len(coder.columns), _tables(coder)[1]
        return [(self.single, columns), (1 - self.single, len(pairs))] if pairs else [(1.0, columns)]

    def encoding_of(self, train: Table, given: Encoding | None) -> Encoding:
        """The public one, whatever is given: any other has looked at the records."""
        return public_encoding(train.schema)

    def measured(self, train: Table, ledger: Ledger | None) -> tuple[Encoding, Measured]:
        """The codes, and the noisy counts of `train`: of columns first, since they say what is too rare for pairs."""
        if ledger is None:
            raise UsageError.of(
                f"'{CARD.name}' was given no ledger",
                rule="a private generator measures only what a ledger has paid for",
                fix="--epsilon 1, or in Python ledger=sb.Ledger.open(...), with a schema file that names the cohort",
            )
        coder = self.encoding_of(train, None)
        target, pairs = _tables(coder)
        columns = [(j,) for j in range(len(coder.columns))]
        noise, *others = ledger.affordable(self._parts(coder))
        codes, whose = coder.encode(train), train.subjects
        alone = ledger.noisy_counts(codes, coder.sizes, columns, whose, sigma=noise.sigma, note="columns")
        if not others:
            groups = tuple(np.arange(size) for size in coder.sizes)
            return coder, Measured(target, tuple(alone), groups, {}, noise.sigma, noise.sigma)
        sigma = others[0].sigma
        groups = self._grouped(coder, alone, target, max(noise.sigma, sigma))
        merged = np.column_stack([group[codes[:, j]] for j, group in enumerate(groups)])
        asked = [pair if target is None else (target, *pair) for pair in pairs]
        found = ledger.noisy_counts(merged, _sizes(groups), asked, whose, sigma=sigma, note="pairs")
        tables = {pair: counts.reshape(-1, *counts.shape[-2:]) for pair, counts in zip(pairs, found, strict=True)}
        return coder, Measured(target, tuple(alone), groups, tables, noise.sigma, sigma)

    def _fitted(
        self, coder: Encoding, told: Measured, *, rng: np.random.Generator, watch: Watch | None
    ) -> PairwiseModel:
        """The mixture that comes nearest to what was measured."""
        records, learned = told.records, [j for j in range(len(told.columns)) if j != told.target]
        shares = [simplex(counts / records) for counts in told.columns]
        grouped = [np.bincount(group, weights=share) for group, share in zip(told.groups, shares, strict=True)]
        place = {j: k for k, j in enumerate(learned)}
        moments = Moments(
            np.ones(1) if told.target is None else grouped[told.target],
            [grouped[j] for j in learned],
            {(place[i], place[j]): counts / records for (i, j), counts in told.pairs.items()},
            told.column_sigma / records,
            told.pair_sigma / records,
        )
        fitted, stratum = moments.fitted(components=self.components, steps=self.steps, rng=rng, watch=watch)
        levels = np.eye(len(moments.strata), dtype=np.float32)[:, stratum]
        parts = [fitted.column(place[j]) if j in place else levels for j in range(len(shares))]
        whole = Products(fitted.weights, np.concatenate(parts), _sizes(told.groups))
        structure = Structure(len(shares), tuple(range(len(shares))), ())
        return PairwiseModel(coder, self.to_json(), structure, apart(whole, told.groups, shares), told.findings(whole))

    def _grouped(
        self, coder: Encoding, alone: Sequence[np.ndarray], target: int | None, sigma: float
    ) -> tuple[np.ndarray, ...]:
        """Of each column (size,) which codes count as one within pairs."""
        records = _records(alone)
        least, shares = CERTAIN * sigma / records, [simplex(counts / records) for counts in alone]
        groups = []
        for j, (share, column) in enumerate(zip(shares, coder.columns, strict=True)):
            if j == target:
                groups.append(_classes(share, most=self.classes, least=max(least, COMMON)))
            elif isinstance(column, Categories):
                groups.append(frequent(share, most=self.groups, least=max(least, LEAST)))
            else:  # the missing value first, then cells in their order
                cells = neighbours(share[1:], most=self.groups, least=least)
                missing = int(cells.max()) + 1 if share[0] > max(least, LEAST) else 0
                groups.append(np.concatenate([[missing], cells]))
        return tuple(groups)

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

    measured: Mapping[str, Any] = field(default_factory=dict)
    card: ClassVar[Card] = CARD

    def save(self, folder: Path) -> None:
        """Also write measured.json."""
        super().save(folder)
        write_json(folder / "measured.json", dict(self.measured))


@dataclass(frozen=True)
class Measured:
    """Noisy counts, all that is ever known of the records: of each column over all codes, and of pairs of the others
    within classes of the `target` column (None: within all records), over groups of codes.

    `groups` has of each column the group of each code. The sigmas are the noise of a count.
    """

    target: int | None
    columns: tuple[np.ndarray, ...]
    groups: tuple[np.ndarray, ...]
    pairs: Mapping[Pair, np.ndarray]
    column_sigma: float
    pair_sigma: float

    @property
    def records(self) -> float:
        """The noisy number of records, at least one."""
        return _records(self.columns)

    @property
    def paid(self) -> tuple[Noise, ...]:
        """The noise that a ledger has paid for."""
        columns = Noise(self.column_sigma, 1, len(self.columns))
        return (columns, Noise(self.pair_sigma, 1, len(self.pairs))) if self.pairs else (columns,)

    def findings(self, fitted: Products) -> dict[str, Any]:
        """How near the model is to what was measured, as mean total variation, and how far noise alone would be."""
        records, off, noise = self.records, [], []
        levels = np.ones((1, len(fitted.weights))) if self.target is None else fitted.column(self.target)
        for (i, j), counts in self.pairs.items():
            shares = np.stack([(fitted.column(i) * fitted.weights * own) @ fitted.column(j).T for own in levels])
            off.append(np.abs(shares - counts / records).sum() / 2)
            noise.append(counts.size * self.pair_sigma * math.sqrt(2 / math.pi) / records / 2)
        pairs = {"pairs": float(np.mean(off)), "pairs of noise alone": float(np.mean(noise))} if off else {}
        return {"records": round(records), **pairs, "noise": [noise.to_json() for noise in self.paid]}

    def save(self, folder: Path) -> None:
        """Write measured.safetensors in one step."""
        arrays = {f"column {j}": counts for j, counts in enumerate(self.columns)}
        arrays |= {f"group {j}": group for j, group in enumerate(self.groups)}
        arrays |= {f"pair {i} {j}": counts for (i, j), counts in self.pairs.items()}
        arrays["sigma"] = np.array([self.column_sigma, self.pair_sigma])
        arrays["target"] = np.array(-1 if self.target is None else self.target)
        write_bytes(folder / MEASURED, save(arrays))

    @classmethod
    def load(cls, folder: Path) -> Measured | None:
        """What `save` wrote; None where nothing was measured yet."""
        if not (folder / MEASURED).exists():
            return None
        arrays = load_file(folder / MEASURED)
        count, target = sum(name.startswith("column ") for name in arrays), int(arrays["target"])
        pairs = [(int(i), int(j)) for what, *at in map(str.split, arrays) if what == "pair" for i, j in [at]]
        return cls(
            None if target < 0 else target,
            tuple(arrays[f"column {j}"] for j in range(count)),
            tuple(arrays[f"group {j}"] for j in range(count)),
            {(i, j): arrays[f"pair {i} {j}"] for i, j in pairs},
            *map(float, arrays["sigma"]),
        )


def _tables(encoding: Encoding) -> tuple[int | None, list[Pair]]:
    """The column of the target, if pairs of others can be counted within its classes, and the pairs."""
    every = range(len(encoding.columns))
    found = [
        j for j, c in enumerate(encoding.fields) if c.role == "target" and isinstance(encoding.columns[j], Categories)
    ]
    target = found[0] if found and len(every) > 2 else None
    return target, list(combinations((j for j in every if j != target), 2))


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


def frequent(shares: np.ndarray, *, most: int, least: float) -> np.ndarray:
    """The frequent codes alone, all others together."""
    order = np.argsort(-shares, kind="stable")[: most - 1]
    kept = order[shares[order] >= least]
    group = np.full(len(shares), len(kept))
    group[kept] = np.arange(len(kept))
    return group


def _classes(shares: np.ndarray, *, most: int, least: float) -> np.ndarray:
    """The same, but what is left over goes with the rarest class where it is too rare to be one."""
    group = frequent(shares, most=most, least=least)
    last = int(group.max())
    return np.minimum(group, last - 1) if last and shares[group == last].sum() < least else group


def neighbours(shares: np.ndarray, *, most: int, least: float) -> np.ndarray:
    """Cells in order, put together to at most `most` groups that hold about as much, and `least` at least.

    A cell that holds more than its part stands alone, so that a spike leaves the groups to the rest.
    """
    alone = np.zeros(len(shares), dtype=bool)
    while True:
        left = max(most - int(alone.sum()), 1)
        each = max(float(shares[~alone].sum()) / left, least)
        more = ~alone & (shares >= each)
        if left == 1 or not more.any():
            break
        alone[np.flatnonzero(more)[: left - 1]] = True
    group, at, held = np.zeros(len(shares), dtype=np.int64), 0, 0.0
    for cell, share in enumerate(shares):
        if cell and (alone[cell] or alone[cell - 1] or (held > 0 and held + share / 2 > each)):
            at, held = at + 1, 0.0
        group[cell] = at
        held += share
    return group


def apart(fitted: Products, grouped: Sequence[np.ndarray], shares: list[np.ndarray]) -> Products:
    """The mixture over all codes: within a group codes are as common as they are alone."""
    found = []
    for j, (group, alone) in enumerate(zip(grouped, shares, strict=True)):
        within = np.maximum(alone, 1e-12)
        within = within / np.bincount(group, weights=within)[group]
        found.append(fitted.column(j)[group] * within[:, None].astype(np.float32))
    sizes = np.array([len(group) for group in grouped], dtype=np.int64)
    return Products(fitted.weights, np.concatenate(found).astype(np.float32), sizes)
