from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.series import Series
from semblance.learn.nets.timevae import TimeVae
from semblance.learn.objectives.timevae import Decomposed

PARTS = Series(numbers=8, given=1, classes=2, channels=1)


def rows(n: int) -> np.ndarray:
    rng = stream(0, "rows")
    return PARTS.join(rng.normal(size=(n, 8)), rng.normal(size=(n, 1)), np.arange(n) % 2)


def objective(**more) -> Decomposed:
    made = Decomposed(TimeVae(PARTS, channels=2, latent=2, trend=1), PARTS, **more)
    made.start(rows(6), rng=stream(0, "start"))
    return made


def test_with_a_latent_as_the_prior_only_weighted_squared_errors_are_lost():
    made, batch = objective(weight=3.0), torch.from_numpy(rows(6))
    with torch.no_grad():
        for weight in made.net.parameters():
            weight.zero_()
    loss = made.loss(batch, torch.Generator().manual_seed(0))
    assert loss.tolist() == pytest.approx((3 * batch[:, :8].square().sum(1)).tolist(), rel=1e-5)


def test_a_look_is_the_mean_loss_on_the_rows_aside_and_the_same_again():
    made = objective(aside=torch.from_numpy(rows(6)))
    weights = made.net.state_dict()
    assert made.held_out(weights) == made.held_out(weights)
    assert objective().held_out(weights) is None
