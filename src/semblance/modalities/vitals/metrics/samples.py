"""The stays that metrics look at: as many of each part, in blocks of patients.

A metric describes each stay by some numbers that add up, and says how far two sets of stays are apart. `compared`
measures that from holdout for the synthetic set, for train (the control) and for the floor, of everything and without
each block of patients: the jackknife's interval resamples patients and never measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import patient_blocks, patient_rows, patients, slots
from semblance.core.rng import stream
from semblance.modalities.vitals.data import Stays

BLOCKS, LEAST = 10, 20
STAYS = {"fast": 500, "standard": 2_000, "audit": 10_000}  # of each part
PARTS: tuple[Part, ...] = ("synthetic", "train", "floor", "holdout")

Measured = Evidence[Stays]
Describe = Callable[[Stays], np.ndarray]
Distance = Callable[[np.ndarray, np.ndarray], Any]


@dataclass(frozen=True)
class Sample:
    """Stays with the channels of train, and the block of patients that each is left out with."""

    stays: Stays
    block: np.ndarray

    def __len__(self) -> int:
        return len(self.stays)


def samples(evidence: Measured) -> dict[Part, Sample]:
    """One sample per part, all equally large."""
    return evidence.once("samples of stays", lambda: _samples(evidence))


def _samples(evidence: Measured) -> dict[Part, Sample]:
    known = [part for part in PARTS if getattr(evidence, part) is not None]
    n = min(STAYS[evidence.tier], *(len(getattr(evidence, part)) for part in known))
    return {part: _drawn(evidence, part, n) for part in known}


def _drawn(evidence: Measured, part: Part, n: int) -> Sample:
    whole: Stays = getattr(evidence, part)
    rng = stream(evidence.seed, "stays", part)
    some = whole.take(patient_rows(whole.subjects, n, rng=rng)).coded(evidence.train.channels)
    who = some.subjects if patients(some.subjects) > 1 else np.arange(len(some))
    if not len(who):
        return Sample(some, np.empty(0, dtype=np.int64))
    return Sample(some, patient_blocks(who, min(BLOCKS, patients(who)), rng=rng))


def too_few(evidence: Measured) -> str:
    """Why nothing can be measured, or nothing."""
    drawn = samples(evidence)
    return "" if len(drawn["synthetic"]) >= LEAST else f"fewer than {LEAST} stays on a side"


def compared(evidence: Measured, describe: Describe, distance: Distance) -> dict[Part, np.ndarray]:
    """Per part, (1 + blocks, m) distances from holdout: of everything, then without each block of patients.

    `describe(stays)` gives an array with one row per stay, `distance(made, held)` a number or (m,) numbers.
    """
    drawn = samples(evidence)
    told = {part: describe(sample.stays) for part, sample in drawn.items()}
    blocks = max(min(int(sample.block.max()) + 1 for sample in drawn.values()), 2)

    def of(part: Part) -> np.ndarray:
        sides = [(told[one], drawn[one].block) for one in (part, "holdout")]
        without = [[x[block != k] for x, block in sides] for k in range(blocks)]
        return np.array([np.atleast_1d(distance(*pair)) for pair in ([x for x, _ in sides], *without)], dtype=float)

    return {part: of(part) for part in drawn if part != "holdout"}


def estimates(
    evidence: Measured, made: Mapping[Part, np.ndarray], *, within: tuple[float, float] = (0.0, np.inf)
) -> dict[str, Any]:
    """The fields `estimate`, `control` and `floor` of a finding, from the mean of the m distances."""
    return slots({part: _estimate(evidence, one.mean(axis=1), within) for part, one in made.items()})


def _estimate(evidence: Measured, statistic: np.ndarray, within: tuple[float, float] = (0.0, np.inf)) -> Estimate:
    n = patients(samples(evidence)["holdout"].stays.subjects)
    return jackknife(float(statistic[0]), statistic[1:], n=n, within=within)


def rows(evidence: Measured, names: Sequence[str], made: Mapping[Part, np.ndarray]) -> list[dict[str, Any]]:
    """What the detail of a finding says of each of the m distances, the largest first."""
    mine, control = made["synthetic"], made["train"]
    told = [
        {"name": name, **_estimate(evidence, mine[:, j]).plain(), "control": float(control[0, j])}
        for j, name in enumerate(names)
    ]
    return sorted(told, key=lambda row: -row["value"])
