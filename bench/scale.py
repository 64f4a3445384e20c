"""What a generator costs as the records grow to a million: python -m bench.scale --generators autoregressive marginals

Simulated records with columns of every kind (bench.simulated), up to a million of them; each fit in a process of its
own. Writes results/scale.md and results/scale.svg; a generator's rows replace its older ones, all others stay in
scale.json.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.boards import ROOT
from bench.contenders import Attempt, attempt, ours
from bench.results import made
from bench.simulated import simulated
from bench.watch import Limits

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
COLUMNS = 30
SAMPLED = 200_000
LATE = 2.0  # times the budget, after which a fit is ended


@dataclass(frozen=True)
class Point:
    """One fit: records learned, how it ended, seconds, peak memory of its process (GiB), records drawn per second."""

    rows: int
    outcome: str
    fit: float
    peak: float
    rate: float

    @classmethod
    def of(cls, done: Attempt, *, rows: int, sampled: int) -> Point:
        """What an attempt to learn `rows` records and to draw `sampled` came to."""
        return cls(rows, done.outcome, done.fit, done.peak, sampled / done.sample if done.sample else 0.0)


Curves = dict[str, dict[str, Any]]


def grown(name: str, args: argparse.Namespace) -> Iterator[Point]:
    """One generator, from the smallest size to the largest; it stops where one does not finish."""
    limits = Limits(args.time_budget * LATE + 120, args.memory)
    for rows in args.rows:
        train = simulated(rows=rows, columns=COLUMNS)
        terms = {"seed": 0, "time_budget": args.time_budget, "rows": args.sampled}
        point = Point.of(attempt(name, train, limits=limits, kept=False, **terms), rows=rows, sampled=args.sampled)
        print(f"{name}, {rows:,}: {point}", flush=True)
        yield point
        if point.outcome != "finished":
            return


def kept(path: Path, name: str, points: Sequence[Point]) -> Curves:
    """Put a generator's points into the raw file."""
    curves: Curves = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    curves[name] = {"points": [asdict(point) for point in points], "made": made("scale")}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")
    return curves


# Pages


def told(curves: Curves) -> str:
    """The page: what made each curve, the plot, and the numbers."""
    lines = ["# From ten thousand to a million records", ""]
    lines += [
        f"Simulated records with {COLUMNS} columns of every kind (bench/simulated.py). Memory is that of the whole"
    ]
    lines += ["process. Growth: the power of the records with which the seconds grow, 1 is linear.", ""]
    for name, curve in curves.items():
        made_by = curve["made"]
        lines += [f"- {name}: `{made_by['command']}`, commit {made_by['commit']},"]
        lines += [f"  {made_by['versions']}; {made_by['machine']}"]
    lines += ["", "![Seconds and memory by records](scale.svg)", ""]
    lines += ["| generator | records | fit s | growth | GiB | drawn per s |", "|---|---:|---:|---:|---:|---:|"]
    return "\n".join([*lines, *(line for name in curves for line in _rows(name, _points(curves[name]))), ""])


def _points(curve: Mapping[str, Any]) -> list[Point]:
    return [Point(**point) for point in curve["points"]]


def _rows(name: str, points: Sequence[Point]) -> Iterator[str]:
    for before, point in zip([None, *points], points, strict=False):
        if point.outcome == "finished":
            growth = "" if before is None else f"{power(before, point):.2f}"
            yield f"| {name} | {point.rows:,} | {point.fit:.1f} | {growth} | {point.peak:.2f} | {point.rate:,.0f} |"
        else:
            yield f"| {name} | {point.rows:,} | {point.outcome} after {point.fit:.0f} s | | {point.peak:.2f} | |"


def power(before: Point, after: Point) -> float:
    """The slope between two points on logarithmic axes."""
    return math.log(after.fit / before.fit) / math.log(after.rows / before.rows)


# The plot

