"""Pictures of images for the report that stays inside: sheets of real and of synthetic ones of each label.

Both are looked at through the same window. Beside them stand the synthetic images that are most like a training image,
each above the one that it is like; masks are outlines, and translations stand beside the truth. They are plain JSON
with PNG inside, which `app/plots.py` shows without knowing what an image is. Real images are patients' data: no picture
leaves with a public report.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.embed import ends
from semblance.modalities.image.halves import known
from semblance.modalities.image.metrics.alike import sights, twins
from semblance.modalities.image.translated import painted

LABELS, COLUMNS, LEAST_SIDE, LARGEST = 6, 8, 64, 160
"""Labels that are shown, images of each, and pixels of the side of one."""
LOOKED = 300
"""Synthetic images among which the most suspicious ones are looked for."""
SIDES = (("real", "train"), ("synthetic", "synthetic"))

Picture = dict[str, Any]


def pictures(evidence: Evidence[Images]) -> list[Picture]:
    """All that there is to see, as JSON."""
    if not len(evidence.train) or not len(evidence.synthetic):
        return []
    window = evidence.train.layout.window
    low, high = (float(end[0]) for end in ends(evidence.train))
    if window is not None:
        low, high = window[0] - window[1] / 2, window[0] + window[1] / 2
    made = [_sheets(evidence, low, high), _suspects(evidence, low, high)]
    if evidence.train.layout.maps:
        made.append(_outlines(evidence, low, high))
    if evidence.between is not None:
        made.append(_between(evidence.between, low, high))
    if evidence.completed is not None:
        made.append(_translations(evidence, evidence.completed, low, high))
    if evidence.train.pixels.ndim == 5:
        made.append(_orthogonal(evidence, low, high))
    return made


def _sheets(evidence: Evidence[Images], low: float, high: float) -> Picture:
    """Some images of each label, real ones above synthetic ones."""
    labels, counts = np.unique(evidence.train.labels, return_counts=True)
    panels = []
    for label in labels[np.argsort(-counts, kind="stable")][:LABELS]:
        for role, part in SIDES:
            whole: Images = getattr(evidence, part)
            rows = np.flatnonzero(whole.labels == label)
            rows = rows[stream(evidence.seed, "sheet", role, str(label)).permutation(len(rows))[:COLUMNS]]
            if len(rows):
                title = f"{label}, {role}" if label else role
                panels.append(panel(title, role, [planes(whole.light[rows])], low, high))
    note = "Images drawn by chance, of each label the real ones first, all at one window."
    return {"title": "Images", "note": note, "panels": panels}


def _suspects(evidence: Evidence[Images], low: float, high: float) -> Picture:
    """The synthetic images that are most like a train image, above the ones that they are like."""
    some = evidence.synthetic.take(np.arange(min(LOOKED, len(evidence.synthetic))))
    likeness, where = twins(some, evidence.train, next(iter(sights(evidence.train).values())))
    most = np.argsort(-likeness, kind="stable")[:COLUMNS]
    rows = [planes(some.light[most]), planes(evidence.train.light[where[most]])]
    title = f"likeness {likeness[most].max():.3f} to {likeness[most].min():.3f}"
    note = "The synthetic images that are most like a training image, moved or mirrored or not, above that image."
    return {"title": "Most suspicious", "note": note, "panels": [panel(title, "synthetic", rows, low, high)]}


def _orthogonal(evidence: Evidence[Images], low: float, high: float) -> Picture:
    """The middle planes of volumes across each axis."""
    panels = []
    for role, part in SIDES:
        whole: Images = getattr(evidence, part)
        chosen = stream(evidence.seed, "orthogonal", role).permutation(len(whole))[:COLUMNS]
        rows = [planes(whole.light[chosen], axis) for axis in range(3)]
        panels.append(panel(role, role, rows, low, high))
    note = "The middle of volumes drawn by chance: axial, coronal and sagittal planes."
    return {"title": "Across each axis", "note": note, "panels": panels}


def _outlines(evidence: Evidence[Images], low: float, high: float) -> Picture:
    """Images with the edges of their masks in red, those with most of it first."""
    panels = []
    for role, part in SIDES:
        whole: Images = getattr(evidence, part)
        some = whole.take(stream(evidence.seed, "outlines", role).permutation(len(whole))[: 4 * COLUMNS])
        masks = planes(some.pixels[:, [*some.layout.maps]]).max(1)
        most = np.argsort(-(masks > 0).sum((1, 2)), kind="stable")[:COLUMNS]
        panels.append(panel(role, role, [outlined(planes(some.light[most]), masks[most], low, high)], low, high))
    note = "The edges of masks over images, of some drawn by chance those that show most."
    return {"title": "Masks", "note": note, "panels": panels}


def outlined(pixels: np.ndarray, masks: np.ndarray, low: float, high: float) -> np.ndarray:
    """(n, 3, height, width) of images (n, channels, height, width): pixels at the edge of a class in red."""
    shown = pixels if pixels.shape[1] == 3 else np.repeat(pixels[:, :1], 3, 1)
    edge = np.zeros(masks.shape, dtype=bool)
    for axis in (1, 2):
        for step in (-1, 1):
            moved = np.roll(masks, step, axis)
            edge |= (masks > 0) & (moved != masks)
    red = np.array([high, low, low], dtype=pixels.dtype).reshape(1, 3, 1, 1)
    return np.where(edge[:, None], red, shown)


def _translations(evidence: Evidence[Images], made: Images, low: float, high: float) -> Picture:
    """Images of the holdout: what is given, the real contrast, what was made of it, and how far that is off."""
    rows = np.flatnonzero(known(made).all(1))
    rows = rows[stream(evidence.seed, "translations").permutation(len(rows))[:COLUMNS]]
    held, drawn, layout = evidence.holdout.take(rows), made.take(rows), made.layout
    given = [i for i, channel in enumerate(layout.channels) if channel.name in layout.given][:1]
    panels = []
    for i in (i for i in painted(layout) if i not in layout.maps):
        real, mine = (planes(part.pixels[:, [i]]) for part in (held, drawn))
        off = (low + high) / 2 + (mine - real) / 2
        lines = [planes(held.pixels[:, given]), real, mine, off]
        title = f"{layout.channels[given[0]].name} to {layout.channels[i].name}"
        panels.append(panel(title, "synthetic", lines, low, high))
    note = "Of patients held out: what is given, the real contrast, what was made of it, and how much brighter that is."
    return {"title": "Translations", "note": note, "panels": panels}


def _between(made: Images, low: float, high: float) -> Picture:
    """From one image that the model draws to another of the same label, of each label a way."""
    panels = []
    for way in np.unique(made.subjects):
        some = made.take(np.flatnonzero(made.subjects == way))
        panels.append(panel(some.labels[0] or "synthetic", "synthetic", [planes(some.light)], low, high))
    note = "From one image that the model draws to another, all that it is told of both being the same."
    return {"title": "In between", "note": note, "panels": panels}


def planes(pixels: np.ndarray, axis: int = 0) -> np.ndarray:
    """(n, channels, height, width) of images, of volumes the middle plane across an axis."""
    return pixels if pixels.ndim == 4 else np.take(pixels, pixels.shape[2 + axis] // 2, 2 + axis)


def panel(title: str, role: str, rows: list[np.ndarray], low: float, high: float) -> Picture:
    """Rows of images (n, channels, height, width) as one picture, larger where they are small."""
    grey = [_seen(row, low, high) for row in rows]
    lines = [_line(row, max(len(one) for one in rows)) for row in grey]
    width = max(line.shape[1] for line in lines)
    sheet = np.concatenate([np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in lines])
    side = max(grey[0].shape[1:3])
    scale = max(1, round(min(max(side, LEAST_SIDE), LARGEST) / side))
    told = {"title": title, "role": role, "width": scale * sheet.shape[1], "height": scale * sheet.shape[0]}
    return {**told, "png": base64.b64encode(png(sheet)).decode()}


def _seen(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """(n, height, width, 1 or 3) bytes at a window; of other numbers of channels the first one."""
    chosen = images if images.shape[1] == 3 else images[:, :1]
    unit = np.clip((chosen - low) / max(high - low, 1e-9), 0, 1)
    made: np.ndarray = np.moveaxis(np.round(255 * unit).astype(np.uint8), 1, -1)
    return made


def _line(images: np.ndarray, count: int) -> np.ndarray:
    """Images beside each other with a pixel between them, room for so many."""
    room = np.pad(images, ((0, count - len(images)), (0, 1), (0, 1), (0, 0)))
    return np.concatenate(list(room), axis=1)


def png(pixels: np.ndarray) -> bytes:
    """(height, width, 1 or 3) bytes as a PNG (ISO/IEC 15948), without any package."""
    height, width, channels = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
