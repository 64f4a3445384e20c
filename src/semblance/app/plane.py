"""Things between two numbers, each with its intervals: a plane with marks, lines and labels that keep out of each
other's way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from semblance.app.figures import short, svg
from semblance.app.words import number
from semblance.core.estimate import Estimate

WIDTH, HEIGHT = 480, 320
LEFT, RIGHT, TOP, BASE = 46, 14, 26, 40
LETTER, LINE = 6.2, 13  # pixels of a letter and of a line of a label, a little more than they take
DIAMOND = 5.5

Kind = Literal["made", "real", "floor"]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


@dataclass(frozen=True)
class Mark:
    """A thing with its numbers across and up."""

    name: str
    kind: Kind
    x: Estimate
    y: Estimate


@dataclass(frozen=True)
class Line:
    """A number that is drawn through the whole plane: across ("y") or up ("x")."""

    name: str
    axis: Literal["x", "y"]
    value: float


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` on so many pixels from `start` on; `log` asks for numbers above 0."""

    name: str
    low: float
    high: float
    start: float
    length: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of a number; what lies outside stands at the edge."""
        share = (self._bent(value) - self._bent(self.low)) / (self._bent(self.high) - self._bent(self.low))
        return self.start + min(max(share, 0.0), 1.0) * self.length

    def _bent(self, value: float) -> float:
        return math.log(max(value, self.low)) if self.log else value

    @property
    def ticks(self) -> list[float]:
        """Round numbers inside."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
            return [tick for tick in every if self.low <= tick * (1 + 1e-9) and tick <= self.high * (1 + 1e-9)]
        step = _step(self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [i * step for i in range(first, last + 1)]


def _step(span: float) -> float:
    """A round number that goes about five times into a span."""
    unit = 10.0 ** math.floor(math.log10(span))
    return next(unit * part for part in (0.2, 0.25, 0.5, 1.0, 2.0) if span / (unit * part) <= 6)


def spanning(values: Sequence[float], *, least: float = 0.1) -> tuple[float, float]:
    """Round ends around all values, at least so far apart."""
    low, high = min(values), max(values)
    room = max(least - (high - low), 0.0) / 2
    step = _step(high - low + 2 * room)
    return math.floor((low - room) / step + 1e-9) * step, math.ceil((high + room) / step - 1e-9) * step


def plane(
    marks: Sequence[Mark],
    *,
    across: tuple[str, float, float],
    up: tuple[str, float, float],
    lines: Sequence[Line] = (),
    log: bool = False,
) -> Markup:
    """A picture of marks over two axes, (name, low, high) each; `log` bends the one across."""
    x = Scale(*across, LEFT, WIDTH - LEFT - RIGHT, log)
    y = Scale(*up, HEIGHT - BASE, -(HEIGHT - TOP - BASE))
    parts = [*_axes(x, y)]
    taken = [box for mark in marks for box in _boxes(mark, x, y)] + [_length(line, x, y) for line in lines]
    for line in lines:
        parts.append(_line(line, x, y))
        parts.append(_label(line.name, _beside_line(line, x, y), taken))
    for mark in marks:
        parts += _drawn(mark, x, y)
    for mark in marks:
        parts.append(_label(mark.name, _beside_mark(mark, x, y), taken))
    return svg(WIDTH, HEIGHT, parts, described(marks, lines, across=across[0], up=up[0]))


def described(marks: Sequence[Mark], lines: Sequence[Line], *, across: str, up: str) -> str:
    """The picture in words."""
    said = [f"{m.name}: {across} {_told(m.x)}, {up} {_told(m.y)}" for m in marks]
    return "; ".join([*said, *(f"{line.name} ({number(line.value)})" for line in lines)])


def _told(one: Estimate) -> str:
    return f"{number(one.value)} ({number(one.low)} to {number(one.high)})"


def _axes(x: Scale, y: Scale) -> Iterator[Markup]:
    line = '<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
    text = '<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    for tick in x.ticks:
        yield Markup(line).format(x.at(tick), x.at(tick), TOP, HEIGHT - BASE)
        yield Markup(text).format(x.at(tick), HEIGHT - BASE + 14, "middle", f"{tick:g}")
    for tick in y.ticks:
        yield Markup(line).format(LEFT, WIDTH - RIGHT, y.at(tick), y.at(tick))
        yield Markup(text).format(LEFT - 6, y.at(tick) + 3.5, "end", f"{tick:g}")
    name = '<text class="name" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    yield Markup(name).format(WIDTH - RIGHT, HEIGHT - BASE + 31, "end", f"{x.name} →")
    yield Markup(name).format(2, 11, "start", f"↑ {y.name}")


def _line(line: Line, x: Scale, y: Scale) -> Markup:
    shape = '<line class="guess" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"><title>{}</title></line>'
    if line.axis == "x":
        return Markup(shape).format(x.at(line.value), x.at(line.value), TOP, HEIGHT - BASE, line.name)
    return Markup(shape).format(LEFT, WIDTH - RIGHT, y.at(line.value), y.at(line.value), line.name)


def _drawn(mark: Mark, x: Scale, y: Scale) -> Iterator[Markup]:
    kind, cx, cy = "made" if mark.kind == "made" else "other", x.at(mark.x.value), y.at(mark.y.value)
    bar = '<line class="curve {}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
    yield Markup(bar).format(kind, x.at(mark.x.low), x.at(mark.x.high), cy, cy)
    yield Markup(bar).format(kind, cx, cx, y.at(mark.y.low), y.at(mark.y.high))
    if mark.kind == "floor":
        d = DIAMOND
        corners = f"{cx:.1f},{cy - d:.1f} {cx + d:.1f},{cy:.1f} {cx:.1f},{cy + d:.1f} {cx - d:.1f},{cy:.1f}"
        yield Markup('<polygon class="floor" points="{}"/>').format(corners)
    else:
        yield Markup('<circle class="point {}" cx="{:.1f}" cy="{:.1f}" r="5"/>').format(kind, cx, cy)


# Labels


def _boxes(mark: Mark, x: Scale, y: Scale) -> Iterator[Box]:
    """What a mark covers: its bar across, and its bar up."""
    cx, cy = x.at(mark.x.value), y.at(mark.y.value)
    yield min(x.at(mark.x.low), cx - 6), cy - 6, max(x.at(mark.x.high), cx + 6), cy + 6
    yield cx - 2, y.at(mark.y.high), cx + 2, y.at(mark.y.low)


def _beside_mark(mark: Mark, x: Scale, y: Scale) -> list[tuple[float, float, str]]:
    """Where its name may begin or end, the best place first."""
    cx, cy = x.at(mark.x.value), y.at(mark.y.value)
    left, right = min(x.at(mark.x.low), cx - 6) - 3, max(x.at(mark.x.high), cx + 6) + 3
    near = [(right, cy + 4, "start"), (left, cy + 4, "end")]
    steps = [(side, cy + 4 + dy, anchor) for dy in (-12, 14, -26, 28, -40, 42) for side, anchor in
             ((cx + 8, "start"), (cx - 8, "end"))]  # fmt: skip
    return [*near, *steps]


def _length(line: Line, x: Scale, y: Scale) -> Box:
    """What a line covers."""
    if line.axis == "x":
        return x.at(line.value) - 2, TOP, x.at(line.value) + 2, HEIGHT - BASE
    return LEFT, y.at(line.value) - 1, WIDTH - RIGHT, y.at(line.value) + 1


def _beside_line(line: Line, x: Scale, y: Scale) -> list[tuple[float, float, str]]:
    if line.axis == "x":
        at = x.at(line.value)
        ups = range(TOP + 12, HEIGHT - BASE - 4, LINE)
        return [(at + side, up, anchor) for up in ups for side, anchor in ((5, "start"), (-5, "end"))]
    at = y.at(line.value)
    ends: tuple[tuple[float, str], ...] = ((WIDTH - RIGHT - 3, "end"), (LEFT + 4, "start"))
    return [(end, at + dy, anchor) for dy in (-4, 12) for end, anchor in ends]


def _label(name: str, places: Sequence[tuple[float, float, str]], taken: list[Box]) -> Markup:
    """A name at the first place where it covers nothing, else at the first one; the place is then taken."""
    said = short(name, 40)
    boxes = [_box(said, *place) for place in places]
    free = [i for i, box in enumerate(boxes) if _inside(box) and not any(_meet(box, other) for other in taken)]
    chosen = free[0] if free else 0
    taken.append(boxes[chosen])
    x, y, anchor = places[chosen]
    return Markup('<text class="name tag" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, said)


def _box(said: str, x: float, y: float, anchor: str) -> Box:
    left = x if anchor == "start" else x - LETTER * len(said)
    return left, y - LINE + 3, left + LETTER * len(said), y + 3


def _inside(box: Box) -> bool:
    return box[0] >= LEFT and box[1] >= TOP and box[2] <= WIDTH and box[3] <= HEIGHT - BASE


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
