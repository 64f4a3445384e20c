"""How alike images are: normalised cross-correlation over turns and small moves, and equality.

Images are turned over along every axis and, where the sides of their planes are equal, by quarter turns as well. What
is even along an axis stays as it is when that is turned over, and what is odd changes its sign: so the products of even
and odd parts, added and subtracted, are those of all ways round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product

import numpy as np

from semblance.core import large
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.metrics.samples import Measured, each

SIDE, SHIFTS, STILL = 28, (-1, 0, 1), (0,)
DEEP, THIN = 12, 4
"""Places a side at which images are compared (of volumes DEEP), and by how many of them they may be moved, or not; not
along an axis of THIN places or fewer."""
TOGETHER, AMONG = 500, 4_000
"""Images that are looked for at once, and among how many."""

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


def unmoved(evidence: Measured) -> Mapping[str, np.ndarray]:
    """(n,) of each sight, how alike synthetic images are to the train image that they resemble most, turned over or
    not, but not moved."""

    def found() -> dict[str, np.ndarray]:
        seen = sights(evidence.train)
        return {name: likest(evidence.synthetic, evidence.train, sight, STILL) for name, sight in seen.items()}

    return evidence.once("unmoved likeness", found)


def likest(images: Images, train: Images, sight: Sight, moved: tuple[int, ...] = SHIFTS) -> np.ndarray:
    """(n,) the likeness of each image to the train image that it resembles most."""
    return twins(images, train, sight, moved)[0]


def twins(
    images: Images, train: Images, sight: Sight, moved: tuple[int, ...] = SHIFTS
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the same, and the row of that train image. An image may be moved by so many places along every axis."""
    small, square = _small(images, sight), _square(images.pixels)
    likeness, where = np.full(len(images), -np.inf), np.zeros(len(images), dtype=np.int64)
    step = max(1, min(AMONG, large.parts(train.pixels)[0].stop))
    for start in range(0, len(train), step):
        known = _folded(_unit(_middle(_small(_part(train, slice(start, start + step)), sight))))
        for begin in range(0, len(images), TOGETHER):
            rows = slice(begin, begin + TOGETHER)
            for one in _moves(small[rows], moved, square):
                found = _products(_folded(_unit(_middle(one))), known)
                best = found.argmax(1)
                now = found[np.arange(len(found)), best]
                where[rows] = np.where(now > likeness[rows], best + start, where[rows])
                likeness[rows] = np.maximum(now, likeness[rows])
    return likeness, where


def _part(images: Images, part: slice) -> Images:
    return images.take(np.arange(len(images))[part])


def _square(pixels: np.ndarray) -> bool:
    """Whether a quarter turn of planes leaves their shape."""
    return pixels.shape[-2] == pixels.shape[-1]


def _small(images: Images, sight: Sight) -> np.ndarray:
    """(n, planes, ...) float32 what is seen of images, made small."""
    most = SIDE if images.pixels.ndim == 4 else DEEP
    parts = [each(lambda x: _shrunk(x, most), sight(_part(images, part))) for part in large.parts(images.pixels)]
    return np.concatenate(parts)


def _shrunk(pixels: np.ndarray, most: int) -> np.ndarray:
    """(n, planes, ...) float32 means over at most so many places of one width along each axis. They end where the image
    does, so that an image that is turned over has the same ones."""
    x = pixels.astype(np.float32, copy=False)
    for axis in range(2, x.ndim):
        if x.shape[axis] > most:
            x = np.moveaxis(np.tensordot(x, _overlap(x.shape[axis], most), (axis, 0)), -1, axis)
    return x


def _overlap(side: int, places: int) -> np.ndarray:
    """(side, places) float32: the share that each pixel has of each place."""
    edges, pixels = np.linspace(0, side, places + 1), np.arange(side)[:, None]
    within = np.minimum(pixels + 1, edges[1:]) - np.maximum(pixels, edges[:-1])
    made: np.ndarray = (np.maximum(within, 0) * places / side).astype(np.float32)
    return made


def _thick(x: np.ndarray) -> list[int]:
    """The axes along which images (n, planes, ...) are moved."""
    return [axis for axis in range(2, x.ndim) if x.shape[axis] > THIN]


