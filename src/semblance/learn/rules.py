"""How a gradient is formed. A rule takes the loss of each record and makes one step of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Plain:
    """The mean over the batch, its norm clipped for stability (Pascanu et al. 2013)."""

    clip: float = 1.0

    def backward(self, losses: torch.Tensor, parameters: list[torch.nn.Parameter]) -> None:
        """Fill `.grad` of every parameter from (batch,) losses."""
        losses.mean().backward()
        torch.nn.utils.clip_grad_norm_(parameters, self.clip)
