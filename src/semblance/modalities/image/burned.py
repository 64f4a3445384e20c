"""Text in the pixels of images, which may name a patient: lines of letters, as devices and people write them.

Letters are thin strokes much brighter, or much darker, than most of the image, about as high as their neighbours and in
a row with them. What is found is no proof, and what is not found may be there: handwriting, letters under five pixels
and text of the brightness of anatomy are missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects, label

SMALLEST = 48
"""Pixels of the shorter side below which no text can be read."""
EXTREME = (0.6, 0.75, 0.9)
"""How far between the darkest and the brightest pixel strokes begin."""
LETTERS = 5
"""Letters of a line, at least: a side marker has one, or two."""
HIGH, TALL = 5, 0.12
"""Pixels that a letter is high, at least, and the share of an image's height that it has at most."""
THIN = 0.2
"""Of its height, and half a pixel: how far the inside of a stroke is from its edge at most."""
APART = 0.25
"""Of the range of an image: how much brighter a letter is than what lies between its strokes, at least."""
ALIKE, NEAR, LEVEL = 0.35, 1.2, 0.3
"""In units of a letter's height: by how much heights differ, how far neighbours are apart, and how far their feet."""
LOOKED, PLANES, PIXELS = 300, 3, 2**29
"""Images that are looked at, at most; of a volume, planes; and about as many pixels of all, which takes a minute."""
CROWDED, MANY, ROOM = 500, 200, 80
"""Pieces, and pieces of the size of letters, beyond which an image is texture; and the pixels that there are for each
piece where it is not."""


def looked_at(shapes: Sequence[tuple[int, ...]]) -> list[int]:
    """Which images of these shapes (channels, ..., height, width) are looked at: all, or evenly some."""
    total = sum(min(shape[1] if len(shape) == 4 else 1, PLANES) * shape[-2] * shape[-1] for shape in shapes)
    step = max(1, -(-len(shapes) // LOOKED), -(-total // PIXELS))
    return [i for i in range(0, len(shapes), step) if min(shapes[i][-2:]) >= SMALLEST]


def written(pixels: np.ndarray) -> bool:
    """Whether an image (channels, height, width) seems to show a line of text; of a volume, its first, its middle or
    its last plane."""
    if min(pixels.shape[-2:]) < SMALLEST:
        return False
    planes = (
        [pixels] if pixels.ndim == 3 else [pixels[:, i] for i in sorted({0, pixels.shape[1] // 2, pixels.shape[1] - 1})]
    )
    return any(_lines(np.fmax.reduce(plane)) or _lines(-np.fmin.reduce(plane)) for plane in planes)


def _lines(image: np.ndarray) -> bool:
    """Whether bright strokes of an image (height, width) stand in a row; pixels that are no number are background."""
    known = image[np.isfinite(image)]
    if not known.size or known.max() == known.min():
        return False
    low, high = float(known.min()), float(known.max())
    unit = (np.where(np.isfinite(image), image, low) - low) / (high - low)
    return any(_in_a_row(np.array([*_letters(unit, share)]).reshape(-1, 4)) for share in EXTREME)


def _letters(unit: np.ndarray, share: float) -> Iterator[tuple[int, int, int, int]]:
    """Top, foot, left and right of pieces above this share that are high enough, not too high or wide, of thin strokes,
    and that stand out from what lies between these."""
    pieces, count = label(unit > share, np.ones((3, 3)))
    if not LETTERS <= count <= min(CROWDED, unit.size // ROOM):
        return
    most = max(round(TALL * unit.shape[0]), HIGH)
    boxes = enumerate(find_objects(pieces), start=1)
    sized = [(i, rows, columns) for i, (rows, columns) in boxes if _is_sized(rows, columns, most)]
    if not LETTERS <= len(sized) <= MANY:
        return
    for i, rows, columns in sized:
        mine, seen = np.pad(pieces[rows, columns] == i, 1), _around(unit, rows, columns)
        depth = distance_transform_edt(mine).max()
        if depth <= THIN * (rows.stop - rows.start) + 0.5 and _median(seen[mine]) - _median(seen[~mine]) >= APART:
            yield rows.start, rows.stop, columns.start, columns.stop


def _is_sized(rows: slice, columns: slice, most: int) -> bool:
    """Whether a box is high enough, and not too high or wide."""
    height = rows.stop - rows.start
    return HIGH <= height <= most and columns.stop - columns.start <= 1.5 * height


def _median(values: np.ndarray) -> float:
    """The lower one, but for NaN."""
    known = np.sort(values[~np.isnan(values)])
    return float(known[(len(known) - 1) // 2])


def _around(unit: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    """A box and one pixel around it, NaN beyond the image."""
    made = np.full((rows.stop - rows.start + 2, columns.stop - columns.start + 2), np.nan)
    top, left = max(rows.start - 1, 0), max(columns.start - 1, 0)
    some = unit[top : rows.stop + 1, left : columns.stop + 1]
    at = (top - rows.start + 1, left - columns.start + 1)
    made[at[0] : at[0] + some.shape[0], at[1] : at[1] + some.shape[1]] = some
    return made


def _in_a_row(boxes: np.ndarray) -> bool:
    """Whether LETTERS of the boxes follow each other on a line."""
    boxes = boxes[np.argsort(boxes[:, 2], kind="stable")] if len(boxes) else boxes
    length = np.ones(len(boxes), dtype=int)
    for j in range(len(boxes)):
        top, foot, left, _ = boxes[j]
        height = foot - top
        heights, gaps = boxes[:j, 1] - boxes[:j, 0], left - boxes[:j, 3]
        fits = np.abs(heights - height) <= ALIKE * np.maximum(heights, height)
        fits &= np.abs(boxes[:j, 1] - foot) <= LEVEL * height
        fits &= (gaps <= NEAR * height) & (gaps >= -0.2 * height)
        if fits.any():
            length[j] = 1 + length[:j][fits].max()
    return bool(length.max(initial=0) >= LETTERS)
