"""Generator (a frozen spec) and Model (what it becomes), the two halves of every generator in the catalogue."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from semblance.core.dataset import Dataset
from semblance.core.errors import Problem, UsageError
from semblance.core.promise import Ledger

D = TypeVar("D", bound=Dataset)
D_co = TypeVar("D_co", bound=Dataset, covariant=True)


@dataclass(frozen=True)
class Card:
    """What a generator is and what it claims. Contract tests hold it to every claim."""

    name: str
    summary: str
    paper: str
    private: bool = False
    conditional: bool = False
    federated: bool = False
    holds_records: bool = False
    causal: bool = False
    needs: tuple[str, ...] = ()

    @property
    def only_private(self) -> bool:
        """Whether it learns under differential privacy or not at all."""
        return self.private and "dp-accounting" in self.needs

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def refuse_ledger(card: Card, *, ledger: Ledger | None) -> None:
    """Raise UsageError where a privacy budget is given to a generator that cannot keep one: none is ever ignored."""
    if ledger is not None and not card.private:
        raise UsageError.of(
            f"'{card.name}' was given a privacy ledger",
            rule="only a generator that keeps a differential privacy budget can spend one",
            fix="leave out ledger=, or choose another with `semblance models`",
        )


def paying(card: Card, *, ledger: Ledger | None) -> Ledger:
    """The ledger. Raises UsageError where a generator that measures only what is paid for was given none."""
    if ledger is None:
        raise UsageError.of(
            f"'{card.name}' was given no ledger",
            rule="a private generator measures only what a ledger has paid for",
            fix="--epsilon 1, or in Python ledger=sb.Ledger.open(...), with a schema file that names the cohort",
        )
    return ledger


FAIRNESS = ("parity", "odds")
BALANCED = "balanced"
PARTS = {
    "given": "given={'sex': 'F', 'age': (60, 80)}",
    "quota": "quota={'sex': {'F': 0.5, 'M': 0.5}}",
    "shift": "shift={'age': 10}",
    "do": "do={'arm': 'A'}",
}


@dataclass(frozen=True)
class Wanted:
    """What the records of a sample shall be like, by the names of their columns.

    A condition is a value (None for the missing one), a closed range `(60, 80)` of numbers or dates in which None
    leaves a side open, or a set of both: {"I10", "I50.1"}. Numbers and dates may be texts as well. Raises UsageError
    with everything that no data could satisfy; what depends on the columns is checked by the model.
    """

    given: Mapping[str, Any] = field(default_factory=dict)
    """Conditions that every record satisfies."""
    quota: Mapping[str, Any] = field(default_factory=dict)
    """Shares of the records by condition, kept to the row; "balanced" for equal shares of all values."""
    shift: Mapping[str, Any] = field(default_factory=dict)
    """A number moves the mean of a column (dates: by days); {value: factor} multiplies the odds of values."""
    fair_on: tuple[str, ...] = ()
    """Columns that name the groups between which the target shall be fair."""
    fairness: str = "parity"
    """With "parity" the target is independent of the group, with "odds" all else is among records of one target."""
    do: Mapping[str, Any] = field(default_factory=dict)
    """Values that are set from outside, as a trial does, rather than looked for."""

    def __post_init__(self) -> None:
        problems = [
            Problem(f"{part}= is a {type(asked).__name__}", f"{part}={{column: what is wanted of it}}", how)
            for part, how in PARTS.items()
            if not isinstance(asked := getattr(self, part), Mapping)
        ]
        if problems:
            raise UsageError(*problems)
        groups = (self.fair_on,) if isinstance(self.fair_on, str) else tuple(self.fair_on)
        object.__setattr__(self, "fair_on", groups)
        problems = [*_named(self), *_ranges(self), *_shares(self), *_shifts(self)]
        if self.fairness not in FAIRNESS:
            rule = f"one of {', '.join(FAIRNESS)}"
            problems.append(Problem(f"fairness '{self.fairness}'", rule, f"fairness='{FAIRNESS[0]}'"))
        if problems:
            raise UsageError(*problems)

    def __bool__(self) -> bool:
        """Whether anything is wanted."""
        return bool(self.given or self.quota or self.shift or self.fair_on or self.do)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, without what was not asked for."""
        told = {part: {c: _plain(v) for c, v in getattr(self, part).items()} for part in ("given", "shift", "do")}
        told["quota"] = {c: q if isinstance(q, str) else _pairs(q) for c, q in self.quota.items()}
        fair = {"fair_on": list(self.fair_on), "fairness": self.fairness} if self.fair_on else {}
        return {part: told for part, told in told.items() if told} | fair

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Wanted:
        """The inverse of `to_json`."""
        read: dict[str, Any] = {part: {c: _read(v) for c, v in data.get(part, {}).items()} for part in ("given", "do")}
        read["shift"] = {c: dict(v) if isinstance(v, Mapping) else v for c, v in data.get("shift", {}).items()}
        read["quota"] = {
            c: q if isinstance(q, str) else {_read(condition): share for condition, share in q}
            for c, q in data.get("quota", {}).items()
        }
        return cls(**read, fair_on=tuple(data.get("fair_on", ())), fairness=data.get("fairness", FAIRNESS[0]))


def _plain(condition: Any) -> Any:
    """A condition as JSON: a range is {"from", "to"}, a set {"any"}, a date its ISO text, a shift itself."""
    if isinstance(condition, tuple):
        low, high = condition
        return {"from": _plain(low), "to": _plain(high)}
    if isinstance(condition, set | frozenset | list):
        return {"any": sorted(map(_plain, condition), key=repr)}
    if isinstance(condition, Mapping):
        return {str(value): factor for value, factor in condition.items()}
    if isinstance(condition, date):
        return condition.isoformat()
    return condition.item() if hasattr(condition, "item") else condition


