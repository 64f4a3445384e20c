"""Images as shared judges want them: `features` for classifiers, `embed` for distances, both coded on a reference.

An image becomes its principal components in the reference, and what radiologists call radiomics: moments of brightness
and of texture. Of several contrasts each is seen by itself, so that none is lost beside one of larger numbers.
"""

from __future__ import annotations

from collections.abc import Collection
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
"""Components of an image, of all contrasts together, and the images of the reference by which they are found."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Of one contrast: `channels` of intensities, `center` (d,) and `axes` (d, k) orthonormal columns; `unit` is the
    move of the first component from its 5th to its 95th percentile."""

    channels: list[int]
    center: np.ndarray
    axes: np.ndarray
    unit: float

    def of(self, images: Images) -> np.ndarray:
        """(n, k) float64 components, the largest first: an image has the same ones in any company."""
        parts = together(images.light, FITTED)
        return np.concatenate([(_flat(part[:, self.channels]) - self.center) @ self.axes for part in parts])


def together(pixels: np.ndarray, most: int) -> list[np.ndarray]:
    """Pixels of images (n, ...), of at most so many images together, and of no more than are looked at together."""
    least = large.parts(pixels)[0].stop
    step = max(1, min(most, least))
    return np.split(pixels, range(step, len(pixels), step))


def _flat(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), -1).astype(np.float64)


@kept
def bases(reference: Images) -> dict[str, Basis]:
    """The first components of some images, of each contrast by its name: all contrasts have equally many, whatever the
    units of their pixels."""
    light, contrasts = reference.light, reference.contrasts
    most = min(FITTED, len(large.few(light.shape, rng=stream(0, "basis"), share=2)))
    some = light[np.linspace(0, len(light) - 1, min(len(light), most)).astype(int)]
    count = max(COMPONENTS // len(contrasts), 1)
    return {name: _basis(_flat(some[:, channels]), channels, count) for name, channels in contrasts.items()}


def _basis(some: np.ndarray, channels: list[int], count: int) -> Basis:
    center = some.mean(0)
    axes = randomized_svd(some - center, min(count, *some.shape), random_state=0)[2].T
    low, high = np.quantile((some - center) @ axes[:, 0], [0.05, 0.95])
    return Basis(channels, center, np.ascontiguousarray(axes), float(high - low) if high > low else 1.0)


def features(images: Images, reference: Images) -> Features:
    """The label; of each contrast 'component 01' .. on the reference's axes, 48 of all; then the radiomics of each.
    Where there are several, the name of a contrast stands behind that of its numbers."""
    named, parts, found = list[str](), list[np.ndarray](), bases(reference)
    for name, one in found.items():
        parts.append(one.of(images))
        named += [f"component {i + 1:02d}{_of(name, found)}" for i in range(parts[-1].shape[1])]
    parts.append(textures(images, reference))
    named += [f"{told}{_of(name, found)}" for name in found for told in NAMES]
    return coded.features(images.schema, images.frame, reference.frame, np.column_stack(parts), named)


def _of(name: str, every: Collection[str]) -> str:
    return f" ({name})" if len(every) > 1 else ""


def textures(images: Images, reference: Images) -> np.ndarray:
    """(n, contrasts * len(NAMES)) radiomics of the first channel of each contrast, between the ends of the
    reference's."""
    low, high = ends(reference)
    firsts = [channels[0] for channels in reference.contrasts.values()]
    told = [radiomics(images.light[:, i : i + 1], low=float(low[i]), high=float(high[i])) for i in firsts]
    return np.concatenate(told, axis=1)


def embed(images: Images, reference: Images) -> np.ndarray:
    """(n, d) float32: a Euclidean space in which another label, and in each contrast the move of the first component
    from its 5th to its 95th percentile in the reference, have length 1; so have another category of what else is known,
    and the same move of a number."""
    parts = [one.of(images) / one.unit for one in bases(reference).values()]
    parts += [
        unit(number(images.frame[c.name]), number(reference.frame[c.name]))[:, None]
        if c.continuous
        else one_hot(images.frame[c.name], reference.frame[c.name])
        for c in images.schema.learned
        if c.kind != "text"
    ]
    return narrow(np.concatenate(parts, axis=1, dtype=np.float32))


@kept
def ends(reference: Images) -> tuple[np.ndarray, np.ndarray]:
    """(channels,) twice: the brightnesses between which nearly all pixels lie, of each channel of intensities; those of
    one contrast are the same."""
    light = reference.light
    some = light[large.few(light.shape, rng=stream(0, "brightness"))]
    low, high = np.empty(light.shape[1]), np.empty(light.shape[1])
    for channels in reference.contrasts.values():
        shown = some[:, channels].ravel()
        low[channels], high[channels] = np.quantile(shown[:: max(shown.size // 1_000_000, 1)], [0.001, 0.999])
    return low, np.where(high > low, high, low + 1)


def unit_of(pixels: np.ndarray, ends: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Intensities (n, channels, ...) with the ends of each channel at 0 and at 1."""
    low, high = (end.astype(pixels.dtype).reshape(-1, *(1,) * (pixels.ndim - 2)) for end in ends)
    made: np.ndarray = (pixels - low) / (high - low)
    return made
