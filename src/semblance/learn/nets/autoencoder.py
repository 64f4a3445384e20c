"""A variational autoencoder of images: a Reader says where an image's latent lies, a Maker makes an image of it (Kingma
& Welling, ICLR 2014). Both are told the class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.mlp import linear
from semblance.learn.nets.pyramid import Maker, Reader


class Encoder(nn.Module):
    """(n, width) rows -> (n, latent) mean and log-variance."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int, latent: int) -> None:
        super().__init__()
        self.reader = Reader(parts, shape, width=width)
        self.last = linear(self.reader.outputs, 2 * latent)

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mean, log_variance = self.last(self.reader(rows)).chunk(2, 1)
        return mean, log_variance.clamp(-10, 10)


class Autoencoder(nn.Module):
    """Both, and `log_std`: how far pixels lie from the image that is made, in units of their channel's spread."""

    def __init__(self, parts: Parts, shape: Sequence[int], *, width: int, latent: int) -> None:
        super().__init__()
        self.encoder = Encoder(parts, shape, width=width, latent=latent)
        self.decoder = Maker(parts, shape, width=width, latent=latent)
        self.log_std = nn.Parameter(torch.zeros(1))

    def forward(self, rows: torch.Tensor, normal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(n, numbers) decoded at the latent drawn with `normal` (n, latent), and its mean and log-variance."""
        mean, log_variance = self.encoder(rows)
        return self.decoder.decode(mean + (log_variance / 2).exp() * normal, rows), mean, log_variance
