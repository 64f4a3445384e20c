"""Classical augmentation: images as they might have been taken too, turned left to right, moved, brighter or darker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core import large
from semblance.core.rng import root_of, stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.embed import ends

MOVED, BRIGHTER = 0.05, 0.1
"""By which share of a side an image is moved at most, and by how much of the range of brightness and of contrast it
varies (standard deviation)."""


def augmented(images: Images, *, rng: np.random.Generator) -> Images:
    """As many images, each changed by chance and with all that is known of it; masks are turned and moved alike."""
    if not len(images):
        return images
    seed, (low, high), pixels = root_of(rng), ends(images), images.pixels
    spans = [(channels, float(high[channels[0]] - low[channels[0]])) for channels in images.contrasts.values()]

    def changed(part: slice) -> np.ndarray:
        rows = range(*part.indices(len(pixels)))
        return np.stack([_changed(pixels[i], spans, rng=stream(seed, "augmented", i)) for i in rows])

    return replace(images, pixels=large.filled(changed, pixels.shape))


def _changed(image: np.ndarray, spans: list[tuple[list[int], float]], *, rng: np.random.Generator) -> np.ndarray:
    """An image (channels, ...); `spans` has the channels of each contrast and the range of its brightness."""
    made = image[..., ::-1] if rng.random() < 0.5 else image
    for axis in range(1, image.ndim):
        most = round(MOVED * image.shape[axis])
        step = int(rng.integers(-most, most + 1))
        made = np.take(made, np.clip(np.arange(image.shape[axis]) - step, 0, image.shape[axis] - 1), axis)
    made = made.astype(np.float32, copy=True)
    for channels, span in spans:
        gain, shift = BRIGHTER * rng.standard_normal(2)
        middle = np.nanmean(made[channels])
        made[channels] = (made[channels] - middle) * np.float32(1 + gain) + np.float32(middle + shift * span)
    return made
