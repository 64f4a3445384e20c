"""Does every kind of real wave have a synthetic one, and every kind of synthetic wave a real one?"""

from __future__ import annotations

from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.judge import Wording, measures, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.signal.embed import Basis, basis
from semblance.modalities.signal.metrics.samples import (
    Measured,
    apart,
    classes,
    estimate,
    rows,
    samples,
    too_few,
)

METRIC = "fidelity.signal_modes"
DIRECTIONS = 16
MOST, EACH = 12, 15  # kinds of a class, and the pieces that a kind has on average at least
COVERED = 0.2  # of a kind's share that the other side must reach
TURNS = 8  # of Lloyd's algorithm


@measures(METRIC)
def modes(evidence: Measured) -> tuple[Finding, ...]:
    """Share of the kinds of waves that both sides know, class by class; 1 is best, 0 the worst.

    Each side's pieces of a class fall into up to 12 kinds (k-means, Lloyd 1982, on 16 principal components). A kind is
    covered where the other side has at least a fifth of its share there. The mean of both directions, averaged over
    classes: kinds of holdout that synthetic pieces cover (none is missed), and kinds of synthetic pieces that holdout
    covers (none is made up). Patients differ, so that no control is 1. `detail["classes"]` has each class.
    """
    if reason := too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    axes = basis(evidence.train.waves, DIRECTIONS)
    labels: tuple[str | None, ...] = classes(evidence) or (None,)
    made = [_class(evidence, axes, label) for label in labels]
    blocks = min(len(one[part]) for one in made for part in one)
    parts: tuple[Part, ...] = tuple(part for part in made[0] if all(part in one for one in made))
    mean = {part: np.mean([one[part][:blocks].mean(axis=1) for one in made], axis=0) for part in parts}
    numbers = {part: estimate(evidence, part, one, within=(0.0, 1.0)) for part, one in mean.items()}
    detail = {"classes": [_row(evidence, label, one) for label, one in zip(labels, made, strict=True)]}
    return (_finding(METRIC, **slots(numbers), detail=detail),)


def _class(evidence: Measured, axes: Basis, label: str | None) -> dict[Part, np.ndarray]:
    """Per part, (1 + blocks, 2) shares of covered kinds of the class: of holdout, of the part."""
    told = {part: axes.of(sample.pieces.waves) for part, sample in samples(evidence, label).items()}
    seed = int(stream(evidence.seed, "modes", label or "").integers(2**31))
    return apart(evidence, told, lambda a, b: (covered(b, a, seed=seed), covered(a, b, seed=seed)), label=label)


def _row(evidence: Measured, label: str | None, made: dict[Part, np.ndarray]) -> dict[str, Any]:
    directions = rows(evidence, ("of real", "of synthetic"), made, label=label, within=(0.0, 1.0))
    return {"label": label or "", "kinds": directions}


def covered(x: np.ndarray, other: np.ndarray, *, seed: int) -> float:
    """The share of the kinds of x (n, d) of which other (m, d) has its share, or COVERED of it."""
    k = int(np.clip(len(x) // EACH, 1, MOST))
    centres = kinds(x, k, rng=stream(seed, "kinds"))
    mine, theirs = (np.bincount(nearest(one, centres), minlength=k) / max(len(one), 1) for one in (x, other))
    known = mine > 0
    return float((theirs[known] >= COVERED * mine[known]).mean())


def kinds(x: np.ndarray, k: int, *, rng: np.random.Generator) -> np.ndarray:
    """(k, d) centres, begun far from each other (k-means++, Arthur and Vassilvitskii 2007)."""
    centres = x[rng.integers(len(x))][None]
    for _ in range(k - 1):
        far = _squares(x, centres).min(axis=1)
        share = far / far.sum() if far.sum() > 0 else np.full(len(x), 1 / len(x))
        centres = np.concatenate([centres, x[rng.choice(len(x), p=share)][None]])
    for _ in range(TURNS):
        at = nearest(x, centres)
        count = np.bincount(at, minlength=k)
        sums = np.stack([np.bincount(at, weights=column, minlength=k) for column in x.T], axis=1)
        centres = np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], centres)
    return centres


def nearest(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(n,) the nearest centre of each point."""
    found: np.ndarray = _squares(x, centres).argmin(axis=1)
    return found


def _squares(x: np.ndarray, centres: np.ndarray) -> np.ndarray:
    x, centres = x.astype(float), centres.astype(float)
    gap = (x**2).sum(axis=1)[:, None] - 2 * x @ centres.T + (centres**2).sum(axis=1)
    return np.maximum(gap, 0)


_finding = Wording(
    {
        METRIC: (
            "Kinds of waves",
            "Share of the kinds of waves that real and synthetic pieces have in common, in each class (1: all; 0: "
            "none).",
        )
    },
    better="higher",
)
