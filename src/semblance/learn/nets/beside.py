"""A U-Net that denoises images beside further ones that it is given without noise: a mask, or another contrast, joined
to the noisy channels (Dorjsembe et al., Med-DDPM, IEEE J. Biomed. Health Inform. 2024; Saharia et al., Palette, 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from semblance.learn.components import Components
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.stationary import Likelier
from semblance.learn.nets.unet import Packing, UNet, conv

Known = tuple[Components, np.ndarray]
"""Components of records, and (n, numbers) some of these."""


class Beside(UNet):
    """The same network, whose given numbers begin with the pixels of `given` channels on the same grid."""

    gaussian: Likelier

    def __init__(
        self,
        parts: Parts,
        shape: Sequence[int],
        given: int,
        *,
        width: int,
        blocks: int,
        components: int,
        side: int,
        known: Known | None = None,
    ) -> None:
        """`known` says what is Gaussian about the records."""
        sizes = {"width": width, "blocks": blocks, "components": components, "side": side}
        super().__init__(parts, shape, shown=given * math.prod(shape[1:]), **sizes)
        likelier = Likelier(parts, shape, components)
        if known is not None:
            likelier.weigh(*known)
        self.gaussian = likelier
        self.beside = (given, *shape[1:])
        packed = 2 * self.packing.channels + Packing.to_side(self.beside, side).channels
        self.enter = conv(len(shape) - 1, packed, width)

    def _packed(self, both: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        return self.packing.pack(torch.cat([both, given[:, : self.shown].reshape(len(given), *self.beside)], 1))
