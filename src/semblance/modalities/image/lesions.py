"""Lesions for images that show none: where one is put, what shape it has, and how what a model draws there is blended.

A lesion is an ellipse, of volumes an ellipsoid, whose axes are drawn from one Gaussian of the logarithms of those that
lesions of train have, each patient counting once; it lies where lesions of several patients do, and among what lies
around real ones. So nobody's mask is copied. A model that completes images draws what the hole shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import binary_dilation, distance_transform_edt
from scipy.ndimage import label as numbered

from semblance.core.bounds import ends
from semblance.core.errors import DataError, UsageError
from semblance.core.large import copied
from semblance.core.rng import root_of, stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.halves import known_in_part

MARGIN, RING = 3, 2
"""Pixels around a lesion that are drawn with it, and those that say among what it lies."""
NEAR = 8
"""What part of the longest side two lesions may be apart that are at one place, at first; twice as far where too few
are."""
TRIED, USUAL = 20, 2.0
"""Lesions that are tried for an image; standard deviations from what lies around real ones that one may be off."""


@dataclass(frozen=True, eq=False)
class Lesions:
    """What lesions of a class of a mask, its `code`, have in common: `axes` (d,) and their `spread` (d, d), logarithms
    of half axes in pixels, the longest first, between `low` and `high`; the share `where` (...) of their middles; and
    the mean and standard deviation `around` (2, channels) of brightness beside them."""

    mask: str
    code: int
    axes: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray
    where: np.ndarray
    around: np.ndarray

    @classmethod
    def fit(cls, train: Images, mask: str, *, kind: str | None = None, rare: int = 5) -> Lesions:
        """Of the lesions of a `mask`, or of one class of it. Nothing is kept that fewer than `rare` patients show.

        Raises UsageError where there is no such mask or class, DataError where fewer patients have a lesion, and for
        images of which only some channels are known.
        """
        code = _code(train, mask, kind)
        if known_in_part(train):
            rule, fix = "a lesion is put into all channels of an image", "pair the images"
            raise DataError.of("images of which only some channels are known", rule=rule, fix=fix)
        found = [(i, *_described(part, train.light[i])) for i, part in _each(train, mask, code)]
        who = train.subjects[[i for i, *_ in found]]
        if len(np.unique(who)) < rare:
            raise DataError.of(
                f"lesions of {len(np.unique(who))} patients in the mask '{mask}'",
                rule=f"shapes and places are those of at least {rare} patients (`rare`)",
                fix="give more images that show one",
            )
        middles, axes, beside = (np.array([one[k] for one in found]) for k in (1, 2, 3))
        _, own, count = np.unique(who, return_inverse=True, return_counts=True)
        each, (low, high) = 1 / count[own], np.array([ends(column, who, rare=rare) for column in axes.T]).T
        near = np.clip(axes, low, high)
        return cls(
            mask,
            code,
            np.average(near, axis=0, weights=each),
            np.atleast_2d(np.cov(near.T, aweights=each, ddof=0)),
            low,
            high,
            _where(middles, who, train.pixels.shape[2:], rare),
            np.stack([np.average(beside, axis=0, weights=each), beside.std(0)]),
        )

    def placed(self, images: Images, *, rng: np.random.Generator, label: str | None = None) -> Images:
        """The images with one more lesion in their mask, around which pixels are NaN: to be completed by a model. An
        image without room for any stays as it is. With `label`, they have this one.

        Raises UsageError for images of another size, or without the mask.
        """
        at = _channel(images, self.mask)
        if images.pixels.shape[2:] != self.where.shape:
            size = "x".join(map(str, self.where.shape))
            raise UsageError.of("images of another size", rule=f"that of train: {size}", fix="crop or resample them")
        pixels, seed, light = copied(images.pixels), root_of(rng), images.light.shape[1]
        for i in range(len(images)):
            lesion = self._fitting(images.pixels[i], at, stream(seed, "lesion", i))
            if lesion is not None:
                pixels[i, at][lesion] = self.code
                pixels[i, :light, distance_transform_edt(~lesion) <= MARGIN] = np.nan
        return replace(images, pixels=pixels, frame=_labelled(images, label))

    def _fitting(self, pixels: np.ndarray, at: int, rng: np.random.Generator) -> np.ndarray | None:
        """(...) bool: the first lesion that lies among what lies around real ones, or the one that does most."""
        taken = binary_dilation(pixels[at] > 0, iterations=MARGIN)
        best, least = None, np.inf
        for _ in range(TRIED):
            lesion = self._drawn(rng)
            if (lesion & taken).any():
                continue
            strange = _beside(lesion, pixels[: self.around.shape[1]]) - self.around[0]
            off = float(np.abs(strange / np.maximum(self.around[1], 1e-6)).max())
            best, least = (lesion, off) if off < least else (best, least)
            if off < USUAL:
                break
        return best

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        """(...) bool: a lesion of its own."""
        count = len(self.axes)
        half = np.exp(np.clip(rng.multivariate_normal(self.axes, self.spread), self.low, self.high))
        middle = np.unravel_index(rng.choice(self.where.size, p=self.where.ravel()), self.where.shape)
        turn, sign = np.linalg.qr(rng.standard_normal((count, count)))
        away = np.moveaxis(np.indices(self.where.shape), 0, -1) - (np.array(middle) + rng.uniform(-0.5, 0.5, count))
        inside: np.ndarray = (((away @ (turn * np.sign(np.diag(sign)))) / half) ** 2).sum(-1) <= 1
        inside[middle] = True
        return inside


def blended(before: Images, after: Images, mask: str) -> Images:
    """`after`, completed images with a further lesion in a mask, without an edge around what was drawn.

    It becomes brighter or darker, all alike, until its rim is as bright as in `before`; then it goes over into `before`
    from the second pixel around a lesion on. Nothing changes beyond it.
    """
    at, pixels, count = _channel(after, mask), copied(after.pixels), after.light.shape[1]
    for i in range(len(after)):
        new = (after.pixels[i, at] > 0) & (before.pixels[i, at] == 0)
        if new.any():
            drawn, old = pixels[i, :count], before.pixels[i, :count]
            away = distance_transform_edt(~new)
            rim = (away > 1) & (away <= MARGIN)
            off = np.median((drawn - old)[:, rim], axis=1) if rim.any() else np.zeros(count)
            share = np.where(away <= MARGIN, np.minimum(1 - (away - 1) / MARGIN, 1), 0)
            pixels[i, :count] = share * (drawn - off.reshape(-1, *[1] * new.ndim)) + (1 - share) * old
    if np.dtype(after.layout.stored).kind != "f":  # as files of the input's type hold it
        numbers = after.layout.numbers(pixels[:, :count]).astype(np.float64)
        pixels[:, :count] = numbers * after.layout.slope + after.layout.intercept
    return replace(after, pixels=pixels)


def _channel(images: Images, mask: str) -> int:
    """The channel of a mask. Raises UsageError where there is none."""
    names = {channel.name: i for i, channel in images.layout.maps.items()}
    if mask not in names:
        fix = f"of {', '.join(names)}" if names else "give masks beside the images"
        raise UsageError.of(f"no mask '{mask}'", rule="a mask as it is named in the files", fix=fix)
    return names[mask]


def _code(images: Images, mask: str, kind: str | None) -> int:
    """The position of a class of a mask; the first one but what is around."""
    classes = images.layout.maps[_channel(images, mask)].classes
    if kind is None:
        return 1
    if kind not in classes[1:]:
        raise UsageError.of(f"no class '{kind}'", rule=f"a class of '{mask}'", fix=f"of {', '.join(classes[1:])}")
    return classes.index(kind)


def _each(images: Images, mask: str, code: int) -> Iterator[tuple[int, np.ndarray]]:
    """Every lesion (...) bool by itself, and the row of its image."""
    at = _channel(images, mask)
    for i in range(len(images)):
        parts, count = numbered(images.pixels[i, at] == code)
        for k in range(count):
            yield i, parts == k + 1


def _described(lesion: np.ndarray, light: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle (d,) of a lesion, the logarithms (d,) of its half axes, the longest first, and what lies beside it.

    They are those of the ellipse of the same second moments: along each axis of one that fills d dimensions evenly, the
    variance is a square of half its length over d + 2, and that of a pixel 1/12.
    """
    places = np.argwhere(lesion).astype(float)
    count = places.shape[1]
    moments = np.cov(places.T, ddof=0) if len(places) > 1 else np.zeros((count, count))
    variances = np.linalg.eigvalsh(np.atleast_2d(moments) + np.eye(count) / 12)[::-1]
    return places.mean(0), np.log((count + 2) * variances) / 2, _beside(lesion, light)


