"""Restricted Boltzmann machine over categorical codes, trained by contrastive divergence.

A record v of d codes and k binary hidden units h have the joint density exp(-E(v, h)) / Z (Smolensky 1986), with

    E(v, h) = - sum_j a[v_j] - sum_k c_k h_k - sum_jk W[v_j, k] h_k

where the values of one column are one softmax unit (Salakhutdinov, Mnih & Hinton 2007, eq. 1-2). The log-likelihood's
gradient is that of the free energy of records minus that of the model's own fantasies, and a few steps of Gibbs
sampling stand for the latter: from the records (Hinton 2002), or from chains that go on (Tieleman 2008).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding_bag, linear, softplus

from semblance.learn.noise import noise_of
from semblance.learn.trainer import Turn


class Boltzmann(nn.Module):
    """The machine. `sizes` (d,) is the number of values of each column; value v of column j is row `offset[j] + v`."""

    offset: torch.Tensor
    last: torch.Tensor

    def __init__(self, sizes: np.ndarray, *, hidden: int) -> None:
        super().__init__()
        ends = np.cumsum(sizes).astype(np.int64)
        total = int(ends[-1]) if len(ends) else 0
        self.weight = nn.Parameter(torch.zeros(total, hidden))
        self.visible_bias = nn.Parameter(torch.zeros(total))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.register_buffer("offset", torch.from_numpy(ends - np.asarray(sizes, dtype=np.int64)), persistent=False)
        self.register_buffer("last", torch.from_numpy(ends - 1), persistent=False)

    @torch.no_grad()
    def start(self, log_shares: np.ndarray, *, rng: np.random.Generator) -> None:
        """Small weights drawn from `rng`; visible biases (total,) at the log share of each value (Hinton 2010)."""
        noise = noise_of(rng)
        self.weight.copy_(0.01 * torch.randn(self.weight.shape, generator=noise))
        self.visible_bias.copy_(torch.from_numpy(log_shares))
        self.hidden_bias.zero_()

    def drive(self, codes: torch.Tensor) -> torch.Tensor:
        """(n, hidden) log-odds of the hidden units given (n, d) codes."""
        return embedding_bag(codes + self.offset, self.weight, mode="sum") + self.hidden_bias

    def free_energy(self, codes: torch.Tensor) -> torch.Tensor:
        """(n,) -log sum_h exp(-E(v, h)) of (n, d) codes."""
        visible = self.visible_bias[codes + self.offset].sum(1)
        return -visible - softplus(self.drive(codes)).sum(1)

    @torch.no_grad()
    def up(self, codes: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n, hidden) int64 states of the hidden units, drawn given (n, d) codes."""
        odds = torch.sigmoid(self.drive(codes))
        return (torch.rand(odds.shape, generator=noise) < odds).long()

    @torch.no_grad()
    def down(self, hidden: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n, d) codes, drawn given (n, hidden) states: each column where a uniform number crosses its softmax."""
        logits = linear(hidden.to(self.weight.dtype), self.weight, self.visible_bias).double()
        height = torch.exp(logits - logits.amax(1, keepdim=True)).clamp_min(1e-300).cumsum(1)
        top = height[:, self.last]
        base = torch.cat([torch.zeros(len(top), 1, dtype=top.dtype), top[:, :-1]], 1)
        uniform = torch.rand(top.shape, generator=noise, dtype=top.dtype)
        place = torch.searchsorted(height, base + uniform * (top - base), right=True)
        return torch.clamp(place, self.offset, self.last) - self.offset

    def gibbs(self, codes: torch.Tensor, noise: torch.Generator, *, steps: int) -> torch.Tensor:
        """(n, d) codes after so many steps of block Gibbs sampling, all hidden units and then all columns at once."""
        for _ in range(steps):
            codes = self.down(self.up(codes, noise), noise)
        return codes


class _Training(nn.Module):
    """The machine and its chains: a checkpoint must hold both. Codes as floats, since the trainer averages all."""

    chains: torch.Tensor

    def __init__(self, machine: Boltzmann, chains: torch.Tensor) -> None:
        super().__init__()
        self.machine = machine
        self.register_buffer("chains", chains.float())


class Contrast:
    """The objective: the free energy of a record above that of the fantasies, whose chains begin at `chains` (m, d).

    `below` are trained machines whose hidden states are this one's records (Hinton, Osindero & Teh 2006). Without
    `persistent` every chain begins at a record of the batch.
    """

    def __init__(
        self,
        machine: Boltzmann,
        chains: torch.Tensor,
        *,
        steps: int,
        persistent: bool,
        below: Sequence[Boltzmann] = (),
    ) -> None:
        self.net, self.machine, self.below = _Training(machine, chains), machine, tuple(below)
        self.steps, self.persistent = steps, persistent

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss, of all parameters."""
        return (Turn("machine", self.loss, tuple(self.machine.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) free energy of each record minus the mean of the fantasies; its gradient is that of -log p(v)."""
        seen = ascend(self.below, batch, noise)
        begun = self.net.chains.long() if self.persistent else seen
        dreamt = self.machine.gibbs(begun, noise, steps=self.steps)
        if self.persistent:
            self.net.chains.copy_(dreamt)
        return self.machine.free_energy(seen) - self.machine.free_energy(dreamt).mean()

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """None: the likelihood has no closed form, and a difference of free energies says nothing of progress."""
        return None


def ascend(machines: Sequence[Boltzmann], codes: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
    """The hidden states of the last machine, drawn one machine after the other from (n, d) codes."""
    for machine in machines:
        codes = machine.up(codes, noise)
    return codes


def dream(machines: Sequence[Boltzmann], codes: torch.Tensor, noise: torch.Generator, *, steps: int) -> torch.Tensor:
    """(n, d) codes of a stack: Gibbs sampling in the last machine from where `codes` lead, then down to the first."""
    *below, top = machines
    codes = top.gibbs(ascend(below, codes, noise), noise, steps=steps)
    for machine in reversed(below):
        codes = machine.down(codes, noise)
    return codes
