from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Parts
from semblance.modalities.image.generators.adversarial import AdversarialSpec
from semblance.modalities.image.generators.dcgan import Dcgan
from tests.modalities.image.simulated import SIZE, images


def rows(n: int) -> tuple[Parts, torch.Tensor]:
    """Phantoms in units of their spread, with their label."""
    data = images(n, 1)
    pixels = data.pixels.reshape(n, -1)
    parts = Parts(SIZE * SIZE, 0, 2)
    unit = (pixels - pixels.mean()) / pixels.std()
    return parts, torch.from_numpy(parts.join(unit, np.zeros((n, 0)), data.frame["label"].cat.codes))


def test_a_subclass_says_what_is_lost():
    with pytest.raises(TypeError, match="what is lost"):
        AdversarialSpec().contest  # noqa: B018


def test_a_look_finds_that_variety_was_lost():
    """The judge that chooses weights gives one image again and again a worse mark than many."""
    parts, aside = rows(200)
    objective = Dcgan(channels=2).objective((1, SIZE, SIZE), parts, aside)
    objective.start(aside.numpy(), rng=stream(0, "start"))
    real = aside[:, : parts.numbers]
    varied = objective.distance(rows(300)[1][200:, : parts.numbers], real)
    assert objective.distance(real[:1].repeat(100, 1), real) > 5 * abs(varied)
    found = objective.held_out(objective.net.state_dict())
    assert found is not None and math.isfinite(found) and found > 5 * abs(varied)


def test_without_anybody_aside_nobody_judges():
    parts, some = rows(20)
    objective = Dcgan(channels=2).objective((1, SIZE, SIZE), parts, None)
    objective.start(some.numpy(), rng=stream(0, "start"))
    assert objective.held_out(objective.net.state_dict()) is None
