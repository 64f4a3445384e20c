"""What a model promises about privacy, and the ledger that backs a promise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

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

    @property
    def advantage(self) -> float:
        """The most by which anybody can tell a patient who is there from one who is not: true less false positive rate,
        (e^epsilon - 1 + 2 delta) / (e^epsilon + 1) (Kairouz, Oh & Viswanath, ICML 2015); 1 without a guarantee."""
        if self.epsilon is None:
            return 1.0
        return min(math.tanh(self.epsilon / 2) + 2 * (self.delta or 0.0) / (math.exp(min(self.epsilon, 700)) + 1), 1.0)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


MEASURED = "measured.safetensors"
"""The checkpoint of what was measured: it was paid for, so a run never throws it away."""
MEASURED_SCHEMA = "measured.json"
"""The same of the schema: `noise` has what was paid, `told` what anybody may know of how it was measured."""


def rounded_up(value: float, digits: int = 4) -> float:
    """The value at so many digits, never below it: what is said of a bound must hold."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    return float(f"{math.ceil(value / unit * (1 - 1e-12)) * unit:.{digits}g}")


class Part:
    """What a ledger pays for in one piece. Subclasses are frozen dataclasses."""

    kind: ClassVar[str]

    @property
    def endless(self) -> bool:
        """Whether nothing is left that could pay for it."""
        return math.isinf(getattr(self, "sigma", 0.0))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"kind": self.kind, **vars(self)}


@dataclass(frozen=True)
class Noise(Part):
    """Discrete Gaussian noise of scale `sigma` on each cell of `count` histograms. One patient moves each of them by at
    most `sensitivity` (Euclidean).

    Where only cells above a threshold are told, since which ones exist is private too, `delta` bounds the chance that a
    patient who is alone in its cells shows (Korolova et al., WWW 2009).
    """

    sigma: float
    sensitivity: int = 1
    count: int = 1
    delta: float = 0.0
    kind: ClassVar[str] = "noise"

    def __post_init__(self) -> None:
        whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in (self.sensitivity, self.count))
        if not self.sigma > 0 or not whole or not 0 <= self.delta < 1:
            raise UsageError.of(
                f"noise of sigma {self.sigma}, sensitivity {self.sensitivity}, {self.count} histograms,"
                f" delta {self.delta}",
                rule="sigma is above 0, sensitivity and histograms are whole numbers from 1, 0 <= delta < 1",
                fix="correct it",
            )

    @property
    def rho(self) -> float:
        """The cost in zero-concentrated differential privacy (Canonne, Kamath & Steinke 2020, theorem 4)."""
        return self.count * self.sensitivity**2 / (2 * self.sigma**2)

    def __str__(self) -> str:
        tables = "1 table of counts" if self.count == 1 else f"{self.count:,} tables of counts"
        records = "1 record" if self.sensitivity == 1 else f"{self.sensitivity} records"
        told = f", of which cells above a threshold (delta {rounded_up(self.delta, 2):g})" if self.delta else ""
        noise = f"discrete Gaussian noise of standard deviation {self.sigma:,.1f}"
        return f"{tables}, with at most {records} of a patient in each{told}: {noise}"


@dataclass(frozen=True)
class Steps(Part):
    """`count` steps of DP-SGD (Abadi et al., CCS 2016): each patient is in a batch with probability `rate`, its
    gradient has a norm of at most one, and Gaussian noise of scale `sigma` is added to their sum."""

    sigma: float
    rate: float
    count: int
    kind: ClassVar[str] = "steps"

    def __post_init__(self) -> None:
        whole = isinstance(self.count, int) and not isinstance(self.count, bool) and self.count >= 1
        if not self.sigma > 0 or not 0 < self.rate <= 1 or not whole:
            raise UsageError.of(
                f"{self.count} steps of sigma {self.sigma} at a rate of {self.rate}",
                rule="sigma is above 0, the rate above 0 and at most 1, steps are a whole number from 1",
                fix="correct it",
            )

    def __str__(self) -> str:
        return (
            f"{self.count:,} steps of training, each on patients drawn with probability {self.rate:.4g}: Gaussian noise"
            f" of {self.sigma:.3g} times the largest gradient of a patient"
        )


