"""The records that the metrics of tables look at, dealt into blocks of patients, and estimates from those blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import patient_blocks, patient_rows, patients, slots
from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.data import Table

BLOCKS = 20
RECORDS = {"fast": 20_000, "standard": 60_000, "audit": 2_000_000}  # of each part
PARTS: tuple[Part, ...] = ("synthetic", "train", "floor", "holdout")

Measured = Evidence[Table]


@dataclass(frozen=True)
class Sample:
    """Records sorted by their jackknife's block, the row of each in its part (n,) and its block (n,), how many blocks
    there are, and patients."""

    table: Table
    rows: np.ndarray
    block: np.ndarray
    blocks: int
    patients: int

    @classmethod
    def of(cls, whole: Table, rows: np.ndarray, blocks: int, *, rng: np.random.Generator) -> Sample:
        """Deals the patients of some rows of a table into blocks."""
        if not len(rows):
            return cls(whole.take(rows), rows, np.empty(0, dtype=np.int64), blocks, 0)
        subjects = whole.subjects[rows]
        block = patient_blocks(subjects, blocks, rng=rng)
        order = np.argsort(block, kind="stable")
        return cls(whole.take(rows[order]), rows[order], block[order], blocks, patients(subjects))

    def count(self, code: np.ndarray, size: int) -> np.ndarray:
        """(size, 1 + blocks) records of each code 0 .. size - 1: of all, then without each block."""
        key = self.block * size + code
        count = np.bincount(key, minlength=size * self.blocks).reshape(self.blocks, size)
        return leaving_out(count.T)

    def slices(self) -> list[slice]:
        """The rows of each block."""
        ends = np.cumsum(np.bincount(self.block, minlength=self.blocks)).tolist()
        return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def samples(evidence: Measured) -> dict[Part, Sample]:
    """One sample per part, each cut patient by patient at RECORDS of the tier; no floor where it has no two patients.

    Train has at most as many records as synthetic: as a control it is fair only at the same size.
    """
    return evidence.once("samples of tables", lambda: _samples(evidence))


def _samples(evidence: Measured) -> dict[Part, Sample]:
    rows = {part: _cut(evidence, part) for part in PARTS if getattr(evidence, part) is not None}
    people = {part: patients(getattr(evidence, part).subjects[one]) for part, one in rows.items()}
    if people.get("floor", 2) < 2:
        del rows["floor"], people["floor"]
    blocks = max(min(BLOCKS, *people.values()), 1)
    return {
        part: Sample.of(getattr(evidence, part), one, blocks, rng=stream(evidence.seed, "blocks", part))
        for part, one in rows.items()
    }


def _cut(evidence: Measured, part: Part) -> np.ndarray:
    """The rows of a part that are looked at."""
    table: Table = getattr(evidence, part)
    most = min(RECORDS[evidence.tier], len(evidence.synthetic) if part == "train" else len(table))
    return patient_rows(table.subjects, most, rng=stream(evidence.seed, "rows", part))


def too_few(evidence: Measured) -> str:
    """Why nothing can be measured, or nothing."""
    least = min(sample.patients for sample in samples(evidence).values())
    return "" if least >= 2 else "an interval needs at least two patients on each side"


def compared(evidence: Measured) -> tuple[Part, ...]:
    """The parts that are compared with holdout."""
    return tuple(part for part in PARTS[:3] if part in samples(evidence))


def leaving_out(count: np.ndarray) -> np.ndarray:
    """From counts per block, along the last axis: of everything, then of everything without each block, as floats."""
    whole = count.sum(axis=-1, keepdims=True, dtype=float)
    kept: np.ndarray = np.concatenate([whole, whole - count], axis=-1)
    return kept


def estimate(
    evidence: Measured, part: Part, statistic: np.ndarray, *, within: tuple[float, float] = (0.0, 1.0)
) -> Estimate:
    """From a statistic on everything, followed by the same without each block; its units are patients."""
    known = samples(evidence)
    n = min(known[part].patients, known["holdout"].patients)
    return jackknife(float(statistic[0]), statistic[1:], n=n, within=within)


def estimates(
    evidence: Measured, made: Mapping[Part, np.ndarray], *, within: tuple[float, float] = (0.0, 1.0)
) -> dict[str, Any]:
    """The fields `estimate`, `control` and `floor` of a finding."""
    return slots({part: estimate(evidence, part, one, within=within) for part, one in made.items()})


def told(value: Estimate, control: Estimate) -> dict[str, float]:
    """What the detail of a finding says of one number."""
    return {**value.plain(), "control": control.value}


def row(
    evidence: Measured, name: str, made: Mapping[Part, np.ndarray], *, within: tuple[float, float] = (0.0, 1.0)
) -> dict[str, Any]:
    """What the detail of a finding says of one column."""
    value, control = (estimate(evidence, part, made[part], within=within) for part in ("synthetic", "train"))
    return {"name": name, **told(value, control)}


def continuous(evidence: Measured) -> tuple[Column, ...]:
    """The learned columns whose values are points on a line."""
    return tuple(column for column in evidence.train.schema.learned if column.continuous)
