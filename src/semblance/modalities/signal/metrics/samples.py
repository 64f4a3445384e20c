"""The pieces that metrics of signals look at: as many of each part, spread over its recordings, in blocks of patients.

A metric describes each piece by some numbers and says how far two sets of such numbers are apart. `compared` measures
that from holdout for the synthetic set, for train (the control) and for the floor, of everything and without each block
of patients: the jackknife's interval resamples patients and never pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, jackknife
from semblance.core.judge import patient_blocks, patients, slots
from semblance.core.rng import stream
from semblance.core.sampled import LEAST, PARTS, Distance, from_holdout
from semblance.modalities.signal.data import Pieces

BLOCKS = 10
PIECES = {"fast": 1_000, "standard": 2_000, "audit": 10_000}  # of each part
OF_CLASS = 0.3  # of these, at most so many of one class where classes are looked at

Measured = Evidence[Pieces]
Describe = Callable[[Pieces], np.ndarray]


@dataclass(frozen=True)
class Sample:
    """Pieces, their rows in the part, the independent unit of each (its patient), and the block it is left out with."""

    pieces: Pieces
    rows: np.ndarray
    who: np.ndarray
    block: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def spread(source: np.ndarray, n: int, *, rng: np.random.Generator) -> np.ndarray:
    """`n` rows (all, if there are fewer) in ascending order, as evenly from each source as these allow."""
    code = np.unique(source, return_inverse=True)[1]
    order = np.lexsort((rng.random(len(code)), code))
    starts = np.searchsorted(code[order], code[order])
    turn = np.empty(len(code), dtype=np.int64)
    turn[order] = np.arange(len(code)) - starts
    return np.sort(np.lexsort((rng.random(len(code)), turn))[:n])


def samples(evidence: Measured, label: str | None = None) -> dict[Part, Sample]:
    """One sample per part (of the pieces with this label), all equally large."""
    return evidence.once(("samples of signals", label), lambda: _samples(evidence, label))


def _samples(evidence: Measured, label: str | None) -> dict[Part, Sample]:
    known = [part for part in PARTS if getattr(evidence, part) is not None]
    rows = {part: _rows(getattr(evidence, part), label) for part in known}
    if "floor" in rows and len(rows["floor"]) < LEAST:
        del rows["floor"]
    most = PIECES[evidence.tier] * (1 if label is None else OF_CLASS)
    n = min(int(most), *map(len, rows.values()))
    made = {part: _drawn(evidence, part, one, n) for part, one in rows.items()}
    blocks = max(min(BLOCKS, *(patients(who) for _, who in made.values())), 1)
    return {part: _dealt(evidence, part, *one, blocks) for part, one in made.items()}


def _rows(pieces: Pieces, label: str | None) -> np.ndarray:
    return np.arange(len(pieces)) if label is None else np.flatnonzero(pieces.labels == label)


def _drawn(evidence: Measured, part: Part, rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """`n` of the rows, and their patients; synthetic pieces of one patient alone stand for themselves."""
    pieces: Pieces = getattr(evidence, part)
    rows = rows[spread(pieces.source[rows], n, rng=stream(evidence.seed, "pieces", part))]
    who = pieces.subjects[rows]
    alone = part in ("synthetic", "floor") and patients(who) < 2
    return rows, np.arange(len(rows)) if alone else who


def _dealt(evidence: Measured, part: Part, rows: np.ndarray, who: np.ndarray, blocks: int) -> Sample:
    rng = stream(evidence.seed, "blocks", part)
    block = patient_blocks(who, blocks, rng=rng) if len(who) else np.empty(0, dtype=np.int64)
    return Sample(getattr(evidence, part).take(rows), rows, who, block)


def too_few(evidence: Measured, label: str | None = None) -> str:
    """Why nothing can be measured, or nothing."""
    drawn = samples(evidence, label)
    if min(patients(drawn[part].who) for part in ("train", "holdout")) < 2:
        return "an interval needs at least two patients in train and in holdout"
    return "" if len(drawn["synthetic"]) >= LEAST else f"fewer than {LEAST} pieces on a side"


def classes(evidence: Measured) -> tuple[str, ...]:
    """The labels of which every part has enough pieces, of at least two patients, the most frequent first."""
    name, count = np.unique(evidence.train.labels, return_counts=True)
    ordered = name[np.argsort(-count, kind="stable")].tolist()
    return tuple(one for one in ordered if one and not too_few(evidence, one))


def compared(
    evidence: Measured, describe: Describe, distance: Distance, *, label: str | None = None
) -> dict[Part, np.ndarray]:
    """Per part, (1 + blocks, m) distances from holdout: of everything, then without each block of patients.

    `describe(pieces)` gives an array with one row per piece, `distance(made, held)` a number or (m,) numbers.
    """
    told = {part: describe(sample.pieces) for part, sample in samples(evidence, label).items()}
    return apart(evidence, told, distance, label=label)


def apart(
    evidence: Measured, told: Mapping[Part, np.ndarray], distance: Distance, *, label: str | None = None
) -> dict[Part, np.ndarray]:
    """The same of pieces that are already described: `told` has an array with a row per piece of each sample."""
    dealt = {part: (told[part], sample.block) for part, sample in samples(evidence, label).items()}
    return from_holdout(dealt, distance, blocks=int(dealt["holdout"][1].max()) + 1)


def estimate(
    evidence: Measured,
    part: Part,
    statistic: np.ndarray,
    *,
    label: str | None = None,
    within: tuple[float, float] = (0.0, np.inf),
) -> Estimate:
    """From (1 + blocks,) statistics: of everything, then without each block. Its units are patients."""
    drawn = samples(evidence, label)
    n = min(patients(drawn[part].who), patients(drawn["holdout"].who))
    return jackknife(float(statistic[0]), statistic[1:], n=n, within=within)


def estimates(
    evidence: Measured, made: Mapping[Part, np.ndarray], *, within: tuple[float, float] = (0.0, np.inf)
) -> dict[str, Any]:
    """The fields `estimate`, `control` and `floor` of a finding, from the mean of the m distances."""
    return slots({part: estimate(evidence, part, one.mean(axis=1), within=within) for part, one in made.items()})


def rows(
    evidence: Measured,
    names: tuple[str, ...],
    made: Mapping[Part, np.ndarray],
    *,
    label: str | None = None,
    within: tuple[float, float] = (0.0, np.inf),
) -> list[dict[str, Any]]:
    """What the detail of a finding says of each of the m distances."""
    sides = [
        [estimate(evidence, part, column, label=label, within=within) for column in made[part].T]
        for part in ("synthetic", "train")
    ]
    return [
        {"name": name, **value.plain(), "control": control.value}
        for name, value, control in zip(names, *sides, strict=True)
    ]
