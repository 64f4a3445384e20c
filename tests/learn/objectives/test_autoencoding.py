from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.autoencoder import Autoencoder
from semblance.learn.nets.conditioned import Parts
from semblance.learn.objectives.autoencoding import Autoencoding, Calibrated
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, train_to_end

PARTS, SHAPE = Parts(64, 0, 2), (1, 8, 8)


def rows(n: int) -> np.ndarray:
    """Of class 1 the lower half is brighter by 2; each image is brighter or darker as a whole."""
    rng, labels = stream(0, "rows"), np.arange(n) % 2
    base = np.repeat([0.0, 2.0], 32)[None] * labels[:, None] + rng.normal(size=(n, 1))
    return PARTS.join(base + 0.1 * rng.normal(size=(n, 64)), np.zeros((n, 0)), labels)


def objective(**more) -> Calibrated:
    made = Calibrated(Autoencoder(PARTS, SHAPE, width=4, latent=2), PARTS, **more)
    made.start(rows(6), rng=stream(0, "start"))
    return made


def test_with_a_latent_as_the_prior_the_surprise_of_pixels_is_lost():
    made, batch = objective(), torch.from_numpy(rows(6))
    with torch.no_grad():
        for weight in made.net.parameters():
            weight.zero_()
    loss = made.loss(batch, torch.Generator().manual_seed(0))
    ideal = 0.5 * batch[:, :64].square().sum(1) + 32 * math.log(2 * math.pi)
    assert loss.tolist() == pytest.approx(ideal.tolist(), rel=1e-5)


def test_the_loss_of_a_record_does_not_depend_on_the_others():
    made, batch = objective(), torch.from_numpy(rows(6))
    (slope,) = torch.autograd.grad(made.loss(batch.requires_grad_(), torch.Generator().manual_seed(0))[2], batch)
    assert (slope[2] != 0).any() and (slope[[0, 1, 3, 4, 5]] == 0).all()


def test_a_look_is_the_mean_loss_on_the_rows_aside_and_the_same_again():
    made = objective(aside=torch.from_numpy(rows(6)))
    weights = made.net.state_dict()
    assert made.held_out(weights) == made.held_out(weights)
    assert objective().held_out(weights) is None


def test_classes_are_learned_and_what_differs_within_them():
    made, plan = objective(), TrainPlan(steps=250, batch=64, rate=5e-3, weight_decay=0.0, ema=0.9)
    train_to_end(made, Rows(rows(600), np.arange(600)), plan, rng=stream(0, "train"))
    drawn = made.sample(np.zeros((200, 0)), np.repeat([0, 1], 100), rng=stream(0, "sample"))
    gap = (drawn[100:] - drawn[:100]).mean(0)
    assert gap[32:].mean() - gap[:32].mean() == pytest.approx(2, abs=0.3)
    assert made.net.log_std.detach() < -0.4
    assert drawn[:100].mean(1).std() == pytest.approx(1, abs=0.4)


def test_a_subclass_says_what_is_lost():
    with pytest.raises(TypeError, match="what is lost"):
        Autoencoding(None, PARTS).lost({}, torch.zeros(1, 64), torch.zeros(1, 64))