WIDTH, HEIGHT, LEFT, TOP = 300, 220, 48, 28
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8f5aa8", "#b58900", "#555555")


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis over whole powers of ten: from values to pixels."""

    low: int
    high: int
    start: float
    length: float

    @classmethod
    def over(cls, values: Sequence[float], *, start: float, length: float) -> Axis:
        """The powers of ten around the values."""
        logs = [math.log10(value) for value in values if value > 0] or [0.0]
        low, high = math.floor(min(logs)), math.ceil(max(logs))
        return cls(low, max(high, low + 1), start, length)

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + self.length * (math.log10(value) - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[float]:
        """The powers of ten."""
        return [10.0**power for power in range(self.low, self.high + 1)]


def plot(curves: Curves) -> str:
    """Two panels on logarithmic axes, seconds and memory; the dashed lines are linear in the records."""
    done = {
        name: [p for p in _points(curve) if p.outcome == "finished" and p.fit > 0] for name, curve in curves.items()
    }
    panels = [_panel(done, key, title, LEFT + i * (WIDTH + 64)) for i, (key, title) in enumerate(_PANELS)]
    wide, high = 2 * WIDTH + 64 + LEFT + 130, TOP + HEIGHT + 44
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="11">'
    )
    ground = f'<rect width="{wide}" height="{high}" fill="white"/>'
    return "\n".join(
        [head, 'font-size="11">', ground, *panels, _legend(list(done), LEFT + 2 * WIDTH + 80), "</svg>", ""]
    )


_PANELS = (("fit", "Seconds to fit"), ("peak", "Peak memory, GiB"))


def _panel(done: Mapping[str, Sequence[Point]], key: str, title: str, left: float) -> str:
    every = [point for points in done.values() for point in points]
    x = Axis.over([point.rows for point in every], start=left, length=WIDTH)
    y = Axis.over([getattr(point, key) for point in every], start=TOP + HEIGHT, length=-HEIGHT)
    parts = [f'<text x="{left}" y="{TOP - 12}" font-size="13">{title}</text>', *_grid(x, y)]
    for colour, points in zip(_colours(), done.values(), strict=False):
        places = [(x.at(point.rows), y.at(getattr(point, key))) for point in points]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
    return "\n".join(parts)


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    """Ticks on both axes, and dashed lines of slope one."""
    bottom, right = y.start, x.start + x.length
    for tick in x.ticks:
        yield f'<line x1="{x.at(tick):.1f}" y1="{TOP}" x2="{x.at(tick):.1f}" y2="{bottom}" stroke="#e4e4e4"/>'
        yield f'<text x="{x.at(tick):.1f}" y="{bottom + 15}" text-anchor="middle">{tick:,.0f}</text>'
    for tick in y.ticks:
        yield f'<line x1="{x.start}" y1="{y.at(tick):.1f}" x2="{right}" y2="{y.at(tick):.1f}" stroke="#e4e4e4"/>'
        yield f'<text x="{x.start - 5}" y="{y.at(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
    yield f'<text x="{x.start + x.length / 2}" y="{bottom + 32}" text-anchor="middle">records</text>'
    for start in range(y.low - (x.high - x.low) + 1, y.high):
        low, high = max(start, y.low), min(start + x.high - x.low, y.high)
        a, b = (10.0 ** (x.low + height - start) for height in (low, high))
        yield (
            f'<line x1="{x.at(a):.1f}" y1="{y.at(10.0**low):.1f}" x2="{x.at(b):.1f}" y2="{y.at(10.0**high):.1f}" '
            'stroke="#bbbbbb" stroke-dasharray="4 4"/>'
        )


def _legend(names: Sequence[str], left: float) -> str:
    lines = []
    for i, (name, colour) in enumerate(zip(names, _colours(), strict=False)):
        lines.append(f'<text x="{left}" y="{TOP + 12 + 18 * i}" fill="{colour}">{name}</text>')
    return "\n".join(lines)


def _colours() -> Iterator[str]:
    while True:
        yield from COLOURS


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--generators", nargs="+", default=["autoregressive"], choices=ours())
    parser.add_argument("--rows", nargs="+", type=int, default=SIZES)
    parser.add_argument("--sampled", type=int, default=SAMPLED, help="records to draw")
    parser.add_argument("--time-budget", type=float, default=600, help="seconds for fitting")
    parser.add_argument("--memory", type=float, default=20, help="the most memory of one fit, GiB")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results" / "scale.md")
    args = parser.parse_args()
    for name in args.generators:
        points: list[Point] = []
        for point in grown(name, args):
            points.append(point)
            curves = kept(args.out.with_suffix(".json"), name, points)
            args.out.write_text(told(curves), encoding="utf-8")
            args.out.with_suffix(".svg").write_text(plot(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
