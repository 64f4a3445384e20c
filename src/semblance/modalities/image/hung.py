"""Planes as they are hung to be looked at: head up, and in front of what is behind; the patient's right at the left.

Where an image does not say how it lies its axes stay, and no side is named. Pixels are repeated until they are as wide
as they are high in millimetres.
"""

from __future__ import annotations

import numpy as np

from semblance.modalities.image.data import Layout

PLANES = {"S": "axial", "A": "coronal", "R": "sagittal"}
"""By the axis across them."""
UP, LEFT = "SA", "RA"
"""What is at the top of a picture, and what at its left, where it is known."""
LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))
"""The sides between which millimetres of DICOM grow: to the patient's left, to the back and to the top."""

Sides = tuple[str, str]
"""The letters at the first and at the last place of an axis; nothing where nobody knows."""


def sides(layout: Layout, count: int) -> list[Sides]:
    """Those of each of so many axes of an image."""
    if len(layout.affine) == 12:
        moves = np.reshape(layout.affine, (3, 4))[:, 2::-1].T * [-1, -1, 1]  # RAS to LPS, and (x, y, z) to (z, y, x)
    elif len(layout.across) == 6:
        row, column = np.reshape(layout.across, (2, 3))
        moves = np.stack([np.cross(row, column), column, row])
    else:
        return [("", "")] * count
    found = [_side(move) for move in moves[-count:]]
    return found if len({frozenset(pair) for pair in found}) == count else [("", "")] * count


def _side(move: np.ndarray) -> Sides:
    axis = int(np.abs(move).argmax())
    first, last = LETTERS[axis]
    return (first, last) if move[axis] >= 0 else (last, first)


def hung(pixels: np.ndarray, layout: Layout, axis: int = 0) -> tuple[np.ndarray, str]:
    """(n, channels, height, width) of images, of volumes the middle plane across an axis; and in words which plane that
    is and where its sides are."""
    count = pixels.ndim - 2
    known, spacing = sides(layout, count), _spacing(layout, count)
    name = ""
    if count == 3:
        pixels = np.take(pixels, pixels.shape[2 + axis] // 2, 2 + axis)
        name = next((plane for letter, plane in PLANES.items() if letter in known[axis]), f"across axis {axis + 1}")
        del known[axis], spacing[axis]
    if "R" in known[0] or "S" in known[1]:
        pixels, known, spacing = pixels.swapaxes(2, 3), known[::-1], spacing[::-1]
    for i, wanted in enumerate((UP, LEFT)):
        if known[i][1] and known[i][1] in wanted:
            pixels, known[i] = np.flip(pixels, 2 + i), known[i][::-1]
        pixels = _stretched(pixels, 2 + i, spacing[i] / min(spacing))
    where = f"{known[0][0]} at the top, {known[1][0]} at the left" if known[0][0] else ""
    return pixels, ", ".join(filter(None, (name, where)))


def _spacing(layout: Layout, count: int) -> list[float]:
    told = list(layout.spacing)
    return told if len(told) == count and min(told) > 0 else [1.0] * count


def _stretched(pixels: np.ndarray, axis: int, times: float) -> np.ndarray:
    """Places repeated so that there are so many times as many along an axis."""
    size = pixels.shape[axis]
    return np.take(pixels, (np.arange(round(size * times)) * size) // round(size * times), axis)
