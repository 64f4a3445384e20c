"""What every generator over codes shares: an Encoding, fitting, sampling in chunks, and saving.

Chunk i of a sample draws from its own child stream, so that the first n records do not depend on how many follow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import load_file, save

from semblance.core.errors import DataError, UsageError
from semblance.core.files import write_bytes, write_json
from semblance.core.model import Card, Plan, Watch, refuse_ledger
from semblance.core.promise import Ledger
from semblance.core.rng import root_of, stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding, EncodingOptions

CHUNK = 8192


@dataclass(frozen=True)
class CodedSpec(EncodingOptions):
    """A generator that learns the codes of a table at once. Subclasses say what is learned of them (`learn`)."""

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
        """Encode and learn. Raises UsageError for a ledger that the card does not offer to keep."""
        refuse_ledger(self.card, ledger=ledger)
        coder = self.encoding_of(train, encoding)
        return self.learn(coder, coder.encode(train))

    def encoding_of(self, train: Table, given: Encoding | None) -> Encoding:
        """The encoding that was given, or that of `train`."""
        return Encoding.fit(train, self) if given is None else given

    def to_json(self) -> dict[str, Any]:
        """The options as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class CodedModel:
    """A fitted generator over the codes of a table. Subclasses say how codes are drawn."""

    encoding: Encoding
    options: Mapping[str, Any]
    card: ClassVar[Card]

    def draw(self, n: int, *, rng: np.random.Generator) -> np.ndarray:
        """(n, columns) int64 codes."""
        raise TypeError(f"{type(self).__name__} does not say how codes are drawn")

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights, by name."""
        return {}

    def sample(self, n: int, *, rng: np.random.Generator, given: Mapping[str, Any] | None = None) -> Iterator[Table]:
        """`n` records in chunks of at most CHUNK."""
        if given:
            raise UsageError.of(
                f"'{self.card.name}' was asked for records with given values",
                rule="only a generator whose card says conditional can",
                fix="leave out given=, or choose another with `semblance models`",
            )
        if n < 0:
            raise UsageError.of(f"{n} records", rule="n >= 0", fix="sample(1000)")
        root, patient = root_of(rng), 0
        for i, start in enumerate(range(0, n, CHUNK)):
            own = stream(root, i)
            codes = self.draw(CHUNK, rng=own)
            table = self.encoding.decode(codes, first_subject=patient, rng=own)
            patient = int(table.subjects[-1]) + 1
            yield table.take(np.arange(min(CHUNK, n - start)))

    def save(self, folder: Path) -> None:
        """Write model.json, encoding.json and (where there are weights) weights.safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = self.arrays()
        if arrays:
            write_bytes(folder / "weights.safetensors", save(arrays))
        write_json(folder / "encoding.json", self.encoding.to_json())
        write_json(
            folder / "model.json", {"modality": "table", "generator": self.card.name, "options": dict(self.options)}
        )


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
