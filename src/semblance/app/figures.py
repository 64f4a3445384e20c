"""The report's pictures as inline SVG: no script, no colour of their own (classes take them from the page's theme)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from semblance.app.words import NAIVE, REAL, interval, number
from semblance.core.estimate import Estimate

HEIGHT, PAD = 52, 10
AXIS, TOP, BOTTOM = 26, 14, 38
IDEAL = {"lower": 0.0, "higher": 1.0, "half": 0.5}


@dataclass(frozen=True)
class Threshold:
    """Where the zone of a profile ends, and the side that is good."""

    profile: str
    value: float
    at_most: bool


@dataclass(frozen=True)
class Axis:
    """A line of numbers from `low` to `high`, drawn over the plot's width."""

    low: float
    high: float
    width: int = 300

    def x(self, value: float) -> float:
        """The position of a value in pixels; what lies outside is drawn at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(PAD + min(max(share, 0.0), 1.0) * (self.width - 2 * PAD), 1)


def interval_plot(
    estimate: Estimate,
    *,
    control: Estimate | None = None,
    floor: Estimate | None = None,
    called: tuple[str, str] = (REAL, NAIVE),
    thresholds: Sequence[Threshold] = (),
    better: str = "lower",
    width: int = 300,
    title: str = "",
) -> Markup:
    """A dot with its interval on a line whose zones show where each profile's threshold lies. `called` are the
    control and the floor."""
    numbers = [estimate.low, estimate.high, *(e.value for e in (control, floor) if e is not None)]
    axis = _axis([*numbers, *(threshold.value for threshold in thresholds)], ideal=IDEAL[better], width=width)
    line = '<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>'
    parts = [_zones(axis, thresholds), Markup(line).format(PAD, width - PAD, AXIS, AXIS)]
    if floor is not None:
        parts.append(_diamond(axis.x(floor.value), AXIS))
    if control is not None:
        x = axis.x(control.value)
        parts.append(Markup('<line class="control" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(x, x, AXIS - 8, AXIS + 8))
    bar = '<line class="interval" x1="{}" x2="{}" y1="{}" y2="{}"/><circle class="dot" cx="{}" cy="{}" r="4.5"/>'
    low, value, high = (axis.x(x) for x in (estimate.low, estimate.value, estimate.high))
    parts.append(Markup(bar).format(low, high, AXIS, AXIS, value, AXIS))
    parts.append(_scale(axis))
    said = _described(estimate, dict(zip(called, (control, floor), strict=True)), thresholds)
    return svg(width, HEIGHT, parts, f"{title}: {said}" if title else said)


def _axis(numbers: Sequence[float], *, ideal: float, width: int) -> Axis:
    """An axis that holds every number and the ideal, with room at the ends but for the ideal's."""
    low, high = min(ideal, *numbers), max(ideal, *numbers)
    room = (high - low) * 0.08 or 0.5
    return Axis(low if low == ideal else low - room, high if high == ideal > low else high + room, width)


def _zones(axis: Axis, thresholds: Sequence[Threshold]) -> Markup:
    """Bands from the loosest to the strictest profile, each drawn over the one before, and a line where each ends."""
    made = []
    for threshold in reversed(thresholds):
        x = axis.x(threshold.value)
        start, end = (axis.x(axis.low), x) if threshold.at_most else (x, axis.x(axis.high))
        band = '<rect class="zone {}" x="{}" y="{}" width="{}" height="{}"/>'
        made.append(Markup(band).format(threshold.profile, start, TOP, round(max(end - start, 0), 1), BOTTOM - TOP))
    taken: list[float] = []
    for threshold in thresholds:
        x = axis.x(threshold.value)
        line = '<line class="limit {}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        made.append(Markup(line).format(threshold.profile, x, x, TOP - 2, BOTTOM))
        if all(abs(x - other) > 34 for other in taken):
            text = '<text class="tick" x="{}" y="9" text-anchor="middle">{:g}</text>'
            made.append(Markup(text).format(min(max(x, 12), axis.width - 12), round(threshold.value, 3)))
            taken.append(x)
    return Markup("").join(made)


def _diamond(x: float, y: float) -> Markup:
    points = f"{x},{y - 5} {x + 5},{y} {x},{y + 5} {x - 5},{y}"
    return Markup('<polygon class="floor" points="{}"/>').format(points)


def _scale(axis: Axis) -> Markup:
    """The numbers at both ends, with as many decimals as their distance needs."""
    digits = min(max(2 - math.floor(math.log10(axis.high - axis.low) + 0.5), 1), 4)
    text = '<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>'
    ends = ((PAD, "start", axis.low), (axis.width - PAD, "end", axis.high))
    return Markup("").join(
        Markup(text).format(x, HEIGHT - 2, anchor, number(value, digits=digits)) for x, anchor, value in ends
    )


def _described(estimate: Estimate, others: Mapping[str, Estimate | None], thresholds: Sequence[Threshold]) -> str:
    said = [number(estimate.value) + interval(estimate, ", interval {} to {}")]
    said += [f"{name} {number(one.value)}" for name, one in others.items() if one is not None]
    said += [f"{t.profile} {'at most' if t.at_most else 'at least'} {t.value:.3g}" for t in thresholds]
    return "; ".join(said)


