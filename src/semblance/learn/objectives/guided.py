"""Diffusion of vectors of numbers, given a class and further numbers.

A record x and noise e are mixed as cos(a) x + sin(a) e. The network is asked for sin(a) x - cos(a) e, along which the
mixture moves as its angle falls from a quarter turn, pure noise, to 0 (v-prediction, Salimans & Ho, ICLR 2022;
TrigFlow, Lu & Song, ICLR 2025). That is the flow of Karras et al. (NeurIPS 2022) under their preconditioning,
written without it: normal records of variance 1 are drawn exactly, in any number of steps.

A share of the records is shown without what is given, and a sample may move away from what the network says of these
(classifier-free guidance; Ho & Salimans, 2022). At a guidance of 1 records are drawn as they are distributed; above,
they look more typical of what is given and vary less.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch.func import functional_call

from semblance.core.rng import root_of, stream
from semblance.learn.device import array_of, beside, device_of
from semblance.learn.nets.conditioned import Conditioned
from semblance.learn.noise import angle, noise_of, normal_like, time_of
from semblance.learn.rows import held_out
from semblance.learn.trainer import Source, Turn, threads

See = Callable[[torch.Tensor], torch.Tensor]
Told = tuple[torch.Tensor, torch.Tensor]
"""(n, given) numbers and (n,) classes of the records that are drawn."""
PART = 4096
SETTLED, PIECE = 4000, 64
"""Records, at most, by which spreads are compared, and how many of them are read at once."""
RHO, LEAST, HIDDEN = 7.0, 0.03, 10.0
"""How noise falls, the least of it that is looked at, and how much more of it than of a record hides this."""


def as_it_is(batch: torch.Tensor) -> torch.Tensor:
    """Rows as they are."""
    return batch


class Guided:
    """Loss and sampling, in `steps` steps, of a network over numbers of mean 0 and variance about 1."""

    def __init__(
        self,
        net: Any,
        *,
        steps: int = 16,
        guidance: float = 1.0,
        drop: float = 0.1,
        even: bool = True,
        aside: torch.Tensor | None = None,
        part: int = PART,
        alone: bool = False,
    ) -> None:
        """`net` is a Conditioned network, or another that is started and told as it is. `drop` is the share of records
        whose class and numbers are not told, `part` how many records kept aside are looked at at once.

        `even`: times are spread evenly over a batch; otherwise each record's is drawn apart from the others'. `alone`:
        records are drawn by one thread, as they are learned; a network of small convolutions only waits for a second.
        """
        self.part, self.alone = part, alone
        self.net, self.parts, self.steps, self.guidance = net, net.parts, steps, guidance
        self.drop, self.even, self.aside = drop, even, aside

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights; (n, width) rows say where numbers lie."""
        numbers, given, _ = np.split(batch, [self.parts.numbers, self.parts.width - 1], 1)
        self.net.start(given, numbers, rng=rng)

    @property
    def noise(self) -> int:
        """How many normal numbers a record is made of."""
        return int(self.parts.numbers)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) loss of (n, width) rows, each at a noise of its own."""
        return self._loss(dict(self.net.named_parameters()), batch, noise)

    def _loss(self, weights: Mapping[str, torch.Tensor], batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        clean, given, labels = self.parts.split(batch)
        time = self._times(len(batch), noise).to(batch.device)
        turn = angle(time)
        cos, sin = turn.cos()[:, None], turn.sin()[:, None]
        white = normal_like(clean, noise)
        hidden = (torch.rand(len(batch), generator=noise) < self.drop).to(batch.device)
        shown = torch.where(hidden, self.parts.classes, labels)
        if self.parts.read:  # also by themselves, since not every image has a text
            silent = (torch.rand((len(batch), 1), generator=noise) < self.drop).to(batch.device)
            given = torch.cat([given[:, : -self.parts.read], given[:, -self.parts.read :].masked_fill(silent, 0.0)], 1)
        found = functional_call(self.net, dict(weights), (cos * clean + sin * white, time, given, shown))
        return self.weight(turn) * (found - (sin * clean - cos * white)).square().mean(1)

    def weight(self, turn: torch.Tensor) -> torch.Tensor:
        """(n,) how much an error counts at angles (n,)."""
        return torch.ones_like(turn)

    def _times(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n,) times in [0, 1). Spread evenly, they tell how many records there are."""
        if not self.even:
            return torch.rand(n, generator=noise)
        return (torch.rand(1, generator=noise) + torch.randperm(n, generator=noise) / n) % 1

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Mean loss on the records kept aside, under the same noise at every look."""
        at = device_of(self.net)
        return held_out(self.aside, lambda rows, noise: self._loss(weights, rows, noise), part=self.part, device=at)

    @torch.no_grad()
    def sample(
        self,
        given: np.ndarray,
        labels: np.ndarray,
        *,
        rng: np.random.Generator,
        guidance: float | None = None,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes, by the two-step method of Adams and Bashforth,
        from noise, which is drawn where none is given to `start` at.

        Each step looks at the network once (with guidance twice), and leans on what the step before saw. What ends
        beyond the network's reach is brought back to it (thresholding; Saharia et al., NeurIPS 2022).
        """
        told = self._told(given, labels)
        guidance = self.guidance if guidance is None else guidance
        with threads(1 if self.alone else torch.get_num_threads()):
            made = self._sampled(self._white(len(labels), noise_of(rng), start), told, guidance)
            if isinstance(self.net, Conditioned):
                made = self.net.spreading(made, *told)
            return array_of(made.clamp(-self.net.reach, self.net.reach))

    @torch.no_grad()
    def settle(self, source: Source, see: See = as_it_is, *, rng: np.random.Generator) -> None:
        """After training: see how much less than records of a source, as `see` makes rows of them, what is drawn of
        the same classes and given numbers varies, and draw it with their spread from now on. A guidance makes draws
        vary less on purpose, and has no part in it. One thread computes, as in training."""
        seed = root_of(rng)
        index = stream(seed, "records").permutation(len(source.subjects))[:SETTLED]
        parts = np.array_split(index, -(-len(index) // PIECE))
        with threads(1):
            rows = torch.cat([see(beside(self.net, source.batch(part))) for part in parts])
            numbers, given, labels = self.parts.split(rows)
            drawn = self.sample(array_of(given), array_of(labels), rng=stream(seed, "drawn"), guidance=1.0)
            facts = array_of(self.net.near(given))
        self.net.drawn.fit(drawn, array_of(numbers), facts, array_of(labels), source.subjects[index])

    def _told(self, given: np.ndarray, labels: np.ndarray) -> Told:
        """What is told of records, where the network lies."""
        return beside(self.net, np.float32(given)), beside(self.net, np.int64(labels))

    def _sampled(self, x: torch.Tensor, told: Told, guidance: float) -> torch.Tensor:
        """(n, numbers) records from (n, numbers) noise."""
        times = torch.linspace(1, 0, self.steps + 1)
        before, last = x, math.inf
        for time, (now, then) in zip(times, pairwise(angle(times).tolist()), strict=False):
            found, turn = self._found(x, time, *told, guidance), now - then
            x = x + turn * (found + (found - before) * (turn / (2 * last)))
            before, last = found, turn
        return x

    def _white(self, n: int, noise: torch.Generator, start: np.ndarray | None) -> torch.Tensor:
        """(n, numbers) noise, drawn where none is given."""
        if start is not None:
            return beside(self.net, np.float32(start))
        return torch.randn((n, self.parts.numbers), generator=noise).to(device_of(self.net))

    def _found(
        self, x: torch.Tensor, time: torch.Tensor, given: torch.Tensor, labels: torch.Tensor, guidance: float
    ) -> torch.Tensor:
        """(n, numbers) where `x` moves as the angle falls."""
        times = time.to(x.device).expand(len(x))
        found: torch.Tensor = self.net(x, times, given, labels)
        if guidance != 1:
            free = self.net(x, times, given, torch.full_like(labels, self.parts.classes))
            found = free + guidance * (found - free)
        return found


class Focused(Guided):
    """The same for records that vary far more along some directions than along others, as images do.

    A direction along which records vary much shows through the noise long before the others do; even steps of time pass
    over that at once. So noise falls as in Karras et al. (2022, eq. 5), from where it hides even that direction; and a
    step goes along what the network takes the record for, which changes slowly, by DPM-Solver++ of the second order (Lu
    et al. 2022, algorithm 2).
    """

    def _sampled(self, x: torch.Tensor, told: Told, guidance: float) -> torch.Tensor:
        sigmas = self.sigmas()
        x = sigmas[0] * x
        before, last = x, math.inf
        for now, then in pairwise(sigmas):
            record = self._record(x, now, told, guidance)
            if then > 0:
                step = math.log(now / then)
                ahead = record + (record - before) * (step / (2 * last))
                x = then / now * x + (1 - then / now) * ahead
                before, last = record, step
        return record

    def sigmas(self) -> list[float]:
        """(steps + 1,) noise in units of a record's numbers at which the network is asked, and none at the end."""
        most = HIDDEN * math.sqrt(self.net.gaussian.most)
        first, final = (sigma ** (1 / RHO) for sigma in (most, LEAST))
        return [*(torch.linspace(first, final, self.steps) ** RHO).tolist(), 0.0]

    def _record(self, x: torch.Tensor, sigma: float, told: Told, guidance: float) -> torch.Tensor:
        """(n, numbers) what the network takes for the record in `x`, a record with noise of this size."""
        turn = math.atan(sigma)
        return self._unmixed(math.cos(turn) * x, turn, told, guidance)

    def _unmixed(self, mixed: torch.Tensor, turn: float, told: Told, guidance: float) -> torch.Tensor:
        """(n, numbers) what the network takes for the record in a mixture at an angle."""
        found = self._found(mixed, time_of(torch.tensor(turn)), *told, guidance)
        return math.cos(turn) * mixed + math.sin(turn) * found
