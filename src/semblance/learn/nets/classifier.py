"""A small convolutional classifier of images of any number of axes, whose last layer but one describes an image."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, silu

from semblance.learn.nets.mlp import linear
from semblance.learn.nets.unet import Packing, conv, normed
from semblance.learn.noise import noise_of
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, Turn, train_to_end

PART = 512
Describe = Callable[[np.ndarray], np.ndarray]


class Classifier(nn.Module):
    """(n, numbers) pixels of images of `shape` (channels, ...) -> (n, classes) scores; `described` gives (n, width)."""

    def __init__(self, shape: Sequence[int], classes: int, *, width: int) -> None:
        super().__init__()
        self.shape, self.packing, axes = tuple(shape), Packing.to_side(shape), len(shape) - 1
        self.first = conv(axes, self.packing.channels, width // 2)
        self.second, self.third = conv(axes, width // 2, width), conv(axes, width, width)
        self.last = linear(width, classes)

    def start(self, *, rng: np.random.Generator) -> None:
        """Draw the first weights."""
        noise = noise_of(rng)
        with torch.no_grad():
            for weight in self.parameters():
                fan = math.prod(weight.shape[1:]) or 1
                weight.zero_() if weight.ndim == 1 else weight.normal_(0, (2 / fan) ** 0.5, generator=noise)

    def described(self, x: torch.Tensor) -> torch.Tensor:
        """(n, width) means over an image of what the last convolution says."""
        h = self.packing.pack(x.reshape(len(x), *self.shape))
        h = silu(normed(self.first(h)))
        for axis in range(2, h.ndim):
            h = h.unflatten(axis, (-1, 2)).amax(axis + 1)
        h = silu(normed(self.second(h)))
        return silu(self.third(h)).flatten(2).mean(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.last(self.described(x))
        return scores


class Classes:
    """The cross-entropy of rows (n, numbers + 1): the pixels, then the class."""

    def __init__(self, net: Classifier) -> None:
        self.net = net

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One loss moves all weights."""
        return (Turn("records", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """(n,) losses."""
        return cross_entropy(self.net(batch[:, :-1]), batch[:, -1].long(), reduction="none")

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Nothing is kept aside: the steps are few."""
        return None


def describer(
    x: np.ndarray, classes: np.ndarray, shape: Sequence[int], *, width: int, plan: TrainPlan, rng: np.random.Generator
) -> Describe:
    """What describes (m, numbers) rows by (m, width) float64, by a classifier that learned `classes` (n,) of x."""
    net = Classifier(shape, int(classes.max()) + 1, width=width)
    net.start(rng=rng)
    rows = np.column_stack([x, classes]).astype(np.float32)
    train_to_end(Classes(net), Rows(rows, np.arange(len(rows))), plan, rng=rng)

    def described(test: np.ndarray) -> np.ndarray:
        parts = torch.from_numpy(np.ascontiguousarray(test, dtype=np.float32)).split(PART)
        with torch.no_grad():
            return np.concatenate([net.described(part).numpy() for part in parts]).astype(float)

    return described
