"""SMOTE as a generator: a record lies between a real one and one of its nearest neighbours of the same class.

Numbers are a random share of the way to the neighbour, everything else is what most neighbours have (SMOTE-NC; Chawla
et al. 2002, sections 4 and 6.1). It learns nothing and needs the records, so its model is never written. Numbers stay
between the lowest and the highest that the encoding knows, and categories that few patients have are never drawn; yet
each record stands close to a patient's: an aid to train classifiers inside, not a way to let data out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd

from semblance.core.errors import UsageError
from semblance.core.model import Card
from semblance.core.need import need
from semblance.core.schema import Column
from semblance.modalities.table.codes import Numbers, snapped
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.encode import ColumnCodes, Encoding
from semblance.modalities.table.generators.coded import CodedModel, CodedSpec, Fitting
from semblance.modalities.table.generators.marginals import pick, shares_of

CARD = Card(
    name="smote",
    summary="SMOTE: between neighbours of one class; balances small cohorts, keeps the records, never leaves the house",
    paper="Chawla et al., SMOTE: Synthetic Minority Over-sampling Technique, JAIR 16, 2002",
    holds_records=True,
    needs=("imbalanced-learn",),
)


@dataclass(frozen=True)
class Smote(CodedSpec):
    """Records between neighbours. Classes are those of the target; without one all records are of one class."""

    neighbours: int = 5
    """Nearest records of its class among which a record's partner is drawn."""
    balanced: bool = False
    """Whether all classes are drawn equally often, rather than as often as they are."""
    card: ClassVar[Card] = CARD

    def learn_from(self, train: Table, how: Fitting) -> SmoteModel:
        """Keep the records. Raises UsageError where imbalanced-learn is not installed."""
        samplers()
        coder = self.encoding_of(train, how.encoding)
        return SmoteModel(coder, self.to_json(), Donors.of(coder, train), shares_of(coder.encode(train), coder.sizes))

    @staticmethod
    def load(folder: Path) -> NoReturn:
        """There is no saved model: raises UsageError."""
        _refuse("asked to be read from a folder")


@dataclass(frozen=True)
class SmoteModel(CodedModel):
    """The records between which others are drawn, and the share of every code where there are too few for that."""

    donors: Donors
    shares: tuple[np.ndarray, ...]
    card: ClassVar[Card] = CARD
    chunk: ClassVar[int] = 65_536  # neighbours are looked for anew for every chunk

    def table(self, n: int, *, first_subject: int, rng: np.random.Generator) -> Table:
        """`n` records of new patients, numbered from `first_subject`."""
        if self.donors.counts.max() < 2:
            codes = pick(self.shares, rng.random((n, len(self.shares))))
            return self.encoding.decode(codes, first_subject=first_subject, rng=rng)
        labels = rng.choice(len(self.donors.counts), size=n, p=self._chances())
        made = self.donors.between(labels, neighbours=self.options["neighbours"], rng=rng)
        return made.table(self.encoding, first_subject=first_subject, rng=rng)

    def _chances(self) -> np.ndarray:
        """How likely each class is. A class of one record has no neighbours, and is left out."""
        counts = np.where(self.donors.counts < 2, 0, self.donors.counts)
        drawn = (counts > 0) if self.options["balanced"] else counts
        return drawn / drawn.sum()

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes."""
        return self.encoding.encode(self.table(n, first_subject=0, rng=rng))

    def save(self, folder: Path) -> NoReturn:
        """Raises UsageError: the model is the patients' records."""
        _refuse("asked to be written to a folder")


def _refuse(asked: str) -> NoReturn:
    raise UsageError.of(
        f"'{CARD.name}' was {asked}",
        rule="a generator that keeps training records is never written",
        fix="fit it again where the records are, or choose another generator with `semblance models`",
    )


