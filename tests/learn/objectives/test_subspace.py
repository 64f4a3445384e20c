from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from scipy.ndimage import uniform_filter

from semblance.core.rng import stream
from semblance.learn.components import Components
from semblance.learn.drawn import Fitting
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.subspace import Subspace
from semblance.learn.network import Network
from semblance.learn.objectives.subspace import Cascade
from tests.learn.learned import learned

SHAPE, COUNT = (1, 8, 8), 300


def rows(n: int, seed: int) -> np.ndarray:
    """Images along two smooth directions, of spreads 6 and 2, with a little noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:8, 0:8] / 7
    axes = np.stack([np.cos(np.pi * x), np.sin(np.pi * y)]).reshape(2, -1)
    return (rng.normal(size=(n, 2)) * [6, 2] @ axes + 0.1 * rng.normal(size=(n, 64)) + 1).astype(np.float32)


def found(data: np.ndarray, most: int = 4) -> Components:
    return Components.fit(learned(data), most=most, rare=1, rng=stream(0, "components"))


def cascade(data: np.ndarray, aside: torch.Tensor | None = None) -> Cascade:
    sizes = {"components": 6, "hidden": 32, "layers": 2, "width": 8, "blocks": 1, "side": 8}
    net = Subspace(Parts(64, 0, 1), SHAPE, found=found(data), **sizes)
    made = Cascade(net, steps=6, aside=aside, looked=50, part=20)
    made.start(np.column_stack([data, np.zeros(len(data))]).astype(np.float32), rng=stream(0, "start"))
    return made


def test_coordinates_and_what_they_leave_over_make_up_an_image():
    data = rows(COUNT, 0)
    net = cascade(data).net
    batch = torch.from_numpy(np.column_stack([data, np.zeros(COUNT)]).astype(np.float32))
    one = cascade(data)
    along, left = one.along(batch)[:, :-1], one.left(batch)[:, :64]
    assert torch.allclose(net.image(along) + net.rest * left, batch[:, :64], atol=1e-4)
    assert abs(float(along[:, :4].square().mean()) - 1) < 0.05  # about 1, and the first still counts for most
    assert along[:, 0].std() > along[:, 1].std() > along[:, 2].std()
    assert abs(float(left.std()) - 1) < 0.1
    assert not along[:, 4:].any()  # directions that were not found are none


@pytest.mark.parametrize("known", [40, 8])
def test_what_known_pixels_determine_is_drawn_as_it_must_be(known):
    data, fresh = rows(COUNT, 0), rows(20, 1)
    gone = np.ones(64, bool)
    gone[np.random.default_rng(0).permutation(64)[:known]] = False
    holed = np.where(gone, np.nan, fresh)
    made = cascade(data).complete(
        holed, np.zeros((20, 0), np.float32), np.zeros(20, np.int64), rng=stream(0, "complete")
    )
    assert (made[:, ~gone] == fresh[:, ~gone]).all()
    assert np.abs(made - fresh)[:, gone].mean() < 0.1 * np.abs(fresh - fresh.mean(0))[:, gone].mean()


def test_detail_has_the_texture_of_real_detail_before_anything_is_learned():
    """It was white noise, which hundreds of steps had to take away again: tissue of few patients came out as grain."""
    rng = np.random.default_rng(3)
    smooth = uniform_filter(rng.normal(size=(COUNT, 8, 8)), (0, 3, 3), mode="reflect").reshape(COUNT, 64)
    data = (rows(COUNT, 0) + 3 * smooth).astype(np.float32)
    one = cascade(data)
    labels = np.zeros((COUNT, 1))
    made = one.sample(np.zeros((COUNT, 0), np.float32), labels[:, 0], rng=stream(0, "s"))
    real, drawn = (one.left(torch.from_numpy(np.float32(np.hstack([x, labels]))))[:, :64] for x in (data, made))
    power = [np.square(dctn(x.reshape(-1, 8, 8).numpy(), axes=(1, 2), norm="ortho")).mean(0) for x in (real, drawn)]
    fine, coarse = ([side[at].mean() for side in power] for at in (np.s_[5:, 5:], np.s_[1:3, 1:3]))
    assert fine[1] < 2 * fine[0] < 0.1 * coarse[0] and coarse[1] > 0.5 * coarse[0]


def test_nothing_known_is_drawn_as_new_images_are():
    made = cascade(rows(COUNT, 0)).complete(
        np.full((200, 64), np.nan), np.zeros((200, 0), np.float32), np.zeros(200, np.int64), rng=stream(0, "complete")
    )
    assert 0.5 < made.std(0).mean() / rows(COUNT, 0).std(0).mean() < 1.5


def test_both_parts_are_trained_one_after_the_other_and_restored():
    data = rows(COUNT, 0)
    records = learned(data)

    def build(parts: Parts, aside: torch.Tensor | None) -> Cascade:
        return cascade(data, aside)

    network = Network(build, 0.2, phases=lambda objective: objective.phases)
    seen: list[int] = []
    plan = {"steps": 300, "batch": 16, "look": 20, "rate": 2e-3}
    drawer = network.learn(records, Fitting(stream(0, "fit"), plan, lambda tick: seen.append(tick.step), None))
    assert seen == list(range(1, 301))
    labels, none = np.zeros(300, np.int64), np.zeros((300, 0), np.float32)
    made = drawer.draw(labels, none, rng=stream(0, "draw"))
    again = network.restored(records.sizes, drawer.arrays()).draw(labels, none, rng=stream(0, "draw"))
    assert np.array_equal(made, again)
    top = np.linalg.svd(data - data.mean(0), full_matrices=False)[2][:2]
    assert np.allclose((made @ top.T).std(0), (data @ top.T).std(0), rtol=0.25)
    assert np.abs(made.mean(0) - data.mean(0)).max() < 1.5
