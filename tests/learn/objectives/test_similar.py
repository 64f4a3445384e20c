from __future__ import annotations

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.autoencoder import Encoder
from semblance.learn.nets.pyramid import Critic, Maker
from semblance.learn.objectives.similar import Similar, Trio
from tests.learn.objectives.test_autoencoding import PARTS, SHAPE, rows


def objective(**more) -> Similar:
    made, critic = Maker(PARTS, SHAPE, width=2, latent=2), Critic(PARTS, SHAPE, width=2)
    net = Trio(made, critic, Encoder(PARTS, SHAPE, width=2, latent=2))
    game = Similar(net, PARTS, weight=3.0, **more)
    game.start(rows(6), rng=stream(0, "start"))
    return game


def test_each_turn_makes_gradients_for_its_own_side_only():
    game, batch = objective(turns=2), torch.from_numpy(rows(6))
    assert [turn.name for turn in game.turns] == ["critic", "critic", "encoder", "generator"]
    sides = {"critic": game.net.critic, "encoder": game.net.encoder, "generator": game.net.generator}
    for turn in game.turns:
        game.net.zero_grad(set_to_none=True)
        loss = turn.loss(batch, torch.Generator().manual_seed(0))
        loss.mean().backward()
        assert loss.shape == (6,)
        assert {name for name, side in sides.items() if any(p.grad is not None for p in side.parameters())} == {
            turn.name
        }


def test_an_image_has_no_error_beside_itself_and_the_label_counts():
    game, batch = objective(), torch.from_numpy(rows(6))
    assert float(game._errors(batch, batch[:, :64]).abs().max()) == 0
    assert (game._errors(batch, batch[:, :64].flip(0)).sum(1) > 0).all()


def test_what_is_drawn_needs_no_encoder():
    game = objective()
    before = game.sample(np.zeros((4, 0)), np.array([0, 1, 0, 1]), rng=stream(0, "sample"))
    with torch.no_grad():
        for weight in game.net.encoder.parameters():
            weight.fill_(7.0)
    assert np.array_equal(before, game.sample(np.zeros((4, 0)), np.array([0, 1, 0, 1]), rng=stream(0, "sample")))
