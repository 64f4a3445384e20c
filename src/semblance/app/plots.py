"""Lines over an even axis, as a modality tells them in JSON: `panels` of `lines` that are real or synthetic; or a PNG;
or `points` (x, y) of one side between two `ends`, about the diagonal.

A line is broken where it has None; it may have a band (`low`, `high`); lines may stand `apart`, one above the other, or
several in a `row`, each from its `start` on;
`paper` gives the sides of the small squares of a ruled ground (five of them make a large one), on which each line
begins with the pulse of one unit by which such paper is calibrated. Of the `marks` above it one may be `chosen`.
A `range` of numbers is shown whatever the lines hold, so that panels have one scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from semblance.app.figures import short, svg
from semblance.app.words import number

PAGE, WIDE, NARROW, SHORT, TALL, SQUARE = 960, 700, 330, 130, 168, 330
SMALL, ROW = (200, 124), 36
"""A small panel, and what a line that stands apart has of the height at least."""
LEFT, BASE, TOP = 40, 30, 18
LARGE = 5
PULSE = 5
"""Small squares that the calibration pulse is wide."""
ROLES = {"real": "other", "synthetic": "made"}


def pictures(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Titles, notes and drawn panels of what a report holds."""
    return [{"title": p["title"], "note": p["note"], "plots": [panel(one) for one in p["panels"]]} for p in told]


def panel(told: Mapping[str, Any]) -> Markup:
    """One panel as a picture."""
    if "png" in told:
        return _sheet(told)
    if "points" in told:
        return _cloud(told)
    scale = _Scale.of(told)
    parts = [_paper(told["paper"], scale)] if told.get("paper") else [_axes(scale)]
    for i, line in enumerate(told["lines"]):
        shift = scale.shift[i]
        parts += [_band(line, scale, shift), _line(line, scale, shift)]
        if told.get("apart"):
            parts.append(_name(line, scale, shift))
            first = told.get("paper") and not line.get("start")
            parts.append(_pulse(told["paper"], scale, shift) if first else Markup(""))
    parts += [_mark(mark, scale) for mark in told.get("marks", ())]
    if not told.get("marks"):
        parts.append(_text("name", LEFT, TOP - 6, "start", short(str(told["title"]), 40)))
    parts.append(_text("name", scale.width - 10, scale.height - 4, "end", _units(told)))
    return svg(scale.width, scale.height, parts, _words(told))


def _sheet(told: Mapping[str, Any]) -> Markup:
    """A PNG as it is, every pixel of it to be seen, with its title above."""
    width, height = int(told["width"]), int(told["height"])
    shape = (
        '<image class="sheet {}" x="0" y="{}" width="{}" height="{}" preserveAspectRatio="none" '
        'href="data:image/png;base64,{}"/>'
    )
    image = Markup(shape).format(ROLES[told["role"]], TOP, width, height, told["png"])
    title = _text("name", 0, TOP - 6, "start", str(told["title"]))
    return svg(width, height + TOP, [title, image], str(told["title"]))


def _cloud(told: Mapping[str, Any]) -> Markup:
    """Dots over two axes of one scale, and the line on which both numbers are the same."""
    low, high = map(float, told["ends"])
    side = SQUARE - LEFT - 10
    x, y = (lambda v: LEFT + (v - low) / (high - low) * side), (lambda v: TOP + (high - v) / (high - low) * side)
    parts = [
        Markup('<path class="axis marked" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>').format(x(low), y(low), x(high), y(high))
    ]
    for value, said in ticks(low, high):
        rule = '<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        parts += [
            Markup(rule).format(x(low), x(high), y(value), y(value)),
            _text("tick", LEFT - 5, y(value) + 3.5, "end", said),
            _text("tick", x(value), y(low) + 13, "middle", said),
        ]
    at = "".join(f"M{x(a):.1f} {y(b):.1f}h0" for a, b in told["points"])
    parts.append(Markup('<path class="dots {}" d="{}"/>').format(ROLES[told["role"]], at))
    parts.append(_text("name", LEFT, TOP - 6, "start", str(told["title"])))
    parts.append(_text("name", SQUARE - 10, SQUARE + TOP - LEFT + 16, "end", _units(told)))
    words = f"{told['title']}: {len(told['points']):,} dots, {_units(told)}"
    return svg(SQUARE, SQUARE + TOP - LEFT + 20, parts, words)


