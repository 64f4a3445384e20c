"""What every generator over codes shares: an Encoding, fitting, sampling what is wanted, completing, and saving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import load_file, save

from semblance.core.errors import DataError, UsageError
from semblance.core.files import write_bytes, write_json
from semblance.core.model import Card, Plan, Wanted, Watch, can, refuse_ledger, refuse_wanted
from semblance.core.promise import Ledger
from semblance.core.rng import root_of, stream
from semblance.core.schema import Schema
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding, EncodingOptions
from semblance.modalities.table.generators.drawing import Drawing, Free
from semblance.modalities.table.wanted.aims import Aim
from semblance.modalities.table.wanted.asked import Asked
from semblance.modalities.table.wanted.impute import impute

CHUNK = 8192
PROBED = 2000
"""Records that are drawn once to tell how many break a rule."""


@dataclass(frozen=True)
class Fitting:
    """How a fit runs: by a settled plan; `encoding` is None where the generator makes its own."""

    rng: np.random.Generator
    plan: Plan
    encoding: Encoding | None
    watch: Watch | None
    resume: Path | None

    def checkpoint(self, name: str) -> Path | None:
        """The file of a checkpoint, where checkpoints are wanted."""
        return None if self.resume is None else self.resume / f"{name}.safetensors"


@dataclass(frozen=True)
class CodedSpec(EncodingOptions):
    """A generator over the codes of a table. Subclasses say what is learned of the codes (`learn`), or, where it takes
    more than codes, of the table (`learn_from`)."""

    card: ClassVar[Card]

    def learn(self, encoding: Encoding, codes: np.ndarray) -> CodedModel:
        """The model of (n, columns) int64 codes."""
        raise TypeError(f"{type(self).__name__} does not say what is learned")

    def plan(self, train: Table, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """Nothing to plan."""
        return {}

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
    ) -> CodedModel:
        """Learn `train`, privately where there is a `ledger`. Raises UsageError for one that the card does not offer to
        keep."""
        refuse_ledger(self.card, ledger=ledger)
        if ledger is not None:
            self.refuse_undeclared(train.schema)
        chosen = self.plan(train, rng=rng) if plan is None else plan
        how = Fitting(rng, chosen, encoding, watch, resume)
        return self.learn_from(train, how) if ledger is None else self.learn_privately(train, how, ledger)

    def refuse_undeclared(self, schema: Schema) -> None:
        """Raise UsageError, before any record is looked at privately, for what of them should be public and is not."""

    def learn_privately(self, train: Table, how: Fitting, ledger: Ledger) -> CodedModel:
        """Learn with what is left in a ledger."""
        raise TypeError(f"{type(self).__name__} does not say how it learns privately")

    def learn_from(self, train: Table, how: Fitting) -> CodedModel:
        """Encode and learn."""
        coder = self.encoding_of(train, how.encoding)
        return self.learn(coder, coder.encode(train))

    def encoding_of(self, train: Table, given: Encoding | None) -> Encoding:
        """The encoding that was given, or that of `train`."""
        return Encoding.fit(train, self) if given is None else given

    def check(self, train: Table, *, wanted: Wanted) -> None:
        """Raise UsageError, before anything is learned, with all that no model of `train` could draw."""
        refuse_unable(self.card, wanted=wanted)
        Asked.of(wanted, self.encoding_of(train, None))

    def to_json(self) -> dict[str, Any]:
        """The options as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class CodedModel:
    """A fitted generator over the codes of a table. Subclasses say how codes are drawn."""

    encoding: Encoding
    options: Mapping[str, Any]
    measured: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """What may be told of what a ledger has paid for, and its noise; empty where none has."""
    card: ClassVar[Card]
    chunk: ClassVar[int] = CHUNK
    """Records that are drawn at once, whatever is asked: few where drawing is slow."""

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) int64 codes."""
        raise TypeError(f"{type(self).__name__} does not say how codes are drawn")

    def table(self, n: int, *, first_subject: int, rng: np.random.Generator) -> Table:
        """`n` records of new patients, numbered from `first_subject`."""
        return self.encoding.decode(self.draw(n, rng=rng), first_subject=first_subject, rng=rng)

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights, by name."""
        return {}

    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        """(n, size) probabilities of a column given (n, columns) codes with -1 for what is not known."""
        raise TypeError(f"{type(self).__name__} does not say what a column is given others")

    def complete(self, known: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) codes: what is not known drawn given what is."""
        raise TypeError(f"{type(self).__name__} does not say how records are completed")

    def sample(self, n: int, *, rng: np.random.Generator, wanted: Wanted | None = None) -> Drawing:
        """`n` records, at most `chunk` at a time; those that are `wanted` where the card is conditional.

        Raises UsageError with everything that cannot be had, and (while drawing) DataError where too many records break
        a rule. Without a quota or parity the first records do not depend on how many follow.
        """
        if not wanted:
            return Drawing(Free(self.encoding, self.table), n, rng, self.chunk)
        self._refuse(wanted)
        return Drawing(Aim.of(self, self.encoding, wanted, seed=root_of(rng)), n, rng, self.chunk)

    def impute(self, table: Table, *, rng: np.random.Generator) -> Table:
        """`table` with every gap drawn given what its record holds; what it holds is kept. For conditional cards."""
        if not self.card.conditional:
            raise UsageError.of(
                f"'{self.card.name}' was asked to complete records",
                rule="only a generator that samples with given values can",
                fix=f"choose {' or '.join(able(Wanted(given={'': None})))}",
            )
        return impute(self, self.encoding, table, rng=rng)

    def _refuse(self, wanted: Wanted) -> None:
        refuse_unable(self.card, wanted=wanted)
        if wanted.do:
            raise UsageError.of(
                f"'{self.card.name}' was asked to set {', '.join(wanted.do)}",
                rule="only a generator that knows what a column causes can set it",
                fix="given=... looks for such records; `semblance models` shows what can set a treatment",
            )

    def save(self, folder: Path) -> None:
        """Write model.json, encoding.json, weights.safetensors and measured.json, the last two where there is any."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = self.arrays()
        if arrays:
            write_bytes(folder / "weights.safetensors", save(arrays))
        if self.measured:
            write_json(folder / "measured.json", dict(self.measured))
        write_json(folder / "encoding.json", self.encoding.to_json())
        told = {"modality": "table", "generator": self.card.name, "options": dict(self.options)}
        write_json(folder / "model.json", {**told, **self._cost()})

    def _cost(self) -> dict[str, Any]:
        """The share of records that break a rule and are drawn anew, where there are rules."""
        if not self.encoding.schema.constraints and not self.encoding.relations.parts:
            return {}
        table = self.table(PROBED, first_subject=0, rng=stream(0, "cost"))
        return {"broken": float(self.encoding.broken(table).mean())}


