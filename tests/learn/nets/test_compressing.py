from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.compressing import Compressing, Compressor, Restorer, grid_of
from semblance.learn.nets.unet import begin


@pytest.mark.parametrize(
    ("shape", "grid"),
    [
        ((1, 256, 256), (4, 32, 32)),
        ((3, 300, 200), (4, 19, 13)),
        ((1, 9, 12), (4, 5, 6)),
        ((1, 8, 9, 10), (4, 4, 5, 5)),
    ],
)
def test_latents_are_small_images_and_lead_back_to_the_size(shape, grid):
    assert grid_of(shape, 4) == grid
    net = Compressing(*(kind(shape, width=4, latent=4) for kind in (Compressor, Restorer)))
    begin(net, rng=stream(0))
    rows = torch.randn(2, int(np.prod(shape)), generator=torch.Generator().manual_seed(0))
    made, mean, log_variance = net(rows, torch.Generator().manual_seed(0))
    assert made.shape == rows.shape and mean.shape == log_variance.shape == (2, int(np.prod(grid)))
    assert torch.isfinite(made).all() and log_variance.detach().mean() < -3


def test_a_latent_tells_what_lies_around_it():
    shape = (1, 64, 64)
    encoder = Compressor(shape, width=4, latent=2)
    begin(encoder, rng=stream(0))
    rows = torch.zeros(2, 64 * 64)
    rows[1, 0] = 1.0
    one, other = encoder(rows)[0].detach().reshape(2, 2, 32, 32)
    apart = (one - other).abs().sum(0)
    # Normalised groups spread a little of it everywhere.
    assert apart[:4, :4].mean() > 10 * apart[16:, 16:].mean()
