from __future__ import annotations

import torch

from semblance.core.rng import stream
from semblance.learn.nets.autoencoder import Autoencoder
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.mlp import start


def test_an_image_is_decoded_at_the_latent_that_was_drawn_around_its_mean():
    parts, shape = Parts(64, 0, 2), (1, 8, 8)
    net = Autoencoder(parts, shape, width=2, latent=3)
    start(net, rng=stream(0, "start"))
    rows = torch.cat([torch.randn((4, 64), generator=torch.Generator().manual_seed(0)), torch.ones(4, 1)], 1)
    made, mean, log_variance = net(rows, torch.zeros(4, 3))
    assert made.shape == (4, 64) and mean.shape == log_variance.shape == (4, 3)
    assert torch.equal(made, net.decoder.decode(mean, rows))
    moved, _, _ = net(rows, torch.ones(4, 3))
    assert torch.allclose(moved, net.decoder.decode(mean + (log_variance / 2).exp(), rows))