def _pairs(quota: Mapping[Any, float]) -> list[list[Any]]:
    return [[_plain(condition), float(share)] for condition, share in quota.items()]


def _read(condition: Any) -> Any:
    if not isinstance(condition, Mapping):
        return condition
    return frozenset(map(_read, condition["any"])) if "any" in condition else (condition["from"], condition["to"])


def _named(wanted: Wanted) -> Iterator[Problem]:
    """Columns of which two things are asked that exclude each other."""
    for name in wanted.shift.keys() & (wanted.quota.keys() | wanted.do.keys()):
        yield Problem("a shift beside a quota or a value that is set", "a column has one of them", "keep one", name)
    for name in wanted.do.keys() & (wanted.given.keys() | wanted.quota.keys()):
        yield Problem("a condition on a column that is set", "a column is set or looked for", "keep one", name)


def _ranges(wanted: Wanted) -> Iterator[Problem]:
    asked = [(column, condition) for column, condition in wanted.given.items()]
    asked += [(c, condition) for c, q in wanted.quota.items() if isinstance(q, Mapping) for condition in q]
    for column, condition in asked:
        for one in condition if isinstance(condition, set | frozenset | list) else (condition,):
            if isinstance(one, tuple) and len(one) != 2:
                yield Problem(
                    f"a range of {len(one)} values", "a range is (lowest, highest)", "{...} for a set", column
                )
            elif isinstance(one, tuple) and _above(*one):
                yield Problem("a range that ends below its beginning", "(lowest, highest)", "exchange them", column)
        if isinstance(condition, set | frozenset | list) and not condition:
            yield Problem("an empty set", "at least one value", "leave the column out", column)


def _above(low: Any, high: Any) -> bool:
    numbers = all(isinstance(end, int | float) for end in (low, high))
    return (numbers and not low <= high) or (isinstance(low, date) and isinstance(high, date) and low > high)


def _shares(wanted: Wanted) -> Iterator[Problem]:
    for column, quota in wanted.quota.items():
        if isinstance(quota, Mapping) and all(_number(share) and share >= 0 for share in quota.values()):
            total = sum(quota.values())
            if abs(total - 1) > 1e-6:
                yield Problem(f"shares that sum to {total:g}", "shares sum to 1", "correct them", column)
        elif quota != BALANCED:
            rule = "{condition: share} with shares from 0 to 1, or 'balanced'"
            yield Problem("a quota that is none", rule, "quota={'sex': {'F': 0.5, 'M': 0.5}}", column)


def _shifts(wanted: Wanted) -> Iterator[Problem]:
    for column, shift in wanted.shift.items():
        odds = isinstance(shift, Mapping) and shift and all(_number(f) and f > 0 for f in shift.values())
        if not odds and not _number(shift):
            rule = "a number to move the mean by, or {value: factor above 0} for odds"
            yield Problem("a shift that is none", rule, "shift={'age': 10, 'diabetes': {'yes': 2}}", column)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def can(card: Card, *, wanted: Wanted) -> bool:
    """Whether a generator draws what is wanted: a causal one sets values, a conditional one does all else."""
    return (card.causal or not wanted.do) and (card.conditional or not replace(wanted, do={}))


def refuse_negative(n: int, *, what: str) -> None:
    """Raise UsageError where less than no records are asked for."""
    if n < 0:
        raise UsageError.of(f"{n} {what}", rule="a count is 0 or more", fix="--rows 10")


def refuse_wanted(card: Card, *, wanted: Wanted | None, able: Sequence[str]) -> None:
    """Raise UsageError where conditions are asked of a generator that draws without any. `able` are those that can."""
    if wanted and not card.conditional and not can(card, wanted=wanted):
        asked = [part.name for part in fields(wanted) if part.name != "fairness" and getattr(wanted, part.name)]
        raise UsageError.of(
            f"'{card.name}' was asked for records with {', '.join(asked)}",
            rule=f"only a generator that {' and '.join(_claims(wanted))} can",
            fix=f"choose {' or '.join(able)}" if able else "leave out what was wanted",
        )


def _claims(wanted: Wanted) -> Iterator[str]:
    if replace(wanted, do={}):
        yield "samples with given values"
    if wanted.do:
        yield "knows what a column causes"


@dataclass(frozen=True)
class Tick:
    """One step of progress: `step` of `steps`, the loss on the batch, the loss held out (None between looks)."""

    step: int
    steps: int
    loss: float
    held_out: float | None = None


Watch = Callable[[Tick], None]
Plan = Mapping[str, Any]


class Model(Protocol[D_co]):
    """A fitted generator. It holds what may leave the building, and never a record."""

    def sample(self, n: int, *, rng: np.random.Generator, wanted: Wanted | None = None) -> Iterator[D_co]:
        """`n` records in chunks, so that n may outgrow memory; as `wanted` where the card is conditional."""
        ...

    def save(self, folder: Path) -> None:
        """Write safetensors and JSON into `folder`."""
        ...


class Generator(Protocol[D]):
    """A frozen dataclass whose fields are its options."""

    card: ClassVar[Card]

    def plan(self, train: D, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """How much work to do: a short probe turns seconds into steps. The plan, not the clock, decides the bytes."""
        ...

    def fit(
        self,
        train: D,
        *,
        rng: np.random.Generator,
        plan: Plan | None = None,
        ledger: Ledger | None = None,
        encoding: Any = None,
        watch: Watch | None = None,
        resume: Path | None = None,
    ) -> Model[D]:
        """Learn `train`. `resume` is a folder for checkpoints: they are written there and taken up from there."""
        ...

    @staticmethod
    def load(folder: Path) -> Model[D]:
        """The inverse of `Model.save`."""
        ...
