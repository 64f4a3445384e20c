"""Strips from pieces: beats at their R peaks or windows one after the other, without seams.

Between two beats there is one place where one window hands over to the next: ahead of the next P wave where there is
room, in the middle where there is none. Both windows are brought to one level there and crossfaded. Windows of a
noise-like signal meet in the same way, but their phases are apart: the level is crossfaded as it is, and what moves
about it with sines and cosines, which keep its power.

What a window holds of its neighbours is never seen in a strip, and so it is not learned (`alone`): a heart that beats
slower than those it was learned from would show their next beat.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from semblance.core.rng import stream
from semblance.modalities.signal.rhythm import SHORTEST

AHEAD = 0.25
"""Seconds before an R peak at which its window takes over, if the beat before it leaves room."""
LATEST = 0.6
"""The share of an interval after which the next window takes over at the earliest."""
FADE = 0.04
"""Seconds of a crossfade on either side."""
BLOCK = 512
"""Beats that are placed at a time."""
REST = 0.1
"""Seconds at either end of a window whose noise goes back and forth where no window reaches."""
FINE, LOUD = 0.01, 3.0
"""Seconds (standard deviation) of the mean about which a window's noise is what is left, and how many times its usual
size noise may be."""


def beats(waves: np.ndarray, at: np.ndarray, length: int, *, rate: float, before: int) -> np.ndarray:
    """(length, leads) float32 from (n, leads, size) beats whose R peaks stand at samples `at` (n,), in order.

    `before` is the sample of a wave at which its R peak stands. What no window reaches is as the ends of those beside.
    """
    n, leads, size = waves.shape
    made = np.zeros((length, leads), dtype=np.float32)
    if not n:
        return made
    fade, rest = max(int(FADE * rate), 1), max(int(REST * rate), 1)
    over, start = _handover(at, rate=rate), at - before
    first, last = np.concatenate([start[:1], over]), np.concatenate([over, start[-1:] + size])
    first[0], last[-1] = min(first[0], 0), max(last[-1], length)
    lines = _lines(waves, first - start, last - start, fade=fade)
    span = np.arange(int((last - first).max()) + 2 * fade)
    for block in np.array_split(np.arange(n), -(-n // BLOCK)):
        for some in (block[::2], block[1::2]):  # windows that are no neighbours never overlap
            place = first[some, None] - fade + span
            share = (place - first[some, None]) / np.maximum(last - first, 1)[some, None]
            weight = _rise((place - first[some, None] + fade) / (2 * fade)) if some.size else share
            weight = np.where(some[:, None] > 0, weight, 1.0)
            falling = 1 - _rise((place - last[some, None] + fade) / (2 * fade))
            weight *= np.where(some[:, None] < n - 1, falling, 1.0)
            index = place - start[some, None]
            there = (weight > 0) & (place >= 0) & (place < length)
            values = _held(waves[some], index, rest, rate=rate) + _line(lines[:, some], share)
            made[place[there]] += (np.moveaxis(values, 1, 2) * weight[..., None])[there]
    return made


def _handover(at: np.ndarray, *, rate: float) -> np.ndarray:
    """(n - 1,) the sample at which each window but the last hands over."""
    return at[:-1] + (_lasts(np.diff(at) / rate) * rate).astype(np.int64)


def _held(waves: np.ndarray, index: np.ndarray, rest: int, *, rate: float) -> np.ndarray:
    """(n, leads, m) windows at samples `index` (n, m), also beyond their ends."""
    size = waves.shape[2]
    held: np.ndarray = np.take_along_axis(waves, np.clip(index, 0, size - 1)[:, None, :], 2)
    for over, side in ((index - size, waves), (-1 - index, waves[:, :, ::-1])):
        if (over >= 0).any():
            held = np.where((over >= 0)[:, None, :], _beyond(side, np.maximum(over, 0), rest, rate=rate), held)
    return held


def _beyond(waves: np.ndarray, far: np.ndarray, rest: int, *, rate: float) -> np.ndarray:
    """(n, leads, m) what goes on `far` (n, m) samples beyond the last one of each window: its level there, and the
    noise of its last `rest` samples, back and forth."""
    end = waves[:, :, -(rest + round(4 * FINE * rate)) :]
    slow = gaussian_filter1d(end, FINE * rate, axis=2)
    path = _path(min(rest, end.shape[2]), int(far.max(initial=0)) + 1)
    noise = np.take_along_axis((end - slow)[:, :, ::-1], path[far][:, None, :], 2)
    made: np.ndarray = slow[:, :, -1:] + noise
    return made


def _path(rest: int, n: int) -> np.ndarray:
    """(n,) numbers below `rest` that go up and down by one, and turn at places of no order: otherwise a pause would
    tremble at one rate."""
    rng, parts, at, count = stream(0, "path"), [np.zeros(1, dtype=np.int64)], 0, 1
    while count < n and rest > 1:
        to = int(rng.integers((rest + 1) // 2, rest)) if at < rest // 2 else int(rng.integers(0, max(rest // 2, 1)))
        step = 1 if to >= at else -1
        parts.append(np.arange(at + step, to + step, step))
        count, at = count + len(parts[-1]), to
    return np.resize(np.concatenate(parts), max(n, 1))


def alone(waves: np.ndarray, gaps: np.ndarray, *, rate: float, before: int) -> np.ndarray:
    """(n, leads, size) float32 beats without their neighbours: where `beats` would have handed over, (n, 2) `gaps` in
    seconds before and after each, a window goes over to its level there and its own noise."""
    made = np.empty(waves.shape, dtype=np.float32)
    for first in range(0, len(waves), BLOCK):
        some = slice(first, first + BLOCK)
        made[some] = _alone(waves[some], gaps[some], rate=rate, before=before)
    return made


def _alone(waves: np.ndarray, gaps: np.ndarray, *, rate: float, before: int) -> np.ndarray:
    size, fade = waves.shape[2], max(int(FADE * rate), 1)
    slow = gaussian_filter1d(waves, FINE * rate, axis=2)
    edges = (np.clip(edge.astype(np.int64), 0, size - 1) for edge in _edges(gaps, rate=rate, before=before))
    first, last = (_around(slow, edge, fade)[..., None] for edge in edges)
    noise, share = waves - slow, own(gaps, size, rate=rate, before=before)[:, None, :]
    usual = LOUD * np.median(np.abs(noise), 2, keepdims=True)
    rest = np.where(np.arange(size) < before, first, last) + noise.clip(-usual, usual)
    made: np.ndarray = share * waves + (1 - share) * rest
    return made


def own(gaps: np.ndarray, size: int, *, rate: float, before: int) -> np.ndarray:
    """(n, size) the share of each sample that is the beat's own, of windows with (n, 2) `gaps` in seconds."""
    place, fade = np.arange(size), max(int(FADE * rate), 1)
    first, last = (edge[:, None] for edge in _edges(gaps, rate=rate, before=before))
    share: np.ndarray = _rise((place - first + fade) / (2 * fade)) * (1 - _rise((place - last + fade) / (2 * fade)))
    return share


