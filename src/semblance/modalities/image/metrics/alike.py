"""How alike images are: normalised cross-correlation over small moves and both ways round, and equality."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from semblance.core import large
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.metrics.samples import pooled

SIDE, SHIFTS, STILL = 28, (-1, 0, 1), (0,)
DEEP = 12
"""Places a side at which images are compared (of volumes DEEP), and by how many of them they may be moved, or not."""
TOGETHER = 500
"""Images that are looked for at once."""

Sight = Callable[[Images], np.ndarray]
"""What of images is compared, (n, planes, ...)."""


def sights(images: Images) -> dict[str, Sight]:
    """Each contrast by its name, and the masks where there are any: what is a copy in one of them need not be one in
    the others."""
    seen: dict[str, Sight] = {name: _contrast(channels) for name, channels in images.contrasts.items()}
    return {**seen, "masks": masks} if images.layout.maps else seen


def _contrast(channels: list[int]) -> Sight:
    return lambda images: images.light[:, channels]


def masks(images: Images) -> np.ndarray:
    """Where each class of their masks is, but for what is around."""
    maps = images.layout.maps.items()
    shown = [images.pixels[:, i] == code for i, channel in maps for code in range(1, len(channel.classes))]
    return np.stack(shown, 1).astype(np.float32)


def likest(images: Images, train: Images, sight: Sight, moved: tuple[int, ...] = SHIFTS) -> np.ndarray:
    """(n,) the likeness of each image to the train image that it resembles most."""
    return twins(images, train, sight, moved)[0]


def twins(
    images: Images, train: Images, sight: Sight, moved: tuple[int, ...] = SHIFTS
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the same, and the row of that train image. An image may be moved by so many places along both last axes."""
    small = _small(images, sight)
    likeness, where = np.full(len(images), -np.inf), np.zeros(len(images), dtype=np.int64)
    for part in large.parts(train.pixels):
        known = _unit(_middle(_small(_part(train, part), sight)))
        for begin in range(0, len(images), TOGETHER):
            rows = slice(begin, begin + TOGETHER)
            for one in _moves(small[rows], moved):
                found = _unit(_middle(one)) @ known.T
                best = found.argmax(1)
                now = found[np.arange(len(found)), best]
                where[rows] = np.where(now > likeness[rows], best + part.start, where[rows])
                likeness[rows] = np.maximum(now, likeness[rows])
    return likeness, where


def _part(images: Images, part: slice) -> Images:
    return images.take(np.arange(len(images))[part])


def _small(images: Images, sight: Sight) -> np.ndarray:
    """(n, planes, ...) float32 what is seen of images, made small."""
    most = SIDE if images.pixels.ndim == 4 else DEEP
    parts = [pooled(sight(_part(images, part)), most).astype(np.float32) for part in large.parts(images.pixels)]
    return np.concatenate(parts)


def _moves(x: np.ndarray, moved: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Images moved along each of the last axes, both ways round."""
    for mirrored in (x, np.flip(x, -1)):
        for steps in product(moved, repeat=2):
            yield np.roll(mirrored, steps, axis=(-2, -1))


def _middle(x: np.ndarray) -> np.ndarray:
    """Without the outermost place, which a move brings in from the other side."""
    return x[..., 1:-1, 1:-1]


def _unit(x: np.ndarray) -> np.ndarray:
    """(n, d) float32 of length 1, of which every plane has mean 0."""
    flat = x.reshape(*x.shape[:2], -1).astype(np.float64)
    flat = (flat - flat.mean(2, keepdims=True)).reshape(len(x), -1)
    made: np.ndarray = (flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return made


def sums(images: Images, layout: Layout, *, mirrored: bool = False) -> np.ndarray:
    """(n, contrasts) uint64: equal for contrasts of which a file of this layout holds the same numbers, 0 for what is
    of one grey. Intensities that were brought in line by steps are compared as they are."""
    whole = np.issubdtype(np.dtype(layout.stored), np.integer) and not layout.steps
    made = np.zeros((len(images), len(images.contrasts)), dtype=np.uint64)
    for i in range(len(images)):
        light = images.light[i, ..., ::-1] if mirrored else images.light[i]
        for j, channels in enumerate(images.contrasts.values()):
            shown = layout.numbers(light[channels]) if whole else light[channels]
            if (shown != shown.flat[0]).any():
                made[i, j] = int.from_bytes(hashlib.blake2b(shown.tobytes(), digest_size=8).digest(), "little")
    return made
