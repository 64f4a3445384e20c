"""What of a finding's detail may leave, and how coarsely: an allow-list by kind of picture.

Whatever is not written here stays inside, so a judge that adds a new detail gives nothing away by it. Exact statistics
of the real records (coefficients, per-column tables), names of groups too small to be shown, coordinates of a
projection (their ends are a minimum and a maximum) and anything about single records never leave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from semblance.core.estimate import Estimate
from semblance.core.report import Finding

SMALL = 11
STEP = 0.005
SHARE = 0.01
CURVE_POINTS = 12
TIMES = 25

Detail = Mapping[str, Any]


def coarse(count: int) -> int | str:
    """A count to two digits, below 100 to the next ten above; below 11 only that it is below 11."""
    if count < SMALL:
        return f"fewer than {SMALL}"
    if count < 100:
        return -(-count // 10) * 10
    return round(count, 1 - math.floor(math.log10(count)))


def rounded(estimate: Estimate | None) -> Estimate | None:
    """Rounded to STEP, the interval outwards, so that coarse never looks safer."""
    if estimate is None:
        return None
    value, low, high = outwards(estimate.value, estimate.low, estimate.high)
    n = coarse(estimate.n)
    return Estimate(value, low, high, estimate.level, n if isinstance(n, int) else 0)


def outwards(value: float, low: float, high: float) -> tuple[float, float, float]:
    """A value and its interval in steps, the interval outwards."""
    down, up = math.floor(low / STEP + 1e-9), math.ceil(high / STEP - 1e-9)
    return steps(min(max(round(value / STEP), down), up)), steps(down), steps(up)


def steps(count: int) -> float:
    """So many steps as a number."""
    return round(count * STEP, 6)


def share(value: float) -> float:
    """A share to a hundredth."""
    return round(round(value / SHARE) * SHARE, 6) + 0.0


def detail(finding: Finding) -> dict[str, Any]:
    """What may leave of a finding's detail."""
    told: dict[str, Any] = {}
    for metric, allow in ALLOWED:
        if finding.metric == metric or (metric.endswith(".") and finding.metric.startswith(metric)):
            told |= allow(finding.detail)
    if finding.detail.get("projection"):
        told |= _projection(finding.detail["projection"])
    return told


def _shape(detail: Detail) -> dict[str, Any]:
    if detail.get("rare", 0) < SMALL:
        return {}
    return {"columns": [_column(column) for column in detail.get("columns", ())], "rare": SMALL}


def _column(column: Detail) -> dict[str, Any]:
    cells = [
        {"label": cell["label"], "train": share(cell["train"]), "synthetic": share(cell["synthetic"])}
        for cell in column.get("cells", ())
    ]
    kept = {key: column[key] for key in ("name", "kind", "distance") if key in column}
    return {**kept, "value": share(column.get("value", 0.0)), "cells": cells}


def _pairs(detail: Detail) -> dict[str, Any]:
    if "matrix" not in detail:
        return {}
    matrix = [[share(value) for value in row] for row in detail["matrix"]]
    return {"columns": list(detail["columns"]), "matrix": matrix}


def _attacks(detail: Detail) -> dict[str, Any]:
    """The curves with at most 12 points to a hundredth; no count of members."""
    told = [
        {"name": one["name"], "title": one["title"], "advantage": _interval(one["advantage"]), "curve": _curve(one)}
        for one in detail.get("attacks", ())
    ]
    return {"attacks": told, "chosen": list(detail.get("chosen", ()))} if told else {}


def _interval(numbers: Detail) -> dict[str, float]:
    value, low, high = outwards(numbers["value"], numbers["low"], numbers["high"])
    return {"value": value, "low": low, "high": high}


def _curve(attack: Detail) -> list[list[float]]:
    points = list(dict.fromkeys((share(x), share(y)) for x, y in attack.get("curve", ())))
    return [list(point) for point in _thinned(points, CURVE_POINTS)]


def _thinned(points: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the points, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    return [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]


def _survival(detail: Detail) -> dict[str, Any]:
    """Shares to a hundredth at no more than 25 times, each lowered to a step of a usual size."""
    curves = detail.get("curves", {})
    times = [float(t) for t in curves.get("times", ())]
    if not times:
        return {}
    step = usual(max(map(abs, times)) / TIMES)
    last = {math.floor(t / step): i for i, t in enumerate(times)}  # of several times in a step, the last
    told = {"times": [round(k * step, 9) for k in sorted(last)][:TIMES]}
    for part in ("real", "synthetic"):
        told[part] = [share(curves[part][last[k]]) for k in sorted(last)][:TIMES]
    return {"curves": told, "unit": str(detail.get("unit", "time"))}


def usual(size: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    if size <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(size))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= size * (1 - 1e-9))


def _groups(detail: Detail) -> dict[str, Any]:
    """Groups of at least 11 patients, their sizes and numbers made coarse; smaller ones are not even named."""
    told = [dict(row) for row in _group_rows(detail.get("groups", ()))]
    attributes = [{"attribute": one["attribute"], **_numbers(one)} for one in detail.get("attributes", ())]
    return {key: rows for key, rows in (("groups", told), ("attributes", attributes)) if rows}


def _group_rows(groups: Sequence[Detail]) -> Iterator[dict[str, Any]]:
    for row in groups:
        if isinstance(row.get("patients"), int) and row["patients"] >= SMALL:
            yield {"group": row["group"], "patients": coarse(row["patients"]), **_numbers(row)}


def _numbers(row: Detail) -> dict[str, float]:
    low, high = row.get("low", row["value"]), row.get("high", row["value"])
    value, low, high = outwards(row["value"], low, high)
    told = {"value": value, "low": low, "high": high}
    control = row.get("control")
    return told if control is None else {**told, "control": steps(round(control / STEP))}


def _secrets(detail: Detail) -> dict[str, Any]:
    """The names of the secrets and their values, nothing else."""
    told = [{"name": one["name"], "value": share(one["value"])} for one in detail.get("secrets", ())]
    return {"secrets": told} if told else {}


def _features(detail: Detail) -> dict[str, Any]:
    told = [
        {"name": one["name"], "real": share(one["real"]), "synthetic": share(one["synthetic"])}
        for one in detail.get("features", ())
    ]
    return {"features": told} if told else {}


def _projection(shown: Detail) -> dict[str, Any]:
    """Squares of at least 11 patients, counted from a corner: the axes themselves end at a real minimum and maximum."""
    kept = [cell for cell in shown.get("cells", ()) if cell[4] >= SMALL]
    cells = [[int(i), int(j), share(real), share(made)] for i, j, real, made, _ in kept]
    axes = {axis: list(range(len(shown.get(axis, ())))) for axis in ("x", "y")}
    return {"projection": {"title": "Records on two axes", **axes, "cells": cells}} if cells else {}


ALLOWED: tuple[tuple[str, Callable[[Detail], dict[str, Any]]], ...] = (
    ("fidelity.shape", _shape),
    ("fidelity.pairs", _pairs),
    ("privacy.membership", _attacks),
    ("privacy.inference", _secrets),
    ("privacy.attribute", _secrets),
    ("privacy.disclosed", _secrets),
    ("utility.survival.curve", _survival),
    ("utility.importance", _features),
    ("fairness.", _groups),
)
"""The metrics (a trailing dot: all that begin so) whose detail may leave, and what remains of it."""
