from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.learn.drawn import Fitting
from semblance.learn.nets.compressing import Compressor, Latents, Restorer, grid_of
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.subspace import Subspace
from semblance.learn.nets.translate import Patches
from semblance.learn.network import Drawn, Network
from semblance.learn.objectives.latent import Latent
from semblance.learn.objectives.subspace import Cascade
from tests.learn.learned import learned

SHAPE, PARTS = (1, 16, 16), Parts(256, 0, 1)


def rows(n: int, seed: int) -> np.ndarray:
    """Images along two smooth directions, with a little noise: half of all latents are enough."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:16, 0:16] / 15
    axes = np.stack([np.cos(np.pi * x), np.sin(np.pi * y)]).reshape(2, -1)
    return (rng.normal(size=(n, 2)) * [2, 1] @ axes + 0.05 * rng.normal(size=(n, 256))).astype(np.float32)


def build(data: np.ndarray | None, aside: torch.Tensor | None = None) -> Latent:
    parts, sizes = Parts(128, 0, 1), {"width": 16, "latent": 2}
    own = {"components": 4, "hidden": 32, "layers": 2, "width": 8, "blocks": 1, "side": 8}
    cascade = Cascade(Subspace(parts, grid_of(SHAPE, 2), **own), steps=6, looked=50, part=20)
    net, critic = Latents(cascade.net, Restorer(SHAPE, **sizes)), Patches(SHAPE, width=4, layers=2)
    records = None if data is None else learned(data)
    return Latent(net, Compressor(SHAPE, **sizes), critic, cascade, PARTS, records=records, aside=aside)


@pytest.fixture(scope="module")
def trained() -> Drawn:
    data = rows(300, 0)
    network = Network(lambda _, aside: build(data, aside), 0.2, phases=lambda objective: objective.phases)
    plan = {"steps": 200, "batch": 16, "look": 40, "rate": 4e-3, "ema": 0.98, "weight_decay": 0.0}
    return network.learn(learned(data), Fitting(stream(0, "fit"), plan, None, None))


def test_an_image_survives_its_latents(trained: Drawn) -> None:
    objective, fresh = trained.objective, rows(50, 1)
    coded = objective._coded(torch.from_numpy(PARTS.join(fresh, np.zeros((50, 0)), np.zeros(50))))
    assert coded.shape == (50, 2 * 8 * 8 + 1)
    with torch.no_grad():
        back = objective.net.images(coded[:, :-1]).numpy()
    assert np.abs(back - fresh).mean() < 0.35 * np.abs(fresh).mean()


def test_new_images_vary_as_real_ones_do(trained: Drawn) -> None:
    data, none = rows(300, 0), np.zeros((200, 0), np.float32)
    made = trained.draw(np.zeros(200, np.int64), none, rng=stream(0, "draw"))
    top = np.linalg.svd(data, full_matrices=False)[2][:2]
    assert np.allclose((made @ top.T).std(0), (data @ top.T).std(0), rtol=0.35)


def test_what_draws_is_saved_without_what_encodes(trained: Drawn) -> None:
    again = Network(lambda _, aside: build(None), 0.0).restored(learned(rows(9, 0)).sizes, trained.arrays())
    assert not any("encoder" in name or "critic" in name for name in trained.arrays())
    labels, none = np.zeros(5, np.int64), np.zeros((5, 0), np.float32)
    one, other = (x.draw(labels, none, rng=stream(0, "draw")) for x in (trained, again))
    assert one.tobytes() == other.tobytes()


def test_pixels_that_are_known_are_not_kept_by_latents(trained: Drawn) -> None:
    with pytest.raises(UsageError, match="latents of whole ones"):
        trained.complete(rows(1, 0), np.zeros(1, np.int64), np.zeros((1, 0)), rng=stream(0, "c"))
