"""Pictures of what lies behind a finding: attacks, survival, coefficients, importances and projections."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from semblance.app.figures import short, svg
from semblance.app.words import number

LEFT, BASE = 44, 34  # pixels kept for the numbers of the two axes
MARKED = (0.001, 0.01)
FEWEST_DECADES, MOST_DECADES = 3, 5
STEPS = 6  # shades of a projection beyond the empty one


def roc(attacks: Sequence[Mapping[str, Any]], chosen: Sequence[str], *, size: int = 340) -> Markup:
    """Members found (true-positive rate) against outsiders accused (false-positive rate), both on log axes.

    On log axes a guess is the straight diagonal, and what an attack finds at 0.1 % is not squeezed into the corner
    (Carlini et al. 2022).
    """
    decades = _decades(attacks)
    side = size - LEFT - 10
    parts = [_log_grid(decades, side), _guess(side)]
    for attack in sorted(attacks, key=lambda one: one["name"] in chosen):
        line = '<polyline class="{}" points="{}"><title>{}</title></polyline>'
        kind = "curve made" if attack["name"] in chosen else "curve other"
        parts.append(Markup(line).format(kind, _log_points(attack["curve"], decades, side), attack["title"]))
    return svg(size, side + 10 + BASE, parts, _roc_words(attacks, chosen))


def _decades(attacks: Sequence[Mapping[str, Any]]) -> int:
    least = min((x for one in attacks for x, _ in one["curve"] if x > 0), default=1e-3)
    return min(max(math.ceil(-math.log10(least) - 1e-9), FEWEST_DECADES), MOST_DECADES)


def _log(value: float, decades: int) -> float:
    """0 to 1 over the decades below 1; what is smaller stands at the edge."""
    return 0.0 if value <= 10.0**-decades else min(1 + math.log10(value) / decades, 1.0)


def _log_points(curve: Sequence[Sequence[float]], decades: int, side: int) -> str:
    points = [(_log(x, decades), _log(y, decades)) for x, y in curve]
    return " ".join(f"{LEFT + x * side:.1f},{10 + (1 - y) * side:.1f}" for x, y in points)


def _log_grid(decades: int, side: int) -> Markup:
    parts = []
    for decade in range(decades + 1):
        share, at = 10.0 ** (decade - decades), decade / decades * side
        kind = "axis marked" if any(math.isclose(share, m) for m in MARKED) else "axis"
        line = '<line class="{}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        text = '<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
        x, y, said = LEFT + at, 10 + side - at, f"{share * 100:g} %"
        parts += [Markup(line).format(kind, x, x, 10, 10 + side), Markup(line).format("axis", LEFT, LEFT + side, y, y)]
        parts += [Markup(text).format(x, 10 + side + 14, "middle" if decade < decades else "end", said)]
        parts += [Markup(text).format(LEFT - 5, y + 3.5, "end", said)]
    name = '<text class="name" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    parts.append(Markup(name).format(LEFT + side, 10 + side + 29, "end", "outsiders accused"))
    parts.append(Markup(name).format(LEFT + 5, 22, "start", "members found"))
    return Markup("").join(parts)


def _guess(side: int) -> Markup:
    line = '<line class="guess" x1="{}" x2="{}" y1="{}" y2="{}"><title>a guess</title></line>'
    return Markup(line).format(LEFT, LEFT + side, 10 + side, 10)


def at_rate(curve: Sequence[Sequence[float]], rate: float) -> float:
    """The members found while at most `rate` of the outsiders are accused."""
    return max((y for x, y in curve if x <= rate + 1e-9), default=0.0)


def _roc_words(attacks: Sequence[Mapping[str, Any]], chosen: Sequence[str]) -> str:
    said = [
        f"{one['title']} finds {at_rate(one['curve'], 0.01):.1%} of the members at 1 % of outsiders accused"
        for one in attacks
        if one["name"] in chosen or len(attacks) == 1
    ]
    return "; ".join([f"Curves of {len(attacks)} membership attacks; a guess finds 1 % at 1 %", *said])


def survival(curves: Mapping[str, Sequence[float]], unit: str, *, width: int = 420, height: int = 240) -> Markup:
    """Share of patients without the event over time, real and synthetic, as steps (Kaplan and Meier 1958)."""
    times = [float(t) for t in curves["times"]]
    latest = max(times, default=0.0) or 1.0
    across, down = width - LEFT - 10, height - 10 - BASE
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = 10 + (1 - share) * down
        parts += [_rule(LEFT, LEFT + across, y), _tick(LEFT - 5, y + 3.5, "end", f"{share:.0%}")]
    for part, kind in (("real", "curve other"), ("synthetic", "curve made")):
        points = _steps(times, curves[part], latest, (across, down))
        line = '<polyline class="{}" points="{}"><title>{}</title></polyline>'
        parts.append(Markup(line).format(kind, points, part))
    for share in (0.0, 0.5, 1.0):
        anchor = {0.0: "start", 0.5: "middle", 1.0: "end"}[share]
        parts.append(_tick(LEFT + share * across, 10 + down + 14, anchor, f"{share * latest:.4g}"))
    name = '<text class="name" x="{}" y="{}" text-anchor="end">{}</text>'
    parts.append(Markup(name).format(LEFT + across, 10 + down + 29, short(unit, 40)))
    return svg(width, height, parts, _survival_words(curves, latest, unit))


def _rule(left: float, right: float, y: float) -> Markup:
    line = '<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
    return Markup(line).format(left, right, y, y)


def _tick(x: float, y: float, anchor: str, said: str) -> Markup:
    text = '<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    return Markup(text).format(x, y, anchor, said)


def _steps(times: Sequence[float], shares: Sequence[float], latest: float, room: tuple[int, int]) -> str:
    across, down = room
    points, last = [(0.0, 1.0)], 1.0
    for time, share in zip(times, shares, strict=False):
        points += [(time / latest, last), (time / latest, float(share))]
        last = float(share)
    return " ".join(f"{LEFT + min(max(x, 0.0), 1.0) * across:.1f},{10 + (1 - y) * down:.1f}" for x, y in points)


def _survival_words(curves: Mapping[str, Sequence[float]], latest: float, unit: str) -> str:
    ends = {part: f"{curves[part][-1]:.0%}" for part in ("real", "synthetic") if len(curves[part])}
    said = ", ".join(f"{part} {share}" for part, share in ends.items())
    return f"Survival over {unit}; at {latest:.4g}: {said}"


def forest(terms: Sequence[Mapping[str, Any]], *, model: str, shown: int = 24) -> Markup:
    """Coefficients with their intervals: the real one above, the synthetic one below, and a line at no effect."""
    listed = list(terms[:shown])
    ends = [float(x) for term in listed for part in ("real", "synthetic") for x in term[part] or ()]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = (high - low) * 0.04 or 1.0
    low, high = low - room, high + room
    left, width, row = 132, 380, 24

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - 8)

    height = row * len(listed) + 22
    none = '<line class="guess" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>'
    parts = [Markup(none).format(x(0.0), height - 18)]
    for i, term in enumerate(listed):
        name = '<text class="name" x="{}" y="{}" text-anchor="end">{}<title>{}</title></text>'
        parts.append(Markup(name).format(left - 8, i * row + 16, short(term["name"], 18), term["name"]))
        parts += [
            _whisker([x(float(v)) for v in term[part]], i * row + y, kind)
            for part, y, kind in (("real", 8, "other"), ("synthetic", 16, "made"))
            if term[part]  # what one side cannot estimate is not drawn
        ]
    parts += [_tick(x(v), height - 4, "middle", number(v, digits=1)) for v in (0.0, high - room) if high - room > 0]
    said = f"Coefficients of the {model} model, real and synthetic, of {len(terms)} terms; the table holds the numbers"
    return svg(width, height, parts, said)


def _whisker(ends: Sequence[float], y: float, kind: str) -> Markup:
    value, low, high = ends
    line = '<line class="curve {}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>'
    point = '<circle class="point {}" cx="{:.1f}" cy="{}" r="3"/>'
    return Markup(line).format(kind, low, high, y, y) + Markup(point).format(kind, value, y)


def density(projection: Mapping[str, Any], part: str, *, size: int = 260) -> Markup:
    """One side of a projection: the share of records per square, shaded on the scale of both sides."""
    cells = projection["cells"]
    which = {"real": 2, "synthetic": 3}[part]
    most = max((max(cell[2], cell[3]) for cell in cells), default=0.0) or 1.0
    nx, ny = max(len(projection["x"]) - 1, 1), max(len(projection["y"]) - 1, 1)
    wide, tall = size / nx, size / ny
    ground = Markup('<rect class="heat h0" x="0" y="0" width="{}" height="{}"/>').format(size, size)
    parts = [ground]
    for cell in cells:
        step = shade_of(cell[which], most)
        if step:
            square = '<rect class="heat h{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
            parts.append(
                Markup(square).format(step, cell[0] * wide, size - (cell[1] + 1) * tall, wide + 0.2, tall + 0.2)
            )
    return svg(size, size, parts, f"{part.capitalize()} records on two axes: {_spread(cells, which)}")


def shade_of(share: float, most: float) -> int:
    """The step (0 to 6) of a share, by its square root, so that thin places are seen."""
    return 0 if share <= 0 else min(1 + int(math.sqrt(share / most) * STEPS), STEPS)


def _spread(cells: Sequence[Sequence[float]], which: int) -> str:
    held = [cell[which] for cell in cells if cell[which] > 0]
    apart = sum(abs(cell[2] - cell[3]) for cell in cells) / 2
    return (
        f"{len(held)} of the {len(cells)} squares drawn are filled; the two sides differ by {apart:.0%} of the records"
    )
