"""Pictures of images for the report that stays inside: sheets of real and of synthetic ones of each label.

Both are looked at through the same window: that of the files, or of each contrast, or domain, its own. Beside them
stand the synthetic images that are most like a training image, each above the one that it is like; masks are outlines,
and translations stand beside the truth. They are plain JSON with PNG inside, which `app/plots.py` shows without knowing
what an image is. Real images are patients' data: no picture leaves with a public report.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.embed import ends
from semblance.modalities.image.halves import known
from semblance.modalities.image.hung import hung
from semblance.modalities.image.metrics.alike import twins, unmoved
from semblance.modalities.image.translated import painted

LABELS, COLUMNS, LEAST_SIDE, LARGEST = 6, 8, 64, 160
"""Labels that are shown, images of each, and pixels of the side of one."""
LOOKED, MOVED = 300, 1_000
"""Images among which those with masks are looked for; synthetic ones, the most like train as they lie, among which the
most suspicious are, moved as well."""
SIDES = (("real", "train"), ("synthetic", "synthetic"))

Picture = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """What is seen through one window: the `channels` of a contrast by its `name` (empty: there is but one), of all
    images or of those of a `domain`."""

    name: str
    channels: list[int]
    low: float
    high: float
    domain: str = ""

    def rows(self, images: Images) -> np.ndarray:
        """(n,) whether it shows an image."""
        every: np.ndarray = np.ones(len(images), dtype=bool)
        return every if images.domain is None or not self.domain else images.domain == self.domain

    def of(self, images: Images, axis: int = 0) -> tuple[np.ndarray, str]:
        """(n, height, width, 1 or 3) bytes of images as they are hung, of volumes of a middle plane, and which."""
        pixels, where = hung(images.pixels[:, self.channels], images.layout, axis)
        return seen(pixels, self.low, self.high), where

    def titled(self, *words: str) -> str:
        """A title of what is known."""
        return ", ".join(filter(None, (self.domain, self.name, *words)))


def looks(train: Images) -> list[Look]:
    """Each contrast of each domain: alone through the window of the files, else between its own ends in train."""
    if train.domain is None:
        return _looks(train, train.layout.window)
    sides = [(str(name), train.take(train.domain == name)) for name in np.unique(train.domain)]
    return [replace(look, domain=name) for name, side in sides for look in _looks(side, None)]


def _looks(train: Images, window: tuple[float, float] | None) -> list[Look]:
    (low, high), contrasts = ends(train), train.contrasts
    if len(contrasts) == 1 and window is not None:
        low, high = (np.full(len(low), window[0] + side * window[1] / 2) for side in (-1, 1))
    several = len(contrasts) > 1
    return [Look(name * several, at, float(low[at[0]]), float(high[at[0]])) for name, at in contrasts.items()]


def pictures(evidence: Evidence[Images]) -> list[Picture]:
    """All that there is to see, as JSON."""
    if not len(evidence.train) or not len(evidence.synthetic):
        return []
    seen_as = looks(evidence.train)
    made = [_sheets(evidence, seen_as), _suspects(evidence, seen_as)]
    if evidence.train.layout.maps:
        made.append(_outlines(evidence, seen_as))
    if evidence.between is not None:
        made.append(_between(evidence.between, seen_as))
    if evidence.completed is not None:
        shown = _translations if evidence.holdout.domain is None else _without_truth
        made.append(shown(evidence, evidence.completed, seen_as))
    if evidence.train.pixels.ndim == 5:
        made.append(_orthogonal(evidence, seen_as))
    return made


def _sheets(evidence: Evidence[Images], seen_as: Sequence[Look]) -> Picture:
    """Some images of each label, real ones above synthetic ones; the same ones in each contrast."""
    labels, counts = np.unique(evidence.train.labels, return_counts=True)
    panels = []
    for label in labels[np.argsort(-counts, kind="stable")][:LABELS]:
        for look in seen_as:
            for role, part in SIDES:
                whole: Images = getattr(evidence, part)
                rows = np.flatnonzero((whole.labels == label) & look.rows(whole))
                rows = rows[stream(evidence.seed, "sheet", role, str(label)).permutation(len(rows))[:COLUMNS]]
                if len(rows):
                    shown, where = look.of(whole.take(rows))
                    panels.append(panel(look.titled(label, role, where), role, [shown]))
    note = "Images drawn by chance, of each label the real ones first, both at one window."
    return {"title": "Images", "note": note, "panels": panels}


def _suspects(evidence: Evidence[Images], seen_as: Sequence[Look]) -> Picture:
    """The synthetic images that in a contrast are most like a train image, above the ones that they are like."""
    panels = []
    for look in seen_as:
        train, rows = evidence.train.take(look.rows(evidence.train)), np.flatnonzero(look.rows(evidence.synthetic))
        if not len(rows):
            continue
        near = unmoved(evidence)[look.name or next(iter(train.contrasts))][rows]
        some = evidence.synthetic.take(rows[np.argsort(-near, kind="stable")[:MOVED]])
        likeness, where = twins(some, train, lambda images, look=look: images.light[:, look.channels])  # type: ignore[misc]
        most = np.argsort(-likeness, kind="stable")[:COLUMNS]
        lines = [look.of(part)[0] for part in (some.take(most), train.take(where[most]))]
        title = look.titled(f"likeness {likeness[most].max():.3f} to {likeness[most].min():.3f}")
        panels.append(panel(title, "synthetic", lines))
    note = "The synthetic images that are most like a training image, moved, turned over or not, above that image."
    return {"title": "Most suspicious", "note": note, "panels": panels}


def _orthogonal(evidence: Evidence[Images], seen_as: Sequence[Look]) -> Picture:
    """The middle planes of volumes across each axis."""
    panels = []
    for look in seen_as:
        for axis in range(3):
            for role, part in SIDES:
                whole: Images = getattr(evidence, part)
                rows = np.flatnonzero(look.rows(whole))
                rows = rows[stream(evidence.seed, "orthogonal", role).permutation(len(rows))[:COLUMNS]]
                if len(rows):
                    shown, where = look.of(whole.take(rows), axis)
                    panels.append(panel(look.titled(role, where), role, [shown]))
    note = "The middle of volumes drawn by chance, in millimetres: S is the head, A the front, R the patient's right."
    return {"title": "Across each axis", "note": note, "panels": panels}


def _outlines(evidence: Evidence[Images], seen_as: Sequence[Look]) -> Picture:
    """Images with the edges of their masks in red, those with most of it first; the same ones in each contrast."""
    panels = []
    for look in seen_as:
        for role, part in SIDES:
            whole: Images = getattr(evidence, part)
            rows = np.flatnonzero(look.rows(whole))
            some = whole.take(rows[stream(evidence.seed, "outlines", role).permutation(len(rows))[:LOOKED]])
            if not len(some):
                continue
            area = (_masks(some) > 0).sum((1, 2))
            most = some.take(np.argsort(-area, kind="stable")[:COLUMNS])
            shown, where = look.of(most)
            title = look.titled(role, f"{int((area > 0).sum())} of {len(some)} show a mask", where)
            panels.append(panel(title, role, [outlined(shown, _masks(most))]))
    note = "The edges of masks over images, of some drawn by chance those that show most."
    return {"title": "Masks", "note": note, "panels": panels}


def _masks(images: Images) -> np.ndarray:
    """(n, height, width) positions of classes, as images are hung."""
    found: np.ndarray = hung(images.pixels[:, [*images.layout.maps]], images.layout)[0].max(1)
    return found


def outlined(shown: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """(n, k * height, k * width, 3) bytes of images (n, height, width, 1 or 3): the edge of a class in red. Small
    images are so many times larger that a line hides little of what it is around."""
    times = max(1, round(LARGEST / max(masks.shape[1:])))
    shown = np.repeat(shown, 3, 3) if shown.shape[3] == 1 else shown
    shown, masks = (x.repeat(times, 1).repeat(times, 2) for x in (shown, masks))
    edge = np.zeros(masks.shape, dtype=bool)
    for axis in (1, 2):
        for step in (-1, 1):
            moved = np.roll(masks, step, axis)
            edge |= (masks > 0) & (moved != masks)
    return np.where(edge[..., None], np.array([255, 0, 0], dtype=np.uint8), shown)


def _translations(evidence: Evidence[Images], made: Images, seen_as: Sequence[Look]) -> Picture:
    """Images of the holdout: what is given, the real contrast, what was made of it, and how far that is off."""
    rows = np.flatnonzero(known(made).all(1))
    rows = rows[stream(evidence.seed, "translations").permutation(len(rows))[:COLUMNS]]
    held, drawn, layout = evidence.holdout.take(rows), made.take(rows), made.layout
    windows = {channel: look for look in seen_as for channel in look.channels}
    (first, *_) = (i for i, channel in enumerate(layout.channels) if channel.name in layout.given)
    panels = []
    for i in (i for i in painted(layout) if i not in layout.maps):
        own = windows[i]
        real, mine = (hung(part.pixels[:, [i]], layout)[0] for part in (held, drawn))
        given, where = hung(held.pixels[:, [first]], layout)
        lines = [_bytes_of_given(given, windows.get(first)), seen(real, own.low, own.high)]
        lines += [seen(mine, own.low, own.high), seen((mine - real) / (own.high - own.low), -0.5, 0.5)]
        title = f"{layout.channels[first].name} to {layout.channels[i].name}"
        panels.append(panel(", ".join(filter(None, (title, where))), "synthetic", lines))
    note = (
        "Of patients held out: what is given, the real contrast, what was made of it, and how much brighter that is: "
        "white by half of the contrast's range, black where it is as much darker."
    )
    return {"title": "Translations", "note": note, "panels": panels}


def _without_truth(evidence: Evidence[Images], made: Images, seen_as: Sequence[Look]) -> Picture:
    """Images of the holdout where nothing is paired: what is given and what was made of it, with the edges of masks."""
    rows = np.flatnonzero(known(made).all(1))
    some = made.take(rows[stream(evidence.seed, "translations").permutation(len(rows))])
    layout, masked = some.layout, bool(some.layout.maps)
    if masked:
        some = some.take(np.argsort(-(_masks(some) > 0).sum((1, 2)), kind="stable"))
    some = some.take(np.arange(min(COLUMNS, len(some))))
    aims = [i for i in painted(layout) if i not in layout.maps]
    given = [i for i in range(some.light.shape[1]) if i not in aims]
    windows = {
        side[c]: look for side in (given, aims) for look in _of_domain(side, layout, seen_as) for c in look.channels
    }
    panels = []
    for i in aims if len(some) else ():
        lines = []
        for channel in (given[0], i):
            pixels, where = hung(some.pixels[:, [channel]], layout)
            line = seen(pixels, windows[channel].low, windows[channel].high)
            lines.append(outlined(line, _masks(some)) if masked else line)
        title = f"{layout.channels[given[0]].name} to {layout.channels[i].name}"
        panels.append(panel(", ".join(filter(None, (title, where))), "synthetic", lines))
    note = "Of patients held out: what is given, and what was made of it. No truth is known where nothing is paired."
    most = " The edges of masks are red; of all, those that show most."
    return {"title": "Translations", "note": note + most * masked, "panels": panels}


def _of_domain(side: Sequence[int], layout: Layout, seen_as: Sequence[Look]) -> list[Look]:
    """The windows of the domain of these channels, which are numbered by themselves there."""
    name = ", ".join(layout.channels[i].name for i in side)
    return [look for look in seen_as if look.domain == name]


def _bytes_of_given(given: np.ndarray, look: Look | None) -> np.ndarray:
    """What is given through its window; a mask between its first class and its last."""
    return seen(given, look.low, look.high) if look is not None else seen(given, 0.0, max(float(given.max()), 1.0))


def _between(made: Images, seen_as: Sequence[Look]) -> Picture:
    """From one image that the model draws to another of the same label, of each label a way."""
    panels = []
    for way in np.unique(made.subjects):
        some = made.take(np.flatnonzero(made.subjects == way))
        for look in seen_as:
            panels.append(panel(look.titled(some.labels[0]) or "synthetic", "synthetic", [look.of(some)[0]]))
    note = "From one image that the model draws to another, all that it is told of both being the same."
    return {"title": "In between", "note": note, "panels": panels}


def planes(pixels: np.ndarray, axis: int = 0) -> np.ndarray:
    """(n, channels, height, width) of images, of volumes the middle plane across an axis."""
    return pixels if pixels.ndim == 4 else np.take(pixels, pixels.shape[2 + axis] // 2, 2 + axis)


def panel(title: str, role: str, rows: list[np.ndarray]) -> Picture:
    """Rows of bytes of images (n, height, width, 1 or 3) as one picture, larger where they are small."""
    lines = [_line(row, max(len(one) for one in rows)) for row in rows]
    width = max(line.shape[1] for line in lines)
    sheet = np.concatenate([np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in lines])
    side = max(rows[0].shape[1:3])
    scale = max(1, round(min(max(side, LEAST_SIDE), LARGEST) / side))
    told = {"title": title, "role": role, "width": scale * sheet.shape[1], "height": scale * sheet.shape[0]}
    return {**told, "png": base64.b64encode(png(sheet)).decode()}


def seen(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """(n, height, width, channels) bytes of images (n, channels, height, width) at a window."""
    unit = np.clip((images - low) / max(high - low, 1e-9), 0, 1)
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
