"""Whole slides (.svs, pyramids in .tif), by `tifffile`: tiles of one size at one fineness, of what is tissue.

A slide is never held: of the level that is as fine as what is asked for, or finer, the pieces of the file below a tile
are decoded, and averaged over the area of each of its pixels. Label and macro images, on which names may be written,
are not read; of texts in tags, those of all pages are told. Each slide is a patient, where no manifest says more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError
from semblance.core.large import LARGE
from semblance.core.need import need
from semblance.core.rng import stream
from semblance.modalities.image.data import Layout
from semblance.modalities.image.declare import Tile
from semblance.modalities.image.formats import texts
from semblance.modalities.image.found import SUBJECT, Found, whole

SUFFIXES = (".svs",)
COLOUR, TISSUE = 15, 0.5
"""A pixel is tissue where its brightest and its darkest colour are so far apart, of 255: glass is white or grey, and so
are its edges and what no scanner saw. A tile is kept where at least this share of it is tissue."""
COARSEST = 20.0
"""Micrometres per pixel beyond which a file tells of a printer, not of a microscope."""
NEAR = 0.02
"""By how much a level may be coarser than what is asked for and still count as as fine."""
HELD, TOGETHER = 64, 2**20
"""Decoded pieces of a file that are held together, at most, and bytes of rows that are read together where none are
decoded."""
_MPP = re.compile(r"MPP\s*=\s*([0-9.]+)")
_WITHOUT = (1, 8, 32946)
"""Compressions that need no further package: none, and two names of deflate."""


def read(path: Path, tile: Tile) -> Iterator[Found]:
    """The tiles of a slide, from its top to its bottom; where at most so many are asked for, some by chance, always the
    same ones. Raises DataError where it is no slide, or of unknown fineness."""
    layout = Layout("tiff", "uint8", spacing=() if tile.microns is None else (tile.microns / 1000,) * 2)
    with _opened(path) as levels:
        level, step = _level(path, levels, tile)
        page, side = level.page, round(tile.size * step)
        fields = _fields(path, page.parent)
        corners = [*product(_starts(level.rows, side), _starts(level.columns, side))]
        pieces = _Pieces(path, page)

        def tissue(order: Iterable[int]) -> Iterator[tuple[int, Found]]:
            for i in order:
                y, x = corners[i]
                with whole(path, "a whole slide", RuntimeError):  # as codecs have it
                    pixels = averaged(pieces.region(y, x, side), tile.size)
                if (np.ptp(pixels, axis=0) >= COLOUR).mean() >= TISSUE:
                    name = f"{path.name}, tile at {x}, {y}"
                    yield i, Found(name, pixels, layout, {SUBJECT: path.stem}, fields)

        if tile.most is None:
            yield from (one for _, one in tissue(range(len(corners))))
        else:
            order = stream(0, "tiles", path.name).permutation(len(corners)).tolist()
            yield from (one for _, one in sorted(islice(tissue(order), tile.most), key=itemgetter(0)))


def _fields(path: Path, file: Any) -> tuple[str, ...]:
    """What of all pages of a file may name a patient: a label on it is a page as well."""
    with whole(path, "a whole slide"):
        each = [{tag.code: tag.value for tag in page.tags} for page in file.pages]
        return tuple(dict.fromkeys(field for tags in each for field in texts.of_tiff(tags)))


def _starts(length: int, side: int) -> range:
    """Where tiles begin that lie side by side."""
    return range(0, length - side + 1, side)


@dataclass(frozen=True)
class _Level:
    """A page of a pyramid and its micrometres per pixel, nothing where the file does not say."""

    page: Any
    microns: float | None

    @property
    def rows(self) -> int:
        """Pixels from the top to the bottom."""
        return int(self.page.imagelength)

    @property
    def columns(self) -> int:
        """Pixels from the left to the right."""
        return int(self.page.imagewidth)


@contextmanager
def _opened(path: Path) -> Iterator[list[_Level]]:
    """The levels of a slide, the finest first. Raises DataError where it holds none in colours of 8 bit."""
    tifffile = need("tifffile", extra="slides", why="a whole slide")
    with whole(path, "a whole slide", tifffile.TiffFileError):
        file = tifffile.TiffFile(path)
    with file:
        with whole(path, "a whole slide", tifffile.TiffFileError):
            pages = [level.keyframe for level in file.series[0].levels]
            microns = _microns(pages[0])
        for page in pages:
            if page.samplesperpixel != 3 or page.dtype != np.uint8 or page.planarconfig != 1:
                rule, fix = "a slide has three colours of 8 bit for each pixel", "convert it, or leave it out"
                raise DataError.of(f"'{path.name}' is of other colours", rule=rule, fix=fix)
            if page.compression not in _WITHOUT:
                need("imagecodecs", extra="slides", why="a compressed slide")
        width = pages[0].imagewidth
        yield [_Level(page, None if microns is None else microns * width / page.imagewidth) for page in pages]


def _microns(page: Any) -> float | None:
    """Micrometres per pixel of the finest level: as Aperio writes them, or by the resolution of the TIFF."""
    if told := _MPP.search(page.description):
        return float(told[1]) or None
    units = {2: 25_400.0, 3: 10_000.0}
    tag, unit = page.tags.get("XResolution"), int(page.resolutionunit)
    if tag is None or unit not in units or not tag.value[0]:
        return None
    found = units[unit] * tag.value[1] / tag.value[0]
    return found if 0 < found <= COARSEST else None


def _level(path: Path, levels: list[_Level], tile: Tile) -> tuple[_Level, float]:
    """The level that is read, and how many of its pixels are a side of one pixel of a tile."""
    if tile.level is not None:
        if tile.level >= len(levels):
            rule, fix = "a level of the slide, 0 for the finest", f"level = {len(levels) - 1}, or microns = ..."
            raise DataError.of(f"'{path.name}' has {len(levels)} levels", rule=rule, fix=fix)
        return levels[tile.level], 1.0
    assert tile.microns is not None
    if levels[0].microns is None:
        rule, fix = "a slide tells its micrometres per pixel", "[image] tile = {size = ..., level = 0}"
        raise DataError.of(f"'{path.name}' does not say how fine it is", rule=rule, fix=fix)
    fine = [level for level in levels if level.microns is not None and level.microns <= tile.microns * (1 + NEAR)]
    if not fine:
        found = f"'{path.name}' has {levels[0].microns:g} micrometres per pixel"
        raise DataError.of(found, rule="a slide is as fine as its tiles", fix="[image] tile = {microns = ...} of more")
    return fine[-1], max(1.0, tile.microns / float(fine[-1].microns or 1))


class _Pieces:
    """The pieces of a page, `high` and `wide` pixels: tiles, strips, or of strips that are not compressed some rows.

    Raises DataError where a piece is so large that no machine is asked to decode it whole.
    """

    def __init__(self, path: Path, page: Any) -> None:
        self.page, self.handle, self.row = page, page.parent.filehandle, 3 * page.imagewidth
        self.plain = not page.is_tiled and page.compression == 1
        self.high, self.wide = (
            (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
        )
        if self.plain:
            self.high = max(1, min(self.high, TOGETHER // self.row))
        size = 3 * self.high * self.wide
        if size > LARGE:
            found = f"'{path.name}' has pieces of {self.high} x {self.wide} pixels, which are decoded whole"
            rule = f"a slide lies in its file as tiles or strips of at most {LARGE >> 20} MiB"
            raise DataError.of(found, rule=rule, fix="save it as a tiled pyramid")
        self.piece = lru_cache(maxsize=max(1, min(HELD, LARGE // size)))(self._rows if self.plain else self._decoded)

    def _decoded(self, index: int) -> tuple[np.ndarray, tuple[int, int]] | None:
        """(height, width, 3) and the upper left corner of a tile or strip."""
        self.handle.seek(self.page.dataoffsets[index])
        raw = self.handle.read(self.page.databytecounts[index]) or None  # as the decoder is told of what is left out
        pixels, place, shape = self.page.decode(raw, index, jpegtables=self.page.jpegtables)
        return None if pixels is None else (pixels[0, : shape[1], : shape[2]], (place[2], place[3]))

    def _rows(self, index: int) -> tuple[np.ndarray, tuple[int, int]]:
        """The same of some rows, which may be of two strips."""
        top, strip = index * self.high, self.page.rowsperstrip
        made = np.zeros((min(self.high, self.page.imagelength - top), self.page.imagewidth, 3), np.uint8)
        for i in range(len(made)):
            own, inside = divmod(top + i, strip)
            if not self.page.databytecounts[own]:  # left out of the file
                continue
            if i == 0 or inside == 0:
                self.handle.seek(self.page.dataoffsets[own] + inside * self.row)
            made[i] = np.frombuffer(self.handle.read(self.row), np.uint8).reshape(-1, 3)
        return made, (top, 0)

    def region(self, top: int, left: int, side: int) -> np.ndarray:
        """(3, side, side) float32 of the page; what the file leaves out is black."""
        made = np.zeros((side, side, 3), np.float32)
        across = -(-self.page.imagewidth // self.wide)
        for row in range(top // self.high, (top + side - 1) // self.high + 1):
            for column in range(left // self.wide, (left + side - 1) // self.wide + 1):
                if (found := self.piece(row * across + column)) is None:
                    continue
                pixels, (y, x) = found
                y0, x0 = max(y, top), max(x, left)
                some = pixels[y0 - y : top + side - y, x0 - x : left + side - x]
                made[y0 - top : y0 - top + len(some), x0 - left : x0 - left + some.shape[1]] = some
        return np.moveaxis(made, -1, 0)


def averaged(pixels: np.ndarray, size: int) -> np.ndarray:
    """(channels, size, size) float32 of (channels, side, side): each pixel the mean over the area that it covers."""
    side = pixels.shape[-1]
    if side == size:
        return np.ascontiguousarray(pixels)
    ends = np.arange(size + 1) * side / size
    low, high = ends[:-1, None], ends[1:, None]
    places = np.arange(side)
    weights = np.clip(np.minimum(high, places + 1) - np.maximum(low, places), 0, None) * size / side
    made: np.ndarray = np.round(weights @ pixels @ weights.T).astype(np.float32)
    return made
