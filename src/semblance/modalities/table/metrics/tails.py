"""Tails: whether extreme values are as frequent in synthetic records as in real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.judge import measures, patients
from semblance.core.report import Finding
from semblance.core.schema import Column
from semblance.modalities.table.cells import RARE
from semblance.modalities.table.metrics.flags import counted, together
from semblance.modalities.table.metrics.samples import (
    Measured,
    compared,
    continuous,
    estimates,
    row,
    samples,
    too_few,
)

LEVELS = (0.005, 0.01, 0.025, 0.05)
EXPECTED = 20  # holdout patients beyond a quantile
WIDEST = 2  # times the level, that a tail of a column with few values may hold


@measures("rare.tails")
def tails(evidence: Measured) -> tuple[Finding, ...]:
    """Mean over both ends of continuous columns of the smaller over the larger share of records in the tail; 1 is best.

    A tail is what lies beyond train's quantile at the smallest level of LEVELS that leaves 20 holdout patients there
    on average; its share is of known values, synthetic against holdout. Where so many values equal the quantile that
    next to nothing lies beyond it, they belong to the tail if it stays below twice the level. An end without such a
    tail of at least 11 train patients is left out. `detail["together"]` is the mean difference of phi between two tails
    of different columns: whether what is extreme together stays so (tail dependence).
    """
    if not continuous(evidence):
        return (_finding(status="not_applicable", reason="no column holds numbers or dates"),)
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    level = next((q for q in LEVELS if q * samples(evidence)["holdout"].patients >= EXPECTED), None)
    if level is None:
        reason = f"fewer than {EXPECTED / LEVELS[-1]:.0f} holdout patients"
        return (_finding(status="insufficient", reason=reason),)
    ends = [end for column in continuous(evidence) for end in _ends(evidence, column, level)]
    if not ends:
        return (_finding(status="not_applicable", reason="no column has a tail: its extremes are its usual values"),)
    made = [_agreement(evidence, end) for end in ends]
    averaged = {part: np.mean([one[part] for one in made], axis=0) for part in compared(evidence)}
    columns = [
        {**row(evidence, f"{end.column.name} ({'high' if end.high else 'low'})", one)}
        for end, one in zip(ends, made, strict=True)
    ]
    detail = {"columns": columns, "level": level, "together": _together(evidence, ends)}
    return (_finding(**estimates(evidence, averaged), detail=detail),)


def _finding(**fields: Any) -> Finding:
    meaning = (
        "How well the share of very high and very low values agrees with the real one (1 equal, 0 none or too many); "
        "real records stay below 1 too, by chance."
    )
    return Finding("rare.tails", "Extreme values", "rare", better="higher", meaning=meaning, **fields)


@dataclass(frozen=True)
class _End:
    """One end of a column: the values beyond `cut`, or from it on where `closed`."""

    column: Column
    high: bool
    cut: float
    closed: bool

    def holds(self, values: np.ndarray) -> np.ndarray:
        """(n,) whether each value lies in the tail; a missing one does not."""
        sign = 1 if self.high else -1
        beyond, at = sign * values > sign * self.cut, values == self.cut
        return beyond | at if self.closed else beyond


def _ends(evidence: Measured, column: Column, level: float) -> list[_End]:
    """The ends of a column that are tails in train."""
    values = evidence.train.frame[column.name].to_numpy()
    known = values[~np.isnan(values)]
    finite = known[np.isfinite(known)]
    if not len(finite):
        return []
    found = []
    for high, q in ((False, level), (True, 1 - level)):
        cut = float(np.quantile(finite, q))
        ends = (_End(column, high, cut, closed) for closed in (True, False))
        end = next((e for e in ends if 0 < e.holds(known).mean() <= WIDEST * level), None)
        if end is not None and patients(evidence.train.subjects[end.holds(values)]) >= RARE:
            found.append(end)
    return found


def _agreement(evidence: Measured, end: _End) -> dict[Part, np.ndarray]:
    """Per part, (1 + blocks,) the smaller over the larger share of the tail, of the part's and holdout's."""
    real = _share(evidence, "holdout", end)
    made = {}
    for part in compared(evidence):
        share = _share(evidence, part, end)
        larger = np.maximum(share, real)
        made[part] = np.divide(np.minimum(share, real), larger, out=np.ones_like(larger), where=larger > 0)
    return made


def _together(evidence: Measured, ends: list[_End]) -> dict[str, float] | None:
    """How differently two tails go together, one of each column's ends: the high one where it is a tail."""
    chosen = {end.column.name: end for end in ends}.values()  # of two ends the later, which is the high one
    if len(chosen) < 2:
        return None
    both = {}
    for part, sample in samples(evidence).items():
        frame = sample.table.frame
        both[part] = counted(sample, np.stack([end.holds(frame[end.column.name].to_numpy()) for end in chosen], axis=1))
    return together(evidence, both)


def _share(evidence: Measured, part: Part, end: _End) -> np.ndarray:
    """(1 + blocks,) share of the known values that lie in the tail."""
    sample = samples(evidence)[part]
    values = sample.table.frame[end.column.name].to_numpy()
    usual, beyond = sample.count(np.where(np.isnan(values), 2, end.holds(values)), 3)[:2]
    share: np.ndarray = beyond / np.maximum(usual + beyond, 1)
    return share
