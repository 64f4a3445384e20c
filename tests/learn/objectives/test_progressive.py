from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn import trainer
from semblance.learn.drawn import Fitting, Learned
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.progressive import Examiner, Grower
from semblance.learn.network import Network
from semblance.learn.objectives.gan import Wasserstein
from semblance.learn.objectives.progressive import Growing, Stage, phases_to
from semblance.learn.trainer import TrainPlan

SHAPE, PARTS = (1, 16, 16), Parts(256, 0, 2)
PLAN = TrainPlan(steps=20, batch=4, rate=1e-3, weight_decay=0.0, look=10**6, warmup=0)


def stage(parts: Parts = PARTS, aside: torch.Tensor | None = None) -> Stage:
    net = Growing(Grower(parts, SHAPE, width=2, latent=3), Examiner(parts, SHAPE, width=2))
    return Stage(net, parts, Wasserstein(), level=len(net.pyramid.grids) - 1, aside=aside)


def rows(n: int) -> np.ndarray:
    return PARTS.join(stream(0, "rows").normal(size=(n, 256)), np.zeros((n, 0)), np.arange(n) % 2)


def test_there_is_a_phase_for_each_grid_and_half_of_the_steps_is_for_the_finest():
    phases = phases_to(stage())
    assert [phase.objective.level for phase in phases] == [0, 1, 2]
    assert [phase.share for phase in phases] == [0.25, 0.25, 0.5]


def test_layers_fade_in_over_half_a_phase_and_the_coarsest_are_there_at_once():
    last = stage()
    last.start(rows(4), rng=stream(0, "start"))
    first, *_ = (phase.objective for phase in phases_to(last))
    noise, batch, shares = torch.Generator().manual_seed(0), torch.from_numpy(rows(4)), []
    for one in (first, last):
        one.begin(8)
        for _ in range(8):
            for turn in one.turns:
                assert turn.loss(batch, noise).shape == (4,)
            shares.append(one.net.sides[0].share)
    assert shares == [1.0] * 8 + [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_real_images_are_as_coarse_and_as_far_faded_in_as_made_ones():
    last = stage()
    images = last.net.pyramid.images(torch.from_numpy(rows(2)))
    small = images.reshape(2, 1, 8, 2, 8, 2).mean((3, 5)).repeat_interleave(2, 2).repeat_interleave(2, 3)
    last.net.grow(2, 1.0)
    assert torch.equal(last.coarse(images), images)
    last.net.grow(2, 0.25)
    assert torch.allclose(last.coarse(images), 0.75 * small + 0.25 * images, atol=1e-6)


LEARNED = Learned(rows(8)[:, :256], np.arange(8) % 2, np.zeros((8, 0), np.float32), np.arange(8), 2)
NETWORK = Network(stage, 0.0, phases=phases_to)


@pytest.mark.parametrize("at", [3, 8, 13])
def test_a_training_taken_up_in_any_phase_ends_in_the_same_bytes(at, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", -1.0)

    def stop(tick) -> None:
        if tick.step == at:
            raise InterruptedError

    def fit(watch=None, resume=None):
        made = NETWORK.learn(LEARNED, Fitting(stream(0, "fit"), PLAN.to_json(), watch, resume))
        return {name: array.tolist() for name, array in made.arrays().items()}

    whole = fit()
    with pytest.raises(InterruptedError):
        fit(stop, tmp_path)
    assert fit(resume=tmp_path) == whole


def test_a_look_and_a_sample_are_those_of_grown_sides():
    last = stage(aside=torch.from_numpy(rows(6)))
    last.start(rows(4), rng=stream(0, "start"))
    told = last.held_out(last.net.state_dict())
    drawn = last.sample(np.zeros((3, 0)), np.zeros(3), rng=stream(0, "sample"))
    last.net.grow(0, 1.0)
    assert last.held_out(last.net.state_dict()) == told
    last.net.grow(0, 1.0)
    assert np.array_equal(last.sample(np.zeros((3, 0)), np.zeros(3), rng=stream(0, "sample")), drawn)
