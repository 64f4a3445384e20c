"""Any-order autoregression by masking (Uria et al. 2014; Hoogeboom et al. 2022, eq. 6; Strauss & Oliva 2021).

A row's columns are masked at random, and every masked column is predicted from the rest in one pass, with weight
1/|masked|: an unbiased estimate of the mean over orders of the log-likelihood. A share of the rows masks a suffix of
one fixed order instead: those are the conditionals that sampling will ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch.func import functional_call

from semblance.learn.nets.masked import MaskedNet
from semblance.learn.rows import held_out
from semblance.learn.trainer import Turn

ROWS = 8192
RAKES, TINY = 3, 1e-5
OWN = 10.0
"""Records of its own that the network has beside the counts it is raked to: what was never seen stays possible."""
FEWEST = 30
"""Sampled records of a link's row below which its shifts would be noise."""


class AnyOrder:
    """Loss and sampling of a MaskedNet. `order` (d,) is the order in which columns are sampled."""

    def __init__(
        self,
        net: MaskedNet,
        order: np.ndarray,
        *,
        ordered: float,
        after: Mapping[int, tuple[int, ...]] | None = None,
        aside: torch.Tensor | None = None,
    ) -> None:
        """`ordered`: share of the rows that mask a suffix of `order`.

        `after` maps a column to those without which it is never known: a fine digit to the coarse ones.
        """
        self.net, self.order, self.ordered, self.aside = net, order, ordered, aside
        self.after = {} if after is None else dict(after)
        self.along = torch.from_numpy(np.argsort(order)).float()
        self.offset = torch.from_numpy(net.offset[:-1])
        self.mask_rows = torch.arange(net.total, net.total + len(order))
        columns = torch.repeat_interleave(torch.arange(len(order)), torch.tensor(net.sizes, dtype=torch.int64))
        self.membership = torch.nn.functional.one_hot(columns, max(len(order), 1)).float()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One: all columns at once."""
        return (Turn("columns", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) loss of (n, d) codes under random masks."""
        return self._loss(self.net, batch, self.masks(len(batch), noise))

    def masks(self, n: int, noise: torch.Generator) -> torch.Tensor:
        """(n, d) bool: at least one column masked, the number of them uniform."""
        d = len(self.order)
        hidden = torch.randint(1, d + 1, (n, 1), generator=noise)
        fixed = torch.rand((n, 1), generator=noise) < self.ordered
        place = torch.where(fixed, self.along, torch.rand((n, d), generator=noise))
        masked = place >= place.sort(1).values.gather(1, d - hidden)
        for column, earlier in self.after.items():
            masked[:, column] |= masked[:, list(earlier)].any(1)
        return masked

    def _loss(self, net: object, codes: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
        rows = codes + self.offset
        logits = net(torch.where(masked, self.mask_rows, rows), codes.masked_fill(masked, -1))  # type: ignore[operator]
        top = logits.detach().amax(1, keepdim=True)
        partition = torch.log((logits - top).exp() @ self.membership + 1e-30) + top
        each = (partition - logits.gather(1, rows)) * masked
        return each.sum(1) / masked.sum(1)

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Mean loss on the records kept aside, under the same masks at every look."""
        net = _With(self.net, weights)
        return held_out(self.aside, lambda rows, noise: self._loss(net, rows, self.masks(len(rows), noise)), part=ROWS)

    @torch.no_grad()
    def calibrate(self, codes: np.ndarray, uniform: np.ndarray) -> None:
        """Shift biases and links until sampled records have the shares of `codes` (m, d), first column first.

        What a column is worth is averaged over its whole conditional distribution for the prefixes that sampling itself
        reaches with `uniform` (n, d), so the shifts are raking (Deming & Stephan 1940) without its sampling noise. A
        linked column is raked within each value of its parents, its shares smoothed by what the network says itself.
        """
        real = torch.from_numpy(codes)
        self._walk(torch.from_numpy(uniform), lambda j, logits, drawn: logits + self._raked(j, logits, drawn, real))

    def _raked(self, j: int, logits: torch.Tensor, drawn: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """(n, size) what is added to the logits of column j; the network keeps it."""
        size, net = self.net.sizes[j], self.net
        if j not in net.links:
            shift = _shift(logits, torch.bincount(real[:, j], minlength=size))
            net.bias[int(net.offset[j]) : int(net.offset[j + 1])] += shift
            return shift.expand(logits.shape)
        table, rows, of_real = net.link[str(j)], net.link_rows(drawn, j), net.link_rows(real, j)
        counts = torch.bincount(of_real * size + real[:, j], minlength=table.numel()).reshape(table.shape)
        added = torch.zeros_like(table)
        for row in torch.unique(rows).tolist():
            held = rows == row
            if int(held.sum()) >= FEWEST and int(counts[row].sum()) > 0:
                added[row] = _shift(logits[held], counts[row])
        table += added
        return added[rows]

    @torch.no_grad()
    def sample(self, uniform: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
        """(n, d) codes by inverse distribution function of `uniform` (n, d), column after column of `order`.

        `known` (n, d) holds what is given of each record, -1 where it is to be drawn.
        """
        parts = [
            self._walk(
                torch.from_numpy(uniform[part]),
                lambda _, logits, __: logits,
                None if known is None else torch.from_numpy(known[part]),
            )
            for part in _slices(len(uniform))
        ]
        return np.concatenate(parts) if parts else np.zeros(uniform.shape, dtype=np.int64)

    @torch.no_grad()
    def conditional(self, known: np.ndarray, column: int) -> np.ndarray:
        """(n, size) probabilities of a column given (n, d) codes with -1 for what is not known."""
        parts = [torch.from_numpy(known[part]) for part in _slices(len(known))]
        shares = [torch.softmax(self._at(self._start(part), part, column), 1).numpy() for part in parts]
        return np.concatenate([*shares, np.zeros((0, self.net.sizes[column]), dtype=np.float32)])

    def _start(self, codes: torch.Tensor) -> torch.Tensor:
        """(n, width) the sum of what is known and of the masks of the rest."""
        return self.net.hidden(torch.where(codes < 0, self.mask_rows, codes + self.offset))

    def _at(self, h: torch.Tensor, codes: torch.Tensor, column: int) -> torch.Tensor:
        return self.net.logits(self.net.trunk(h), codes, column)

    def _walk(
        self,
        uniform: torch.Tensor,
        adjust: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor],
        known: torch.Tensor | None = None,
    ) -> np.ndarray:
        """(n, d) codes, each column drawn from `adjust(column, its logits given the columns before, those columns)`."""
        n = len(uniform)
        codes = torch.full(uniform.shape, -1, dtype=torch.int64) if known is None else known.clone()
        h, prefix = self._start(codes), _Prefix(n) if known is None else None
        for j in map(int, self.order):
            rows = torch.arange(n) if known is None else torch.nonzero(codes[:, j] < 0)[:, 0]
            if len(rows) == n:
                h, prefix = self._draw(j, h, codes, uniform, adjust, prefix)
            elif len(rows):
                h[rows], _ = self._draw(j, h[rows], part := codes[rows], uniform[rows], adjust, None)
                codes[rows] = part
        return codes.numpy()

    def _draw(
        self,
        j: int,
        h: torch.Tensor,
        codes: torch.Tensor,
        uniform: torch.Tensor,
        adjust: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor],
        prefix: _Prefix | None,
    ) -> tuple[torch.Tensor, _Prefix | None]:
        """Draw column j into `codes`; the new sums. Records that are alike so far are looked at once."""
        if prefix is None:
            logits = adjust(j, self._at(h, codes, j), codes)
        else:
            first, back = prefix.first, prefix.group
            logits = adjust(j, self._at(h[first], codes[first], j)[back], codes)
        codes[:, j] = _pick(logits, uniform[:, j])
        net = self.net
        h = h + net.embed[codes[:, j] + net.offset[j]] - net.embed[net.total + j]
        return h, None if prefix is None else prefix.longer(codes[:, j], net.sizes[j])


class _Prefix:
    """Which records are alike so far: their group, and the first of each group."""

    def __init__(self, n: int, group: torch.Tensor | None = None, first: torch.Tensor | None = None) -> None:
        self.group = torch.zeros(n, dtype=torch.int64) if group is None else group
        self.first = torch.zeros(min(n, 1), dtype=torch.int64) if first is None else first

    def longer(self, codes: torch.Tensor, size: int) -> _Prefix | None:
        """The groups after one more column; None where hardly any records are alike any more."""
        n = len(codes)
        if n == 0:
            return None
        values, group = torch.unique(self.group * size + codes, return_inverse=True)
        if 2 * len(values) > n:
            return None
        first = torch.full((len(values),), n).scatter_reduce_(0, group, torch.arange(n), "amin")
        return _Prefix(n, group, first)


class _With:
    """A network called with other weights."""

    def __init__(self, net: MaskedNet, weights: Mapping[str, torch.Tensor]) -> None:
        self.net, self.weights = net, dict(weights)

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = functional_call(self.net, self.weights, inputs)
        return out


def _shift(logits: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """(size,) what makes the mean share of (n, size) logits that of the counts and of a few records of its own."""
    own, total = torch.softmax(logits, 1).mean(0), torch.zeros(logits.shape[1])
    target = (counts + OWN * own) / (counts.sum() + OWN)
    for _ in range(RAKES):
        total = total + torch.log((target + TINY) / (torch.softmax(logits + total, 1).mean(0) + TINY))
    return total


def _pick(logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """(n,) codes where `uniform` (n,) crosses each row's distribution function."""
    share = torch.softmax(logits, 1).cumsum(1)
    at = uniform.to(share.dtype) * share[:, -1]
    return torch.searchsorted(share, at[:, None])[:, 0].clamp_(max=logits.shape[1] - 1)


def _slices(n: int) -> Iterator[slice]:
    return (slice(i, i + ROWS) for i in range(0, n, ROWS))
