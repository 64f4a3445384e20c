"""Generators of vitals on real data: python -m bench.vitals --board physionet2012 --contenders real floor diffusion

A contender learns the stays of some patients and draws as many new ones, which our own judges compare with the stays of
the other patients (bench.own).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.boards import DATA
from bench.own import COST, Bench
from bench.results import Columns
from semblance.core.dataset import split_by_subject
from semblance.core.modality import ReadOptions
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.metrics import METRICS
from semblance.modalities.vitals.read import read

HOLDOUT = 0.3
NOTES = """\
# Generators of vitals

Stays in intensive care. Each contender learns the stays of seven tenths of the patients for as many seconds as the
heading of a section says, of a processor unless it says by the clock, and draws as many new ones; judges compare them
with the stays of the others. No peers yet.

- fit s, CPU s: seconds of the clock and of processors for planning and fitting; GiB: the most memory so far; stays/s:
  by the clock, and for each second of a processor (where the machine does other work, only these compare)
- told: abs(accuracy - .5) of boosted trees that tell new stays from unseen real ones, by first, last, lowest, highest
  and mean values and counts of each channel and by facts; 0 is best
- TSTR: AUROC of the outcome (death in hospital) of unseen patients, predicted by boosted trees that learned as many new
  stays as there are real ones; TRTR: by trees that learned the real ones. Each is the mean of three seeds of the trees.
  Scores and lengths of stay that come with the outcome are not predicted from, as in the challenge
- gap: TRTR - TSTR, and ±, half of its interval over blocks of the unseen patients; halves: the difference between
  trees of the two halves of train, both real
- TRTS: how far the AUROC of real trees on new stays is from that on unseen ones
- presence: difference of the shares of hours and stays that have a channel; gaps: of minutes between measurements;
  missing: of correlations between the outcome and how often a channel is measured
- values: W1 over the middle 90 % of train's; change: of successive values; pairs: of correlations between channels
- order: share of moments that break systolic >= mean >= diastolic
- recall, coverage: in the modality's embedding
- real against real: train in the place of new stays; its TRTS is of what the trees have learned
"""
COLUMNS: Columns = {
    **COST,
    "stays/s": ("pace", 0),
    "stays/CPU s": ("pace_cpu", 0),
    "told": ("vitals_discriminative", 3),
    "TRTR": ("trtr", 3),
    "TSTR": ("vitals_tstr", 3),
    "gap": ("vitals_gap", 3),
    "±": ("gap_margin", 3),
    "halves": ("halves", 3),
    "TRTS": ("vitals_trts", 3),
    "presence": ("vitals_presence", 3),
    "gaps": ("vitals_gaps", 3),
    "missing": ("vitals_missingness", 3),
    "values": ("vitals_values", 3),
    "change": ("vitals_change", 3),
    "pairs": ("vitals_correlation", 3),
    "order": ("vitals_order", 4),
    "recall": ("recall", 2),
    "coverage": ("coverage", 2),
}
JUDGES = (*METRICS, "semblance.evaluate.fidelity.coverage:coverage")


@dataclass(frozen=True)
class Board:
    """Files of stays, what is declared of them, and the seconds that a generator may learn."""

    title: str
    folder: Path
    files: tuple[str, ...]
    target: str
    seconds: float
    declared: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def parts(self) -> tuple[Stays, Stays]:
        """Train, and the stays of other patients."""
        paths = [self.folder / name for name in self.files]
        stays, _ = read(paths, ReadOptions(target=self.target, declared=self.declared))
        return split_by_subject(stays, holdout=HOLDOUT, rng=stream(0, "split"))


BOARDS = {
    "physionet2012": Board(
        "PhysioNet 2012, set A: 3,996 stays of 48 hours, 37 channels",
        DATA / "longitudinal" / "physionet2012",
        ("set_a_long.parquet", "Outcomes-a.csv"),
        "In-hospital_death",
        300,
        {
            "columns": {name: {"role": "drop"} for name in ("SAPS-I", "SOFA", "Length_of_stay", "Survival")},
            "vitals": {"order": [["SysABP", "MAP", "DiasABP"], ["NISysABP", "NIMAP", "NIDiasABP"]]},
        },
    )
}


def _numbers(found: Mapping[str, Finding]) -> Iterator[tuple[str, float]]:
    for metric, finding in found.items():
        assert finding.estimate is not None
        name = metric.rpartition(".")[2]
        yield name, finding.estimate.value
        if name == "vitals_tstr" and finding.control is not None:
            yield "trtr", finding.control.value
        if name == "vitals_gap":
            yield "gap_margin", (finding.estimate.high - finding.estimate.low) / 2
            assert finding.control is not None
            yield "halves", finding.control.value


BENCH = Bench("vitals", "vitals", BOARDS, JUDGES, _numbers, NOTES, COLUMNS, by="vitals_gap", most=10_000)

if __name__ == "__main__":
    BENCH.main(__doc__)
