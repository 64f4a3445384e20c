"""The loss of TimeVAE: squared errors, several times as heavy as the divergence of the latent (Desai et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from semblance.learn.nets.series import Series
from semblance.learn.nets.timevae import TimeVae
from semblance.learn.objectives.autoencoding import Autoencoding


class Decomposed(Autoencoding):
    """Loss and sampling of a TimeVae over rows of a Series."""

    def __init__(self, net: TimeVae, parts: Series, *, weight: float = 3.0, aside: torch.Tensor | None = None) -> None:
        """`weight` is that of the squared errors."""
        super().__init__(net, parts, aside=aside)
        self.weight = weight

    def lost(self, weights: Mapping[str, torch.Tensor], real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        """(n,) weighted squared errors."""
        return self.weight * (made - real).square().sum(1)
