"""Real recordings put together again from their pieces, and the place in them that a wave resembles most.

A beat's window overlaps the next one's. So where the beat after a piece is the next piece, both lie on one strip, and
a wave that was cut from it anywhere, between two beats as well, is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from semblance.modalities.signal.data import AFTER, BEFORE, Pieces

POOLED = 16  # parts of a piece in the coarse search
ASKED = 0.75  # the middle share of a wave that is looked for, so that there is room for shifts
LIKELY = 8  # places of the coarse search that are looked at closely
STRETCH = 250  # coarse places, of which the best one may be likely: some twenty beats
CHUNK = 16 * STRETCH  # coarse places at a time
TINY = 1e-12
CLOSE = 3  # samples around a likely place
GONE = -2.0  # the correlation of a place that does not count


@dataclass(frozen=True)
class Strips:
    """All strips behind each other: `values` (length, leads) float32, the strip of each sample (length,), and where
    each piece begins (n,). `width` is the length of a piece."""

    values: np.ndarray
    strip: np.ndarray
    starts: np.ndarray
    width: int

    @property
    def step(self) -> int:
        """Samples that are one in the coarse search."""
        return max(self.width // POOLED, 1)

    @property
    def asked(self) -> int:
        """Samples of a wave that are looked for."""
        return max(int(ASKED * self.width) // self.step, 2) * self.step

    def holds(self, place: np.ndarray) -> np.ndarray:
        """Whether a whole wave lies on one strip from each place on."""
        inside = (place >= 0) & (place + self.asked <= len(self.values))
        first = np.where(inside, place, 0)
        last = np.minimum(first + self.asked, len(self.values)) - 1
        held: np.ndarray = inside & (self.strip[first] == self.strip[last])
        return held


def strips(pieces: Pieces, spread: np.ndarray) -> Strips:
    """The strips of pieces, each lead over its `spread` (leads,). A piece that no beat ties to any lies by itself."""
    n, leads, width = pieces.waves.shape
    step = np.full(n, width)
    tied = np.zeros(n, dtype=bool)
    if n > 1 and BEFORE in pieces.frame and AFTER in pieces.frame:
        before, after = (pieces.frame[name].to_numpy(dtype=float) for name in (BEFORE, AFTER))
        gap = np.round(np.nan_to_num(after[:-1]) * pieces.rate).astype(int)
        same = (pieces.source[1:] == pieces.source[:-1]) & (np.abs(after[:-1] - before[1:]) * pieces.rate < 1)
        tied[:-1] = same & (gap > 0) & (gap <= width)
        step[:-1] = np.where(tied[:-1], gap, width)
    starts = np.concatenate([[0], np.cumsum(step)[:-1]]).astype(int) if n else np.empty(0, dtype=int)
    values = np.zeros((int(starts[-1]) + width if n else 0, leads), dtype=np.float32)
    values[starts[:, None] + np.arange(width)] = np.nan_to_num(pieces.waves / spread[:, None]).transpose(0, 2, 1)
    strip = np.zeros(len(values), dtype=np.int64)
    strip[starts[1:][~tied[:-1]]] = 1
    return Strips(values, np.cumsum(strip), starts, width)


def middles(pieces: Pieces, spread: np.ndarray, where: Strips) -> np.ndarray:
    """(n, asked, leads) float32: the middle of each wave, as `nearest` looks for it."""
    start = (where.width - where.asked) // 2
    waves = np.nan_to_num(pieces.waves[:, :, start : start + where.asked] / spread[:, None])
    return np.ascontiguousarray(waves.transpose(0, 2, 1), dtype=np.float32)


def nearest(waves: np.ndarray, where: Strips, *, own: np.ndarray | None = None) -> np.ndarray:
    """(n,) the largest normalised cross-correlation of (n, asked, leads) waves with any place of the strips.

    `own` (n,) is where a wave itself lies: places within a piece's width of it do not count. The coarse search looks at
    means of `step` samples, a close one at every shift around the likely places. So a copy is found for sure; of waves
    that resemble nothing much, the best place may be missed.
    """
    best, found = _coarse(waves, where, own)
    return _close(waves, where, best, found)


def _unit(windows: np.ndarray) -> np.ndarray:
    """Windows (..., samples, leads) around the mean of each lead, flat, of length 1."""
    moved = windows - windows.mean(axis=-2, keepdims=True)
    flat = moved.reshape(*moved.shape[:-2], -1)
    made: np.ndarray = flat / np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), TINY)
    return made


def _coarse(waves: np.ndarray, where: Strips, own: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) correlations and places of the likely places: the best of each stretch, the best k <= LIKELY of these.

    A wave is asked for from every start within a step: one of them meets a copy exactly, means and all.
    """
    step, n = where.step, len(waves)
    asked = [_pooled(waves[:, shift : shift + where.asked - step], step) for shift in range(step)]
    scores, places = [], []
    for at, part in _stretches(where):
        for shift, wave in enumerate(asked):
            told = wave @ part
            if own is not None:
                _forget(told, own, at * step - shift, where)
            stretch = told.reshape(n, -1, STRETCH)
            top = stretch.argmax(axis=2)
            scores.append(np.take_along_axis(stretch, top[:, :, None], axis=2)[:, :, 0])
            places.append((at + top + STRETCH * np.arange(top.shape[1])) * step - shift)
    score, found = np.concatenate(scores, axis=1), np.concatenate(places, axis=1)
    order = np.argsort(-score, axis=1)[:, :LIKELY]
    return np.take_along_axis(score, order, axis=1), np.take_along_axis(found, order, axis=1)