def _edges(gaps: np.ndarray, *, rate: float, before: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the samples at which windows take over, and hand over; marks that stand closer than beats do halve none."""
    gaps = np.maximum(gaps, SHORTEST)
    return before - (gaps[:, 0] - _lasts(gaps[:, 0])) * rate, before + _lasts(gaps[:, 1]) * rate


def _lasts(gap: np.ndarray) -> np.ndarray:
    """Seconds after an R peak at which its window hands over, of those to the next one."""
    return np.maximum(gap - AHEAD, LATEST * gap)


def _rise(share: np.ndarray) -> np.ndarray:
    return (0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1))).astype(np.float32)


def _lines(waves: np.ndarray, first: np.ndarray, last: np.ndarray, *, fade: int) -> np.ndarray:
    """(2, n, leads) what is added at the first and at the last sample of each window's part, so that neighbours agree
    where they meet."""
    size = waves.shape[2]
    begins, ends = (_around(waves, np.clip(edge, 0, size - 1), fade) for edge in (first, last))
    apart = begins[1:] - ends[:-1]
    none = np.zeros((1, waves.shape[1]), dtype=waves.dtype)
    return np.stack([np.concatenate([none, -apart / 2]), np.concatenate([apart / 2, none])])


def _line(ends: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(n, leads, m) what is added at each `share` (n, m) of a part: next to nothing at the R peak, in its middle."""
    at = np.clip(share, 0, 1).astype(np.float32)[:, None, :]
    return ends[0][..., None] * (1 - at) ** 2 + ends[1][..., None] * at**2


def _around(waves: np.ndarray, centre: np.ndarray, fade: int) -> np.ndarray:
    """(n, leads) the mean of each window around a sample of its own."""
    size = waves.shape[2]
    index = np.clip(centre[:, None] + np.arange(-fade, fade + 1), 0, size - 1)
    return np.take_along_axis(waves, index[:, None, :], 2).mean(2)


def windows(waves: np.ndarray, *, fade: int) -> np.ndarray:
    """(length, leads) from (n, leads, size) windows of which neighbours share `fade` samples; length is
    n * (size - fade) + fade. A constant stays as it is, and so does the variance of independent noise."""
    n, leads, size = waves.shape
    step = size - fade
    made = np.zeros((n * step + fade, leads), dtype=np.float32)
    angle = ((np.arange(fade) + 0.5) / max(fade, 1) * np.pi / 2)[:, None]
    for i, wave in enumerate(_levelled(waves, fade) if fade else waves):
        own = wave.T.astype(np.float64)
        if i:
            own[:fade] = _eased(own[:fade], np.sin(angle))
        if i < n - 1:
            own[step:] = _eased(own[step:], np.cos(angle))
        made[i * step : i * step + size] += own
    return made


def _eased(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(fade, leads) the part of a window that is shared: its level by the square of (fade, 1) weights, which with those
    of its neighbour make 1, and the rest by the weights, of which the squares do."""
    level = values.mean(0)
    eased: np.ndarray = weight**2 * level + weight * (values - level)
    return eased


def _levelled(waves: np.ndarray, fade: int) -> np.ndarray:
    """(n, leads, size) windows, bent at their ends so that neighbours are at one level where they meet."""
    size = waves.shape[2]
    apart = waves[1:, :, :fade].mean(2, dtype=float) - waves[:-1, :, size - fade :].mean(2, dtype=float)
    none = np.zeros((1, waves.shape[1]))
    ends = np.stack([np.concatenate([none, -apart / 2]), np.concatenate([apart / 2, none])])
    far = (size - fade) or 1
    share = (np.arange(size) - (fade - 1) / 2) / far
    return waves + _line(ends, np.broadcast_to(share, (len(waves), size)))
