"""How images lie in a patient: axes are brought to the nearest usual directions, so that all images of a set lie alike.

Pixels are moved, never interpolated: axes change their order, and run the other way. Arrays of NIfTI (depth, height,
width) run along z, y and x: to the top, to the front and to the right, as its millimetres grow (RAS). The planes of
DICOM keep their kind and lie as they are looked at: a row goes to the patient's left, of a sagittal plane to the back;
a column goes to the back of an axial plane, else to the feet (PS3.3 C.7.6.2; its millimetres grow to the left, to the
back and to the top).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from semblance.modalities.image.data import Layout

PLANES = ("sagittal", "coronal", "axial")
"""By the axis that stands upright on them: x, y, z."""
RAS, LPS = (1, 1, 1), (1, 1, -1)
"""Which way x, y and z run: with their millimetres, but for z of DICOM, which is looked at from the top down."""
TURNED = "axes are turned to the usual directions"
ALIKE = 0.01
"""Between the numbers of two directions that are one."""


@dataclass(frozen=True)
class Turn:
    """The last axes of an array in their new `order`, by their positions, and which of them are `flipped` then."""

    order: tuple[int, ...]
    flipped: tuple[bool, ...]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(..., axes) pixels, turned; what has fewer axes stays as it is."""
        first = x.ndim - len(self.order)
        if first < 0:
            return x
        moved = x.transpose(*range(first), *(first + i for i in self.order))
        made: np.ndarray = np.flip(moved, tuple(first + i for i, back in enumerate(self.flipped) if back))
        return made

    def __bool__(self) -> bool:
        return self.order != tuple(range(len(self.order))) or any(self.flipped)


def turn(directions: Sequence[np.ndarray], ends: tuple[int, int, int]) -> Turn:
    """What brings axes of an array that run in `directions` (3,) to z, y and x, as many as there are of them, each
    running to its end."""
    near = _axes(directions)
    order = tuple(sorted(range(len(near)), key=lambda i: -near[i]))
    return Turn(order, tuple(bool(directions[i][near[i]] * ends[near[i]] < 0) for i in order))


def _axes(directions: Sequence[np.ndarray]) -> tuple[int, ...]:
    """The axis of the patient (0 for x) that each direction is nearest to, each another one."""
    share = [np.abs(one) / np.linalg.norm(one) for one in directions]
    ways = permutations(range(3), len(share))
    return max(ways, key=lambda way: sum(one[axis] for one, axis in zip(share, way, strict=True)))


def plane_turn(across: Sequence[float]) -> tuple[Turn, tuple[float, ...]]:
    """That of a plane of DICOM (height, width) by the directions of its rows and columns, and what these are then;
    of unknown ones none."""
    if not are_directions(across):
        return Turn((0, 1), (False, False)), ()
    along = [np.array(across[3:], dtype=float), np.array(across[:3], dtype=float)]
    made = turn(along, LPS)
    down, right = (-along[i] if back else along[i] for i, back in zip(made.order, made.flipped, strict=True))
    return made, tuple(round(float(x), 6) + 0.0 for x in (*right, *down))


def are_directions(across: Sequence[float]) -> bool:
    """Whether these are the two directions of a plane."""
    numbers = np.array(across, dtype=float)
    return numbers.shape == (6,) and bool(np.isfinite(numbers).all() and numbers[:3].any() and numbers[3:].any())


def grid_turn(affine: np.ndarray, shape: Sequence[int]) -> tuple[Turn, np.ndarray]:
    """That of an array of this shape, which is NIfTI's with its axes turned around, and the affine (4, 4) then."""
    count, moved = len(shape), affine.copy()
    made = turn([affine[:3, count - 1 - i] for i in range(count)], RAS)
    for axis, (i, back) in enumerate(zip(made.order, made.flipped, strict=True)):
        column = affine[:, count - 1 - i]
        moved[:, count - 1 - axis] = -column if back else column
        moved[:, 3] += column * (shape[i] - 1) if back else 0.0
    return made, moved


def plane(layout: Layout) -> str:
    """The plane in which images lie, of volumes their slices; '' where nobody knows."""
    if layout.across:
        inside = _axes([np.array(layout.across[:3]), np.array(layout.across[3:])])
    elif layout.affine:
        inside = _axes(list(np.reshape(layout.affine, (3, 4)).T[:2]))
    else:
        return ""
    return next(name for axis, name in enumerate(PLANES) if axis not in inside)


def straight(plane: str, spacing: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The directions of a plane of DICOM and the affine of NIfTI that are turned, along the axes of the patient: those
    that say nothing of how any patient lay. `spacing` in millimetres along each axis of an image."""
    upright = PLANES.index(plane)
    down, right = sorted({0, 1, 2} - {upright}, reverse=True)
    unit = np.eye(3)
    across = (*(unit[right] * LPS[right]), *(unit[down] * LPS[down]))
    steps = [*spacing[::-1], *[1.0] * (3 - len(spacing))]
    affine = np.zeros((3, 4))
    for column, axis in enumerate((right, down, upright)):
        affine[axis, column] = steps[column]
    return tuple(float(x) + 0.0 for x in across), tuple(affine.ravel().tolist())
