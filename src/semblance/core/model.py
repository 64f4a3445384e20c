"""Generator (a frozen spec) and Model (what it becomes), the two halves of every generator in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from semblance.core.dataset import Dataset
from semblance.core.errors import UsageError
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
    needs: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def refuse_ledger(card: Card, *, ledger: Ledger | None) -> None:
    """Raise UsageError where a privacy budget is given to a generator that cannot keep one: none is ever ignored."""
    if ledger is not None and not card.private:
        raise UsageError.of(
            f"'{card.name}' was given a privacy ledger",
            rule="only a generator whose card says private can spend one",
            fix="leave out ledger=, or choose another with `semblance models`",
        )


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

    def sample(self, n: int, *, rng: np.random.Generator, given: Mapping[str, Any] | None = None) -> Iterator[D_co]:
        """`n` records in chunks, so that n may outgrow memory."""
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