def svg(width: float, height: float, parts: Sequence[Markup], described: str, *, kind: str = "plot") -> Markup:
    """A picture that says in words what it shows."""
    shell = '<svg class="{}" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>'
    return Markup(shell).format(kind, width, height, width, height, described, Markup("").join(parts))


def histogram(cells: Sequence[Mapping[str, Any]], *, name: str = "a number") -> Markup:
    """Shares per bin of a number: real as filled bars, synthetic as a stepped line."""
    width, height, base = 240, 92, 76
    tallest = max((max(cell["train"], cell["synthetic"]) for cell in cells), default=0) or 1
    step = width / max(len(cells), 1)
    bars, path = [], [f"M0 {base}"]
    for i, cell in enumerate(cells):
        left, right = round(i * step, 1), round((i + 1) * step, 1)
        real, made = (round(cell[part] / tallest * (base - 6), 1) for part in ("train", "synthetic"))
        bar = '<rect class="real" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>'
        bars.append(Markup(bar).format(left + 0.5, round(base - real, 1), round(right - left - 1, 1), real, _tip(cell)))
        path.append(f"V{round(base - made, 1)} H{right}")
    line = Markup('<path class="made" d="{}"/>').format(" ".join([*path, f"V{base}"]))
    ground = Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width, base, base)
    said = f"{name}: real and synthetic shares in {len(cells)} bins"
    return svg(width, height, [*bars, ground, line, *_ends(cells, width, height)], said)


def _tip(cell: Mapping[str, Any]) -> str:
    return f"{cell['label']}: real {cell['train']:.1%}, synthetic {cell['synthetic']:.1%}"


def _ends(cells: Sequence[Mapping[str, Any]], width: int, height: int) -> list[Markup]:
    text = '<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>'
    if len(cells) < 2:
        return [Markup(text).format(0, height - 3, "start", short(cell["label"], 34)) for cell in cells]
    ends = ((0, "start", cells[0]), (width, "end", cells[-1]))
    return [Markup(text).format(x, height - 3, anchor, short(cell["label"], 20)) for x, anchor, cell in ends]


def bars(cells: Sequence[Mapping[str, Any]], *, shown: int = 8, name: str = "a category") -> Markup:
    """Shares per category: real as a broad bar, synthetic as a narrow one upon it."""
    width, row, left = 240, 17, 108
    listed = list(cells[:shown])
    tallest = max((max(cell["train"], cell["synthetic"]) for cell in listed), default=0) or 1
    parts = []
    for i, cell in enumerate(listed):
        y = i * row
        real, made = (round(cell[part] / tallest * (width - left), 1) for part in ("train", "synthetic"))
        label = '<text class="name" x="{}" y="{}" text-anchor="end">{}</text>'
        parts.append(Markup(label).format(left - 7, y + 11.5, short(cell["label"], 15)))
        bar = '<g><title>{}</title><rect class="real" x="{}" y="{}" width="{}" height="11"/>'
        parts.append(Markup(bar).format(_tip(cell), left, y + 2, real))
        parts.append(
            Markup('<rect class="made" x="{}" y="{}" width="{}" height="3.5"/></g>').format(left, y + 5.75, made)
        )
    if len(cells) > shown:
        more = Markup('<text class="tick" x="{}" y="{}" text-anchor="end">and {} more</text>')
        parts.append(more.format(left - 7, len(listed) * row + 11, len(cells) - shown))
    said = f"{name}: real and synthetic shares of {len(cells)} groups; the largest: {_tip(cells[0])}" if cells else name
    return svg(width, row * (len(listed) + (len(cells) > shown)) or row, parts, said)


def heat_map(names: Sequence[str], matrix: Sequence[Sequence[float]]) -> Markup:
    """Distances of all pairs as squares whose shade says how far; each square's title holds its number."""
    count = len(names)
    size = min(28, max(8, 640 // max(count, 1)))
    left, top = 140, 2
    parts = []
    for i in range(count):
        middle = round(top + (i + 0.5) * size + 4, 1)
        if size >= LEGIBLE and i > 0:
            parts.append(_label(left - 7, middle, names[i], anchor="end"))
        parts += [_square(i, j, size, (left, top), names, matrix[i][j]) for j in range(i)]
        if size >= LEGIBLE and i < count - 1:
            parts.append(_label(left + i * size + 4, middle, names[i], anchor="start"))
    said = f"Distance of every pair of {count} columns; the farthest are told in the table beside it"
    return svg(left + count * size + 116, top + count * size + 4, parts, said, kind="map")


def _label(x: float, y: float, name: str, *, anchor: str) -> Markup:
    text = '<text class="name" x="{}" y="{}" text-anchor="{}">{}</text>'
    return Markup(text).format(x, y, anchor, short(name, 18))


def _square(i: int, j: int, size: int, origin: tuple[int, int], names: Sequence[str], value: float) -> Markup:
    left, top = origin
    tip = f"{names[i]} and {names[j]}: {number(value)}"
    square = '<rect class="heat h{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>'
    return Markup(square).format(shade(value), left + j * size, top + i * size, size - 1.5, size - 1.5, tip)


LEGIBLE = 11  # pixels of a row, below which names are left out
SHADES = (0.01, 0.025, 0.05, 0.10, 0.15, 0.25)


def shade(value: float) -> int:
    """The step (0 to 6) of a distance on the heat map's scale."""
    return sum(value >= edge for edge in SHADES)


def short(text: str, length: int) -> str:
    """A label cut to `length` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
