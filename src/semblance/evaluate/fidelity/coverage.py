"""Do synthetic records lie where real ones lie (precision, density), and everywhere there (recall, coverage)?

All four look at the same two clouds of equally many points in the modality's metric space: holdout records, and the
part that is judged. One pass over their distances serves them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import Wording, measures, patient_blocks, patients, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fidelity.projection import projection
from semblance.evaluate.fidelity.samples import parts, rows, size, too_few, who
from semblance.evaluate.shared.models import beside
from semblance.evaluate.shared.neighbours import MOST, neighbours

RECORDS = {"fast": 1_500, "standard": 3_000, "audit": 20_000}
K = 5  # Naeem et al. 2020
BLOCKS = 10
ROUND = 1e-6, 1e-12  # of a squared radius and of the largest squared norm: equal distances count as equal
PAIRS = 1 << 21  # distances held at once
METRICS = ("fidelity.precision", "fidelity.recall", "fidelity.density", "fidelity.coverage")


@dataclass(frozen=True)
class Clouds:
    """Two clouds of n points: `real` and `made` (n, d), the patients' blocks of each, and each point's own radii.

    A radius is the distance to the first (`near`) or K-th (`far`) neighbour in its own cloud, of another patient.
    """

    real: np.ndarray
    made: np.ndarray
    real_block: np.ndarray
    made_block: np.ndarray
    real_near: np.ndarray
    real_far: np.ndarray
    made_far: np.ndarray
    units: int


@dataclass(frozen=True)
class Tally:
    """What the pass over all pairs leaves.

    `held` (n, BLOCKS): made points in a real point's far ball, by their block. `reach` (n, BLOCKS): how far from the
    made centre the innermost made point in its near ball lies; infinite where there is none. `inside` (n,): whether a
    made point lies in any real far ball; `caught` (n,): whether a real point lies in any made far ball.
    """

    held: np.ndarray
    reach: np.ndarray
    inside: np.ndarray
    caught: np.ndarray


@measures(*METRICS)
def coverage(evidence: Evidence) -> tuple[Finding, ...]:
    """Precision, recall, density and coverage of the synthetic cloud over the holdout cloud.

    - precision: integrated alpha-precision (Alaa et al. 2022), 1 - 2 mean |P(alpha) - alpha|, with P(alpha) the share
      of synthetic records within the alpha-quantile of the real distances to the real centre. The mean is over the
      alphas of all real records; the ideal is 1. The ball lies in the embedding; nothing is trained.
    - recall: integrated beta-recall (there), 1 - 2 mean |R(beta) - beta|, with R(beta) the share of real records whose
      nearest real neighbour is no nearer than some synthetic record among the beta innermost ones. Half of all real
      records have a real neighbour nearer than any of another sample, so fresh real data reach about .6 and not 1.
    - density, coverage: Naeem et al. 2020 with k = 5: the mean number of real balls around a synthetic record over k
      (ideal 1), and the share of real balls that hold a synthetic record (about .97 for real data).
      `detail["improved"]` has the precision and recall of Kynkäänniemi et al. 2019 with the same k.

    A ball reaches to the k-th neighbour that is another patient's. Intervals: grouped jackknife over patients of both
    clouds, the balls held fixed. Control: train in the synthetic set's place; all clouds have the same size.
    """
    if reason := too_few(evidence):
        return _unmeasured(evidence, reason)
    n = size(evidence, RECORDS[evidence.tier])
    clouds = {part: _clouds(evidence, part, n) for part in parts(evidence)}
    tallies = dict(zip(clouds, beside([partial(tally, one) for one in clouds.values()]), strict=True))
    improved = {"synthetic": _improved(tallies["synthetic"]), "control": _improved(tallies["train"])}
    details: tuple[dict[str, Any], ...] = (
        {"improved": {name: pair[0] for name, pair in improved.items()}},
        {"improved": {name: pair[1] for name, pair in improved.items()}},
        {},
        {"projection": projection(evidence)},
    )
    findings = []
    for metric, statistic, detail in zip(METRICS, (precision, recall, density, covered), details, strict=True):
        numbers = {part: _estimate(statistic, clouds[part], tallies[part]) for part in clouds}
        findings.append(_finding(metric, **slots(numbers), better="higher", detail={"records": n, "k": K, **detail}))
    return tuple(findings)


def _unmeasured(evidence: Evidence, reason: str) -> tuple[Finding, ...]:
    """No numbers of few patients; but the map needs none, and those inside may look at it."""
    *others, last = _finding.unmeasured(METRICS, status="insufficient", reason=reason)
    there = len(evidence.synthetic) and evidence.features("train").x.shape[1]
    return (*others, replace(last, detail={"projection": projection(evidence)}) if there else last)


def _clouds(evidence: Evidence, part: Part, n: int) -> Clouds:
    real, made = rows(evidence, "holdout", n), rows(evidence, part, n)
    units = who(evidence, "holdout", real), who(evidence, part, made)
    blocks = [
        patient_blocks(unit, BLOCKS, rng=stream(evidence.seed, "coverage", name))
        for name, unit in zip(("holdout", part), units, strict=True)
    ]
    near, far = radii(evidence, "holdout", real)
    return Clouds(
        evidence.embedding("holdout")[real],
        evidence.embedding(part)[made],
        real_block=blocks[0],
        made_block=blocks[1],
        real_near=near,
        real_far=far,
        made_far=radii(evidence, part, made)[1],
        units=min(map(patients, units)),
    )


def radii(evidence: Evidence, part: Part, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each record's distance to its first and its K-th neighbour of another patient, among the chosen records.

    Where a patient's own records fill the MOST nearest places, the last of these stands for what lies beyond.
    """
    found = neighbours(evidence, (part, chosen), (part, chosen), k=MOST)
    unit = who(evidence, part, chosen)
    other = unit[np.searchsorted(chosen, found.where)] != unit[:, None]
    distance = np.sort(np.where(other, found.distance, found.distance[:, -1:]), axis=1)
    return distance[:, 0], distance[:, min(K, distance.shape[1]) - 1]


