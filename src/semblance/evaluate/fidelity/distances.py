"""Distances between the clouds of synthetic and of unseen real records: transport, kernel means, energy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, jackknife, linearized
from semblance.core.judge import Wording, measures, patient_blocks, slots, to_real
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fidelity.samples import parts, rows, size, too_few, who
from semblance.evaluate.shared.models import beside

RECORDS = {"fast": 2_000, "standard": 4_000, "audit": 20_000}
PAIRED = {"fast": 1_000, "standard": 1_500, "audit": 5_000}
DIRECTIONS = 200
BLOCKS = 10
METRICS = ("fidelity.sliced", "fidelity.mmd", "fidelity.energy")


@dataclass(frozen=True)
class Cloud:
    """Points (n, d) of one part, the patient of each and the block of patients that it is left out with."""

    points: np.ndarray
    who: np.ndarray
    block: np.ndarray


@measures(*METRICS)
def distances(evidence: Evidence) -> tuple[Finding, ...]:
    """Three distances of synthetic from holdout records in the embedding, whose unit is a move through the middle 90%
    of a number or to another category.

    - sliced: sliced Wasserstein distance (Rabin et al. 2012), the mean over 200 random directions of W1 between the
      projections. The interval comes from the Kantorovich potentials, which are W1's influence functions.
    - mmd: maximum mean discrepancy (Gretton et al. 2012) with a Gaussian kernel, whose width is the
      median distance between holdout records, so that no synthetic record can widen it.
    - energy: 2 E|X - Y| - E|X - X'| - E|Y - Y'| (Szekely and Rizzo 2013), under a root.

    mmd and energy are exact on at most PAIRED records a side, and the square root of the unbiased square, 0 where
    chance takes that below 0; `detail["squared"]` has it. Pairs of one patient's records are left out, or visits would
    look like a difference. Grouped jackknife by patient, taken before the root. Control: train against holdout at the
    same size; sliced is above 0 by chance.
    """
    if reason := too_few(evidence):
        return _finding.unmeasured(METRICS, status="insufficient", reason=reason)
    n, paired = size(evidence, RECORDS[evidence.tier]), size(evidence, PAIRED[evidence.tier])
    squares, width = _squares(evidence, paired)
    details: tuple[dict[str, Any], ...] = (
        {"records": n, "directions": DIRECTIONS},
        {"records": paired, "width": width, "squared": squares["synthetic"][0].value},
        {"records": paired, "squared": squares["synthetic"][1].value},
    )
    numbers = (_transported(evidence, n), *({part: root(pair[i]) for part, pair in squares.items()} for i in (0, 1)))
    told = [slots(found) for found in numbers]
    return tuple(
        _finding(metric, **found, detail={**detail, **to_real(found)})
        for metric, found, detail in zip(METRICS, told, details, strict=True)
    )


def _transported(evidence: Evidence, n: int) -> dict[Part, Estimate]:
    """The sliced Wasserstein distance of each part from holdout."""
    asked = parts(evidence)
    axes = directions(evidence.embedding("train").shape[1], seed=evidence.seed)
    real = _cloud(evidence, "holdout", n)
    made = beside([partial(sliced, _cloud(evidence, part, n), real, axes) for part in asked])
    return dict(zip(asked, made, strict=True))


def _squares(evidence: Evidence, n: int) -> tuple[dict[Part, tuple[Estimate, Estimate]], float]:
    """The squares of both kernel distances of each part from holdout, and the width of the Gaussian kernel."""
    asked = parts(evidence)
    real, made = _cloud(evidence, "holdout", n), [_cloud(evidence, part, n) for part in asked]
    width = median_distance(real.points)
    pairs = [(real, real), *((one, one) for one in made), *((one, real) for one in made)]
    sums = beside([partial(pair_sums, a, b, width) for a, b in pairs])
    within, across = sums[1 : 1 + len(made)], sums[1 + len(made) :]
    units = [min(one.who.max(), real.who.max()) + 1 for one in made]
    found = zip(asked, within, across, units, strict=True)
    return {part: discrepancies(own, sums[0], other, units=int(n)) for part, own, other, n in found}, width


def _cloud(evidence: Evidence, part: Part, n: int) -> Cloud:
    chosen = rows(evidence, part, n)
    unit = who(evidence, part, chosen)
    block = patient_blocks(unit, BLOCKS, rng=stream(evidence.seed, "distances", part, n))
    return Cloud(evidence.embedding(part)[chosen].astype(float), np.unique(unit, return_inverse=True)[1], block)


def directions(width: int, *, seed: int) -> np.ndarray:
    """(DIRECTIONS, width) unit vectors, evenly over the sphere."""
    drawn = stream(seed, "directions").standard_normal((DIRECTIONS, width))
    axes: np.ndarray = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return axes


def sliced(a: Cloud, b: Cloud, axes: np.ndarray) -> Estimate:
    """Mean W1 of two clouds over the directions, and its interval by patient."""
    total, potential = 0.0, np.zeros(len(a.points) + len(b.points))
    for left, right in zip(axes @ a.points.T, axes @ b.points.T, strict=True):
        far, slope = transport(left, right)
        total, potential = total + far, potential + slope
    value, sides = total / len(axes), np.split(potential / len(axes), [len(a.points)])
    halves = [linearized(0, side - side.mean(), clusters=c.who) for side, c in zip(sides, (a, b), strict=True)]
    half = math.hypot(*(one.high for one in halves))
    return Estimate(value, max(0.0, value - half), value + half, n=min(one.n for one in halves))


def transport(a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray]:
    """W1 of two samples on a line, and the Kantorovich potential at each value of both.

    W1 is the integral of |F - G|; moving a little mass of `a` to a place changes it by the potential there, and mass of
    `b` by its negative.
    """
    values = np.concatenate([a, b])
    order = np.argsort(values, kind="stable")
    steps = np.repeat([1 / len(a), -1 / len(b)], [len(a), len(b)])
    gap, width = np.cumsum(steps[order])[:-1], np.diff(values[order])
    potential = np.empty(len(values))
    potential[order] = -np.concatenate([[0.0], np.cumsum(np.sign(np.round(gap, 12)) * width)])
    return float((np.abs(gap) * width).sum()), potential


def median_distance(points: np.ndarray) -> float:
    """The median distance between different points; 1 where most of them coincide."""
    middle = float(np.median(between(points, points)[np.triu_indices(len(points), 1)]))
    return middle if middle > 0 else 1.0


def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, m) Euclidean distances."""
    centre = b.mean(axis=0)
    a, b = a - centre, b - centre
    made = a @ b.T
    made *= -2
    made += (a**2).sum(axis=1)[:, None]
    made += (b**2).sum(axis=1)
    distance: np.ndarray = np.sqrt(np.maximum(made, 0, out=made), out=made)
    return distance


