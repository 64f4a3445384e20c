"""Steps that bring the intensities of images in line before they are learned, each with its inverse.

- `resample`: to declared millimetres between pixels, linearly (masks: the nearest). Its inverse leads to the old grid;
  what is finer than the new one is lost.
- `bias`: a smooth field by which a coil brightens parts of an image is divided out: a few cosines, fitted to the steps
  between neighbours so that what is left of these is sparse (Zheng, Grossman, Awate & Gee, Automatic Correction of
  Intensity Nonuniformity from Sparseness of Gradient Distribution, MICCAI 2009).
- `standardise`: a few landmarks of the foreground are moved to their mean over images, linearly between them (Nyul &
  Udupa, On Standardizing the MR Image Intensity Scale, MRM 1999).
- `match`: histogram matching: the same with a landmark at every percentile.

What a step took from an image (its field, its landmarks) is what its inverse needs. It is kept for real images only: an
image that is made has none, and comes out on the common scale. Masks are left as they are, but on the new grid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from scipy.ndimage import map_coordinates

from semblance.core import large
from semblance.core.errors import DataError, Problem
from semblance.modalities.image.data import Step
from semblance.modalities.image.found import Found

LANDMARKS = {
    "standardise": (0.01, *(i / 10 for i in range(1, 10)), 0.99),
    "match": tuple(i / 100 for i in range(101)),
}
"""The shares of the foreground's pixels below each landmark."""
NAMES = ("bias", *LANDMARKS)
RESAMPLE = "resample"
ORDER, ROUNDS, LOOKED = 2, 20, 50_000
"""Cosines along an axis, turns, and pairs of neighbours that are looked at."""
SMALL, RIDGE = 0.01, 1e-6
"""Steps of a logarithm that are as good as none, and how far cosines that nothing tells are held to 0."""
DARK = 0.1
"""Below this share of the way from the darkest to a bright pixel (the 98th percentile) is background."""
FINER = 50
"""By how much a grid may be finer than an image is: beyond that somebody took one unit for another."""
RISE = 1e-5
"""By how much of their range landmarks rise at least, so that each leads back."""


@dataclass(frozen=True, eq=False)
class Taken:
    """What the steps took from images: of each step an array for every image and channel."""

    steps: tuple[Step, ...]
    own: tuple[np.ndarray, ...]

    def undone(self, light: np.ndarray) -> np.ndarray:
        """(n, channels, ...) as they were, of the images from which this was taken."""
        for step, own in reversed(list(zip(self.steps, self.own, strict=True))):
            light = _each(partial(_undone, step), own, light)
        return light


def take(
    light: np.ndarray, steps: Sequence[str | Step], *, whose: np.ndarray | None = None, among: np.ndarray | None = None
) -> tuple[np.ndarray, Taken]:
    """(n, channels, ...) intensities after the steps, and what these took. A step by its name alone finds what images
    have in common, those `among` (n,) bool or all: every patient counts alike, `whose` (n,) the images are, or each
    image. Channels that nobody knows stay NaN."""
    whose = np.arange(len(light)) if whose is None else whose
    among = np.ones(len(light), dtype=bool) if among is None else among
    done, all_own = [], []
    for step in steps:
        name = step if isinstance(step, str) else step.name
        own = np.array([[_own(name, x) for x in image] for image in light])
        known = Step(name, _common(name, own[among], whose[among])) if isinstance(step, str) else step
        light = _each(partial(_done, known), own, light)
        done.append(known)
        all_own.append(own)
    return light, Taken(tuple(done), tuple(all_own))