def tally(clouds: Clouds) -> Tally:
    """One pass over all pairs, a strip of real points at a time."""
    middle = clouds.real.mean(axis=0, dtype=float)
    real, made = clouds.real - middle, clouds.made - middle
    out = centre_distance(clouds.made, clouds.made)
    squares = [(side**2).sum(axis=1) for side in (real, made)]
    slack = ROUND[1] * max(side.max() for side in squares)
    far, near, theirs = (r**2 * (1 + ROUND[0]) + slack for r in (clouds.real_far, clouds.real_near, clouds.made_far))
    n, m = len(real), len(made)
    held, reach = np.zeros((n, BLOCKS), dtype=int), np.full((n, BLOCKS), np.inf)
    inside, caught = np.zeros(m, dtype=bool), np.zeros(n, dtype=bool)
    for start in range(0, n, max(PAIRS // m, 1)):
        strip = slice(start, start + max(PAIRS // m, 1))
        gap = real[strip] @ made.T
        gap *= -2
        gap += squares[0][strip, None]
        gap += squares[1]
        caught[strip] = (gap <= theirs).any(axis=1)
        i, j = np.nonzero(gap <= far[strip, None])
        inside[j] = True
        slot = i * BLOCKS + clouds.made_block[j]
        held[strip] = np.bincount(slot, minlength=len(gap) * BLOCKS).reshape(-1, BLOCKS)
        close = gap[i, j] <= near[strip][i]
        np.minimum.at(reach, (start + i[close], clouds.made_block[j[close]]), out[j[close]])
    return Tally(held, reach, inside, caught)


def centre_distance(points: np.ndarray, cloud: np.ndarray) -> np.ndarray:
    """Distance of each point to the mean of a cloud."""
    distance: np.ndarray = np.sqrt(((points - cloud.mean(axis=0, dtype=float)) ** 2).sum(axis=1))
    return distance


Statistic = Callable[[Clouds, Tally, int], float]
"""A statistic of both clouds without the patients of one block of each; block -1 leaves nobody out."""


def precision(clouds: Clouds, _: Tally, block: int) -> float:
    """1 - 2 mean |P(alpha) - alpha|."""
    real, made = (centre_distance(side, clouds.real) for side in (clouds.real, clouds.made))
    real, made = real[clouds.real_block != block], made[clouds.made_block != block]
    return _agreement(_share(made, real), _share(real, real))


def recall(clouds: Clouds, pairs: Tally, block: int) -> float:
    """1 - 2 mean |R(beta) - beta|."""
    made = centre_distance(clouds.made, clouds.made)[clouds.made_block != block]
    reach = np.delete(pairs.reach, block, axis=1) if block >= 0 else pairs.reach
    reach = reach.min(axis=1)[clouds.real_block != block]
    return _agreement(_share(reach, made), _share(made, made))


def _agreement(found: np.ndarray, ideal: np.ndarray) -> float:
    return max(0.0, 1 - 2 * float(np.abs(found - ideal).mean()))


def density(clouds: Clouds, pairs: Tally, block: int) -> float:
    """Mean number of real balls around a made point, over K."""
    held = _held(clouds, pairs, block)
    return float(held.mean()) * len(clouds.real) / (K * int((clouds.made_block != block).sum()))


def covered(clouds: Clouds, pairs: Tally, block: int) -> float:
    """Share of real balls that hold a made point."""
    return float((_held(clouds, pairs, block) > 0).mean())


def _held(clouds: Clouds, pairs: Tally, block: int) -> np.ndarray:
    left = pairs.held.sum(axis=1) - (pairs.held[:, block] if block >= 0 else 0)
    return left[clouds.real_block != block]


def _share(values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Share of values up to each cut."""
    return np.searchsorted(np.sort(values), cuts, side="right") / len(values)


def _estimate(statistic: Statistic, clouds: Clouds, pairs: Tally) -> Estimate:
    left_out = np.array([statistic(clouds, pairs, block) for block in range(BLOCKS)])
    most = np.inf if statistic is density else 1.0
    return jackknife(statistic(clouds, pairs, -1), left_out, n=clouds.units, within=(0.0, most))


def _improved(pairs: Tally) -> tuple[float, float]:
    """Precision and recall of Kynkäänniemi et al. 2019."""
    return float(pairs.inside.mean()), float(pairs.caught.mean())


_TEXT = {
    "fidelity.precision": (
        "Alpha-precision",
        "Whether synthetic records spread from the typical to the unusual as real ones do (1: just so, 0: not at all).",
    ),
    "fidelity.recall": (
        "Beta-recall",
        "Whether real records have synthetic ones as near as other real ones (fresh real data reach about .6; 0 is "
        "none).",
    ),
    "fidelity.density": (
        "Density",
        "How densely real records surround the synthetic ones (1: as they surround each other, 0: not at all).",
    ),
    "fidelity.coverage": (
        "Coverage",
        "Share of the neighbourhoods of real records in which a synthetic record lies (1 all, 0 none).",
    ),
}

_finding = Wording(_TEXT)