@dataclass(frozen=True)
class Donors:
    """Records as SMOTE sees them.

    `numbers` (n, p) holds a finite value of each field that is a number. `states` (n, fields) holds the code of a
    category or of a missing or infinite number, and the size of the column for an ordinary number. `labels` (n,) are
    the classes, codes of the field `target`.
    """

    numbers: np.ndarray
    states: np.ndarray
    labels: np.ndarray
    target: int | None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, encoding: Encoding, table: Table) -> Donors:
        """The records of a table; of one class where the target is no category."""
        frame, states = encoding.reduce(table), encoding.encode(table)
        numbers, target = [np.zeros((len(table), 0))], None
        for j, (field, coder) in enumerate(_fields(encoding)):
            if isinstance(coder, Numbers):
                real, states[:, j] = _parts(frame[field.name].to_numpy(), states[:, j], coder)
                numbers.append(real[:, None])
            elif field.role == "target":
                target = j
        labels = np.zeros(len(table), dtype=np.int64) if target is None else states[:, target]
        return cls(np.concatenate(numbers, axis=1), states, labels, target)

    @property
    def counts(self) -> np.ndarray:
        """(classes,) records of each class."""
        return np.bincount(self.labels, minlength=1)

    def between(self, labels: np.ndarray, *, neighbours: int, rng: np.random.Generator) -> Donors:
        """A record for each label; each label is of a class of at least two records."""
        numbers, states = (np.zeros((len(labels), x.shape[1]), x.dtype) for x in (self.numbers, self.states))
        for label in np.unique(labels):
            place = np.flatnonzero(labels == label)
            made = self._of_class(label, len(place), neighbours=neighbours, rng=rng)
            numbers[place], states[place] = made
        return Donors(numbers, states, labels, self.target)

    def _of_class(
        self, label: int, n: int, *, neighbours: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The numbers and the states of n records of one class."""
        words = np.array([j for j in range(self.states.shape[1]) if j != self.target], dtype=np.int64)
        centre, spread, width = self.numbers.mean(0), self.numbers.std(0), self.numbers.shape[1]
        scale = np.where(spread > 0, spread, 1.0)
        x = np.column_stack([(self.numbers - centre) / scale, self.states[:, words]])
        near, seed = min(neighbours, int(self.counts[label]) - 1), int(rng.integers(2**31))
        made = _smote(x, self.labels == label, n, words=len(words), neighbours=near, seed=seed)
        states = np.full((n, self.states.shape[1]), label)
        states[:, words] = made[:, width:]
        return made[:, :width] * scale + centre, states

    def table(self, encoding: Encoding, *, first_subject: int, rng: np.random.Generator) -> Table:
        """The records as a table of new patients, numbered from `first_subject`."""
        values: dict[str, np.ndarray | pd.Categorical] = {}
        numbers = iter(self.numbers.T)
        for state, (field, coder) in zip(self.states.T, _fields(encoding), strict=True):
            values[field.name] = (
                _joined(next(numbers), state, coder) if isinstance(coder, Numbers) else coder.decode(state, rng)
            )
        return encoding.assemble(values, first_subject=first_subject, rng=rng)


def _fields(encoding: Encoding) -> list[tuple[Column, ColumnCodes]]:
    return list(zip(encoding.fields, encoding.columns, strict=True))


def _parts(values: np.ndarray, codes: np.ndarray, coder: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """(n,) finite values within the reach of the column, and (n,) states."""
    middles = coder.middles
    known = np.concatenate([coder.tokens[np.isfinite(coder.tokens)], coder.knots])
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    instead = np.where(np.isfinite(middles), middles, (low + high) / 2)[codes]
    finite = np.clip(np.where(np.isfinite(values), values, instead), low, high)
    return finite, np.where(np.isfinite(middles)[codes], coder.size, codes)


def _joined(numbers: np.ndarray, states: np.ndarray, coder: Numbers) -> np.ndarray:
    """Values again: the inverse of `_parts`, in the unit of the column."""
    ordinary = states == coder.size
    others = coder.middles[np.where(ordinary, 0, states)]
    return np.where(ordinary, snapped(numbers, coder.unit), others)


def samplers() -> ModuleType:
    """The module of imbalanced-learn. Raises UsageError with the line that installs it."""
    return need("imblearn.over_sampling", extra="balance", why="SMOTE")


def _smote(x: np.ndarray, mine: np.ndarray, n: int, *, words: int, neighbours: int, seed: int) -> np.ndarray:
    """(n, columns) new rows like those of x (rows, columns) that are `mine`; the last `words` columns are codes.

    imbalanced-learn adds rows to a class that stands beside another, and what it adds is returned. Where all rows are
    of the class, one more row stands for the other.
    """
    if x.shape[1] == 0:
        return np.zeros((n, 0))
    if mine.all():
        x, mine = np.concatenate([x, x[:1]]), np.append(mine, False)
    strategy, kinds, numbers = {1: int(mine.sum()) + n}, samplers(), x.shape[1] - words
    told: dict[str, Any] = dict(sampling_strategy=strategy, k_neighbors=neighbours, random_state=seed)
    if words == 0:
        sampler = kinds.SMOTE(**told)
    elif numbers == 0:
        sampler = kinds.SMOTEN(**told)
    else:
        sampler = kinds.SMOTENC(categorical_features=list(range(numbers, x.shape[1])), **told)
    made: np.ndarray = sampler.fit_resample(x, mine.astype(int))[0][len(x) :]
    return made


def balance(table: Table, encoding: Encoding, *, neighbours: int, rng: np.random.Generator) -> Table:
    """The records, and as many made ones of each class as it takes for all to be as frequent as the largest.

    A class of one record stays as it is; so does a table whose target is no category.
    """
    donors = Donors.of(encoding, table)
    lacking = np.where(donors.counts < 2, 0, donors.counts.max() - donors.counts)
    if not lacking.any():
        return table
    labels, first = np.repeat(np.arange(len(lacking)), lacking), int(table.subjects.max()) + 1
    made = donors.between(labels, neighbours=neighbours, rng=rng).table(encoding, first_subject=first, rng=rng)
    return concat([table, replace(made, schema=table.schema)])