def _units(told: Mapping[str, Any]) -> str:
    if told.get("paper"):
        return f"{told['title']}; a small square: {told['paper']['x']:g} s, {told['paper']['y']:g} {told['y']}"
    return f"{told['y']} over {told['x']}"


def _words(told: Mapping[str, Any]) -> str:
    names = ", ".join(dict.fromkeys(f"{line['name']} ({line['role']})" for line in told["lines"]))
    return f"{told['title']}: {names}, {told['y']} over {told['x']}"


class _Scale:
    """Where numbers stand in pixels. `shift` moves each line up where lines stand apart."""

    def __init__(
        self, x: tuple[float, float], y: tuple[float, float], shift: list[float], size: tuple[int, int], *,
        begin: float, step: float,
    ) -> None:  # fmt: skip
        (self.x0, self.x1), (self.y0, self.y1), (self.width, self.height) = x, y, size
        self.shift, self.begin, self.step = shift, begin, step

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> _Scale:
        lines, start, step = told["lines"], float(told.get("start", 0)), float(told["step"])
        last = max(float(line.get("start", 0)) + (len(line["y"]) - 1) * step for line in lines)
        unit = 1.0 if told.get("paper") else -math.inf  # the pulse must fit
        ends = [
            (min(_known(line.get("low", line["y"]))), max(*_known(line.get("high", line["y"])), unit)) for line in lines
        ]
        row = [int(line.get("row", i)) if told.get("apart") else 0 for i, line in enumerate(lines)]
        shift, count = _shifts(ends, row), len(set(row))
        low = min(a + s for (a, _), s in zip(ends, shift, strict=True))
        high = max(b + s for (_, b), s in zip(ends, shift, strict=True))
        low, high = told.get("range", (low, high))
        room = 0.04 * (high - low) or 1.0
        paper = told.get("paper")
        lead = PULSE * 1.6 * paper["x"] if paper else 0.0
        x = (start - lead, start + last)
        wide = PAGE if count < len(lines) else WIDE
        width, height = (wide, max(TALL, ROW * count)) if told.get("apart") else (NARROW, TALL)
        width, height = SMALL if told.get("small") else (width, height)
        if paper:  # squares are as wide as they are tall in the paper's units
            square = (width - LEFT - 10) / (x[1] - x[0]) * paper["x"]
            most = 0.75 * TALL * max(count, 3)
            height = int(min(max((high - low + 2 * room) / paper["y"] * square, SHORT), most)) + BASE + TOP
        return cls(x, (low - room, high + room), shift, (width, height), begin=start, step=step)

    def x(self, value: float) -> float:
        return LEFT + (value - self.x0) / (self.x1 - self.x0) * (self.width - LEFT - 10)

    def y(self, value: float) -> float:
        return self.height - BASE - (value - self.y0) / (self.y1 - self.y0) * (self.height - BASE - TOP)


def _shifts(ends: Sequence[tuple[float, float]], row: Sequence[int]) -> list[float]:
    """How far each line is moved up so that no row of lines reaches into the one above it."""
    above, made = 0.0, dict[int, float]()
    for one in sorted(set(row), reverse=True):
        low, high = zip(*(end for end, at in zip(ends, row, strict=True) if at == one), strict=True)
        made[one] = above - min(low) if made else 0.0
        above = made[one] + max(high)
    return [made[one] for one in row]


