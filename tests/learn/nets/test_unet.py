from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.components import Components
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.unet import Packing, UNet
from semblance.learn.objectives.guided import Focused, Guided
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, train_to_end
from tests.learn.learned import learned

SHAPES = [(1, 12, 12), (3, 9, 13), (1, 64, 40), (1, 8, 9, 10), (2, 40, 8, 8)]


def rows(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Images of two classes along two directions, whose first coordinate is 1 or -1 and never between."""
    rng = stream(0, "rows")
    axes = np.linalg.qr(rng.standard_normal((64, 2)))[0].T * 6
    along = np.column_stack([rng.choice([-1.0, 1.0], n), rng.standard_normal(n)])
    labels = rng.integers(0, 2, n)
    made = along @ axes + labels[:, None] * 0.5 + 0.05 * rng.standard_normal((n, 64))
    return made.astype(np.float32), labels


def guided(*, steps: int = 12) -> Guided:
    x, labels = rows()
    found = Components.fit(learned(x, labels, kinds=2), most=2, rare=1, rng=stream(0, "components"))
    net = UNet(Parts(64, 0, 2), (1, 8, 8), width=16, components=4)
    net.gaussian.be(found)
    made = Guided(net, steps=steps)
    made.start(net.parts.join(x, np.zeros((len(x), 0)), labels), rng=stream(0, "start"))
    return made


@pytest.mark.parametrize("shape", SHAPES)
def test_packing_and_unpacking_lose_nothing(shape):
    packing = Packing(shape, 2, 2)
    x = torch.arange(2 * int(np.prod(shape)), dtype=torch.float32).reshape(2, *shape)
    packed = packing.pack(x)
    assert packed.shape == (2, packing.channels, *packing.grid) and all(side % 2 == 0 for side in packing.grid)
    assert torch.equal(packing.unpack(packed), x)


def test_neighbours_are_packed_together():
    packed = Packing((1, 4, 4), 2, 1).pack(torch.arange(16.0).reshape(1, 1, 4, 4))
    assert packed[0, :, 0, 0].tolist() == [0, 1, 4, 5]


@pytest.mark.parametrize("shape", SHAPES)
def test_planes_and_volumes_of_any_size_go_through(shape):
    numbers = int(np.prod(shape))
    net = UNet(Parts(numbers, 0, 3), shape, width=8, components=2)
    net.start(np.zeros((2, 0)), rng=stream(0, "start"))
    x, level = torch.ones(2, numbers), torch.tensor([0.1, 0.9])
    assert net(x, level, torch.zeros(2, 0), torch.tensor([0, 3])).shape == (2, numbers)
    assert max(net.packing.grid) <= 18


def test_untrained_it_draws_from_the_gaussian_of_its_class():
    x, labels = rows()
    drawn = guided(steps=20).sample(np.zeros((800, 0)), np.ones(800), rng=stream(0, "draw"))
    assert np.abs(drawn.mean(0) - x[labels == 1].mean(0)).mean() < 0.2
    assert np.linalg.norm(np.cov(drawn.T) - np.cov(x.T)) < 0.25 * np.linalg.norm(np.cov(x.T))


@pytest.mark.parametrize("shape", [(1, 8, 8)])
def test_directions_that_vary_far_more_than_others_are_drawn_in_their_width_in_a_few_steps(shape):
    rng = stream(0, "wide")
    axes = np.linalg.qr(rng.standard_normal((64, 2)))[0].T
    x = (rng.standard_normal((400, 2)) * (15, 0.5) @ axes + 0.05 * rng.standard_normal((400, 64))).astype(np.float32)
    found = Components.fit(learned(x), most=2, rare=1, rng=stream(0, "components"))
    net = UNet(Parts(64, 0, 1), shape, width=8, components=2)
    net.gaussian.be(found)
    made = Focused(net, steps=14)
    made.start(net.parts.join(x, np.zeros((400, 0)), np.zeros(400)), rng=stream(0, "start"))
    along = made.sample(np.zeros((600, 0)), np.zeros(600), rng=stream(0, "draw")) @ axes.T
    assert along.std(0) == pytest.approx([15, 0.5], rel=0.15)


def test_training_learns_what_is_not_gaussian():
    rng = stream(0, "stripes")
    phase, wide = rng.uniform(0, 8, (300, 1, 1)), rng.uniform(2, 4, (300, 1, 1))
    x = np.sign(np.sin((np.indices((8, 8)).sum(0) + phase) / wide * 3)).reshape(300, 64).astype(np.float32)
    batch = Parts(64, 0, 1).join(x, np.zeros((300, 0)), np.zeros(300))
    found = Components.fit(learned(x), most=8, rare=1, rng=stream(0, "components"))
    net = UNet(Parts(64, 0, 1), (1, 8, 8), width=16, components=8)
    net.gaussian.be(found)
    made = Guided(net, aside=torch.from_numpy(batch[:60]))
    made.start(batch, rng=stream(0, "start"))
    gaussian = made.held_out(dict(net.state_dict()))
    plan = TrainPlan(steps=80, batch=32, rate=4e-3, weight_decay=0.0, ema=0.9, look=80)
    train_to_end(made, Rows(batch[60:], np.arange(240)), plan, rng=stream(1))
    assert made.held_out(dict(net.state_dict())) < 0.9 * gaussian


def test_the_same_stream_gives_the_same_weights_and_leaves_torch_alone():
    before = torch.get_rng_state()
    one, two = guided(), guided()
    assert all(torch.equal(a, b) for a, b in zip(one.net.parameters(), two.net.parameters(), strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_directions_that_were_not_found_are_none():
    net = guided().net
    assert not net.gaussian.axes[2:].any() and net.gaussian.means.shape == (3, 64)


@pytest.mark.parametrize("n", [300, 30])
def test_how_far_numbers_go_is_told_by_no_single_record(n):
    x = rows(n)[0]
    odd = x.copy()
    odd[3] *= 50
    usual, moved = (UNet(Parts(64, 0, 2), (1, 8, 8), width=4, components=0) for _ in range(2))
    for net, some in ((usual, x), (moved, odd)):
        net.start(np.zeros((n, 0)), some, rng=stream(0, "start"))
    assert float(moved.reach) <= 1.05 * float(usual.reach) < 2 * np.abs(x).max()
