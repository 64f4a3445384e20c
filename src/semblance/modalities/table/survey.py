"""Questions to patients, of whom each gives one randomised answer: what local differential privacy asks of a table.

A first round asks for single columns, with numbers in coarse cells. What it says, which is public, settles what counts
as one in a second round that asks for pairs of columns. Which of them are asked follows from the number of seats,
epsilon and the columns alone (`deepest`): all pairs where noise leaves room, else those with the target, else none. A
patient answers one question in one round, so nothing adds up: dividing the patients among questions loses less than
dividing epsilon (Wang et al., USENIX Security 2017).
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Any, TypeGuard

import numpy as np

from semblance.core.errors import DataError, UsageError
from semblance.core.shares import simplex
from semblance.modalities.table.codes import Categories
from semblance.modalities.table.encode import ColumnCodes, Encoding
from semblance.modalities.table.generators.grouping import cells, frequent
from semblance.privacy.local import NOBODY, Randomiser, randomiser
from semblance.privacy.noise import moved, system

Pair = tuple[int, int]
BEARABLE = 0.2
"""The total variation of at most 1 that noise alone may be expected to make in the answers to a question."""
FINEST = 512
"""A number is asked for in at most so many cells."""
FAVOUR = 3.0
"""Pairs with the target are asked of so many times as many patients as other pairs."""
LEAST = 0.002
"""The share of the patients below which a code counts with others in any case."""


@dataclass(frozen=True, eq=False)
class Question:
    """What a patient holds of one or two columns; of each the group of each code (size,). It is asked of patients in
    proportion to `weight`."""

    columns: tuple[int, ...]
    groups: tuple[np.ndarray, ...]
    weight: float = 1.0

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """How many groups each column has."""
        return tuple(int(group.max()) + 1 for group in self.groups)

    @property
    def size(self) -> int:
        """How many answers there are, but for that of nobody."""
        return math.prod(self.shape)

    def cells(self, codes: np.ndarray) -> np.ndarray:
        """(n,) the true answers of records of (n, all columns) codes; a row of NOBODY is an empty seat."""
        held = np.flatnonzero((codes != NOBODY).all(1))
        groups = [group[codes[held, j]] for j, group in zip(self.columns, self.groups, strict=True)]
        found = np.full(len(codes), NOBODY, dtype=np.int64)
        found[held] = np.ravel_multi_index(groups, self.shape)
        return found


@dataclass(frozen=True, eq=False)
class Tally:
    """How many of the `asked` answers to a question hold each cell (size,): randomised, so it is public."""

    question: Question
    asked: int
    counts: np.ndarray

    def shares(self, by: Randomiser, occupied: float) -> np.ndarray:
        """(shape) unbiased shares of the patients; `occupied` is the share of seats that are not empty."""
        found = by.estimates(self.counts, self.asked) / max(self.asked * occupied, 1e-9)
        return found.reshape(self.question.shape)

    def noise(self, by: Randomiser, occupied: float) -> float:
        """The standard deviation of a share."""
        return deviation(by, self.asked) / occupied if self.asked else math.inf


@dataclass(frozen=True)
class Depth:
    """Which pairs are asked in the second round, with what weights, over at most how many groups of a column."""

    pairs: tuple[Pair, ...]
    weights: tuple[float, ...]
    groups: int


@dataclass(frozen=True)
class Asking:
    """What is public about a survey beside its columns: `seats`, how many patients may answer, and its options."""

    seats: int
    single: float = 0.3
    groups: int = 16
    classes: int = 4


@dataclass(frozen=True, eq=False)
class Survey:
    """The questions of one round over the codes of a schema, and what earlier rounds said."""

    coder: Encoding
    epsilon: float
    asking: Asking
    questions: tuple[Question, ...]
    before: tuple[Tally, ...] = field(default=())

    @classmethod
    def of(cls, coder: Encoding, *, epsilon: float, asking: Asking) -> Survey:
        """The first round: every column by itself."""
        depth, columns = deepest(coder, epsilon=epsilon, asking=asking), range(len(coder.columns))
        asked = asking.seats * (1.0 if depth is None else asking.single) / len(columns)
        most = finest(FINEST, epsilon=epsilon, asked=asked)
        groups = (_alone(column, most=max(most, 3)) for column in coder.columns)
        questions = tuple(Question((j,), (group,)) for j, group in enumerate(groups))
        return cls(coder, epsilon, asking, questions)

    @property
    def round(self) -> int:
        """The first or the second."""
        return 2 if self.before else 1

    @cached_property
    def depth(self) -> Depth | None:
        """What the second round is about; None where there is none."""
        return deepest(self.coder, epsilon=self.epsilon, asking=self.asking)

    @property
    def first(self) -> int:
        """How many seats are for the first round."""
        return self.asking.seats if self.depth is None else round(self.asking.single * self.asking.seats)

    def by(self, question: Question) -> Randomiser:
        """What randomises the answers to a question."""
        return randomiser(question.size, self.epsilon)

    # At the source

    def report(self, codes: np.ndarray) -> dict[str, Any]:
        """What may leave the source of one record of (columns,) codes: a question of chance, a randomised answer."""
        k = self._drawn()
        question = self.questions[k]
        answer = self.by(question).answers(question.cells(codes[None]))[0]
        return {"round": self.round, "question": k, "answer": np.flatnonzero(answer).tolist()}

    def _drawn(self) -> int:
        weights = np.array([question.weight for question in self.questions])
        return int(np.searchsorted(np.cumsum(weights) / weights.sum(), secrets.randbits(53) / (1 << 53), side="right"))

    # Where answers are gathered

    def asked(self, codes: np.ndarray) -> tuple[Tally, ...]:
        """What is said by seats of (n, columns) codes in an order of chance, each asked one question."""
        order = system().permutation(len(self.questions))
        weights = np.cumsum([self.questions[k].weight for k in order])
        ends = np.round(weights / weights[-1] * len(codes)).astype(int)
        parts = dict(zip(order.tolist(), np.split(codes, ends[:-1]), strict=True))
        return tuple(Tally(q, len(parts[k]), self.by(q).tally(q.cells(parts[k]))) for k, q in enumerate(self.questions))

    def gathered(self, reports: Iterable[Mapping[str, Any]]) -> tuple[Tally, ...]:
        """What reports say together. Raises DataError for one that is none of this survey."""
        asked = [0] * len(self.questions)
        counts = [np.zeros(question.size, dtype=np.int64) for question in self.questions]
        for number, report in enumerate(reports, 1):
            k, answer = self._checked(number, report)
            asked[k] += 1
            counts[k][answer] += 1
        return tuple(map(Tally, self.questions, asked, counts))

    def _checked(self, number: int, report: Mapping[str, Any]) -> tuple[int, list[int]]:
        k, answer = report.get("question"), report.get("answer")
        if report.get("round") == self.round and _whole(k, len(self.questions)) and isinstance(answer, list):
            size = self.questions[k].size
            if all(_whole(code, size) for code in answer) and len(set(answer)) == len(answer):
                return k, answer
        raise DataError.of(
            f"report {number} is none of this survey",
            rule=f'a report of round {self.round} is {{"round", "question", "answer"}} as the survey made it',
            fix="make it by the same schema, epsilon and round",
        )

    def next(self, told: Sequence[Tally]) -> Survey | None:
        """The second round, after what the first one `told`; None where no pair is asked."""
        depth = self.depth
        if depth is None:
            return None
        groups = self._grouped(told, depth)
        pairs = zip(depth.pairs, depth.weights, strict=True)
        questions = (Question((i, j), (groups[i], groups[j]), weight) for (i, j), weight in pairs)
        useful = tuple(q for q in questions if min(q.shape) > 1)
        return Survey(self.coder, self.epsilon, self.asking, useful, tuple(told)) if useful else None

    def _grouped(self, told: Sequence[Tally], depth: Depth) -> tuple[np.ndarray, ...]:
        """Of each column (size,) which codes count as one within pairs, by what was said of it alone."""
        occupied, target = occupancy(told, self.epsilon), self.coder.target
        found = []
        for j, (tally, column) in enumerate(zip(told, self.coder.columns, strict=True)):
            by, (group,) = self.by(tally.question), tally.question.groups
            share = simplex(tally.shares(by, occupied))
            least = min(max(tally.noise(by, occupied), LEAST), float(share.max()))
            most = self.asking.classes if j == target else depth.groups
            merged = frequent if isinstance(column, Categories) else cells
            alike = merged(share, most=most, least=least)
            found.append(alike[group])
        return tuple(found)


def occupancy(told: Sequence[Tally], epsilon: float) -> float:
    """The share of seats that are not empty, from all answers: at most one."""
    share, weight = 0.0, 0.0
    for tally in told:
        by = randomiser(tally.question.size, epsilon)
        if tally.asked:
            trust = tally.asked**2 / (by.variance(tally.asked) * by.size)
            share += trust * float(by.estimates(tally.counts, tally.asked).sum()) / tally.asked
            weight += trust
    return float(np.clip(share / weight, 1 / max(sum(t.asked for t in told), 1), 1.0)) if weight else 1.0


# What is asked, by what is public


def deviation(by: Randomiser, asked: float) -> float:
    """The standard deviation of a share that is as large as the others: by noise, and by who is asked."""
    even = 1 / by.size
    return math.sqrt((by.variance(1, even) + even * (1 - even)) / asked)


def covered(cells: int, *, epsilon: float, asked: float) -> float:
    """The expected total variation that noise, and who is asked, make in a table of so many cells."""
    return moved(cells, deviation(randomiser(cells, epsilon), max(asked, 1)))


@lru_cache(maxsize=256)
def finest(limit: int, *, epsilon: float, asked: float) -> int:
    """The most cells, up to a limit, in which noise is bearable; 0 where it is in none."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if covered(middle, epsilon=epsilon, asked=asked) <= BEARABLE else (low, middle - 1)
    return low