@dataclass(frozen=True)
class Answers(Part):
    """One randomised answer of each patient, by itself `epsilon`-differentially private; `count` of them."""

    epsilon: float
    count: int = 1
    kind: ClassVar[str] = "answers"

    def __post_init__(self) -> None:
        whole = isinstance(self.count, int) and not isinstance(self.count, bool) and self.count >= 1
        if not (0 < self.epsilon < math.inf) or not whole:
            raise UsageError.of(
                f"{self.count} answers of epsilon {self.epsilon}",
                rule="epsilon is above 0 and finite, answers are a whole number from 1",
                fix="correct it",
            )

    @property
    def rho(self) -> float:
        """The cost in zero-concentrated differential privacy (Bun & Steinke 2016, proposition 1.4)."""
        return self.count * self.epsilon**2 / 2

    def __str__(self) -> str:
        answers = "1 randomised answer" if self.count == 1 else f"{self.count:,} randomised answers"
        return f"{answers} of each patient, with epsilon {rounded_up(self.epsilon):g} each"


Spent = Noise | Steps | Answers
"""What a ledger pays for."""
KINDS: Mapping[str, type[Spent]] = {kind.kind: kind for kind in (Noise, Steps, Answers)}


def spent_from(told: Mapping[str, Any]) -> Spent:
    """The inverse of `to_json`."""
    return KINDS[told.get("kind", Noise.kind)](**{key: value for key, value in told.items() if key != "kind"})


class Ledger(Protocol):
    """Append-only account of a cohort's privacy budget, and the only way to what it pays for."""

    @property
    def cohort(self) -> str:
        """The id of the patients."""
        ...

    @property
    def epsilon(self) -> float:
        """That of the budget."""
        ...

    @property
    def delta(self) -> float:
        """That of the budget."""
        ...

    def spent(self) -> tuple[Spent, ...]:
        """What has been paid for."""
        ...

    def bind(self, data: Sequence[str]) -> bool:
        """Write down the digests of the files that are about to be measured; raise where they are another cohort's.

        Whether the cohort was measured in other files before, and never in these."""
        ...

    def guarantee(self, delta: float | None = None) -> Guarantee:
        """What has been promised so far, at this delta or at that of the budget."""
        ...

    def affordable(self, parts: Sequence[tuple[float, int]], *, kept: float = 0.0) -> tuple[Noise, ...]:
        """The least noise for `parts`, (share of the budget, histograms) each, that uses up what is left.

        So much of delta as is `kept` stays for thresholds.
        """
        ...

    def affordable_steps(self, *, rate: float, count: int) -> Steps:
        """Steps of DP-SGD with the least noise that uses up what is left."""
        ...

    def affordable_answers(self, count: int = 1) -> Answers:
        """`count` randomised answers of each patient, as loud as what is left allows."""
        ...

    def reserve(self, *parts: Spent, note: str) -> str:
        """Pay, before anything is measured; the receipt, which no other payment has."""
        ...

    def refuse_other(self, receipt: str, result: str | None) -> None:
        """Raise where a payment is not in this ledger, or became something else than `result` before."""
        ...

    def settle(self, receipt: str, result: str) -> None:
        """Write down, for good, what a payment became; raise as `refuse_other` does."""
        ...

    def noisy_counts(
        self,
        codes: np.ndarray,
        sizes: np.ndarray,
        subsets: Sequence[tuple[int, ...]],
        subjects: np.ndarray,
        *,
        sigma: float | Sequence[float],
        note: str,
        clip: int = 1,
    ) -> list[np.ndarray]:
        """The joint histogram of each subset of the (n, d) columns, with noise of the one `sigma` or each with its own;
        paid before any is counted."""
        ...