def _text(kind: str, x: float, y: float, anchor: str, said: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(kind, x, y, anchor, said)


def _known(values: Sequence[float | None]) -> list[float]:
    """Those that are there; twice 0 where none is."""
    return [value for value in values if value is not None] or [0.0, 0.0]


def _name(line: Mapping[str, Any], scale: _Scale, shift: float) -> Markup:
    """Before the line; where a row has several, above the beginning of each."""
    if "row" not in line:
        return _text("name", LEFT - 5, scale.y(shift) + 3.5, "end", short(str(line["name"]), 6))
    x, y = scale.x(scale.begin + float(line["start"])) + 3, scale.y(shift) - 0.1 * TALL
    return _text("name", x, y, "start", short(str(line["name"]), 6))


def _mark(mark: Mapping[str, Any], scale: _Scale) -> Markup:
    return _text("name chosen" if mark.get("chosen") else "tick", scale.x(mark["x"]), TOP - 5, "middle", mark["text"])


def _points(line: Mapping[str, Any], which: str, scale: _Scale, shift: float) -> list[str]:
    """The points of each stretch without a gap."""
    begin = scale.begin + float(line.get("start", 0))
    at = [None if v is None else f"{scale.x(begin + i * scale.step):.1f},{scale.y(v + shift):.1f}"
          for i, v in enumerate(line[which])]  # fmt: skip
    return [" ".join(filter(None, run)) for there, run in groupby(at, bool) if there]


def _line(line: Mapping[str, Any], scale: _Scale, shift: float) -> Markup:
    shape = '<polyline class="trace {}" points="{}"><title>{}</title></polyline>'
    told = ROLES[line["role"]], f"{line['name']}, {line['role']}"
    return Markup("").join(Markup(shape).format(told[0], run, told[1]) for run in _points(line, "y", scale, shift))


def _band(line: Mapping[str, Any], scale: _Scale, shift: float) -> Markup:
    if "low" not in line:
        return Markup("")
    (there,), (high,) = (_points(line, end, scale, shift) for end in ("low", "high"))
    back = " ".join(reversed(high.split()))
    return Markup('<polygon class="spread {}" points="{} {}"/>').format(ROLES[line["role"]], there, back)


def _axes(scale: _Scale) -> Markup:
    """Lines across at round numbers, round numbers below, and a line upwards where these pass 0."""
    parts = []
    rule = Markup('<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>')
    foot = scale.height - BASE
    for value, said in ticks(scale.y0, scale.y1):
        at = scale.y(value)
        parts += [rule.format(LEFT, scale.width - 10, at, at), _text("tick", LEFT - 5, at + 3.5, "end", said)]
    for value, said in ticks(scale.x0, scale.x1):
        at = scale.x(value)
        top = TOP if value == 0 > scale.x0 else foot - 4
        parts += [rule.format(at, at, top, foot), _text("tick", at, foot + 13, "middle", said)]
    return Markup("").join(parts)


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Three to seven round numbers from `low` to `high`, and how they are written.

    >>> [said for _, said in ticks(0.2, 2.0)]
    ['0.5', '1.0', '1.5', '2.0']
    """
    least = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(least))
    step = next(k * power for k in (1, 2, 2.5, 5, 10) if k * power >= least * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + (f"{step:.3g}".strip("0.").startswith("25") and step < 10)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(k * step, number(k * step, digits=digits)) for k in range(first, last + 1)]


def _paper(side: Mapping[str, float], scale: _Scale) -> Markup:
    """The squares of the paper as two paths, small and large."""
    across = int((scale.x1 - scale.x0) / side["x"]) + 1
    up = int((scale.y1 - scale.y0) / side["y"]) + 1
    paths: dict[str, list[str]] = {"small": [], "large": []}
    for i in range(across):
        x = scale.x(scale.x0 + i * side["x"])
        paths["small" if i % LARGE else "large"].append(f"M{x:.1f} {TOP}V{scale.height - BASE}")
    for i in range(up):
        y = scale.y(scale.y0 + i * side["y"])
        paths["small" if i % LARGE else "large"].append(f"M{LEFT} {y:.1f}H{scale.width - 10}")
    return Markup("").join(
        Markup('<path class="paper {}" d="{}"/>').format(kind, "".join(path)) for kind, path in paths.items()
    )


def _pulse(side: Mapping[str, float], scale: _Scale, shift: float) -> Markup:
    """One unit high and five small squares wide, before the line begins."""
    x = [scale.x(scale.x0 + k * side["x"]) for k in (0.8, 1.5, 1.5 + PULSE, 2.2 + PULSE)]
    foot, top = scale.y(shift), scale.y(shift + LARGE * 2 * side["y"])
    path = '<path class="trace pulse" d="M{:.1f} {:.1f}H{:.1f}V{:.1f}H{:.1f}V{:.1f}H{:.1f}"/>'
    return Markup(path).format(x[0], foot, x[1], top, x[2], foot, x[3])
