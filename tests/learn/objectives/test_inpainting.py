from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.learn.components import Components
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.unet import UNet
from semblance.learn.objectives.inpainting import Inpainting
from tests.learn.learned import learned


def flat_images(n: int) -> np.ndarray:
    """Images of one brightness each, and a little noise."""
    rng = stream(0, "flat")
    return (rng.normal(size=(n, 1)) + 0.1 * rng.normal(size=(n, 64))).astype(np.float32)


def untrained() -> Inpainting:
    """It draws from the Gaussian of flat images."""
    rows = flat_images(400)
    found = Components.fit(learned(rows), most=4, rare=1, rng=stream(0, "components"))
    net = UNet(Parts(64, 0, 1), (1, 8, 8), width=8, components=4)
    net.gaussian.be(found)
    objective = Inpainting(net, steps=12)
    objective.start(np.column_stack([rows, np.zeros(400)]).astype(np.float32), rng=stream(0, "start"))
    return objective


def test_what_is_missing_is_drawn_from_its_distribution_given_the_rest():
    rows = np.full((200, 64), np.nan, dtype=np.float32)
    level = np.linspace(-1.5, 1.5, 200, dtype=np.float32)
    rows[:, :32] = level[:, None]
    none, labels = np.zeros((200, 0), np.float32), np.zeros(200, np.int64)
    made = untrained().complete(rows, none, labels, rng=stream(0, "complete"))
    assert (made[:, :32] == rows[:, :32]).all() and np.isfinite(made).all()
    assert np.abs(made[:, 32:].mean(1) - level).max() < 0.25
    assert 0.05 < (made[:, 32:] - made[:, 32:].mean(1, keepdims=True)).std() < 0.2
    again = untrained().complete(rows, none, labels, rng=stream(0, "complete"))
    assert (made == again).all()


def test_of_nothing_known_a_whole_record_is_drawn():
    rows = np.full((300, 64), np.nan, dtype=np.float32)
    none, labels = np.zeros((300, 0), np.float32), np.ones(300, np.int64)
    made = untrained().complete(rows, none, labels, rng=stream(0, "complete"))
    assert abs(made.mean(1).std() - 1) < 0.25 and abs(made.mean()) < 0.25
