"""Translation of images of which pairs are known, by flow matching: what a linear function tells of a source, under
noise as large as its error, moves to the target along straight lines (Lipman et al., ICLR 2023; a coupling of source
and target as in Albergo et al., Stochastic Interpolants with Data-Dependent Couplings, ICML 2024).

From there to the target is, but for a shift and a scale, the way of a `flow` from noise to what the function leaves
over. In one step it ends at the mean of all targets that fit; in more, it draws one of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from semblance.learn.device import array_of, beside
from semblance.learn.objectives.flow import Flow


class Carried(Flow):
    """The flow of a Carrier."""

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Find the linear function in (n, width) rows, and draw the first weights."""
        self.net.fit(batch)
        super().start(self._left(torch.from_numpy(batch)).numpy(), rng=rng)

    def _loss(self, weights: Mapping[str, torch.Tensor], batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        return super()._loss(weights, self._left(batch), noise)

    def _left(self, batch: torch.Tensor) -> torch.Tensor:
        """Rows of what the function leaves over."""
        numbers, given, labels = self.parts.split(batch)
        left = (numbers - self.net.begun(given)) / self.net.spread
        return torch.cat([left, given, labels[:, None]], 1)

    def sample(
        self,
        given: np.ndarray,
        labels: np.ndarray,
        *,
        rng: np.random.Generator,
        guidance: float | None = None,
        start: np.ndarray | None = None,
    ) -> np.ndarray:
        """(n, numbers) float32 targets of (n, given) numbers and (n,) classes."""
        return self._whole(given, super().sample(given, labels, rng=rng, guidance=guidance, start=start))

    def complete(
        self, rows: np.ndarray, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(n, numbers) float32: `rows` (n, numbers) with a draw for every NaN; along straight lines where all are."""
        if np.isnan(rows).all():
            return self.sample(given, labels, rng=rng)
        batch = beside(self.net, self.parts.join(rows, given, labels))
        left = array_of(self._left(batch)[:, : self.parts.numbers])
        made = self._whole(given, super().complete(left, given, labels, rng=rng))
        return np.where(np.isnan(rows), made, rows).astype(np.float32)

    def _whole(self, given: np.ndarray, left: np.ndarray) -> np.ndarray:
        begun = self.net.begun(beside(self.net, np.float32(given)))
        return array_of(begun + self.net.spread * beside(self.net, left))
