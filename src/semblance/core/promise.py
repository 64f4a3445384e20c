"""What a model promises about privacy, and the ledger that backs a promise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from semblance.core.errors import UsageError


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
        epsilon, delta = (rounded_up(value) for value in (self.epsilon, self.delta or 0.0))
        return f"({epsilon:g}, {delta:g})-differential privacy per {self.unit} ({self.relation})"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


MEASURED = "measured.safetensors"
"""The checkpoint of what was measured: it was paid for, so a run never throws it away."""


def rounded_up(value: float, digits: int = 4) -> float:
    """The value at so many digits, never below it: what is said of a bound must hold."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    return float(f"{math.ceil(value / unit * (1 - 1e-12)) * unit:.{digits}g}")


@dataclass(frozen=True)
class Noise:
    """Discrete Gaussian noise of scale `sigma` on each cell of `count` histograms. One patient moves each of them by at
    most `sensitivity` (Euclidean)."""

    sigma: float
    sensitivity: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in (self.sensitivity, self.count))
        if not self.sigma > 0 or not whole:
            raise UsageError.of(
                f"noise of sigma {self.sigma}, sensitivity {self.sensitivity}, {self.count} histograms",
                rule="sigma is above 0, sensitivity and histograms are whole numbers from 1",
                fix="correct it",
            )

    @property
    def rho(self) -> float:
        """The cost in zero-concentrated differential privacy (Canonne, Kamath & Steinke 2020, theorem 4)."""
        return self.count * self.sensitivity**2 / (2 * self.sigma**2)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


class Ledger(Protocol):
    """Append-only account of a cohort's privacy budget, and the only way to what it pays for."""

    @property
    def cohort(self) -> str:
        """The id of the patients."""
        ...

    def guarantee(self, delta: float | None = None) -> Guarantee:
        """What has been promised so far, at this delta or at that of the budget."""
        ...

    def affordable(self, parts: Sequence[tuple[float, int]]) -> tuple[Noise, ...]:
        """The least noise for `parts`, (share of the budget, histograms) each, that uses up what is left."""
        ...

    def noisy_counts(
        self,
        codes: np.ndarray,
        sizes: np.ndarray,
        subsets: Sequence[tuple[int, ...]],
        subjects: np.ndarray,
        *,
        sigma: float,
        note: str,
        clip: int = 1,
    ) -> list[np.ndarray]:
        """The joint histogram of each subset of the (n, d) columns, with noise; paid before it is counted."""
        ...
