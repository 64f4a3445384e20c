"""What metrics of a modality look at: as many records of each part, in blocks of patients.

A metric describes each record by some numbers, and says how far two sets of records are apart. `compared` measures that
from holdout for the synthetic set, for train (the control) and for the floor, of everything and without each block of
patients: the jackknife's interval resamples patients and never records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from semblance.core.dataset import Dataset, Evidence, Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import patient_blocks, patient_rows, patients, slots
from semblance.core.rng import stream

BLOCKS, LEAST = 10, 20
PARTS: tuple[Part, ...] = ("synthetic", "train", "floor", "holdout")

D = TypeVar("D", bound=Dataset)
Distance = Callable[[np.ndarray, np.ndarray], Any]


@dataclass(frozen=True)
class Sample(Generic[D]):
    """Records, and the block of patients that each is left out with."""

    records: D
    block: np.ndarray

    def __len__(self) -> int:
        return len(self.records)


def from_holdout(
    told: Mapping[Part, tuple[np.ndarray, np.ndarray]], distance: Distance, *, blocks: int
) -> dict[Part, np.ndarray]:
    """Per part but holdout, (1 + blocks, m) distances from holdout: of everything, then without each block, of arrays
    with a row per record and the block of each."""

    def of(part: Part) -> np.ndarray:
        sides = [told[part], told["holdout"]]
        without = [[x[block != k] for x, block in sides] for k in range(blocks)]
        every = ([x for x, _ in sides], *without)
        return np.array([np.atleast_1d(distance(*pair)) for pair in every], dtype=float)

    return {part: of(part) for part in told if part != "holdout"}


def _as_it_is(evidence: Evidence[D], part: D) -> D:
    return part


@dataclass(frozen=True)
class Samples(Generic[D]):
    """Samples of records that are called `name`, of at most `most` records by tier, each `seen` as judges see it."""

    name: str
    most: Mapping[str, int]
    seen: Callable[[Evidence[D], D], D] = _as_it_is

    def of(self, evidence: Evidence[D]) -> dict[Part, Sample[D]]:
        """One sample per part, all equally large."""
        return evidence.once(f"samples of {self.name}", lambda: self._of(evidence))

    def _of(self, evidence: Evidence[D]) -> dict[Part, Sample[D]]:
        known = [part for part in PARTS if getattr(evidence, part) is not None]
        n = min(self.most[evidence.tier], *(len(getattr(evidence, part)) for part in known))
        return {part: self._drawn(evidence, part, n) for part in known}

    def _drawn(self, evidence: Evidence[D], part: Part, n: int) -> Sample[D]:
        whole: D = getattr(evidence, part)
        rng = stream(evidence.seed, self.name, part)
        some = self.seen(evidence, whole.take(patient_rows(whole.subjects, n, rng=rng)))
        who = some.subjects if patients(some.subjects) > 1 else np.arange(len(some))
        if not len(who):
            return Sample(some, np.empty(0, dtype=np.int64))
        return Sample(some, patient_blocks(who, min(BLOCKS, patients(who)), rng=rng))

    def too_few(self, evidence: Evidence[D]) -> str:
        """Why nothing can be measured, or nothing."""
        return "" if len(self.of(evidence)["synthetic"]) >= LEAST else f"fewer than {LEAST} {self.name} on a side"

    def compared(
        self, evidence: Evidence[D], describe: Callable[[D], np.ndarray], distance: Distance
    ) -> dict[Part, np.ndarray]:
        """Per part, (1 + blocks, m) distances from holdout: of everything, then without each block of patients.

        `describe(records)` gives an array with a row per record, `distance(made, held)` a number or (m,) numbers.
        """
        return self.apart(evidence, self.described(evidence, describe), distance)

    def described(self, evidence: Evidence[D], describe: Callable[[D], np.ndarray]) -> dict[Part, np.ndarray]:
        """An array with a row per record of each sample."""
        return {part: describe(sample.records) for part, sample in self.of(evidence).items()}

    def apart(
        self, evidence: Evidence[D], told: Mapping[Part, np.ndarray], distance: Distance
    ) -> dict[Part, np.ndarray]:
        """The same of records that are described already: `told` has an array with a row per record of each sample."""
        drawn = self.of(evidence)
        blocks = max(min(int(sample.block.max()) + 1 for sample in drawn.values()), 2)

        dealt = {part: (told[part], sample.block) for part, sample in drawn.items()}
        return from_holdout(dealt, distance, blocks=blocks)

    def estimate(
        self, evidence: Evidence[D], statistic: np.ndarray, within: tuple[float, float] = (0.0, np.inf)
    ) -> Estimate:
        """From (1 + blocks,) statistics: of everything, then without each block. Its units are patients."""
        n = patients(self.of(evidence)["holdout"].records.subjects)
        return jackknife(float(statistic[0]), statistic[1:], n=n, within=within)

    def estimates(
        self, evidence: Evidence[D], made: Mapping[Part, np.ndarray], *, within: tuple[float, float] = (0.0, np.inf)
    ) -> dict[str, Any]:
        """The fields `estimate`, `control` and `floor` of a finding, from the mean of the m distances."""
        return slots({part: self.estimate(evidence, one.mean(axis=1), within) for part, one in made.items()})

    def rows(
        self, evidence: Evidence[D], names: Sequence[str], made: Mapping[Part, np.ndarray]
    ) -> list[dict[str, Any]]:
        """What the detail of a finding says of each of the m distances, the largest first."""
        mine, control = made["synthetic"], made["train"]
        told = [
            {"name": name, **self.estimate(evidence, mine[:, j]).plain(), "control": float(control[0, j])}
            for j, name in enumerate(names)
        ]
        return sorted(told, key=lambda row: -row["value"])
