"""A U-Net over images of any number of axes that is told a noise level and a class (Ronneberger, Fischer & Brox, MICCAI
2015; in the form of Dhariwal & Nichol, NeurIPS 2021).

What is told scales and shifts every normalisation (FiLM). Pixels are first packed into channels (space to depth; Shi et
al., CVPR 2016), so that the network works on at most SIDE places a side, with attention at half of that.

It does not begin from nothing: what a Gaussian with the records' own principal components would say is known in closed
form, and the network learns the difference. Untrained, it draws from that Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import group_norm, interpolate, pad, scaled_dot_product_attention, silu
from torch.nn.utils import skip_init

from semblance.learn.components import Components
from semblance.learn.nets.conditioned import LEVELS, Parts, waves
from semblance.learn.nets.mlp import linear
from semblance.learn.nets.text import TextReader
from semblance.learn.noise import angle, noise_of, scatter

SIDE, ATTENDED = 16, 8
"""Places a side, at most, on which the network works, and at which every place looks at all others."""
GROUPS = 8
LEAST = 1e-4
"""The smallest variance that the Gaussian takes for possible."""
NEARLY, WIDER, LOOKED = 0.9999, 1.25, 5_000_000
"""The share of a record's numbers within its reach, how much farther `reach` goes, and at how many numbers it looks."""
BEYOND = 11
"""Records that reach as far as `reach` tells, on average, with nearly as many beyond: it tells of no single one."""
CONVS: dict[int, Callable[..., nn.Module]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def conv(axes: int, inputs: int, outputs: int, *, kernel: int = 3) -> nn.Module:
    """A convolution over so many axes whose weights are not drawn yet; it keeps the size."""
    layer: nn.Module = skip_init(CONVS[axes], inputs, outputs, kernel, padding=kernel // 2)
    return layer


class Packing:
    """Images of `shape` (channels, ...) <-> the same with `factor` pixels along each axis packed into channels; sides
    are padded to a multiple of `factor` times `even`."""

    def __init__(self, shape: Sequence[int], factor: int, even: int) -> None:
        self.shape, self.factor = tuple(shape), factor
        self.grid = tuple(math.ceil(side / (factor * even)) * even for side in shape[1:])
        self.channels = shape[0] * factor ** len(self.grid)

    @classmethod
    def to_side(cls, shape: Sequence[int], side: int = SIDE) -> Packing:
        """That which leaves at most so many places a side, in an even number."""
        return cls(shape, 2 ** max(0, math.ceil(math.log2(max(shape[1:]) / side))), 2)

    def pack(self, x: torch.Tensor) -> torch.Tensor:
        """(n, m * packed channels, *grid) of (n, m * channels, *sides)."""
        room = [(0, side * self.factor - own) for side, own in zip(self.grid, self.shape[1:], strict=True)]
        x = pad(x, [end for pair in reversed(room) for end in pair])
        k = len(self.grid)
        split = [length for side in self.grid for length in (side, self.factor)]
        order = [0, 1, *range(3, 3 + 2 * k, 2), *range(2, 2 + 2 * k, 2)]
        return x.reshape(len(x), x.shape[1], *split).permute(order).reshape(len(x), -1, *self.grid)

    def unpack(self, x: torch.Tensor) -> torch.Tensor:
        """The inverse."""
        k = len(self.grid)
        split = x.reshape(len(x), -1, *[self.factor] * k, *self.grid)
        order = [0, 1, *(place for i in range(k) for place in (2 + k + i, 2 + i))]
        whole = split.permute(order).reshape(len(x), -1, *(side * self.factor for side in self.grid))
        return whole[(slice(None), slice(None), *(slice(0, own) for own in self.shape[1:]))]


class Gaussian(nn.Module):
    """What a Gaussian of each class would say of where a mixture of record and noise moves (see Guided): its mean, and
    `components` directions with variances of their own. One class more stands for all."""

    means: torch.Tensor
    axes: torch.Tensor
    variances: torch.Tensor
    rest: torch.Tensor

    def __init__(self, parts: Parts, components: int) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(parts.classes + 1, parts.numbers))
        self.register_buffer("axes", torch.zeros(components, parts.numbers))
        self.register_buffer("variances", torch.ones(parts.classes + 1, components))
        self.register_buffer("rest", torch.ones(parts.numbers))

    def be(self, found: Components) -> None:
        """Take the place of what was found of the records; directions that were not found are none."""
        count = len(found.axes)
        self.means.copy_(torch.from_numpy(np.concatenate([found.means, found.means.mean(0, keepdims=True)])))
        self.axes[:count] = torch.from_numpy(found.axes)
        spreads = np.concatenate([found.spreads, found.spreads.mean(0, keepdims=True)])
        self.variances[:, :count] = torch.from_numpy(np.float32(spreads**2))
        self.rest.copy_(torch.from_numpy(np.float32(found.rest**2)))

    @property
    def most(self) -> float:
        """The largest variance, at least that of a number."""
        return max([1.0, *self.variances.flatten().tolist()])

    def forward(self, x: torch.Tensor, turn: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(n, numbers) of mixtures (n, numbers) at angles (n, 1)."""
        cos, sin = turn.cos(), turn.sin()
        mean = self.means[labels]
        left = x - cos * mean
        along = left @ self.axes.T
        left = left - along @ self.axes
        found = gain(cos, sin, self.variances[labels]) * along
        return sin * mean + found @ self.axes + gain(cos, sin, self.rest) * left


def gain(cos: torch.Tensor, sin: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """How far sin * record - cos * noise goes with cos * record + sin * noise, where the record has this variance."""
    variance = variance.clamp(min=LEAST)
    return cos * sin * (variance - 1) / (cos**2 * variance + sin**2)


class Block(nn.Module):
    """Two convolutions beside the identity; what is told scales and shifts the second one's input."""

    def __init__(self, axes: int, inputs: int, outputs: int, told: int) -> None:
        super().__init__()
        self.first, self.second = conv(axes, inputs, outputs), conv(axes, outputs, outputs)
        self.film = linear(told, 2 * outputs)
        self.beside = conv(axes, inputs, outputs, kernel=1) if inputs != outputs else None

    def forward(self, h: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        scale, shift = self.film(told).reshape(len(h), -1, *[1] * (h.ndim - 2)).chunk(2, 1)
        read = self.first(silu(normed(h)))
        read = self.second(silu(normed(read) * (1 + scale) + shift))
        out: torch.Tensor = read + (h if self.beside is None else self.beside(h))
        return out


class Attention(nn.Module):
    """Every place looks at all others (Vaswani et al., NeurIPS 2017), beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.asked, self.said = linear(width, 3 * width), linear(width, width)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        places = normed(h).flatten(2).transpose(1, 2)
        found = scaled_dot_product_attention(*self.asked(places).chunk(3, 2))
        out: torch.Tensor = h + self.said(found).transpose(1, 2).reshape(h.shape)
        return out


def normed(h: torch.Tensor) -> torch.Tensor:
    """Places normalised over groups of channels (Wu & He, ECCV 2018)."""
    return group_norm(h, math.gcd(GROUPS, h.shape[1]))


class UNet(nn.Module):
    """(n, numbers) pixels and what is told of them -> (n, numbers); see Conditioned, whose place it takes.

    `shape` (channels, ...) is that of an image, `blocks` how many there are at each size, one after the other,
    `components` how many directions its Gaussian has, and `side` the places a side, at most, on which it works. Of the
    given numbers the first ones, `shown`, are no facts of an image but further pixels, at which this network does not
    look; the last ones are codes of words, where there is a text.
    """

    reach: torch.Tensor

    def __init__(
        self,
        parts: Parts,
        shape: Sequence[int],
        *,
        width: int = 32,
        blocks: int = 1,
        components: int = 64,
        told: int = 128,
        side: int = SIDE,
        shown: int = 0,
    ) -> None:
        super().__init__()
        self.parts, self.shape, self.shown, axes = parts, tuple(shape), shown, len(shape) - 1
        self.packing = Packing.to_side(shape, side)
        self.gaussian = Gaussian(parts, components)
        self.classes = nn.Parameter(torch.empty(parts.classes + 1, told))
        facts = parts.given - shown - parts.read
        self.facts = linear(facts, told) if facts else None
        self.text = TextReader(parts.text, told) if parts.text is not None else None
        self.level, self.mix = linear(2 * len(LEVELS), told), linear(told, told)
        inner = 2 * width
        self.enter = conv(axes, 2 * self.packing.channels, width)
        self.down = nn.ModuleList(Block(axes, width, width, told) for _ in range(blocks))
        self.deeper = Block(axes, width, inner, told)
        self.middle = nn.ModuleList(Block(axes, inner, inner, told) for _ in range(blocks))
        self.attention = Attention(inner) if max(self.packing.grid) <= 2 * ATTENDED else None
        self.up = nn.ModuleList(Block(axes, inner + width if i == 0 else width, width, told) for i in range(blocks))
        self.leave = conv(axes, width, self.packing.channels)
        self.register_buffer("reach", torch.tensor(torch.inf))

    def start(self, given: np.ndarray, numbers: np.ndarray | None = None, *, rng: np.random.Generator) -> None:
        """Draw the first weights from `rng`; (n, numbers) numbers say how far those of records lie."""
        begin(self, rng=rng)
        if numbers is not None and numbers.size:
            some = numbers[:: max(-(-numbers.size // LOOKED), 1)]
            far = np.sort(np.quantile(np.abs(some), NEARLY, axis=1))[::-1]
            self.reach.fill_(
                WIDER * float((far[BEYOND - 1 : 2 * BEYOND - 1] if len(far) >= 2 * BEYOND else far).mean())
            )

    def forward(self, x: torch.Tensor, level: torch.Tensor, given: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(n, numbers) from `x` (n, numbers), times `level` (n,), `given` (n, given) and `labels` (n,) int64."""
        turn = angle(level)[:, None]
        known = self.gaussian(x, turn, labels)
        guess = turn.cos() * x + turn.sin() * known
        both = torch.stack([x, guess], 1).reshape(len(x), 2 * self.shape[0], *self.shape[1:])
        told = self.classes[labels] + self.level(waves(level[:, None], LEVELS))
        none = (labels == self.parts.classes)[:, None]
        if self.facts is not None:
            told = told + self.facts(given[:, self.shown : given.shape[1] - self.parts.read].masked_fill(none, 0.0))
        if self.text is not None:
            told = told + self.text(given[:, -self.parts.read :].masked_fill(none, 0.0))
        made = self.packing.unpack(self._convolved(self._packed(both, given), silu(self.mix(silu(told)))))
        return known + made.flatten(1)

    def _packed(self, both: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """What the first convolution sees of pixels (n, 2 * channels, ...)."""
        return self.packing.pack(both)

    def _convolved(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        h = self.enter(x)
        for block in self.down:
            h = block(h, told)
        across, h = h, halved(h)
        h = self.deeper(h, told)
        for i, block in enumerate(self.middle):
            h = block(h, told)
            if i == 0 and self.attention is not None:
                h = self.attention(h)
        h = torch.cat([interpolate(h, scale_factor=2.0), across], 1)
        for block in self.up:
            h = block(h, told)
        out: torch.Tensor = self.leave(silu(normed(h)))
        return out


def begin(net: nn.Module, *, rng: np.random.Generator) -> None:
    """Draw weights of variance 1 / inputs, those of classes of variance 1; what is added to something begins as
    nothing."""
    noise = noise_of(rng)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            fan = math.prod(weight.shape[1:]) or 1
            weight.zero_() if weight.ndim == 1 else scatter(weight, fan**-0.5, noise)
            if name.endswith(("second.weight", "said.weight", "film.weight", "leave.weight")):
                weight.zero_()
            if name.endswith("classes"):
                weight.mul_(weight.shape[1] ** 0.5)


def halved(h: torch.Tensor) -> torch.Tensor:
    """The mean of each two neighbours along all axes."""
    for axis in range(2, h.ndim):
        h = h.unflatten(axis, (-1, 2)).mean(axis + 1)
    return h
