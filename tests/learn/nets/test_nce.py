from __future__ import annotations

import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.nce import OneSide, Told
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.nets.unet import begin


def test_an_image_is_most_like_itself_at_each_place_and_few_places_are_asked() -> None:
    net = Told(Translation(Parts(256, 256, 1), (1, 16, 16), 1, width=8, side=16), width=8, told=8)
    begin(net, rng=stream(0))
    x = torch.randn(3, 256, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(3, dtype=torch.int64)
    found = net.alike(x, x, labels, places=20, noise=torch.Generator().manual_seed(0))
    assert [one.shape for one in found] == [(3, 20, 20)] * 3
    assert all(torch.allclose(one.diagonal(dim1=1, dim2=2), torch.ones(3, 20), atol=1e-5) for one in found)


def test_an_image_of_the_other_side_has_no_score() -> None:
    critic = OneSide(Patches((1, 16, 16), width=4, layers=2))
    begin(critic, rng=stream(0))
    rows = torch.randn(3, 256, generator=torch.Generator().manual_seed(0))
    rows[1] = torch.nan
    assert [bool(score.any()) for score in critic(rows)] == [True, False, True]
