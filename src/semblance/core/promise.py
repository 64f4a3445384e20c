"""What a model promises about privacy, and the ledger that backs a promise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Guarantee:
    """A differential-privacy guarantee, or the plain statement that there is none (`epsilon is None`)."""

    epsilon: float | None = None
    delta: float | None = None
    unit: str = "patient"
    relation: str = "add or remove one patient"

    def __str__(self) -> str:
        if self.epsilon is None:
            return "no formal guarantee: privacy is measured by attacks, not proven"
        return f"({self.epsilon:g}, {self.delta:g})-differential privacy per {self.unit} ({self.relation})"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


class Ledger(Protocol):
    """Append-only account of a cohort's privacy budget."""

    def guarantee(self, delta: float) -> Guarantee:
        """What has been promised so far, at this delta."""
        ...
