"""The one owner of intervals: every number that a person sees is an Estimate.

>>> wilson(0, 100)
Estimate(value=0.0, low=0.0, high=0.0369..., level=0.95, n=100)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value with its interval at `level`, from `n` independent units (patients where they are known)."""

    value: float
    low: float
    high: float
    level: float = LEVEL
    n: int = 0

    def __post_init__(self) -> None:
        if not all(math.isfinite(x) for x in (self.value, self.low, self.high)):
            raise ValueError("an estimate is finite; say 'insufficient' instead")
        if not self.low <= self.value + 1e-12 or not self.value - 1e-12 <= self.high:
            raise ValueError("an interval holds its value")

    def plain(self) -> dict[str, float]:
        """The value and its interval, for the detail of a finding."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def _z(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(hits: int, n: int, *, level: float = LEVEL) -> Estimate:
    """A share with Wilson's score interval (Wilson 1927)."""
    if n <= 0:
        raise ValueError("a share needs at least one unit")
    z, p = _z(level), hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Estimate(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)), level, n)


def difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b of two independent estimates, by the square-and-add method (Newcombe 1998, method 10)."""
    value = a.value - b.value
    low = value - math.hypot(a.value - a.low, b.high - b.value)
    high = value + math.hypot(a.high - a.value, b.value - b.low)
    return Estimate(value, low, high, a.level, min(a.n, b.n))


def folded(signed: Estimate) -> Estimate:
    """|x| of a signed number: how far it is from 0 either way. Its interval is what the signed interval becomes."""
    low = max(signed.low, -signed.high, 0.0)
    return Estimate(abs(signed.value), low, max(-signed.low, signed.high), signed.level, signed.n)


def mean(values: np.ndarray, *, clusters: np.ndarray | None = None, level: float = LEVEL) -> Estimate:
    """A mean of per-record values with a normal interval; `clusters` (patients) widen it as they should."""
    values = np.asarray(values, dtype=float)
    centre = float(values.mean())
    residual: np.ndarray
    if clusters is None:
        residual, units = values - centre, len(values)
    else:
        code = np.unique(clusters, return_inverse=True)[1]
        residual = np.bincount(code, weights=values - centre)
        units = len(residual)
    scale = math.sqrt(units / max(units - 1, 1)) * math.sqrt(float((residual**2).sum())) / len(values)
    half = _z(level) * scale
    return Estimate(centre, centre - half, centre + half, level, units)


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    n: int,
    *,
    rng: np.random.Generator,
    draws: int = 200,
    level: float = LEVEL,
) -> Estimate:
    """`statistic(weights)` over multinomial weights of n units (Efron 1979), as a basic interval around the full value.

    The basic (reflected) interval corrects the upward bias that resampling adds to distances; it is cut to hold the
    value.
    """
    again = [statistic(rng.multinomial(n, np.full(n, 1 / n)).astype(float)) for _ in range(draws)]
    return basic(np.array([statistic(np.ones(n)), *again]), n=n, level=level)


def basic(
    values: np.ndarray, *, n: int, within: tuple[float, float] = (-math.inf, math.inf), level: float = LEVEL
) -> Estimate:
    """The first value with the basic bootstrap interval of the others, cut to `within` and to hold the value."""
    value = float(values[0])
    low, high = (2 * value - float(end) for end in np.quantile(values[1:], [(1 + level) / 2, (1 - level) / 2]))
    return Estimate(value, max(within[0], min(value, low)), min(within[1], max(value, high)), level, n)


def auc(
    positive: np.ndarray,
    negative: np.ndarray,
    *,
    positive_clusters: np.ndarray | None = None,
    negative_clusters: np.ndarray | None = None,
    level: float = LEVEL,
) -> Estimate:
    """Area under the ROC curve: P(positive > negative) + P(tie)/2, with DeLong's variance (1988).

    With clusters, the placements of one patient are summed first (Obuchowski 1997).
    """
    positive, negative = np.asarray(positive, dtype=float), np.asarray(negative, dtype=float)
    up, down = _placements(positive, negative), 1 - _placements(negative, positive)
    value = float(up.mean())
    variance = mean(up, clusters=positive_clusters, level=level), mean(down, clusters=negative_clusters, level=level)
    half = math.hypot(*(v.high - v.value for v in variance))
    n = min(v.n for v in variance)
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), level, n)


def _placements(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    ordered = np.sort(b)
    below = np.searchsorted(ordered, a, side="left")
    upto = np.searchsorted(ordered, a, side="right")
    return (below + upto) / (2 * len(ordered))


def tpr_at_fpr(member: np.ndarray, outsider: np.ndarray, *, fpr: float, level: float = LEVEL) -> Estimate:
    """Share of members whose score is above the outsiders' (1 - fpr) quantile.

    The interval joins Wilson's for that share with what the share does while the threshold moves through Wilson's
    interval for its own false-positive rate (square-and-add, Newcombe 1998): the threshold is an estimate as well.
    """
    falling = np.sort(outsider)[::-1]
    allowed = math.floor(fpr * len(outsider) + 1e-9)

    def share(passing: int) -> Estimate:
        threshold = falling[min(passing, len(falling) - 1)]
        return wilson(int((member > threshold).sum()), len(member), level=level)

    at, around = share(allowed), wilson(allowed, len(outsider), level=level)
    fewer, more = (share(round(rate * len(outsider))) for rate in (around.low, around.high))
    low = at.value - math.hypot(at.value - at.low, at.value - fewer.value)
    high = at.value + math.hypot(at.high - at.value, more.value - at.value)
    return Estimate(at.value, max(0.0, low), min(1.0, high), level, min(len(member), len(outsider)))


def jackknife(
    value: float,
    left_out: np.ndarray,
    *,
    n: int,
    within: tuple[float, float] = (-math.inf, math.inf),
    level: float = LEVEL,
) -> Estimate:
    """`value` with the grouped jackknife's interval (Quenouille 1956; Shao and Tu 1995), cut to `within`.

    `left_out[b]` is the statistic without block b of the patients (of two samples: without block b of each). Student's
    t with blocks - 1 degrees of freedom pays for the few blocks. For a distance, the interval is about the distance
    that samples of this size show: compare it with a control at the same size, not with zero.
    """
    from scipy.special import stdtrit

    left_out = np.asarray(left_out, dtype=float)
    blocks = len(left_out)
    if blocks < 2:
        raise ValueError("a jackknife needs at least two blocks")
    spread = math.sqrt((blocks - 1) / blocks * float(((left_out - left_out.mean()) ** 2).sum()))
    half = float(stdtrit(blocks - 1, 0.5 + level / 2)) * spread
    low, high = max(within[0], value - half), min(within[1], value + half)
    return Estimate(float(value), min(low, value), max(high, value), level, n)


def linearized(
    value: float, influence: np.ndarray, *, clusters: np.ndarray | None = None, level: float = LEVEL
) -> Estimate:
    """`value` with the normal interval of its influence function, one entry per record (Hampel 1974).

    The influence of a difference of two statistics on the same records is the difference of their influences: that is
    the paired comparison.
    """
    spread = mean(influence, clusters=clusters, level=level)
    half = spread.high - spread.value
    return Estimate(float(value), float(value) - half, float(value) + half, level, spread.n)


def over_draws(found: Estimate, draws: np.ndarray) -> Estimate:
    """`found`, the mean of (k,) `draws`, with an interval that covers their luck as well: widened, in squares, by
    Student's t for the mean of the draws. One draw tells nothing of luck, and changes nothing."""
    from scipy.special import stdtrit

    k = len(draws)
    if k < 2:
        return found
    luck = float(stdtrit(k - 1, 0.5 + found.level / 2) * np.std(draws, ddof=1) / math.sqrt(k))
    low, high = (math.hypot(side, luck) for side in (found.value - found.low, found.high - found.value))
    return replace(found, low=found.value - low, high=found.value + high)


def average(parts: Sequence[Estimate], *, shared: float = 0.0) -> Estimate:
    """The plain mean of estimates; half-widths add in squares, as for independent ones.

    `shared` widens the variance by a factor 1 + shared. For the folds of a cross-validation, whose models share
    training records, it is the size of a test fold over that of its training set (after Nadeau and Bengio 2003).
    """
    k = len(parts)
    value = sum(part.value for part in parts) / k
    wider = math.sqrt(1 + shared) / k
    low = value - math.hypot(*(part.value - part.low for part in parts)) * wider
    high = value + math.hypot(*(part.high - part.value for part in parts)) * wider
    return Estimate(value, low, high, parts[0].level, sum(part.n for part in parts))
