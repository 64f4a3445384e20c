"""Phantoms of tissue with masks, and of two contrasts of one anatomy. No real patient stands behind any."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.image.data import Channel, Images, Layout
from tests.modalities.image.simulated import images

MASK = Channel("lesion", ("background", "lesion"), (0, 1), "uint8")
MASKED = Layout("npz", "uint8", channels=(Channel("image"), MASK))
PAIRED = Layout("npz", "uint8", axes="first", channels=(Channel("T1"), Channel("T2")), given=("T1",), apart=True)


@cache
def masked(n: int, seed: int, shape: tuple[int, ...] = (16, 16)) -> Images:
    """A bright lesion with its mask in a body, in most images."""
    return beside(images(n, seed, shape), seed)


def beside(whole: Images, seed: int = 0) -> Images:
    """Images with a ball of lesion painted into the first channel, and its mask behind all channels."""
    shape = whole.pixels.shape[2:]
    grid = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    pixels = whole.pixels.copy()
    masks = np.zeros((len(whole), 1, *shape), dtype=np.float32)
    for i in range(len(whole)):
        rng = stream(seed, "lesion", i)
        middle = rng.uniform(-0.4, 0.4, len(shape))
        ball = sum((x - m) ** 2 for x, m in zip(grid, middle, strict=True)) < rng.uniform(0.25, 0.4) ** 2
        if rng.random() < 0.8:
            masks[i, 0] = ball
            pixels[i, 0][ball] = np.clip(pixels[i, 0][ball] + 90, None, 255)
    channels = tuple(Channel(f"{c}") for c in range(pixels.shape[1])) if pixels.shape[1] > 1 else (Channel("image"),)
    layout = replace(whole.layout, channels=(*channels, MASK), axes="first" if pixels.shape[1] > 1 else "")
    return replace(whole, pixels=np.concatenate([pixels, masks], 1), layout=layout)


@cache
def paired(n: int, seed: int, shape: tuple[int, ...] = (16, 16)) -> Images:
    """One anatomy in two contrasts, the second dark where the first is bright."""
    return contrasts(images(n, seed, shape))


def contrasts(whole: Images) -> Images:
    """The first channel of images, and what another contrast would show of it."""
    first = whole.pixels[:, :1]
    second = np.clip(220 - 0.8 * first, 0, 255).round().astype(np.float32)
    layout = replace(whole.layout, channels=PAIRED.channels, given=("T1",), apart=True)
    return replace(whole, pixels=np.concatenate([first, second], 1), layout=layout)


def unpaired(n: int, seed: int) -> Images:
    """The same, of each of which only one contrast is known."""
    return halved(paired(n, seed))


def halved(whole: Images) -> Images:
    """Images of two contrasts, of each of which only one is known."""
    pixels = whole.pixels.copy()
    odd = np.arange(len(whole)) % 2
    pixels[odd == 0, 1], pixels[odd == 1, 0] = np.nan, np.nan
    return replace(whole, pixels=pixels)


def risen(whole: Images) -> Images:
    """Images of two contrasts, the second of which is the root of the first: it rises with it, but by no line."""
    pixels = whole.pixels.copy()
    pixels[:, 1] = np.round(255 * (pixels[:, 0] / 255) ** 0.5)
    return replace(whole, pixels=pixels)


def windowed(whole: Images) -> Images:
    """The same, the second contrast through a narrow window: black below it and white above."""
    pixels = whole.pixels.copy()
    pixels[:, 1] = np.round(255 / (1 + np.exp((125 - pixels[:, 0]) / 10)))
    return replace(whole, pixels=pixels)
