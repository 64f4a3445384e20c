from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.nce import OneSide, Told
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.objectives.nce import PatchNce, surprise

PARTS = Parts(64, 64, 1)


def objective(aside: torch.Tensor | None = None) -> PatchNce:
    net = Told(Translation(PARTS, (1, 8, 8), 1, width=8, side=8), width=8, told=4)
    made = PatchNce(net, OneSide(Patches((1, 8, 8), width=4, layers=2)), PARTS, near=1.0, aside=aside)
    made.start(rows(20), rng=stream(0, "start"))
    return made


def rows(n: int) -> np.ndarray:
    """Every second image is a target, of the others the source is known."""
    x = stream(n, "x").normal(size=(n, 64))
    at = (np.arange(n) % 2 == 0)[:, None]
    return np.column_stack([np.where(at, x, np.nan), np.where(at, np.nan, x), np.zeros(n)]).astype(np.float32)


def test_places_that_are_told_apart_surprise_nobody() -> None:
    assert surprise(torch.eye(16)[None]) == pytest.approx(np.log(1 + 15 * np.exp(-1 / 0.07)), abs=1e-4)
    assert surprise(torch.zeros(2, 16, 16)).tolist() == pytest.approx([np.log(16)] * 2, rel=1e-5)


def test_each_row_has_losses_of_its_own_side() -> None:
    made, batch = objective(), torch.from_numpy(rows(6))
    for turn in made.turns:
        lost = turn.loss(batch, torch.Generator().manual_seed(0))
        assert lost.shape == (6,) and torch.isfinite(lost).all()
        grads = torch.autograd.grad(lost.sum(), turn.parameters, allow_unused=True)
        assert all(torch.isfinite(grad).all() for grad in grads if grad is not None)
    scene = made.play(batch, torch.Generator().manual_seed(0))
    assert torch.equal(scene.real.isnan().all(1), ~scene.fake.isnan().all(1))


def test_the_judge_needs_images_of_both_sides() -> None:
    assert objective(torch.from_numpy(rows(1))).held_out(objective().net.state_dict()) is None
    found = objective(torch.from_numpy(rows(9))).held_out(objective().net.state_dict())
    assert found is not None and np.isfinite(found)
