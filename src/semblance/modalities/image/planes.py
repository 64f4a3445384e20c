"""Label maps <-> planes of signed distances: how far inside of its class a pixel lies, or how far outside.

Unlike a mask of zeros and ones, distances can be averaged, scaled and made noisy, and are a mask again at once: the
class of a pixel is that in which it lies deepest (Leventon, Grimson & Faugeras, CVPR 2000). Two classes need one plane.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from semblance.modalities.image.data import Layout

REACH = 4.0
"""Pixels beyond which a distance counts as this one."""
LEAST = 0.35
"""Planes are not scaled by less than this: those of small structures hardly vary, but where it matters."""


def slots(layout: Layout, channels: int) -> list[slice]:
    """The planes of each of so many channels."""
    counts = [_planes(len(layout.maps[i].classes)) if i in layout.maps else 1 for i in range(channels)]
    ends = np.cumsum([0, *counts]).tolist()
    return [slice(begin, begin + count) for begin, count in zip(ends, counts, strict=False)]


def channels_of(layout: Layout, planes: int) -> int:
    """The inverse: how many channels so many planes are of."""
    return planes - sum(_planes(len(channel.classes)) - 1 for channel in layout.maps.values())


def _planes(classes: int) -> int:
    return 1 if classes == 2 else classes


def coded(pixels: np.ndarray, layout: Layout) -> np.ndarray:
    """(n, planes, ...) float32 of (n, channels, ...): intensities as they are, label maps as distances from -1 to 1.
    What nobody knows is NaN, and so are distances that it leaves open."""
    if not layout.maps:
        return pixels
    parts = [
        _distances(pixels[:, i], len(layout.maps[i].classes)) if i in layout.maps else pixels[:, i : i + 1]
        for i in range(pixels.shape[1])
    ]
    return np.concatenate(parts, axis=1)


def decoded(planes: np.ndarray, layout: Layout) -> np.ndarray:
    """The inverse of `coded`; pixels of which some plane is NaN are of a class that nobody knows."""
    if not layout.maps:
        return planes
    every = slots(layout, channels_of(layout, planes.shape[1]))
    parts = [_classes(planes[:, slot]) if i in layout.maps else planes[:, slot] for i, slot in enumerate(every)]
    return np.concatenate(parts, axis=1)


def _distances(codes: np.ndarray, classes: int) -> np.ndarray:
    """(n, planes, ...) of (n, ...) positions of classes."""
    each = (1,) if classes == 2 else range(classes)
    return np.stack([[_signed(one == code, np.isnan(one)) for code in each] for one in codes]).astype(np.float32)


def _signed(inside: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Distances from the edge of a region, above 0 inside, in units of REACH. NaN where what is unknown lies nearer
    than the edge that is known, and so may hide a nearer one."""
    away = np.where(inside, _nearest(~inside & ~unknown), _nearest(inside)) - 0.5
    made: np.ndarray = np.minimum(away / REACH, 1) * np.where(inside, 1, -1)
    if unknown.any():
        made[_nearest(unknown) - 0.5 < np.minimum(away, REACH)] = np.nan
    return made


def _nearest(there: np.ndarray) -> np.ndarray:
    """How far the nearest pixel of these is from each."""
    found: np.ndarray = distance_transform_edt(~there) if there.any() else np.full(there.shape, np.inf)
    return found


def _classes(planes: np.ndarray) -> np.ndarray:
    """(n, 1, ...) the positions of classes."""
    found = planes > 0 if planes.shape[1] == 1 else planes.argmax(1)[:, None]
    made: np.ndarray = np.where(np.isnan(planes).any(1, keepdims=True), np.float32(np.nan), found.astype(np.float32))
    return made