def deepest(coder: Encoding, *, epsilon: float, asking: Asking) -> Depth | None:
    """All pairs where at least three groups of each column can be told apart, else those with the target where two
    can, else none. Nothing but the seats, epsilon and the columns decides."""
    target, every = coder.target, tuple(combinations(range(len(coder.columns)), 2))
    with_target = tuple(pair for pair in every if target in pair)
    classes = 0 if target is None else min(asking.classes, coder.columns[target].size)
    for pairs, beside, least in ((every, 0, 3), (with_target, classes, 2)):
        weights = tuple(FAVOUR if target in pair else 1.0 for pair in pairs)
        if not pairs:
            continue
        asked = (1 - asking.single) * asking.seats * min(weights) / sum(weights)
        cells = finest(asking.groups * (beside or asking.groups), epsilon=epsilon, asked=asked)
        groups = cells // beside if beside else math.isqrt(cells)
        if groups >= least:
            return Depth(pairs, weights, groups)
    return None


def _alone(column: ColumnCodes, *, most: int) -> np.ndarray:
    """(size,) groups of a column's codes where nothing is known of it: of categories each its own, of a number the
    missing value alone and its cells in runs that are as long as another."""
    if isinstance(column, Categories):
        return np.arange(column.size)
    cells = column.size - 1
    groups = min(cells, max(most - 1, 1))
    return np.concatenate([[0], 1 + np.arange(cells) * groups // max(cells, 1)]).astype(np.int64)


def _whole(value: Any, below: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below


def seats_of(n_public: int | None) -> int:
    """How many patients may answer. Raises UsageError where nothing public says it."""
    if n_public is None:
        raise UsageError.of(
            "nothing public says how many patients there are",
            rule="as many answers are made as a public number says, or they would tell how many patients there are",
            fix="in the schema file: [cohort] n_public = a number that is public anyway",
        )
    return n_public