def refuse_unable(card: Card, *, wanted: Wanted) -> None:
    """Raise UsageError for what is wanted of a generator that draws without conditions, and name those that can."""
    if not card.conditional:
        refuse_wanted(card, wanted=wanted, able=able(wanted))


def able(wanted: Wanted) -> list[str]:
    """The generators of tables that draw what is wanted."""
    from semblance.modalities.table import MANIFEST

    return [name for name in MANIFEST.generators if can(MANIFEST.generator(name).card, wanted=wanted)]


def saved(folder: Path) -> tuple[Encoding, dict[str, Any], dict[str, np.ndarray]]:
    """The encoding, the options and the weights of a saved model. Raises DataError where the folder holds none."""
    try:
        options = json.loads((folder / "model.json").read_text())["options"]
        encoding = Encoding.from_json(json.loads((folder / "encoding.json").read_text()))
        weights = folder / "weights.safetensors"
        return encoding, options, load_file(weights) if weights.exists() else {}
    except (OSError, ValueError, KeyError) as error:
        raise DataError.of(
            f"'{folder.name}' does not hold a saved model ({type(error).__name__})",
            rule="model.json, encoding.json and weights.safetensors, as Model.save writes them",
            fix="give the model/ folder of a run",
        ) from error


def measured_of(folder: Path) -> dict[str, Any]:
    """What a saved model says of what a ledger has paid for."""
    path = folder / "measured.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found