def _moves(x: np.ndarray, moved: tuple[int, ...], square: bool) -> Iterator[np.ndarray]:
    """Images moved along each axis, and the same transposed where planes are square. With the ways in which they are
    turned over these are all quarter turns."""
    axes = _thick(x)
    for steps in product(moved, repeat=len(axes)):
        shifted = np.roll(x, steps, axis=axes)
        yield shifted
        if square:
            yield shifted.swapaxes(-2, -1)


def _middle(x: np.ndarray) -> np.ndarray:
    """Without the outermost place, which a move brings in from the other side."""
    kept = [slice(1, -1) if axis in _thick(x) else slice(None) for axis in range(x.ndim)]
    return x[tuple(kept)]


def _unit(x: np.ndarray) -> np.ndarray:
    """(n, planes, ...) float32 of length 1 each, of which every plane has mean 0."""
    flat = x.reshape(*x.shape[:2], -1).astype(np.float64)
    flat -= flat.mean(2, keepdims=True)
    made: np.ndarray = flat / np.maximum(np.linalg.norm(flat, axis=(1, 2), keepdims=True), 1e-9)
    return made.reshape(x.shape).astype(np.float32)


def _folded(x: np.ndarray) -> list[np.ndarray]:
    """(n, d) each: what of images is even or odd along each axis, that along the last axis in turn."""
    parts = [x]
    for axis in range(2, x.ndim):
        parts = [part for one in parts for part in _even_and_odd(one, axis)]
    return [part.reshape(len(x), -1) for part in parts]


def _even_and_odd(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Both parts along an axis, of half its length: products stay as they are."""
    half, root = x.shape[axis] // 2, np.float32(np.sqrt(0.5))
    first, middle, last = np.split(x, (half, x.shape[axis] - half), axis)
    last = np.flip(last, axis)
    return np.concatenate([root * (first + last), middle], axis), root * (first - last)


def _products(some: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> np.ndarray:
    """(n, m) the largest product of images with others, each in even and odd parts, over all ways to turn them over."""
    return _largest([one @ other.T for one, other in zip(some, others, strict=True)])


def _largest(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The largest sum of products of parts, where those that are odd along an axis may change their sign together."""
    if len(parts) == 1:
        return parts[0]
    both = [*zip(parts[::2], parts[1::2], strict=True)]
    return np.maximum(_largest([even + odd for even, odd in both]), _largest([even - odd for even, odd in both]))


def equal(images: Images, others: Images) -> np.ndarray:
    """(n,) bool: whether any contrast of an image, turned over or not, is one of the others': a file of their layout
    holds the same numbers. What is of one grey equals nothing."""
    known: dict[int, set[bytes]] = {}
    for one in _held(others, others.layout):
        for shown in one:
            known.setdefault(_weight(shown), set()).add(_digest(shown))
    found = [any(_among(known, shown) for shown in one) for one in _held(images, others.layout)]
    return np.array(found, dtype=bool)


def _held(images: Images, layout: Layout) -> Iterator[list[np.ndarray]]:
    """Of each image the contrasts (channels, ...) that are not of one grey, as a file holds them. Intensities that were
    brought in line by steps are compared as they are."""
    whole = np.issubdtype(np.dtype(layout.stored), np.integer) and not layout.steps
    for light in images.light:
        shown = [light[channels] for channels in images.contrasts.values()]
        numbers = [layout.numbers(one) if whole else one for one in shown]
        yield [one for one in numbers if (one != one.flat[0]).any()]


def _among(known: Mapping[int, set[bytes]], shown: np.ndarray) -> bool:
    near = known.get(_weight(shown))
    return near is not None and any(_digest(turned) in near for turned in _turned(shown))


def _turned(shown: np.ndarray) -> Iterator[np.ndarray]:
    """A contrast (channels, ...) turned over along every axis, in all ways, and transposed where planes are square."""
    axes = range(1, shown.ndim)
    for one in (shown, shown.swapaxes(-2, -1))[: 1 + _square(shown)]:
        for count in range(len(axes) + 1):
            yield from (np.flip(one, some) for some in combinations(axes, count))


def _weight(shown: np.ndarray) -> int:
    """A number that is the same however an image is turned, and hardly ever for two images."""
    bits = np.ascontiguousarray(shown).view(f"u{shown.itemsize}").astype(np.uint64)
    return int((bits * bits).sum())


def _digest(shown: np.ndarray) -> bytes:
    return hashlib.blake2b(shown.tobytes(), digest_size=8).digest()
