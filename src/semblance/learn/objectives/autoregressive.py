"""Any-order autoregression by masking (Uria et al. 2014; Hoogeboom et al. 2022, eq. 6; Strauss & Oliva 2021).

A row's columns are masked at random, and every masked column is predicted from the rest in one pass, with weight
1/|masked|: an unbiased estimate of the mean over orders of the log-likelihood. A share of the rows masks a suffix of
one fixed order instead: those are the conditionals that sampling will ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch.func import functional_call

from semblance.learn.nets.masked import MaskedNet
from semblance.learn.trainer import Turn

ROWS = 4096
RAKES, TINY = 3, 1e-5


class AnyOrder:
    """Loss and sampling of a MaskedNet. `order` (d,) is the order in which columns are sampled."""

    def __init__(self, net: MaskedNet, order: np.ndarray, *, ordered: float, aside: torch.Tensor | None = None) -> None:
        self.net, self.order, self.ordered, self.aside = net, order, ordered, aside
        self.rank = torch.from_numpy(np.argsort(order))
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
        anyhow = torch.rand((n, d), generator=noise).argsort(1).argsort(1)
        fixed = torch.rand((n, 1), generator=noise) < self.ordered
        place = torch.where(fixed, self.rank.expand(n, d), anyhow)
        return place >= d - hidden

    def _loss(self, net: object, codes: torch.Tensor, masked: torch.Tensor) -> torch.Tensor:
        rows = codes + self.offset
        logits = net(torch.where(masked, self.mask_rows, rows))  # type: ignore[operator]
        top = logits.detach().amax(1, keepdim=True)
        partition = torch.log((logits - top).exp() @ self.membership + 1e-30) + top
        each = (partition - logits.gather(1, rows)) * masked
        return each.sum(1) / masked.sum(1)

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Mean loss on the records kept aside, under the same masks at every look."""
        if self.aside is None:
            return None
        noise, total = torch.Generator().manual_seed(0), 0.0
        with torch.no_grad():
            for part in self.aside.split(ROWS):
                masked = self.masks(len(part), noise)
                total += float(self._loss(_With(self.net, weights), part, masked).sum())
        return total / len(self.aside)

    @torch.no_grad()
    def calibrate(self, shares: Sequence[np.ndarray], uniform: np.ndarray) -> None:
        """Shift each column's bias until sampled records have the marginals `shares`, first column first.

        What a column is worth is averaged over its whole conditional distribution for the prefixes that sampling itself
        reaches with `uniform` (n, d), so the shifts are raking (Deming & Stephan 1940) without its sampling noise.
        """
        self._walk(
            torch.from_numpy(uniform), lambda j, logits: self._rake(j, logits, torch.from_numpy(shares[j]).float())
        )

    def _rake(self, j: int, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The logits of column j with the shift that gives their mean share the `target`; its bias keeps the shift."""
        part = slice(int(self.net.offset[j]), int(self.net.offset[j + 1]))
        for _ in range(RAKES):
            shift = torch.log((target + TINY) / (torch.softmax(logits, 1).mean(0) + TINY))
            logits, self.net.bias[part] = logits + shift, self.net.bias[part] + shift
        return logits

    @torch.no_grad()
    def sample(self, uniform: np.ndarray) -> np.ndarray:
        """(n, d) codes by inverse distribution function of `uniform` (n, d), column after column of `order`."""
        parts = [self._walk(torch.from_numpy(part), lambda _, logits: logits) for part in _split(uniform, ROWS)]
        return np.concatenate(parts) if parts else np.zeros(uniform.shape, dtype=np.int64)

    def _walk(self, uniform: torch.Tensor, adjust: Callable[[int, torch.Tensor], torch.Tensor]) -> np.ndarray:
        """(n, d) codes, each column drawn from `adjust(column, its logits given the columns before)`."""
        net = self.net
        h = net.embed[self.mask_rows].sum(0).expand(len(uniform), -1)
        codes = torch.zeros(uniform.shape, dtype=torch.int64)
        for j in map(int, self.order):
            codes[:, j] = _pick(adjust(j, net.logits(net.trunk(h), j)), uniform[:, j])
            h = h + net.embed[codes[:, j] + net.offset[j]] - net.embed[net.total + j]
        return codes.numpy()


class _With:
    """A network called with other weights."""

    def __init__(self, net: MaskedNet, weights: Mapping[str, torch.Tensor]) -> None:
        self.net, self.weights = net, dict(weights)

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = functional_call(self.net, self.weights, (rows,))
        return out


def _pick(logits: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """(n,) codes where `uniform` (n,) crosses each row's distribution function."""
    share = torch.softmax(logits.double(), 1).cumsum(1)
    return (share < uniform[:, None]).sum(1).clamp_(max=logits.shape[1] - 1)


def _split(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (values[i : i + size] for i in range(0, len(values), size))
