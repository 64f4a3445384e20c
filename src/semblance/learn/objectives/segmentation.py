"""Segmentation of images: a U-Net that says of every pixel to which class it belongs.

The loss is cross-entropy and one minus the soft Dice coefficient of all classes but the first (Milletari et al., V-Net,
3DV 2016), so that small structures count as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Translation
from semblance.learn.nets.unet import begin
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, Turn, train_to_end

PART, SMOOTH = 64, 1.0
BRIGHTER = 0.1
"""By how much, of its spread, brightness and contrast are varied where records are augmented."""

Segment = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a segmenter learns from: (n, channels, ...) `pixels` of mean about 0 and spread about 1, and the (n, ...)
    `codes` of their classes; `augmented` says whether images are turned over and varied in brightness."""

    pixels: np.ndarray
    codes: np.ndarray
    augmented: bool = False


class Segmentation:
    """The loss of rows: codes of all pixels, then the channels of all pixels, then a class of no meaning."""

    def __init__(self, net: Translation, shape: Sequence[int], *, augmented: bool) -> None:
        """`shape` (channels, ...) is that of images."""
        self.net, self.shape, self.augmented = net, tuple(shape), augmented
        self.parts = Parts(int(np.prod(shape[1:])), int(np.prod(shape)), 1)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) losses."""
        codes, pixels, labels = self.parts.split(batch)
        codes, pixels = self._seen(codes, pixels, noise)
        logits = self.net(pixels, labels).reshape(len(batch), -1, self.parts.numbers)
        real = one_hot(codes.long(), logits.shape[1]).transpose(1, 2)
        shares = logits.softmax(1)
        both = 2 * (shares * real).sum(2) + SMOOTH
        dice = (both / (shares.sum(2) + real.sum(2) + SMOOTH))[:, 1:].mean(1)
        return cross_entropy(logits, codes.long(), reduction="none").mean(1) + 1 - dice

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Nothing is kept aside: the steps are few."""
        return None

    def _seen(
        self, codes: torch.Tensor, pixels: torch.Tensor, noise: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The batch, turned over along each axis by chance and of other brightness where it is augmented."""
        if not self.augmented:
            return codes, pixels
        x, y = pixels.reshape(-1, *self.shape), codes.reshape(-1, 1, *self.shape[1:])
        for axis in range(2, x.ndim):
            turned = torch.rand(len(x), generator=noise).reshape(-1, *[1] * (x.ndim - 1)) < 0.5
            x, y = torch.where(turned, x.flip(axis), x), torch.where(turned, y.flip(axis), y)
        gain, shift = BRIGHTER * torch.randn((2, len(x), 1), generator=noise)
        return y.flatten(1), (1 + gain) * x.flatten(1) + shift


def segmenter(
    lesson: Lesson, classes: int, *, width: int, side: int, plan: TrainPlan, rng: np.random.Generator
) -> Segment:
    """What gives (m, ...) int64 codes of (m, channels, ...) pixels, once it has learned the lesson."""
    n, shape = len(lesson.pixels), lesson.pixels.shape[1:]
    parts = Parts(int(np.prod(shape[1:])) * classes, int(np.prod(shape)), 1)
    net = Translation(parts, (classes, *shape[1:]), shape[0], width=width, side=side)
    begin(net, rng=rng)
    rows = np.column_stack([lesson.codes.reshape(n, -1), lesson.pixels.reshape(n, -1), np.zeros(n)])
    source = Rows(rows.astype(np.float32), np.arange(n))
    train_to_end(Segmentation(net, shape, augmented=lesson.augmented), source, plan, rng=rng)

    def segment(pixels: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(np.ascontiguousarray(pixels.reshape(len(pixels), -1), dtype=np.float32))
        with torch.no_grad():
            told = [net(part, torch.zeros(len(part), dtype=torch.int64)) for part in given.split(PART)]
        found = torch.cat(told).reshape(len(pixels), classes, *shape[1:]).argmax(1)
        codes: np.ndarray = found.numpy()
        return codes

    return segment
