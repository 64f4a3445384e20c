"""Discrete-time hazards with several exits (Gensheimer & Narasimhan 2019; competing risks as Lee et al. 2018).

A record is at risk from the interval in which it enters (left truncation) to the one in which it leaves, and leaves by
one exit: a cause of the event, or the end of its follow-up. With logits a_ke of interval k and exit e,

    P(leave at k by e | at risk) = exp(a_ke) / (1 + sum_f exp(a_kf)),    P(stay) = 1 / (1 + sum_f exp(a_kf)),

and nobody stays beyond the last interval. The likelihood of a record is the product of these over its intervals.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from semblance.learn.nets.hazards import HazardNet
from semblance.learn.trainer import Turn

ROWS = 2048
RAKES, TINY = 12, 1e-7


class DiscreteHazards:
    """Loss, calibration and sampling of a HazardNet that learns from so many `records`.

    A batch is (n, d + 3): codes, then the intervals of entry and of leaving, and the exit.
    """

    def __init__(self, net: HazardNet, *, records: int = 1) -> None:
        self.net, self.records = net, records

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One: all intervals at once."""
        return (Turn("hazards", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) negative log-likelihoods and each record's part of the penalty: their mean is largest a posteriori."""
        return surprise(self.net(batch[:, :-3]), batch[:, -3:]) + self.net.penalty() / self.records

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """None: the prior of the weights, and not an early stop, keeps the network from learning the records."""
        return None

    @torch.no_grad()
    def begin(self, shares: np.ndarray, at_risk: np.ndarray) -> None:
        """Start from the life table: the `shares` (intervals, exits) that leave, and those `at_risk` (intervals,)."""
        stay = np.maximum(at_risk - shares.sum(1), TINY)[:, None]
        stay[-1] = 1.0
        self.net.level.copy_(torch.from_numpy(np.log(np.maximum(shares, TINY) / stay)))

    @torch.no_grad()
    def calibrate(self, codes: np.ndarray, entry: np.ndarray, shares: np.ndarray) -> None:
        """Shift the level of each interval, first to last, until records like `codes` leave as `shares` say.

        `codes` (n, d) are sampled covariates that enter at `entry` (n,); raking (Deming & Stephan 1940) on
        probabilities, not on draws. So the curves of the synthetic cohort are those of the real one.
        """
        rows, target = torch.from_numpy(codes), torch.from_numpy(shares)
        logits = torch.cat([self.net(part).double() for part in rows.split(ROWS)])
        there, alive = torch.from_numpy(entry), torch.ones(len(rows), dtype=torch.float64)
        for k in range(len(target)):
            weight = alive * (there <= k) / len(rows)
            hazard, shift = _raked(logits[:, k], weight, target[k], last=k == len(target) - 1)
            self.net.level[k] += shift.float()
            alive = torch.where(there <= k, alive * (1 - hazard.sum(1)), alive)

    @torch.no_grad()
    def sample(self, codes: np.ndarray, entry: np.ndarray, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) intervals and (n,) exits, where `uniform` (n,) crosses each record's distribution function."""
        if not len(codes):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        parts = [
            _crossed(chances(self.net(rows), enter).flatten(1), u)
            for rows, enter, u in zip(
                *(torch.from_numpy(part).split(ROWS) for part in (codes, entry, uniform)), strict=True
            )
        ]
        interval, out = divmod(torch.cat(parts).numpy(), self.net.exits)
        return interval, out


def surprise(logits: torch.Tensor, path: torch.Tensor) -> torch.Tensor:
    """(n,) negative log-likelihoods of `path` (n, 3): the intervals of entry and of leaving, and the exit."""
    entry, leave, out = path.T
    stay, leaving = _logs(logits)
    k = torch.arange(logits.shape[1])
    past = (k >= entry[:, None]) & (k < leave[:, None])
    one = leaving[torch.arange(len(path)), leave, out]
    return -(torch.where(past, stay, torch.zeros_like(stay)).sum(1) + one)


def chances(logits: torch.Tensor, entry: torch.Tensor) -> torch.Tensor:
    """(n, intervals, exits) probabilities of leaving at each interval by each exit, having entered at `entry` (n,)."""
    stay, leaving = _logs(logits.double())
    there = torch.arange(logits.shape[1]) >= entry[:, None]
    stayed = torch.where(there, stay, torch.zeros_like(stay)).cumsum(1).roll(1, 1)
    stayed[:, 0] = 0.0
    return torch.where(there[..., None], (stayed[..., None] + leaving).exp(), torch.zeros_like(leaving))


def _logs(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of staying (n, intervals), but for the last, and of leaving (n, intervals, exits)."""
    out = torch.logsumexp(logits, 2)
    whole = torch.logaddexp(out, torch.zeros_like(out))
    whole = torch.cat([whole[:, :-1], out[:, -1:]], 1)
    return -whole, logits - whole[..., None]


def _raked(
    logits: torch.Tensor, weight: torch.Tensor, target: torch.Tensor, *, last: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, exits) hazards whose sums under `weight` (n,) are the `target` (exits,), and the shift that makes them so."""
    stay = torch.full_like(logits[:, :1], -torch.inf if last else 0.0)
    ways, shift = torch.cat([stay, logits], 1), torch.zeros(1 + len(target), dtype=logits.dtype)
    goal = torch.cat([(weight.sum() - target.sum()).clamp(min=0)[None], target])
    for _ in range(RAKES):
        shift = shift + torch.log((goal + TINY) / (weight @ torch.softmax(ways + shift, 1) + TINY))
    return torch.softmax(ways + shift, 1)[:, 1:], shift[1:] - shift[0]


def _crossed(share: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """(n,) places where `uniform` (n,) crosses each row's distribution function."""
    upto = share.cumsum(1)
    return (upto < uniform[:, None] * upto[:, -1:]).sum(1).clamp_(max=share.shape[1] - 1)
