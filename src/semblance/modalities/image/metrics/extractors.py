"""What describes images by numbers, for distances between sets of them. None is downloaded, and none has seen a
synthetic image: a bank of fixed random convolutions, radiomics, and a classifier that learned from train."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from semblance.core import large
from semblance.core.dataset import Part
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.embed import ends, textures, unit_of
from semblance.modalities.image.metrics.samples import SAMPLES, Measured, pooled

SIDE, FILTERS, PART = 32, (16, 32), 200
DEEP = 16
"""Places a side that the bank looks at, its filters; places a side of volumes."""
WIDTH, STEPS, BATCH, LEARNED = 32, 120, 64, 4_000
"""Numbers by which the classifier describes an image; how it learns, and from how many images at most."""


def described(evidence: Measured, extractor: str) -> dict[Part, np.ndarray]:
    """(n, d) numbers of the images of each sample."""
    return evidence.once(("described", extractor), lambda: SAMPLES.described(evidence, EXTRACTORS[extractor](evidence)))


def _bank(evidence: Measured) -> Callable[[Images], np.ndarray]:
    between = ends(evidence.train)
    return lambda images: np.concatenate(
        [bank(unit_of(part, between)) for part in np.split(images.light, range(PART, len(images), PART))]
    )


def bank(pixels: np.ndarray) -> np.ndarray:
    """(n, 96) float64: means and spreads over an image of two layers of random convolutions, always the same ones."""
    h = pooled(pixels, SIDE if pixels.ndim == 4 else DEEP)
    told = []
    for i, count in enumerate(FILTERS):
        h = _convolved(h, _filters(i, count, h.shape[1], h.ndim - 2))
        flat = h.reshape(len(h), count, -1)
        told += [flat.mean(2), flat.std(2)]
        h = pooled(h, max(h.shape[2:]) // 2) if min(h.shape[2:]) >= 6 else h
    return np.concatenate(told, axis=1)


@cache
def _filters(layer: int, count: int, channels: int, axes: int) -> np.ndarray:
    """(channels * 3 ** axes, count) filters without a mean, of length 1."""
    made = stream(0, "bank", layer, channels, axes).standard_normal((channels, 3**axes, count))
    made -= made.mean(1, keepdims=True) if layer == 0 else 0
    flat = made.reshape(-1, count)
    filters: np.ndarray = flat / np.linalg.norm(flat, axis=0)
    return filters


def _convolved(h: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """(n, filters, ...) rectified."""
    axes = tuple(range(2, h.ndim))
    windows = np.lib.stride_tricks.sliding_window_view(h, (3,) * len(axes), axis=axes)
    windows = np.moveaxis(windows, 1, 1 + len(axes))
    flat = windows.reshape(*windows.shape[: 1 + len(axes)], -1)
    return np.moveaxis(np.maximum(flat @ filters, 0), -1, 1)


def _radiomics(evidence: Measured) -> Callable[[Images], np.ndarray]:
    return lambda images: textures(images, evidence.train)


def _domain(evidence: Measured) -> Callable[[Images], np.ndarray]:
    """A classifier of labels, or of how an image was turned over where there are no two labels."""
    from semblance.learn.nets.classifier import describer
    from semblance.learn.trainer import TrainPlan

    rng, train = stream(evidence.seed, "domain"), evidence.train
    most = min(LEARNED, len(large.few(train.light.shape, rng=rng, share=1)))
    some = train.take(np.sort(rng.permutation(len(train))[:most]))
    between = ends(train)
    classes, labels = some.labels, np.unique(some.labels)
    x = _unit(some.light, between)
    codes = np.searchsorted(labels, classes)
    if len(labels) < 2:
        codes = rng.integers(0, 4, len(some))
        x = np.stack([turned_over(one, int(code)) for one, code in zip(x, codes, strict=True)])
    plan = TrainPlan(steps=STEPS, batch=BATCH, rate=3e-3, weight_decay=0.05, ema=0.9, look=10**9, warmup=10)
    shape = train.light.shape[1:]
    describe = describer(x.reshape(len(x), -1), codes, shape, width=WIDTH, plan=plan, rng=rng)
    return lambda images: large.by_rows(
        lambda part: describe(_unit(part, between).reshape(len(part), -1)), images.light
    )


def turned_over(image: np.ndarray, code: int) -> np.ndarray:
    """An image (channels, ...) turned over along the last axis (bit 0 of the code) and the one before (bit 1)."""
    axes = tuple(axis for axis, bit in ((-1, 1), (-2, 2)) if code & bit)
    return np.flip(image, axes) if axes else image


def _unit(pixels: np.ndarray, between: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    made: np.ndarray = (unit_of(pixels, between) * 2 - 1).astype(np.float32)
    return made


EXTRACTORS: dict[str, Callable[[Measured], Callable[[Images], np.ndarray]]] = {
    "domain": _domain,
    "bank": _bank,
    "radiomics": _radiomics,
}
