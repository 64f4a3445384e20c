from __future__ import annotations

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.translate import Translation, begin
from semblance.learn.objectives.segmentation import Lesson, Segmentation, segmenter
from semblance.learn.trainer import TrainPlan

PLAN = TrainPlan(steps=60, batch=16, rate=5e-3, weight_decay=0.0, ema=0.8, look=10**9, warmup=5)


def lesson(n: int, seed: int, *, augmented: bool = False) -> Lesson:
    """Pixels whose class is told by how bright both channels together are."""
    pixels = stream(seed, "pixels").normal(size=(n, 2, 8, 8))
    return Lesson(pixels, (pixels.sum(1) > 0.5).astype(float) + (pixels.sum(1) > 2), augmented)


def test_classes_of_pixels_are_learned():
    for augmented in (False, True):
        told = lesson(64, 1, augmented=augmented)
        segment = segmenter(told, 3, width=8, side=8, plan=PLAN, rng=stream(0, "train"))
        fresh = lesson(20, 2)
        assert (segment(fresh.pixels) == fresh.codes).mean() > 0.72


def test_a_perfect_answer_costs_nothing_and_turning_over_keeps_pixels_with_their_class():
    objective = Segmentation(net := Translation(*_sizes(), width=4, side=8), (2, 8, 8), augmented=True)
    begin(net, rng=stream(0, "start"))
    told = lesson(4, 1)
    codes, pixels = (torch.from_numpy(x.reshape(4, -1).astype(np.float32)) for x in (told.codes, told.pixels))
    seen, turned = objective._seen(codes, pixels, torch.Generator().manual_seed(0))
    assert not torch.equal(seen, codes)
    total = turned.reshape(4, 2, 64).sum(1)
    for i in range(4):
        assert torch.corrcoef(torch.stack([total[i], seen[i]]))[0, 1] > 0.8


def _sizes():
    from semblance.learn.nets.conditioned import Parts

    return Parts(3 * 64, 128, 1), (3, 8, 8), 2