def _beside(lesion: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(channels,) how bright what lies around a lesion is."""
    ring = binary_dilation(lesion, iterations=RING) & ~lesion
    found: np.ndarray = light[:, ring if ring.any() else lesion].mean(1)
    return found


def _where(middles: np.ndarray, who: np.ndarray, shape: tuple[int, ...], rare: int) -> np.ndarray:
    """(...) shares of places: how many patients have a lesion near each, none where fewer than `rare` have."""
    places, reach = np.moveaxis(np.indices(shape), 0, -1), max(shape) / NEAR
    while True:
        near = np.zeros(shape)
        for one in np.unique(who):
            own = middles[who == one]
            near += np.any([((places - middle) ** 2).sum(-1) <= reach**2 for middle in own], axis=0)
        near[near < rare] = 0
        if near.any():
            made: np.ndarray = near / near.sum()
            return made
        reach *= 2


def _labelled(images: Images, text: str | None) -> Any:
    """What is known of the images, of which all have the label `text`."""
    target = images.schema.where("target")
    if text is None:
        return images.frame
    kinds = [] if target is None else [*images.frame[target.name].cat.categories]
    if target is None or text not in kinds:
        fix = f"of {', '.join(map(str, kinds))}" if kinds else "leave it out"
        raise UsageError.of(f"no label '{text}'", rule="a label that the images have", fix=fix)
    dtype = images.frame[target.name].dtype
    return images.frame.assign(**{target.name: pd.Categorical([text] * len(images), dtype=dtype)})
