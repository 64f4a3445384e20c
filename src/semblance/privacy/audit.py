"""Lower bounds of epsilon from attacks on a mechanism: what it leaks at least, whatever it claims.

A bound above the claim shows that the claim is false; a bound below it shows nothing but that this attack failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.special import owens_t
from scipy.stats import beta, binom, norm, rankdata

from semblance.privacy.ledger import Ledger

FINE = 40
"""Halvings of an interval in which a bound is looked for."""
MOST = 50.0
"""No bound is told above this epsilon."""
SMALLEST = 1e-9


@dataclass(frozen=True)
class Audit:
    """What attacks show of a mechanism that claims (epsilon, delta): lower bounds that hold with `confidence`."""

    epsilon: float
    delta: float
    confidence: float
    trials: int
    free: float
    """From error rates at one threshold, without any assumption (Jagielski, Ullman & Oprea, NeurIPS 2020)."""
    gaussian: float
    """From the whole ROC curve, for mechanisms whose noise is Gaussian (Dong, Roth & Su, JRSS-B 2022)."""
    one_run: float
    """From many canaries in a single run (Steinke, Nasr & Jagielski, NeurIPS 2023)."""

    @property
    def highest(self) -> float:
        """The best bound."""
        return max(self.free, self.gaussian, self.one_run)

    @property
    def holds(self) -> bool:
        """Whether no attack refutes the claim."""
        return self.highest <= self.epsilon

    @property
    def reach(self) -> float:
        """The highest bound that so many trials can show."""
        return reach(self.trials, delta=self.delta, confidence=self.confidence)


Watched = Callable[[int, int], None]
"""Hears of each run, and of how many there will be."""


def attacked(
    score: Callable[[bool], float],
    scores: Callable[[np.ndarray], np.ndarray],
    there: np.ndarray,
    *,
    epsilon: float,
    delta: float,
    trials: int,
    confidence: float,
    watch: Watched | None = None,
) -> Audit:
    """Lower bounds from `trials` runs with a planted patient and as many without, each with its `score`, and from one
    run with those of (m,) canaries that are `there`, in which each has one of `scores`."""
    inside, outside = (
        np.array([score(side) for side in _counted(side, trials, watch)], dtype=float) for side in (True, False)
    )
    how: dict[str, float] = {"delta": delta, "confidence": _of_each(confidence)}
    free, gaussian = from_rates(inside, outside, **how), from_roc(inside, outside, **how)
    return Audit(epsilon, delta, confidence, trials, free, gaussian, from_one_run(scores(there), there, **how))


def _counted(side: bool, trials: int, watch: Watched | None) -> Iterator[bool]:
    for trial in range(trials):
        if watch is not None:
            watch(trial + trials * (not side), 2 * trials)
        yield side


@contextmanager
def budget(epsilon: float, delta: float) -> Iterator[Ledger]:
    """A ledger of nobody: the records are simulated."""
    with TemporaryDirectory(prefix="semblance-audit-") as folder:
        yield Ledger.open(Path(folder), cohort="audit", epsilon=epsilon, delta=delta)


def of_counts(
    counts: Sequence[np.ndarray],
    subsets: Sequence[tuple[int, ...]],
    codes: np.ndarray,
    *,
    sigma: float,
    clip: int = 1,
) -> float:
    """Log of how much more likely noisy counts of `subsets` of columns are with a patient of (rows, columns) `codes`
    than with nobody; at most `clip` of the rows are counted."""
    found, each = 0.0, min(1.0, clip / max(len(codes), 1))
    for noisy, subset in zip(counts, subsets, strict=True):
        own = np.zeros(noisy.shape)
        np.add.at(own, tuple(codes[:, list(subset)].T), each)
        found += float((noisy * own).sum() - np.square(own).sum() / 2)
    return found / sigma**2


def reach(trials: int, *, delta: float, confidence: float) -> float:
    """The highest bound that so many runs a side can show, whatever leaks: where an attack is never wrong."""
    sides = np.ones(trials), np.zeros(trials)
    return from_roc(*sides, delta=delta, confidence=_of_each(confidence))


def _of_each(confidence: float) -> float:
    """Three attacks are tried, and the best one counts: each has a third of what may go wrong."""
    return 1 - (1 - confidence) / 3


def from_rates(inside: np.ndarray, outside: np.ndarray, *, delta: float, confidence: float) -> float:
    """From scores of runs with (n,) and without (m,) the canary; larger means that it looks as if it was there.

    The threshold is chosen on the first half of the runs, and the rates, with exact intervals (Clopper & Pearson 1934),
    are those of the second: TPR <= e^epsilon FPR + delta, and the same for the complements.
    """
    half, other = len(inside) // 2, len(outside) // 2
    chosen, level = _threshold(inside[:half], outside[:other], delta), 1 - confidence
    n, m = len(inside) - half, len(outside) - other
    hits, alarms = int((inside[half:] > chosen).sum()), int((outside[other:] > chosen).sum())
    ahead = _log_ratio(_low(hits, n, level), _high(alarms, m, level), delta)
    back = _log_ratio(_low(m - alarms, m, level), _high(n - hits, n, level), delta)
    return max(0.0, ahead, back)


def _threshold(inside: np.ndarray, outside: np.ndarray, delta: float) -> float:
    points = np.unique(np.concatenate([inside, outside]))
    tpr, fpr = (1 - np.searchsorted(np.sort(side), points, side="right") / len(side) for side in (inside, outside))
    smooth = 2 / min(len(inside), len(outside))
    ahead = np.log(np.maximum(tpr - delta, 1e-12) / (fpr + smooth))
    back = np.log(np.maximum(1 - fpr - delta, 1e-12) / (1 - tpr + smooth))
    return float(points[int(np.argmax(np.maximum(ahead, back)))])


# Four rates are bounded, each on one side: a quarter of what may go wrong for each.


def _low(hits: int, n: int, level: float) -> float:
    return float(beta.ppf(level / 4, hits, n - hits + 1)) if hits else 0.0


def _high(hits: int, n: int, level: float) -> float:
    return float(beta.ppf(1 - level / 4, hits + 1, n - hits)) if hits < n else 1.0


def _log_ratio(true: float, false: float, delta: float) -> float:
    return math.log((true - delta) / false) if true > delta else 0.0


def from_roc(inside: np.ndarray, outside: np.ndarray, *, delta: float, confidence: float) -> float:
    """From the area under the ROC curve, which mu-Gaussian differential privacy keeps below Phi(mu / sqrt 2).

    It is the largest mu that so large an area speaks against. The spread of the area is that under this mu (Hanley &
    McNeil 1982, for normal scores), not an estimate from few runs. Scores as in `from_rates`.
    """
    n, m = len(inside), len(outside)
    ranks = rankdata(np.concatenate([inside, outside]))
    area = (ranks[:n].sum() - n * (n + 1) / 2) / (n * m)
    low, high, beyond = 0.0, MOST, float(norm.ppf(confidence))
    for _ in range(FINE):
        middle = (low + high) / 2
        mean = float(norm.cdf(middle / math.sqrt(2)))
        both = mean - 2 * float(owens_t(middle / math.sqrt(2), 1 / math.sqrt(3)))
        spread = math.sqrt(max(mean * (1 - mean) + (n + m - 2) * (both - mean**2), 0.0) / (n * m))
        low, high = (middle, high) if area - mean > beyond * spread else (low, middle)
    return epsilon_of_mu(low, delta=delta) if low > SMALLEST else 0.0


def epsilon_of_mu(mu: float, *, delta: float) -> float:
    """The epsilon of mu-Gaussian differential privacy at delta (Balle & Wang, ICML 2018, theorem 8)."""
    low, high = 0.0, MOST
    for _ in range(FINE if mu > 0 else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if _delta_of_mu(mu, middle) > delta else (low, middle)
    return low


def _delta_of_mu(mu: float, epsilon: float) -> float:
    first, second = norm.cdf(mu / 2 - epsilon / mu), norm.logcdf(-mu / 2 - epsilon / mu)
    return float(first - math.exp(min(epsilon + float(second), 0.0)))


def from_one_run(scores: np.ndarray, inside: np.ndarray, *, delta: float, confidence: float) -> float:
    """From one run in which each of (m,) canaries was `inside` by the toss of a coin.

    The highest and lowest scores are guessed to be in and out, a third of the canaries each. The number of right
    guesses is compared with what (epsilon, delta) allows, delta's part included.
    """
    count = len(scores) // 3
    order = np.argsort(scores, kind="stable")
    right = int(inside[order[-count:]].sum() + (~inside[order[:count]]).sum()) if count else 0
    return from_guesses(len(scores), 2 * count, right, delta=delta, confidence=confidence)


def from_guesses(canaries: int, guesses: int, right: int, *, delta: float, confidence: float) -> float:
    """From how many of the `guesses` about so many canaries were `right` (Steinke, Nasr & Jagielski, NeurIPS 2023,
    appendix D): the largest epsilon that allows so many with a probability of less than 1 - `confidence`."""
    low, high = 0.0, MOST
    for _ in range(FINE):
        middle = (low + high) / 2
        likely = _chance(canaries, guesses, right, middle, delta)
        low, high = (middle, high) if likely < 1 - confidence else (low, middle)
    return low


def _chance(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """How likely so many right guesses are at most under (epsilon, delta)."""
    rate = 1 / (1 + math.exp(-epsilon))
    below = np.cumsum(binom.pmf(np.arange(right - 1, -1, -1), guesses, rate)) / np.arange(1, right + 1)
    return float(binom.sf(right - 1, guesses, rate) + 2 * canaries * delta * below.max(initial=0.0))
