"""What every generator over codes shares: an Encoding, sampling in chunks, and saving.

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
from semblance.core.model import Card
from semblance.core.rng import root_of, stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding

CHUNK = 8192


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
        if self.arrays():
            write_bytes(folder / "weights.safetensors", save(self.arrays()))
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


def options_of(spec: Any) -> dict[str, Any]:
    """The options of a generator as plain JSON."""
    return asdict(spec)
