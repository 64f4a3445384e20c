"""New masks, or other channels from which images are painted: the floor's mixtures, and what its components leave over
drawn with the texture that it has, so that the edges of a mask are as smooth as real ones.

Masks are no Gaussians: the plane of each new image is lifted until what it covers is a size that real ones of its label
have, or sunk until it covers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.fft import dctn, idctn

from semblance.core.large import by_rows, few
from semblance.core.rng import stream
from semblance.learn.drawn import Learned, Sizes
from semblance.modalities.image.generators.painted import Painted

TEXTURE, AREAS = "texture", "areas"
FAR = 2.0
"""Standard deviations beyond which no size of a mask is drawn: tails of few images are not known."""


@dataclass(frozen=True, eq=False)
class Sources:
    """What the floor draws, `texture` (planes, ...), the amplitude at each spatial frequency of what components leave
    over, and the `areas` (planes, kinds, 4) of masks: the edge above which a plane is inside of its class, the share of
    images that show none of it, and mean and standard deviation of the logarithm of the share that it covers of others.
    Of brightness they are NaN."""

    painted: Painted
    texture: np.ndarray
    areas: np.ndarray

    @classmethod
    def fit(
        cls,
        learned: Learned,
        shape: tuple[int, ...],
        edges: np.ndarray,
        *,
        most: int,
        mixture: int,
        rare: int,
        seed: int,
    ) -> Sources:
        """Of images of `shape` (planes, ...): at most so many components, and so many Gaussians of each label. `edges`
        (planes,) says above which number a plane is inside of its class, NaN for brightness."""
        painted = Painted.fit(learned, most=most, mixture=mixture, rare=rare, seed=seed)
        found, some = painted.components, few(learned.coefficients.shape, rng=stream(seed, TEXTURE))
        rows, labels = learned.coefficients[some], learned.labels[some]
        left = rows - found.means[labels] - found.along(rows, labels) @ found.axes
        return cls(painted, _texture(left.reshape(len(rows), *shape)), _areas(learned, edges, rare))

    @classmethod
    def restored(cls, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Sources:
        """The inverse of `arrays`."""
        return cls(Painted.restored(sizes, arrays), arrays[TEXTURE], arrays[AREAS])

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) float32 rows of new images of these labels."""
        found, along = self.painted.components, self.painted.along(labels, given, rng=rng)
        axes = tuple(range(2, 1 + self.texture.ndim))
        noise = rng.standard_normal((len(labels), *self.texture.shape)) * self.texture
        rest = idctn(noise, axes=axes, norm="ortho").reshape(len(labels), -1) * found.rest
        made: np.ndarray = (found.means[labels] + along @ found.axes + rest).astype(np.float32)
        planes = made.reshape(len(made), len(self.areas), -1)
        for i in np.flatnonzero(np.isfinite(self.areas[:, 0, 0])):
            planes[:, i] += _lift(planes[:, i], self.areas[i, labels], rng=rng)[:, None]
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it."""
        return {**self.painted.arrays(), TEXTURE: self.texture, AREAS: self.areas}


def _areas(learned: Learned, edges: np.ndarray, rare: int) -> np.ndarray:
    """(planes, kinds, 4) float32 areas of masks in images of each label; where fewer than `rare` patients of a label
    show one, its sizes are those of all."""
    kinds, pixels = learned.sizes.kinds, learned.coefficients.shape[1] // len(edges)
    made = np.full((len(edges), kinds, 4), np.nan, dtype=np.float32)
    for i in np.flatnonzero(np.isfinite(edges)):
        mask = slice(int(i) * pixels, (int(i) + 1) * pixels)
        share = by_rows(partial(_inside, mask=mask, edge=edges[i]), learned.coefficients) / pixels
        shown = share > 0
        for kind in range(kinds):
            own = learned.labels == kind
            enough = len(np.unique(learned.subjects[own & shown])) >= rare
            sizes = np.log(share[own & shown if enough else shown])
            none = 1 - shown[own].mean() if own.any() else 1 - shown.mean()
            made[i, kind] = edges[i], none, sizes.mean() if len(sizes) else 0.0, sizes.std() if len(sizes) else 0.0
    return made


def _inside(rows: np.ndarray, *, mask: slice, edge: float) -> np.ndarray:
    """(n,) how many pixels of a mask are above the edge."""
    count: np.ndarray = (rows[:, mask] > edge).sum(1)
    return count


def _lift(plane: np.ndarray, area: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) what is added to (n, pixels) of a plane, so that each covers a size drawn from its (n, 4) `area`."""
    edge, none, mean, spread = area.T.astype(float)
    size = np.exp(mean + spread * rng.standard_normal(len(plane)).clip(-FAR, FAR))
    size = np.where(rng.random(len(plane)) < none, 0.0, size)
    count = np.round(size * plane.shape[1]).astype(np.int64)
    count = np.where(size > 0, count.clip(1, plane.shape[1]), 0)
    falling = np.pad(-np.sort(-plane, axis=1), ((0, 0), (1, 1)), mode="edge")
    falling[:, 0] += 1
    falling[:, -1] -= 1
    each = np.arange(len(plane))
    middle = (falling[each, count] + falling[each, count + 1]) / 2
    return edge - middle


def _texture(left: np.ndarray) -> np.ndarray:
    """(planes, ...) float32 amplitudes of mean square 1 of (n, planes, ...); of nothing left over, those of noise. They
    are of cosines, which do not go on at the other side of an image."""
    axes = tuple(range(2, left.ndim))
    power = (dctn(left, axes=axes, norm="ortho") ** 2).mean(0)
    mean = power.mean(tuple(range(1, power.ndim)), keepdims=True)
    made: np.ndarray = np.sqrt(np.where(mean > 0, power / np.where(mean > 0, mean, 1), 1)).astype(np.float32)
    return made