@dataclass(frozen=True)
class Sums:
    """(BLOCKS, BLOCKS) sums of both kernels over pairs of records, and how many pairs: enough for every jackknife."""

    gaussian: np.ndarray
    euclidean: np.ndarray
    count: np.ndarray


def pair_sums(a: Cloud, b: Cloud, width: float) -> Sums:
    """Over all pairs of two clouds, or of one cloud those of different patients."""
    distance = between(a.points, b.points)
    gaussian = np.exp(np.square(distance) / (-2 * width**2))
    count = np.ones_like(distance)
    if a is b:
        count = (a.who[:, None] != a.who).astype(float)
        distance, gaussian = distance * count, gaussian * count
    sides = [np.equal.outer(np.arange(BLOCKS), one.block).astype(float) for one in (a, b)]
    return Sums(*(sides[0] @ kernel @ sides[1].T for kernel in (gaussian, -distance, count)))


def discrepancies(a: Sums, b: Sums, across: Sums, *, units: int) -> tuple[Estimate, Estimate]:
    """Unbiased squared MMD and energy distance: the same statistic with the kernels exp(-d^2 / 2 width^2) and -d
    (Sejdinovic et al. 2013)."""
    every = np.arange(BLOCKS)
    made = []
    for kernel in ("gaussian", "euclidean"):
        sums = [(getattr(one, kernel), one.count) for one in (a, b, across)]
        left_out = [_discrepancy(sums, every != block) for block in every]
        made.append(jackknife(_discrepancy(sums, every >= 0), np.array(left_out), n=units))
    return made[0], made[1]


def _discrepancy(sums: list[tuple[np.ndarray, np.ndarray]], kept: np.ndarray) -> float:
    """Mean kernel within a, plus within b, minus twice between them, over the blocks kept."""
    here = np.ix_(kept, kept)
    within_a, within_b, across = (float(total[here].sum() / max(count[here].sum(), 1)) for total, count in sums)
    return within_a + within_b - 2 * across


def root(squared: Estimate) -> Estimate:
    """The root of what is positive of a square; roots keep order, so the interval stays one."""
    value, low, high = (math.sqrt(max(x, 0.0)) for x in (squared.value, squared.low, squared.high))
    return replace(squared, value=value, low=low, high=high)


_TEXT = {
    "fidelity.sliced": (
        "Sliced Wasserstein distance",
        "How far synthetic records would have to move to lie as real ones do, seen from many sides (near the control: "
        "alike; 1: as far as through the whole usual range of a number).",
    ),
    "fidelity.mmd": (
        "Kernel discrepancy (MMD)",
        "How differently synthetic and real records crowd together at the usual distance between patients (0: alike; 1 "
        "or more: hardly a place in common).",
    ),
    "fidelity.energy": (
        "Energy distance",
        "How much farther synthetic records lie from real ones than each lie from their own kind (0: alike; the "
        "larger, the farther apart).",
    ),
}

_finding = Wording(_TEXT)
