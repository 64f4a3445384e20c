"""An autoencoder of images whose latents are images themselves, of few channels on a coarse grid (Rombach et al.,
Latent Diffusion Models, CVPR 2022)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import interpolate, silu

from semblance.learn.nets.subspace import Subspace
from semblance.learn.nets.unet import Packing, conv, halved, normed
from semblance.learn.noise import normal_like

PLACES = 32
"""Places a side, at most, of latents."""
QUIET = -6.0
"""Where the logarithm of a latent's variance begins: it tells much from the start."""


class Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, axes: int, width: int) -> None:
        super().__init__()
        self.first, self.second = conv(axes, width, width), conv(axes, width, width)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = h + self.second(silu(normed(self.first(silu(normed(h))))))
        return out


def packing_of(shape: Sequence[int]) -> Packing:
    """How pixels are packed before convolutions halve the places that are left."""
    return Packing.to_side(shape, 2 * PLACES)


def grid_of(shape: Sequence[int], latent: int) -> tuple[int, ...]:
    """(latent, ...) of the latents of images of `shape` (channels, ...)."""
    return (latent, *(places // 2 for places in packing_of(shape).grid))


class Compressor(nn.Module):
    """(n, numbers) pixels of images of `shape` (channels, ...) -> (n, latents) means and log-variances;
    `width` channels where latents are, half as many at twice the places."""

    def __init__(self, shape: Sequence[int], *, width: int, latent: int) -> None:
        super().__init__()
        self.shape, self.packing, axes = tuple(shape), packing_of(shape), len(shape) - 1
        self.enter, self.fine = conv(axes, self.packing.channels, width // 2), Residual(axes, width // 2)
        self.wider, self.coarse = conv(axes, width // 2, width), Residual(axes, width)
        self.last = conv(axes, width, 2 * latent)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = self.fine(self.enter(self.packing.pack(rows.reshape(len(rows), *self.shape))))
        h = self.coarse(self.wider(halved(h)))
        mean, log_variance = self.last(h).chunk(2, 1)
        return mean.flatten(1), (log_variance + QUIET).clamp(-20, 10).flatten(1)


class Restorer(nn.Module):
    """(n, latents) -> (n, numbers): the way back, beginning from the mean image, `center` (numbers,)."""

    center: torch.Tensor

    def __init__(self, shape: Sequence[int], *, width: int, latent: int) -> None:
        super().__init__()
        self.grid, self.packing, axes = grid_of(shape, latent), packing_of(shape), len(shape) - 1
        self.enter, self.coarse = conv(axes, latent, width), Residual(axes, width)
        self.narrower, self.fine = conv(axes, width, width // 2), Residual(axes, width // 2)
        self.leave = conv(axes, width // 2, self.packing.channels)
        self.register_buffer("center", torch.zeros(math.prod(shape)))

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        h = self.coarse(self.enter(latents.reshape(len(latents), *self.grid)))
        h = self.fine(self.narrower(interpolate(h, scale_factor=2.0)))
        return self.center + self.packing.unpack(self.leave(h)).flatten(1)


class Compressing(nn.Module):
    """Both ways: (n, numbers) decoded at latents that are drawn, their means and log-variances."""

    def __init__(self, encoder: Compressor, decoder: Restorer) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, rows: torch.Tensor, noise: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, log_variance = self.encoder(rows)
        drawn = mean + (log_variance / 2).exp() * normal_like(mean, noise)
        return self.decoder(drawn), mean, log_variance


class Latents(nn.Module):
    """What draws: the denoisers of `subspace`, of latents in units of `spread` (1,), and the way back
    by a `decoder`."""

    spread: torch.Tensor

    def __init__(self, subspace: Subspace, decoder: Restorer) -> None:
        super().__init__()
        self.subspace, self.decoder = subspace, decoder
        self.register_buffer("spread", torch.ones(1))

    def images(self, latents: torch.Tensor) -> torch.Tensor:
        """(n, numbers) pixels of latents in these units."""
        made: torch.Tensor = self.decoder(self.spread * latents)
        return made