def _stretches(where: Strips) -> Iterator[tuple[int, np.ndarray]]:
    """Where a chunk of coarse places begins, and the (d, places) waves there; 0 where a place is on no one strip."""
    step, long = where.step, where.asked // where.step - 1
    pooled = where.values[: len(where.values) // step * step].reshape(-1, step, where.values.shape[1]).mean(axis=1)
    strip = where.strip[: len(pooled) * step : step]
    views = np.lib.stride_tricks.sliding_window_view(pooled, long, axis=0)
    for at in range(0, len(views), CHUNK):
        part = _unit(views[at : at + CHUNK].transpose(0, 2, 1))
        part[strip[at : at + len(part)] != strip[at + long - 1 : at + long - 1 + len(part)]] = 0
        yield at, np.pad(part, ((0, -len(part) % STRETCH), (0, 0))).T


def _forget(told: np.ndarray, own: np.ndarray, first: int, where: Strips) -> None:
    """Strikes out the places within a piece's width of where each wave lies; `first` is the place of column 0."""
    low, high = ((own - first + side * where.width) // where.step for side in (-1, 1))
    for i in np.flatnonzero((high >= 0) & (low < told.shape[1])):
        told[i, max(low[i], 0) : high[i] + 1] = GONE


def _pooled(waves: np.ndarray, step: int) -> np.ndarray:
    """(n, d) of length 1: (n, samples, leads) waves in means of `step` samples."""
    return _unit(waves.reshape(len(waves), -1, step, waves.shape[2]).mean(axis=2))


def _close(waves: np.ndarray, where: Strips, score: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(n,) the largest correlation around the places, at the full rate; -1 where no place counts."""
    asked = _unit(waves)
    made = np.full(len(waves), -1.0)
    for shift in range(-CLOSE, CLOSE + 1):
        start = np.clip(places + shift, 0, len(where.values) - where.asked)
        window = _unit(where.values[start[:, :, None] + np.arange(where.asked)])
        told = np.einsum("nd,nkd->nk", asked, window)
        made = np.maximum(made, np.where(where.holds(start) & (score > GONE), told, -1).max(axis=1))
    return made
