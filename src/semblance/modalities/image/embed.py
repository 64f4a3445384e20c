"""Images as shared judges want them: `features` for classifiers, `embed` for distances, both coded on a reference.

An image becomes its principal components in the reference, and what radiologists call radiomics: moments of brightness
and of texture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.utils.extmath import randomized_svd

from semblance.core import coded, large
from semblance.core.coded import kept, narrow, number, one_hot, unit
from semblance.core.dataset import Features
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.radiomics import NAMES, radiomics

COMPONENTS, FITTED = 48, 2_000
"""Components of an image, and the images of the reference by which they are found."""


@dataclass(frozen=True, eq=False)
class Basis:
    """`center` (d,) and `axes` (d, k) orthonormal columns; `unit` is the move of the first component from its 5th to
    its 95th percentile."""

    center: np.ndarray
    axes: np.ndarray
    unit: float

    def of(self, images: Images) -> np.ndarray:
        """(n, k) float64 components, the largest first: an image has the same ones in any company."""
        return np.concatenate([(_flat(part) - self.center) @ self.axes for part in together(images.light, FITTED)])


def together(pixels: np.ndarray, most: int) -> list[np.ndarray]:
    """Pixels of images (n, ...), of at most so many images together, and of no more than are looked at together."""
    least = large.parts(pixels)[0].stop
    step = max(1, min(most, least))
    return np.split(pixels, range(step, len(pixels), step))


def _flat(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), -1).astype(np.float64)


@kept
def basis(reference: Images) -> Basis:
    """The first components of some images."""
    light = reference.light
    most = min(FITTED, len(large.few(light.shape, rng=stream(0, "basis"), share=2)))
    some = _flat(light[np.linspace(0, len(light) - 1, min(len(light), most)).astype(int)])
    center = some.mean(0)
    count = min(COMPONENTS, *some.shape)
    axes = randomized_svd(some - center, count, random_state=0)[2].T
    low, high = np.quantile((some - center) @ axes[:, 0], [0.05, 0.95])
    return Basis(center, np.ascontiguousarray(axes), float(high - low) if high > low else 1.0)


def features(images: Images, reference: Images) -> Features:
    """The label, then 'component 01' .. 'component 48' on the reference's axes, then the radiomics of the pixels."""
    found, low, high = basis(reference).of(images), *brightness(reference)
    named = [f"component {i + 1:02d}" for i in range(found.shape[1])]
    told = np.column_stack([found, radiomics(images.light, low=low, high=high)])
    return coded.features(images.schema, images.frame, reference.frame, told, [*named, *NAMES])


def embed(images: Images, reference: Images) -> np.ndarray:
    """(n, d) float32: a Euclidean space in which another label, and the move of the first component from its 5th to its
    95th percentile in the reference, have length 1; so have another category of what else is known, and the same move
    of a number."""
    found = basis(reference)
    parts = [found.of(images) / found.unit]
    parts += [
        unit(number(images.frame[c.name]), number(reference.frame[c.name]))[:, None]
        if c.continuous
        else one_hot(images.frame[c.name], reference.frame[c.name])
        for c in images.schema.learned
        if c.kind != "text"
    ]
    return narrow(np.concatenate(parts, axis=1, dtype=np.float32))


def brightness(reference: Images, channel: int | None = None) -> tuple[float, float]:
    """The brightnesses between which nearly all pixels lie, of all channels or of one."""
    light = reference.light
    some = light[large.few(light.shape, rng=stream(0, "brightness"))]
    some = some if channel is None else some[:, channel]
    low, high = np.quantile(some.ravel()[:: max(some.size // 1_000_000, 1)], [0.001, 0.999])
    return float(low), float(high if high > low else low + 1)
