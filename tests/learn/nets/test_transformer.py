from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from semblance.core.rng import stream
from semblance.learn.nets.mlp import start
from semblance.learn.nets.series import Series
from semblance.learn.nets.transformer import Block, Blocks, Patches, Weaver

PARTS = Series(numbers=18, given=2, classes=2, channels=2)
SIZE = {"units": 8, "depth": 2, "heads": 2}


def noise() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def started(net: nn.Module) -> nn.Module:
    start(net, rng=stream(0, "start"))
    return net


def rows(n: int = 4) -> torch.Tensor:
    rng = stream(1, "rows")
    return torch.from_numpy(PARTS.join(rng.normal(size=(n, 18)), rng.normal(size=(n, 2)), np.arange(n) % 2))


def test_a_block_computes_what_torch_does():
    ours = started(Block(8, heads=2, dropout=0.0))
    with torch.random.fork_rng():
        theirs = nn.TransformerEncoderLayer(
            8, 2, dim_feedforward=32, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
    pairs = (
        (theirs.self_attn.in_proj_weight, ours.ask.weight),
        (theirs.self_attn.in_proj_bias, ours.ask.bias),
        (theirs.self_attn.out_proj.weight, ours.answer.weight),
        (theirs.self_attn.out_proj.bias, ours.answer.bias),
        (theirs.linear1.weight, ours.up.weight),
        (theirs.linear1.bias, ours.up.bias),
        (theirs.linear2.weight, ours.down.weight),
        (theirs.linear2.bias, ours.down.bias),
    )
    for other, own in pairs:
        other.data.copy_(own)
    h = torch.randn((3, 5, 8), generator=noise())
    assert torch.allclose(ours(h, None), theirs(h), atol=1e-5)


def test_numbers_are_dropped_in_training_only():
    net, h = started(Blocks(5, 8, depth=1, heads=2, dropout=0.5)), torch.ones(1, 5, 8)
    assert not torch.equal(net(h, noise()), net(h, None))
    net.eval()
    assert torch.equal(net(h, noise()), net(h, None))


@pytest.mark.parametrize(("frame", "patch"), [(1, 1), (4, 4), (9, 16)])
def test_pieces_are_made_and_scored_as_they_are_told(frame, patch):
    made = started(Weaver(PARTS, **SIZE, dropout=0.0, latent=3, frame=frame))
    judge = started(Patches(PARTS, **SIZE, dropout=0.0, patch=patch))
    some, other = rows(), rows()
    other[:, -1] = 1 - other[:, -1]
    assert made(some, noise()).shape == (4, 18) and judge(some).shape == (4, 1)
    assert not torch.equal(made(some, noise()), made(other, noise()))
    assert not torch.equal(judge(some), judge(other))
