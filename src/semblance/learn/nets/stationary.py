"""What a Gaussian whose texture is alike everywhere would say of a noisy image: a Wiener filter (Wiener, 1949), as a
second closed form from which a denoiser may begin.

Tissue is alike everywhere, a brain is not: of this Gaussian and of the one with principal components (`unet.Gaussian`),
that which the records surprise less is taken. What principal components leave over always begins from the texture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.fft import dct, dctn
from torch import nn

from semblance.learn.components import Components
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.unet import LEAST, Gaussian, gain


class Texture(nn.Module):
    """A Gaussian of images of `shape` (channels, ...): a brightness of each channel, `colours` (channels, channels)
    that are independent of each other, and a variance of each spatial frequency of each: of cosines,
    which do not go on at the other side of an image."""

    center: torch.Tensor
    colours: torch.Tensor
    variances: torch.Tensor

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape, self.axes = tuple(shape), tuple(range(2, 1 + len(shape)))
        self.register_buffer("center", torch.zeros(shape[0]))
        self.register_buffer("colours", torch.eye(shape[0]))
        self.register_buffer("variances", torch.ones(tuple(shape)))

    def be(self, rows: np.ndarray) -> None:
        """Take the place of (n, numbers) records."""
        x = rows.reshape(len(rows), *self.shape).astype(np.float64)
        center = x.mean((0, *self.axes))
        x = x - center.reshape(1, -1, *[1] * len(self.axes))
        flat = np.moveaxis(x, 1, 0).reshape(len(center), -1)
        colours = np.linalg.eigh(flat @ flat.T)[1].T
        power = dctn(np.einsum("ck,nk...->nc...", colours, x), axes=self.axes, norm="ortho") ** 2
        for name, value in (("center", center), ("colours", colours), ("variances", power.mean(0))):
            getattr(self, name).copy_(torch.from_numpy(np.float32(value)))

    def forward(self, x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
        """(n, numbers) of mixtures (n, numbers) at angles (n, 1), as `unet.Gaussian` tells it."""
        whole = [-1, *[1] * (len(self.shape))]
        cos, sin = turn.cos().reshape(whole), turn.sin().reshape(whole)
        mean = self.center.reshape(1, -1, *[1] * len(self.axes))
        left = torch.einsum("ck,nk...->nc...", self.colours, x.reshape(len(x), *self.shape) - cos * mean)
        found = self._waves(gain(cos, sin, self.variances) * self._waves(left), back=True)
        return (sin * mean + torch.einsum("kc,nk...->nc...", self.colours, found)).flatten(1)

    def _waves(self, x: torch.Tensor, *, back: bool = False) -> torch.Tensor:
        """The amplitudes of cosines along all axes (DCT-II; Ahmed, Natarajan & Rao 1974), or `back`."""
        for axis in self.axes:
            side = x.shape[axis]
            waves = torch.from_numpy(np.float32(dct(np.eye(side), axis=0, norm="ortho"))).to(x.device)
            x = torch.tensordot(x, waves.T if not back else waves, ([axis], [0])).movedim(-1, axis)
        return x


class Likelier(Gaussian):
    """A Gaussian with components, or a texture in its place where that is the likelier one."""

    textured: torch.Tensor

    def __init__(self, parts: Parts, shape: Sequence[int], components: int) -> None:
        super().__init__(parts, components)
        self.texture = Texture(shape)
        self.register_buffer("textured", torch.tensor(0.0))

    def weigh(self, found: Components, rows: np.ndarray) -> None:
        """Take the place of what was found of (n, numbers) records, or of their texture."""
        self.be(found)
        self.texture.be(rows)
        share = len(found.axes) / found.rest.size
        whole = (1 - share) * _entropy(found.rest**2) + share * _entropy((found.spreads**2).mean(0))
        if _entropy(self.texture.variances.numpy()) < whole:
            self.textured.fill_(1.0)

    def weave(self, rows: np.ndarray) -> None:
        """Take the place of the texture of (n, numbers) records."""
        self.texture.be(rows)
        self.textured.fill_(1.0)

    @property
    def most(self) -> float:
        """The largest variance, at least that of a number."""
        return max(1.0, float(self.texture.variances.max())) if self.textured else super().most

    def forward(self, x: torch.Tensor, turn: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(n, numbers) of mixtures (n, numbers) at angles (n, 1)."""
        return self.texture(x, turn) if self.textured else super().forward(x, turn, labels)


def _entropy(variances: np.ndarray) -> float:
    """The mean logarithm, as much as a Gaussian of these variances is surprised by its records."""
    return float(np.log(np.maximum(variances, LEAST)).mean()) if variances.size else 0.0
