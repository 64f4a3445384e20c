"""What every generator of stays shares: stays become vectors, vectors of each outcome are learned, new ones are drawn
and become stays. Subclasses say how vectors are learned (`learn`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import load_file, save

from semblance.core.arrays import under, within
from semblance.core.errors import UsageError
from semblance.core.files import write_bytes, write_json
from semblance.core.model import Card, Plan, Wanted, Watch, refuse_ledger, refuse_negative
from semblance.core.promise import Ledger
from semblance.core.rng import root_of, stream
from semblance.learn.drawn import Drawer, Fitting, Learned
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.encoding.code import Code, restored
from semblance.modalities.vitals.encoding.encoding import Encoding, known_of, outcome_of

TOGETHER = 128
"""Stays that are drawn at once."""
ENCODING, DRAWER = "encoding", "drawer"


@dataclass(frozen=True)
class StaySpec:
    """A generator of stays."""

    factors: int = 48
    """Numbers by which the values of a stay are told, and as many for when they are measured."""
    blocks: int = 8
    """Parts of a stay through which values and rates may change."""
    rare: int = 5
    """Values, levels and channels that fewer patients have are not learned."""
    card: ClassVar[Card]

    def plan(self, train: Stays, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Nothing to plan."""
        return {}

    def learn(self, learned: Learned, encoding: Encoding, how: Fitting) -> Drawer:
        """What draws vectors of each outcome; `encoding` says what stands where."""
        raise TypeError(f"{type(self).__name__} does not say what is learned")

    @classmethod
    def drawer(cls, options: Mapping[str, Any], encoding: Code, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """What `learn` gave, from its arrays."""
        raise TypeError(f"{cls.__name__} does not say what it saved")

    def encoded(self, train: Stays, *, rng: np.random.Generator) -> tuple[Encoding, Learned]:
        """How stays become vectors, and those of `train`."""
        return Encoding.fit(train, blocks=self.blocks, factors=self.factors, rare=self.rare, rng=rng)

    def fit(
        self,
        train: Stays,
        *,
        rng: np.random.Generator,
        plan: Plan | None = None,
        ledger: Ledger | None = None,
        encoding: Any = None,
        watch: Watch | None = None,
        resume: Path | None = None,
    ) -> StayModel:
        """Learn `train`. Raises UsageError for a ledger."""
        refuse_ledger(self.card, ledger=ledger)
        chosen = self.plan(train, rng=rng) if plan is None else plan
        seed = root_of(rng)
        made, learned = self.encoded(train, rng=stream(seed, "encoding"))
        drawer = self.learn(learned, made, Fitting(stream(seed, "vectors"), chosen, watch, resume))
        return StayModel(self.card, self.to_json(), made, drawer)

    def check(self, train: Stays, *, wanted: Wanted) -> None:
        """Raise UsageError, before anything is learned, with all that no model of `train` could draw."""
        known_of(outcome_of(train, rare=self.rare)).asked(wanted)

    def to_json(self) -> dict[str, Any]:
        """The options as plain JSON."""
        return asdict(self)

    @classmethod
    def load(cls, folder: Path) -> StayModel:
        """The inverse of `StayModel.save`."""
        if not (folder / "stays.json").exists():
            raise UsageError.of(f"no model in '{folder.name}'", rule="a folder with stays.json", fix="give RUN/model")
        told = json.loads((folder / "stays.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "weights.safetensors")
        code = restored(told, under(arrays, ENCODING))
        drawer = cls.drawer(told["options"], code, under(arrays, DRAWER))
        path = folder / "measured.json"
        measured = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return StayModel(cls.card, told["options"], code, drawer, measured)


@dataclass(frozen=True, eq=False)
class StayModel:
    """A fitted generator of stays."""

    card: Card
    options: Mapping[str, Any]
    encoding: Code
    learned: Drawer
    measured: Mapping[str, Any] = field(default_factory=dict)
    """What a ledger paid for."""

    def sample(self, n: int, *, rng: np.random.Generator, wanted: Wanted | None = None) -> Iterator[Stays]:
        """`n` stays, some at a time; the first do not depend on how many follow, but where there are quotas.

        Raises UsageError with all of what is wanted that the model cannot draw.
        """
        refuse_negative(n, what="stays")
        return self._sample(n, root_of(rng), self.encoding.known.asked(wanted))

    def _sample(self, n: int, seed: int, shares: np.ndarray | None) -> Iterator[Stays]:
        sure = shares is not None
        for first, labels in self.encoding.known.each(n, shares, together=TOGETHER, seed=seed, name="outcomes"):
            given = np.zeros((TOGETHER, 0), dtype=np.float32)
            numbers = self.learned.draw(labels, given, rng=stream(seed, "vectors", first))
            made = self.encoding.stays(numbers, labels, first=first, rng=stream(seed, "stays", first), sure=sure)
            yield made.take(np.arange(min(TOGETHER, n - first)))

    def impute(self, data: Stays, *, rng: np.random.Generator) -> Stays:
        """The stays with a draw for every value that is missing (NaN), given those that were measured, which stay.

        Cells follow from the code of stays, of which all generators draw, and facts stay as they are. Raises UsageError
        for cells of channels that the model does not know.
        """
        return self.encoding.completed(data, seed=root_of(rng))

    def save(self, folder: Path) -> None:
        """Write model.json, stays.json and weights.safetensors, and of a private model measured.json."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {**within(DRAWER, self.learned.arrays()), **within(ENCODING, self.encoding.arrays())}
        write_bytes(folder / "weights.safetensors", save({n: np.ascontiguousarray(a) for n, a in arrays.items()}))
        write_json(folder / "stays.json", {**self.encoding.to_json(), "options": dict(self.options)})
        if self.measured:
            write_json(folder / "measured.json", dict(self.measured))
        write_json(folder / "model.json", {"modality": "vitals", "generator": self.card.name})
