"""The images that metrics look at: as many of each part, in blocks of patients.

A metric describes each image by some numbers, and says how far two sets of images are apart. `compared` measures that
from holdout for the synthetic set, for train (the control) and for the floor, of everything and without each block of
patients: the jackknife's interval resamples patients and never pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import patient_blocks, patient_rows, patients, slots
from semblance.core.rng import stream
from semblance.modalities.image.data import Images

BLOCKS, LEAST = 10, 20
IMAGES = {"fast": 400, "standard": 1_000, "audit": 5_000}  # of each part
PARTS: tuple[Part, ...] = ("synthetic", "train", "floor", "holdout")
FEW = f"fewer than {LEAST} images on a side"

Measured = Evidence[Images]
Describe = Callable[[Images], np.ndarray]
Distance = Callable[[np.ndarray, np.ndarray], Any]


@dataclass(frozen=True)
class Sample:
    """Images, and the block of patients that each is left out with."""

    images: Images
    block: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


def samples(evidence: Measured) -> dict[Part, Sample]:
    """One sample per part, all equally large."""
    return evidence.once("samples of images", lambda: _samples(evidence))


def _samples(evidence: Measured) -> dict[Part, Sample]:
    known = [part for part in PARTS if getattr(evidence, part) is not None]
    n = min(IMAGES[evidence.tier], *(len(getattr(evidence, part)) for part in known))
    return {part: _drawn(evidence, part, n) for part in known}


def _drawn(evidence: Measured, part: Part, n: int) -> Sample:
    whole: Images = getattr(evidence, part)
    rng = stream(evidence.seed, "images", part)
    some = whole.take(patient_rows(whole.subjects, n, rng=rng))
    who = some.subjects if patients(some.subjects) > 1 else np.arange(len(some))
    return Sample(some, patient_blocks(who, min(BLOCKS, patients(who)), rng=rng))


def too_few(evidence: Measured) -> str:
    """Why nothing can be measured, or nothing."""
    return "" if len(samples(evidence)["synthetic"]) >= LEAST else FEW


def compared(evidence: Measured, describe: Describe, distance: Distance) -> dict[Part, np.ndarray]:
    """Per part, (1 + blocks, m) distances from holdout: of everything, then without each block of patients.

    `describe(images)` gives an array with one row per image, `distance(made, held)` a number or (m,) numbers.
    """
    return apart(evidence, {part: describe(sample.images) for part, sample in samples(evidence).items()}, distance)


def apart(evidence: Measured, told: Mapping[Part, np.ndarray], distance: Distance) -> dict[Part, np.ndarray]:
    """The same of images that are already described: `told` has an array with a row per image of each sample."""
    drawn = samples(evidence)
    blocks = max(min(int(sample.block.max()) + 1 for sample in drawn.values()), 2)

    def of(part: Part) -> np.ndarray:
        sides = [(told[one], drawn[one].block) for one in (part, "holdout")]
        without = [[x[block != k] for x, block in sides] for k in range(blocks)]
        return np.array([np.atleast_1d(distance(*pair)) for pair in ([x for x, _ in sides], *without)], dtype=float)

    return {part: of(part) for part in drawn if part != "holdout"}


def estimate(evidence: Measured, statistic: np.ndarray, within: tuple[float, float] = (0.0, np.inf)) -> Estimate:
    """From (1 + blocks,) statistics: of everything, then without each block. Its units are patients."""
    n = patients(samples(evidence)["holdout"].images.subjects)
    return jackknife(float(statistic[0]), statistic[1:], n=n, within=within)


def estimates(
    evidence: Measured, made: Mapping[Part, np.ndarray], *, within: tuple[float, float] = (0.0, np.inf)
) -> dict[str, Any]:
    """The fields `estimate`, `control` and `floor` of a finding, from the mean of the m distances."""
    return slots({part: estimate(evidence, one.mean(axis=1), within) for part, one in made.items()})


def pooled(pixels: np.ndarray, most: int) -> np.ndarray:
    """(n, channels, ...) float64, neighbours averaged until no side is longer than `most`."""
    x = pixels.astype(np.float64)
    for axis in range(2, x.ndim):
        factor = -(-x.shape[axis] // most)
        if factor > 1:
            kept = x.shape[axis] // factor * factor
            x = np.take(x, np.arange(kept), axis)
            x = x.reshape(*x.shape[:axis], -1, factor, *x.shape[axis + 1 :]).mean(axis + 1)
    return x
