"""When what is measured: at each mark of the clock, the odds of each group of channels.

The odds depend on the stay's own rate there, on how long ago the group was measured last, on the place in the round,
and on what else is measured at that mark: logistic regressions, one after the other (Frey 1998). So vital signs come
every hour, laboratory values in panels every six, and nothing comes too soon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from semblance.modalities.vitals.encoding.clock import ROUND

LAGS = np.array([1, 2, 3, 4, 5, 6, 8, 9, 12, 13, 16, 17, 20, 24, 25, 32, 33, 48, 49, 96])
"""Where a new bucket of bins since the last measurement begins."""
BUCKETS = len(LAGS) + 1
EARLY = 2 * ROUND
"""Bins in which a stay begins: more is measured there."""
LEARNED_FROM, STEPS, RIDGE = 400, 15, 2.0
FAR = 1.0
"""How far one of Newton's steps moves a coefficient: rare groups would leap past their best."""


@dataclass(frozen=True, eq=False)
class Hazards:
    """Log odds of g groups: `level` (g,), the slope of the rate `rate` (g,), `lag` (g, buckets), the further slope of
    the rate at each lag `pull` (g, buckets), `place` (g, ROUND), `early` (g,), and `beside` (g, g) of groups before it.

    So a stay that is measured every hour and one that is every four each keep to their own time."""

    level: np.ndarray
    rate: np.ndarray
    lag: np.ndarray
    pull: np.ndarray
    place: np.ndarray
    early: np.ndarray
    beside: np.ndarray

    @classmethod
    def fit(
        cls, there: np.ndarray, rates: np.ndarray, inside: np.ndarray, often: np.ndarray, *, rng: np.random.Generator
    ) -> Hazards:
        """From (n, bins, g) what was measured, the `rates` (n, bins, g) in log odds, and `inside` (n, bins) the stay.

        `often` (n, g) says which groups are measured more than once: only then there are odds.
        """
        some = rng.permutation(len(there))[:LEARNED_FROM]
        there, rates, inside, often = there[some], rates[some], inside[some], often[some]
        bucket = buckets(there)
        place = np.broadcast_to(np.arange(there.shape[1]) % ROUND, inside.shape)
        early = np.broadcast_to(np.arange(there.shape[1]) < EARLY, inside.shape)
        fitted = []
        for g in range(there.shape[2]):
            rows = inside & often[:, g, None]
            lag, rate = bucket[..., g][rows][:, None] == np.arange(BUCKETS), rates[..., g][rows]
            x = np.column_stack(
                [
                    np.ones(len(rate)),
                    rate,
                    early[rows],
                    lag,
                    lag * rate[:, None],
                    place[rows][:, None] == np.arange(ROUND),
                    there[..., :g][rows],
                ]
            )
            fitted.append(_logistic(x.astype(np.float32), there[..., g][rows]))
        return cls._of(fitted)

    @classmethod
    def _of(cls, fitted: list[np.ndarray]) -> Hazards:
        count, ends = len(fitted), np.cumsum([1, 1, 1, BUCKETS, BUCKETS, ROUND])
        beside = np.zeros((count, count))
        for g, b in enumerate(fitted):
            beside[g, :g] = b[ends[-1] :]
        cut = np.array([b[: ends[-1]] for b in fitted]).reshape(count, ends[-1])
        level, rate, early, lag, pull, place = np.split(cut, ends[:-1], axis=1)
        return cls(level[:, 0], rate[:, 0], lag, pull, place, early[:, 0], beside)

    def draw(
        self, rates: np.ndarray, inside: np.ndarray, ever: np.ndarray, often: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, bins, g) what is measured, mark after mark: of (n, g) groups that there `ever` are, some `often`."""
        n, bins, groups = rates.shape
        made = np.zeros((n, bins, groups), dtype=bool)
        last = np.full((n, groups), -(10**6))
        for b in range(bins):
            luck, bucket = logit(rng.random((n, groups))), np.searchsorted(LAGS, b - last, side="right")
            slope = self.rate + self.pull[np.arange(groups), bucket]
            odds = self.level + slope * rates[:, b] + self.place[:, b % ROUND] + self.early * (b < EARLY)
            odds += self.lag[np.arange(groups), bucket]
            now = np.zeros((n, groups))
            allowed = inside[:, b, None] & often
            for g in range(groups):
                now[:, g] = (luck[:, g] < odds[:, g] + now[:, :g] @ self.beside[g, :g]) & allowed[:, g]
            made[:, b] = now
            last[now > 0] = b
        return self._once(made, rates, inside, ever, rng=rng)

    def _once(
        self, made: np.ndarray, rates: np.ndarray, inside: np.ndarray, ever: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """With one measurement of each group that there is to be, and that was not drawn."""
        alive = np.asarray(inside.any(axis=1))[:, None]
        stay, group = np.nonzero(ever & ~made.any(axis=1) & alive)
        odds = self.level[group, None] + self.rate[group, None] * rates[stay, :, group]
        odds += np.einsum("pbg,pg->pb", made[stay].astype(np.float32), self.beside[group].astype(np.float32))
        odds = np.where(inside[stay], odds + rng.gumbel(size=odds.shape), -np.inf)
        made[stay, odds.argmax(axis=1), group] = True
        return made


def buckets(there: np.ndarray) -> np.ndarray:
    """(n, bins, g) which bucket of bins since the last measurement each bin is in; the last one before the first."""
    bins = np.arange(there.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(there, bins, -(10**6)), axis=1)
    before = np.concatenate([np.full_like(last[:, :1], -(10**6)), last[:, :-1]], axis=1)
    return np.searchsorted(LAGS, bins - before, side="right")


def _logistic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(d,) coefficients of a ridge logistic regression by Newton's method; the first column is not shrunk."""
    ridge = np.full(x.shape[1], RIDGE)
    ridge[0] = 1e-3
    b = np.zeros(x.shape[1])
    if not len(y):
        return b
    b[0] = logit(np.clip(y.mean(), 1e-4, 1 - 1e-4))
    for _ in range(STEPS):
        p = expit(np.clip(x @ b.astype(np.float32), -12, 12)).astype(np.float64)
        weight = np.maximum(p * (1 - p), 1e-6)
        left = (x * weight[:, None].astype(np.float32)).T @ x + np.diag(ridge)
        step = np.linalg.solve(left.astype(np.float64), x.T @ (y - p) - ridge * (b - np.eye(len(b))[0] * b[0]))
        b = b + np.clip(step, -FAR, FAR)
        if np.abs(step).max() < 1e-2:
            break
    return b
