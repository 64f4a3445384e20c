"""Every record randomised on its own before anything is counted, and a mixture fitted to what the answers say.

Each patient answers one question, for a column or a pair of columns (`survey`), under local differential privacy: the
answers themselves could be published. Nobody has to be trusted with records, and noise is far larger than that of
`pairwise`, which adds it once to the counts of all. Here the generator plays the source; at a real one a survey's
`report` does the same with the record of one patient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import load_file, save

from semblance.core.files import write_bytes
from semblance.core.model import Card, Plan, Watch, paying
from semblance.core.promise import MEASURED, Answers, Ledger
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.core.shares import simplex
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.coded import CodedSpec, measured_of
from semblance.modalities.table.generators.mixture import restored
from semblance.modalities.table.generators.moments import Moments
from semblance.modalities.table.generators.pairwise import CELLS, PairwiseModel, apart
from semblance.modalities.table.generators.products import Products
from semblance.modalities.table.structure import Structure
from semblance.modalities.table.survey import Asking, Question, Survey, Tally, covered, occupancy, seats_of
from semblance.privacy.audit import Audit
from semblance.privacy.local import NOBODY, randomiser
from semblance.privacy.noise import moved, seated

CARD = Card(
    name="local",
    summary="local differential privacy: each record is randomised before it is counted, so nobody need be trusted",
    paper="Wang, Blocki, Li & Jha, USENIX Security 2017; Liu, Vietri & Wu, NeurIPS 2021",
    private=True,
    conditional=True,
    needs=("dp-accounting",),
)


@dataclass(frozen=True)
class Local(CodedSpec):
    """Randomised answers of each patient to one question."""

    components: int = 32
    steps: int = 500
    groups: int = 16
    """At most so many codes of a column are told apart within pairs; fewer where noise asks for it."""
    classes: int = 4
    """At most so many classes of the target are told apart within pairs."""
    single: float = 0.3
    """Share of the patients who are asked for a column alone; the others are asked for pairs, where pairs are asked."""
    card: ClassVar[Card] = CARD
    numbered: ClassVar[bool] = True
    """Whether it needs a public number of patients."""

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
    ) -> LocalModel:
        """Ask the patients of `train` with what is left in `ledger`; `rng` governs only what comes after.

        What was answered is kept in `resume`, and a fit that finds it there asks nobody and needs no ledger. Raises
        UsageError without a ledger, without `n_public` and for columns that are not declared, PrivacyError where
        nothing is left.
        """
        coder = self.encoding_of(train, encoding)
        told = Told.load(resume) if resume is not None else None
        if told is None:
            coder, told = self.measured(train, ledger)
            if resume is not None:
                told.save(resume)
        return self.learned(coder, told, rng=rng, watch=watch)

    def floor(self, schema: Schema, *, epsilon: float, delta: float, records: int) -> float:
        """The expected total variation that noise alone makes in a table of CELLS cells; no record is seen.

        The table is one that is asked first: a pair with the target where there is one, else a column. Raises
        UsageError without `n_public`.
        """
        seats_of(schema.n_public)
        coder = public_encoding(schema)
        columns, target = len(coder.columns), coder.target
        tables = columns if target is None or columns < 2 else (columns - 1) / (1 - self.single)
        return covered(CELLS, epsilon=epsilon, asked=records / tables)

    def encoding_of(self, train: Table, given: Encoding | None) -> Encoding:
        """The public one, whatever is given: any other has looked at the records."""
        return public_encoding(train.schema)

    def survey(self, coder: Encoding, *, epsilon: float, seats: int) -> Survey:
        """The first round of questions."""
        asking = Asking(seats, self.single, self.groups, self.classes)
        return Survey.of(coder, epsilon=epsilon, asking=asking)

    def measured(self, train: Table, ledger: Ledger | None) -> tuple[Encoding, Told]:
        """The codes, and what the patients of `train` answered: one question for each of the public seats."""
        ledger, coder = paying(CARD, ledger=ledger), self.encoding_of(train, None)
        seats = seats_of(train.schema.n_public)
        paid = ledger.affordable_answers()
        ledger.reserve(paid, note="answers")
        rows = seated(train.subjects, seats=seats)
        people = np.where(rows[:, None] < 0, NOBODY, coder.encode(train)[rows])
        survey = self.survey(coder, epsilon=paid.epsilon, seats=seats)
        first = survey.asked(people[: survey.first])
        second = survey.next(first)
        return coder, Told(paid.epsilon, (*first, *(second.asked(people[survey.first :]) if second else ())))

    def learned(
        self, coder: Encoding, told: Told, *, rng: np.random.Generator, watch: Watch | None = None
    ) -> LocalModel:
        """The mixture that comes nearest to what was answered."""
        groups, grouped = told.groups, told.grouped
        noise = [np.full(len(shares), each) for shares, each in zip(grouped, told.column_noise, strict=True)]
        moments = Moments(np.ones(1), [shares[None] for shares in grouped], told.pairs, noise, told.pair_noise)
        rng = stream(root_of(rng), "mixture")
        fitted, _ = moments.fitted(components=self.components, steps=self.steps, rng=rng, watch=watch)
        structure = Structure(len(groups), tuple(range(len(groups))), ())
        mixture = apart(fitted, groups, told.alone)
        return LocalModel(coder, self.to_json(), structure, mixture, measured=told.findings(fitted))

    def audited(self, *, ran: Any = None, **how: Any) -> Audit:
        """Attacks on single answers, which no plan changes: see `audit_answers`."""
        from semblance.modalities.table.audit_answers import audit_answers

        return audit_answers(self, **how)

    @staticmethod
    def load(folder: Path) -> LocalModel:
        """The inverse of `save`."""
        return LocalModel(*restored(folder), measured=measured_of(folder))


@dataclass(frozen=True)
class LocalModel(PairwiseModel):
    """A mixture that holds what randomised answers say and nothing else."""

    card: ClassVar[Card] = CARD


@dataclass(frozen=True, eq=False)
class Told:
    """The answers of all rounds, all that is ever known of the records: of every column alone, then of pairs."""

    epsilon: float
    tallies: tuple[Tally, ...]

    @cached_property
    def occupied(self) -> float:
        """The share of seats that were not empty, by the answers."""
        return occupancy(self.tallies, self.epsilon)

    @property
    def singles(self) -> tuple[Tally, ...]:
        """The answers about one column, in the order of the columns."""
        return tuple(tally for tally in self.tallies if len(tally.question.columns) == 1)

    @property
    def doubles(self) -> tuple[Tally, ...]:
        """The answers about pairs."""
        return tuple(tally for tally in self.tallies if len(tally.question.columns) == 2)

    @cached_property
    def alone(self) -> tuple[np.ndarray, ...]:
        """Of each column (size,) the shares of its codes, even within what was asked as one."""
        found = []
        for tally in self.singles:
            (group,) = tally.question.groups
            share = simplex(tally.shares(self._by(tally), self.occupied))
            found.append((share / np.bincount(group))[group])
        return tuple(found)

    @cached_property
    def groups(self) -> tuple[np.ndarray, ...]:
        """Of each column (size,) what counted as one: within pairs, or alone where the column is in no pair."""
        found = {tally.question.columns[0]: tally.question.groups[0] for tally in self.singles}
        for tally in self.doubles:
            found |= dict(zip(tally.question.columns, tally.question.groups, strict=True))
        return tuple(found[j] for j in range(len(found)))

    @property
    def grouped(self) -> list[np.ndarray]:
        """Of each column the shares of its groups."""
        return [np.bincount(group, weights=share) for group, share in zip(self.groups, self.alone, strict=True)]

    @property
    def column_noise(self) -> list[float]:
        """Of each column the noise of the share of a group, which several answers add up to."""
        return [
            self._noise(tally) * math.sqrt(tally.question.size / (int(group.max()) + 1))
            for tally, group in zip(self.singles, self.groups, strict=True)
        ]

    @property
    def pairs(self) -> dict[tuple[int, int], np.ndarray]:
        """Of each pair that was asked the shares (1, groups, groups)."""
        asked = (tally for tally in self.doubles if tally.asked)
        return {_pair(tally): tally.shares(self._by(tally), self.occupied)[None] for tally in asked}

    @property
    def pair_noise(self) -> dict[tuple[int, int], float]:
        """Of each pair the noise of a share."""
        return {_pair(tally): self._noise(tally) for tally in self.doubles if tally.asked}

    @property
    def paid(self) -> tuple[Answers, ...]:
        """What a ledger has paid for: one answer of each patient, whatever it was asked."""
        return (Answers(self.epsilon),)

    def findings(self, fitted: Products) -> dict[str, Any]:
        """How near the model is to what was answered, as mean total variation, and how far noise alone would be."""
        off, noise = [], []
        for (i, j), shares in self.pairs.items():
            made = (fitted.column(i) * fitted.weights) @ fitted.column(j).T
            off.append(np.abs(made - shares[0]).sum() / 2)
            noise.append(moved(made.size, self.pair_noise[i, j]))
        seats = sum(tally.asked for tally in self.tallies)
        told = {"reports": seats, "records": round(seats * self.occupied)}
        pairs = {"pairs": float(np.mean(off)), "pairs of noise alone": float(np.mean(noise))} if off else {}
        return {**told, **pairs, "noise": [part.to_json() for part in self.paid]}

    def _by(self, tally: Tally) -> Any:
        return randomiser(tally.question.size, self.epsilon)

    def _noise(self, tally: Tally) -> float:
        return min(tally.noise(self._by(tally), self.occupied), 1e6)

    def save(self, folder: Path) -> None:
        """Write measured.safetensors in one step."""
        arrays: dict[str, np.ndarray] = {"epsilon": np.array(self.epsilon)}
        for k, tally in enumerate(self.tallies):
            arrays[f"{k} columns"] = np.array([*tally.question.columns, tally.asked])
            arrays[f"{k} counts"] = tally.counts
            arrays |= {f"{k} group {i}": group for i, group in enumerate(tally.question.groups)}
        write_bytes(folder / MEASURED, save(arrays))

    @classmethod
    def load(cls, folder: Path) -> Told | None:
        """What `save` wrote; None where nobody was asked yet."""
        if not (folder / MEASURED).exists():
            return None
        arrays = load_file(folder / MEASURED)
        count = sum(name.endswith(" counts") for name in arrays)
        return cls(float(arrays["epsilon"]), tuple(_loaded(arrays, k) for k in range(count)))


def _loaded(arrays: dict[str, np.ndarray], k: int) -> Tally:
    *columns, asked = map(int, arrays[f"{k} columns"])
    groups: Sequence[np.ndarray] = [arrays[f"{k} group {i}"] for i in range(len(columns))]
    return Tally(Question(tuple(columns), tuple(groups)), asked, arrays[f"{k} counts"])


def _pair(tally: Tally) -> tuple[int, int]:
    i, j = tally.question.columns
    return i, j