def _each(change: Callable[..., np.ndarray], own: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(n, channels, ...) of which `change(own, channel, image)` made each channel of each image."""
    made = large.empty(light.shape)
    for i, image in enumerate(light):
        for c, x in enumerate(image):
            made[i, c] = change(own[i, c], c, x)
    return made


def _own(name: str, x: np.ndarray) -> np.ndarray:
    """What a step takes of a channel: coefficients of its field, or its landmarks."""
    if np.isnan(x).any():
        return np.full(len(_powers(x.ndim)) if name == "bias" else len(LANDMARKS[name]), np.nan)
    return _field(x) if name == "bias" else _rising(np.quantile(x[_bright(x)], LANDMARKS[name]))


def _common(name: str, own: np.ndarray, whose: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """The mean landmarks of each channel, over the means of patients."""
    if name == "bias":
        return ()
    means = (pd.DataFrame(own[:, c]).groupby(whose).mean().mean() for c in range(own.shape[1]))
    return tuple(tuple(map(float, _rising(one.to_numpy()))) for one in means)


def _done(step: Step, own: np.ndarray, channel: int, x: np.ndarray) -> np.ndarray:
    if np.isnan(own).any():
        return x
    return x / _spread(own, x.shape) if step.name == "bias" else _moved(x, own, np.array(step.common[channel]))


def _undone(step: Step, own: np.ndarray, channel: int, x: np.ndarray) -> np.ndarray:
    if np.isnan(own).any():
        return x
    return x * _spread(own, x.shape) if step.name == "bias" else _moved(x, np.array(step.common[channel]), own)


# Landmarks


def _bright(x: np.ndarray) -> np.ndarray:
    """Which pixels are no background; all where nothing stands out."""
    low, high = float(x.min()), float(np.quantile(x, 0.98))
    made: np.ndarray = x > low + DARK * (high - low)
    return made if made.any() else np.ones(x.shape, dtype=bool)


def _rising(values: np.ndarray) -> np.ndarray:
    """Landmarks of which each is above the one before."""
    span = float(values[-1] - values[0]) or max(abs(float(values[0])), 1.0)
    made: np.ndarray = np.maximum.accumulate(values) + RISE * span * np.arange(len(values))
    return made


def _moved(x: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Intensities moved as landmarks are; below the first and above the last one, all by as much."""
    near = np.interp(x, source, target)
    below, above = np.minimum(x - source[0], 0), np.maximum(x - source[-1], 0)
    made: np.ndarray = near + below + above
    return made


# Bias field


def _powers(axes: int) -> list[tuple[int, ...]]:
    """The cosines of a field: how many half turns along each axis, at most ORDER together, and not none."""
    return [one for one in product(range(ORDER + 1), repeat=axes) if 0 < sum(one) <= ORDER]


def _cosines(shape: Sequence[int]) -> np.ndarray:
    """(cosines, pixels)."""
    lines = [np.cos(np.pi * np.outer(range(ORDER + 1), np.arange(side) + 0.5) / side) for side in shape]
    made = []
    for powers in _powers(len(shape)):
        field = np.ones(tuple(shape))
        for axis, power in enumerate(powers):
            field = field * lines[axis][power].reshape([-1 if i == axis else 1 for i in range(len(shape))])
        made.append(field.ravel())
    return np.array(made)


def _spread(own: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """The field of an image, around 1."""
    made: np.ndarray = np.exp(own @ _cosines(shape)).reshape(shape)
    return made


def _field(x: np.ndarray) -> np.ndarray:
    """(cosines,) of the logarithm of an image's field: the steps between bright neighbours are those of the field, but
    at edges of tissue; so their absolute differences are least, by weighted squares in turns."""
    seen = _bright(x) & (x > 0)
    log, fields = np.log(np.where(seen, x, 1.0).astype(float)), _cosines(x.shape).reshape(-1, *x.shape)
    rises, waves = [], []
    for axis in range(x.ndim):
        both = np.diff(seen.astype(np.int8), axis=axis) == 0
        both &= np.delete(seen, 0, axis)
        rises.append(np.diff(log, axis=axis)[both])
        waves.append(np.diff(fields, axis=axis + 1)[:, both])
    rise, wave = np.concatenate(rises), np.concatenate(waves, 1)
    own = np.zeros(len(wave))
    if len(rise) < 2 * len(wave):
        return own
    some = slice(None, None, max(len(rise) // LOOKED, 1))
    rise, wave = rise[some], wave[:, some]
    calm = RIDGE * np.trace(wave @ wave.T) * np.eye(len(wave))
    for _ in range(ROUNDS):
        weighted = wave / np.maximum(np.abs(rise - own @ wave), SMALL)
        own = np.linalg.solve(weighted @ wave.T + calm, weighted @ rise)
    return own


# Grids


def resampled(one: Found, spacing: tuple[float, ...]) -> Found:
    """An image on a grid of these millimetres. Raises DataError where it does not say its own, or has other axes."""
    own, sides = one.layout.spacing, one.pixels.shape[1:]
    if len(own) != len(sides) or len(spacing) != len(sides):
        found = f"'{one.name}' has {len(sides)} axes, the millimetres of {len(own)}, and {len(spacing)} are declared"
        rule, fix = "an image that is resampled says its own spacing", "add `spacing`, or leave out [image] resample"
        raise DataError(Problem(found, rule, fix))
    if own == spacing:
        return one
    if not all(0 < a < FINER * b for a, b in zip(own, spacing, strict=True)):  # what is NaN is not, either
        found = f"'{one.name}' has pixels of {' x '.join(f'{a:g}' for a in own)} millimetres"
        rule = f"pixels have a size, and a grid is at most {FINER} times finer"
        raise DataError(Problem(found, rule, "correct its spacing, or [image] resample"))
    shape = tuple(max(round(n * a / b), 1) for n, a, b in zip(sides, own, spacing, strict=True))
    pixels = np.stack([on_grid(channel, shape) for channel in one.pixels])
    masks = {name: on_grid(mask, shape, order=0) if mask.shape == sides else mask for name, mask in one.masks.items()}
    affine = _affine(one.layout.affine, sides, shape, [b / a for a, b in zip(own, spacing, strict=True)])
    return replace(one, pixels=pixels, masks=masks, layout=replace(one.layout, spacing=spacing, affine=affine))


def _affine(
    affine: tuple[float, ...], old: Sequence[int], new: Sequence[int], coarser: Sequence[float]
) -> tuple[float, ...]:
    """NIfTI's affine, where there is one, on a grid of `new` instead of `old` pixels, each so much `coarser`: the field
    of view stays, and with it the edge of the first pixel, not its middle."""
    if not affine:
        return ()
    made = np.reshape(np.array(affine), (3, 4))
    for axis, (before, now, wider) in enumerate(zip(old, new, coarser, strict=True)):
        column = len(old) - 1 - axis  # axes of NIfTI run the other way round
        made[:, 3] += made[:, column] * (before / now - 1) / 2
        made[:, column] *= wider
    return tuple(round(float(x), 6) for x in made.ravel())


def on_grid(x: np.ndarray, shape: Sequence[int], *, order: int = 1) -> np.ndarray:
    """Pixels of the same field of view on a grid of another shape: linearly, or the nearest (order 0)."""
    at = [(np.arange(new) + 0.5) * old / new - 0.5 for new, old in zip(shape, x.shape, strict=True)]
    made: np.ndarray = map_coordinates(x, np.meshgrid(*at, indexing="ij"), order=order, mode="nearest")
    return made.astype(x.dtype)
