"""New masks, or other channels from which images are painted: the floor's mixtures, and what its components leave over
drawn with the texture that it has, so that the edges of a mask are as smooth as real ones.

Masks are no Gaussians: their planes are lifted until drawn ones cover as much as real ones do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.fft import dctn, idctn

from semblance.core.large import by_rows, few
from semblance.core.rng import stream
from semblance.learn.drawn import Learned, Sizes
from semblance.modalities.image.generators.painted import Painted

TEXTURE, LIFT = "texture", "lift"
TRIED = 100
"""Images that are drawn to see how much their masks cover."""


@dataclass(frozen=True, eq=False)
class Sources:
    """What the floor draws, `texture` (planes, ...), the amplitude at each spatial frequency of what components leave
    over, and the `lift` (planes,)."""

    painted: Painted
    texture: np.ndarray
    lift: np.ndarray

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
        level = cls(painted, _texture(left.reshape(len(rows), *shape)), np.zeros(shape[0], dtype=np.float32))
        return replace(level, lift=level._lift(learned, edges, rng=stream(seed, "lift")))

    def _lift(self, learned: Learned, edges: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(planes,) by how much drawn planes are too low to cover what real ones do."""
        some = rng.integers(0, len(learned.labels), TRIED)
        drawn = self.draw(learned.labels[some], learned.given[some], rng=rng)
        real, made = (x.reshape(len(x), len(edges), -1) for x in (learned.coefficients, drawn))
        lift = np.zeros(len(edges), dtype=np.float32)
        for i in np.flatnonzero(np.isfinite(edges)):
            inside = by_rows(partial(_inside, plane=int(i), edge=edges[i]), real)
            share = float(inside.sum() / (len(real) * real.shape[2]))
            lift[i] = edges[i] - np.quantile(made[:, i], 1 - share) if 0 < share < 1 else 0
        return lift

    @classmethod
    def restored(cls, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Sources:
        """The inverse of `arrays`."""
        return cls(Painted.restored(sizes, arrays), arrays[TEXTURE], arrays[LIFT])

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) float32 rows of new images of these labels."""
        found, along = self.painted.components, self.painted.along(labels, given, rng=rng)
        axes = tuple(range(2, 1 + self.texture.ndim))
        noise = rng.standard_normal((len(labels), *self.texture.shape)) * self.texture
        rest = idctn(noise, axes=axes, norm="ortho").reshape(len(labels), -1) * found.rest
        lift = np.repeat(self.lift, rest.shape[1] // len(self.lift))
        made: np.ndarray = (found.means[labels] + along @ found.axes + rest + lift).astype(np.float32)
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it."""
        return {**self.painted.arrays(), TEXTURE: self.texture, LIFT: self.lift}


def _inside(planes: np.ndarray, *, plane: int, edge: float) -> np.ndarray:
    """(n,) how many pixels of a plane are above the edge."""
    count: np.ndarray = (planes[:, plane] > edge).sum(1)
    return count


def _texture(left: np.ndarray) -> np.ndarray:
    """(planes, ...) float32 amplitudes of mean square 1 of (n, planes, ...); of nothing left over, those of noise. They
    are of cosines, which do not go on at the other side of an image."""
    axes = tuple(range(2, left.ndim))
    power = (dctn(left, axes=axes, norm="ortho") ** 2).mean(0)
    mean = power.mean(tuple(range(1, power.ndim)), keepdims=True)
    made: np.ndarray = np.sqrt(np.where(mean > 0, power / np.where(mean > 0, mean, 1), 1)).astype(np.float32)
    return made
