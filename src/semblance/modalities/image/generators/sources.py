"""New masks, or other channels from which images are painted: the floor's mixtures, and what its components leave over
drawn with the texture that it has, so that the edges of a mask are as smooth as real ones.

Masks are no Gaussians: the plane of each new image is lifted until what it covers is a size that real ones of its label
have, or sunk until it covers nothing. The mean of a plane, which of a mask of two numbers is its size, says which: the
share of the mixture's own draws that lie below it is that of real masks that are smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.fft import dctn, idctn
from scipy.special import ndtri

from semblance.core.large import by_rows, few
from semblance.core.rng import stream
from semblance.learn.drawn import Learned, Sizes
from semblance.modalities.image.generators.painted import Painted

TEXTURE, AREAS, MEANS = "texture", "areas", "means"
TRIED = 128
"""Draws of each label that tell which means its planes have."""
FAR = 2.0
"""Standard deviations beyond which no size of a mask is drawn: tails of few images are not known."""


@dataclass(frozen=True, eq=False)
class Sources:
    """What the floor draws, `texture` (planes, ...), the amplitude at each spatial frequency of what components leave
    over, and the `areas` (planes, kinds, 4) of masks: the edge above which a plane is inside of its class, the share of
    images that show none of it, and mean and standard deviation of the logarithm of the share that it covers of others.
    Of brightness they are NaN. `means` (planes, kinds, TRIED) of planes as the mixture draws them, in rising order."""

    painted: Painted
    texture: np.ndarray
    areas: np.ndarray
    means: np.ndarray

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
        texture = _texture(left.reshape(len(rows), *shape))
        return cls(painted, texture, _areas(learned, edges, rare), _means(painted, texture, learned, edges, seed=seed))

    @classmethod
    def restored(cls, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Sources:
        """The inverse of `arrays`."""
        return cls(Painted.restored(sizes, arrays), arrays[TEXTURE], arrays[AREAS], arrays[MEANS])

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) float32 rows of new images of these labels."""
        planes = _drawn(self.painted, self.texture, labels, given, rng=rng)
        for i in np.flatnonzero(np.isfinite(self.areas[:, 0, 0])):
            planes[:, i] += _lift(planes[:, i], self.areas[i, labels], self.means[i, labels])[:, None]
        return planes.reshape(len(labels), -1)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it."""
        return {**self.painted.arrays(), TEXTURE: self.texture, AREAS: self.areas, MEANS: self.means}


def _drawn(
    painted: Painted, texture: np.ndarray, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """(n, planes, pixels) float32 of the mixture, with the texture of what it leaves over."""
    found, along = painted.components, painted.along(labels, given, rng=rng)
    noise = rng.standard_normal((len(labels), *texture.shape)) * texture
    rest = idctn(noise, axes=tuple(range(2, noise.ndim)), norm="ortho").reshape(len(labels), -1) * found.rest
    made: np.ndarray = (found.means[labels] + along @ found.axes + rest).astype(np.float32)
    return made.reshape(len(labels), len(texture), -1)


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


def _means(painted: Painted, texture: np.ndarray, learned: Learned, edges: np.ndarray, *, seed: int) -> np.ndarray:
    """(planes, kinds, TRIED) float32 means of masks, as images of each label are drawn one by one, in rising order."""
    masks, kinds = np.flatnonzero(np.isfinite(edges)), learned.sizes.kinds
    made = np.full((len(edges), kinds, TRIED), np.nan, dtype=np.float32)
    for kind in range(kinds) if len(masks) else ():
        rng = stream(seed, MEANS, kind)
        of = np.flatnonzero(learned.labels == kind)
        given = learned.given[rng.choice(of if len(of) else len(learned.labels), TRIED)]
        for i in range(TRIED):
            plane = _drawn(painted, texture, np.array([kind]), given[i : i + 1], rng=rng)
            made[masks, kind, i] = plane[0, masks].mean(1)
    return np.sort(made, axis=2)


def _inside(rows: np.ndarray, *, mask: slice, edge: float) -> np.ndarray:
    """(n,) how many pixels of a mask are above the edge."""
    count: np.ndarray = (rows[:, mask] > edge).sum(1)
    return count


def _lift(plane: np.ndarray, area: np.ndarray, means: np.ndarray) -> np.ndarray:
    """(n,) what is added to (n, pixels) of a plane, so that each covers a size of its (n, 4) `area`: that which has its
    rank, when the plane has its own among (n, TRIED) `means`."""
    edge, none, mean, spread = area.T.astype(float)
    rank = ((means < plane.mean(1)[:, None]).sum(1) + 0.5) / (means.shape[1] + 1)
    shown = rank > none
    deviation = ndtri(np.where(shown, (rank - none) / np.where(shown, 1 - none, 1), 0.5))
    size = np.where(shown, np.exp(mean + spread * deviation.clip(-FAR, FAR)), 0.0)
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
