"""Numbers within ranges: which share of each code lies inside, and values drawn from that share alone.

A code of a number is a token, which lies inside or does not, or a bin, whose values are the piecewise straight inverse
distribution function between two shares of the records. A range is two such shares as well, so a bin that the range
cuts is cut exactly where it draws its values.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semblance.modalities.table.codes import Numbers, snapped

Spans = Sequence[tuple[float, float]]


def share_inside(numbers: Numbers, spans: Spans, *, missing: bool) -> np.ndarray:
    """(size,) the share of each code's mass in the union of disjoint closed `spans`; `missing`: of the missing code."""
    tokens = np.zeros(len(numbers.tokens))
    bins = np.zeros(len(numbers.starts) - 1)
    for low, high in spans:
        tokens += (numbers.tokens >= low) & (numbers.tokens <= high)
    if len(bins) and spans:
        start, stop = _cuts(numbers, spans)
        bins = (stop - start).sum(0) / np.diff(numbers.mass[numbers.starts])
    return np.concatenate([[float(missing)] * numbers.missing, tokens, np.minimum(bins, 1.0)])


def draw_inside(numbers: Numbers, codes: np.ndarray, spans: Spans, rng: np.random.Generator) -> np.ndarray:
    """(n,) values of (n,) codes that have a share inside, drawn from that share."""
    values, uniform = numbers.decode(codes, rng), rng.random(len(codes))
    first = int(numbers.missing) + len(numbers.tokens)
    binned = np.flatnonzero(codes >= first)
    if len(binned) and spans:
        start, stop = _cuts(numbers, spans)
        values[binned] = _drawn(numbers, start, stop, codes[binned] - first, spans, uniform[binned])
    return values


def between(unit: float, low: float, high: float) -> bool:
    """Whether a span lies between two multiples of `unit`, so that no value falls into it."""
    first, last = _grid(unit, low, high)
    return first > last


def code_means(numbers: Numbers, *, points: int = 16) -> np.ndarray:
    """(size,) the mean of what each code is decoded to; NaN for the missing value."""
    borders = numbers.mass[numbers.starts]
    steps = (np.arange(points) + 0.5) / points
    shares = borders[:-1, None] + np.diff(borders)[:, None] * steps
    bins = _inverse(numbers, shares).mean(1) if len(shares) else np.zeros(0)
    return np.concatenate([[np.nan] * numbers.missing, numbers.tokens, bins])


def _drawn(
    numbers: Numbers, start: np.ndarray, stop: np.ndarray, bins: np.ndarray, spans: Spans, uniform: np.ndarray
) -> np.ndarray:
    """Values of `bins`: a point of the pieces laid end to end, and the span that it fell into bounds the rounding."""
    length = (stop - start)[:, bins]
    ends = np.cumsum(length, axis=0)
    point = uniform * ends[-1]
    span = np.minimum((point >= ends).sum(0), len(ends) - 1)
    rows = np.arange(len(bins))
    drawn = snapped(_inverse(numbers, stop[span, bins] - (ends[span, rows] - point)), numbers.unit)
    limits = np.array([_grid(numbers.unit, low, high) for low, high in spans])[span]
    return np.clip(drawn, limits[:, 0], limits[:, 1])


def _cuts(numbers: Numbers, spans: Spans) -> tuple[np.ndarray, np.ndarray]:
    """(spans, bins) the shares of the distribution at which each span enters and leaves each bin."""
    borders = numbers.mass[numbers.starts]
    reach = np.array([_reach(numbers, low, high) for low, high in spans])
    start = np.maximum(reach[:, :1], borders[:-1])
    return start, np.maximum(np.minimum(reach[:, 1:], borders[1:]), start)


def _reach(numbers: Numbers, low: float, high: float) -> tuple[float, float]:
    """The shares of the distribution between which values round into the span; an empty piece where none does."""
    first, last = _grid(numbers.unit, low, high)
    if first > last:
        return 0.0, 0.0
    half = numbers.unit / 2
    return _share_below(numbers, first - half, "left"), _share_below(numbers, last + half, "right")


def _grid(unit: float, low: float, high: float) -> tuple[float, float]:
    """The lowest and the highest multiple of `unit` in a span."""
    if not unit:
        return low, high
    ends = np.array([np.ceil(low / unit - 1e-9) * unit, np.floor(high / unit + 1e-9) * unit])
    first, last = snapped(ends, unit)
    return float(first), float(last)


def _share_below(numbers: Numbers, value: float, side: str) -> float:
    """The first ("left") or the last ("right") share at which the inverse distribution function meets `value`."""
    knots, middle = numbers.knots, (numbers.mass[:-1] + numbers.mass[1:]) / 2
    at = int(np.searchsorted(knots, value, side="left" if side == "left" else "right"))
    if at == 0:
        return 0.0
    if at == len(knots):
        return 1.0
    part = (value - knots[at - 1]) / (knots[at] - knots[at - 1])
    return float(middle[at - 1] + part * (middle[at] - middle[at - 1]))


def _inverse(numbers: Numbers, share: np.ndarray) -> np.ndarray:
    return np.interp(share, (numbers.mass[:-1] + numbers.mass[1:]) / 2, numbers.knots)
