"""Runs of measurements that are repeated: eight successive ones of the same channels, values and minutes in between.

Runs repeat by chance (a ventilator that stays on), so synthetic stays are counted against unseen real ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from semblance.core.estimate import Estimate, difference, mean
from semblance.core.judge import Wording, measures, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.metrics.samples import LEAST, Measured

RUN = 8
COPIES, UNIQUE = "privacy.copies", "privacy.unique_copies"


@measures(COPIES, UNIQUE)
def copies(evidence: Measured) -> tuple[Finding, ...]:
    """Two excess shares of synthetic stays over holdout's: 0 in expectation for new stays of the kind of train's, 1 for
    train itself.

    - copies: stays that repeat a run of any train stay.
    - unique_copies: the same of runs that one train stay alone has, by which a patient could be recognised.

    Holdout tells what chance does: its stays are unseen as well, and are looked for in the same train stays. Stays that
    vary less than real ones repeat runs more often by chance, and are counted as copies.

    Intervals by patient, never narrower than the rule of three (Hanley and Lippman-Hand 1983). Control: half of train
    in the place of the synthetic stays, the other half in that of train.
    """
    channels, train = evidence.train.channels, evidence.train
    made, unseen = (part.coded(channels) for part in (evidence.synthetic, evidence.holdout))
    if min(patients(train.subjects), patients(unseen.subjects)) < 2 or len(made) < LEAST:
        return _finding.unmeasured(_TEXT, status="insufficient", reason="too few stays to compare")
    half = np.zeros(len(train), dtype=bool)
    half[patient_rows(train.subjects, len(train) // 2, rng=stream(evidence.seed, "copies"))] = True
    measured = _excess(made, unseen, train)
    control = _excess(train.take(half), unseen, train.take(~half))
    both = zip(_TEXT, measured, control, strict=True)
    return tuple(_finding(metric, estimate=value, control=real, detail={"run": RUN}) for metric, value, real in both)


def runs(stays: Stays) -> pd.DataFrame:
    """Each run of each stay once: its `mark`, equal for equal runs, and its `stay`."""
    step = np.where(np.diff(stays.stay, prepend=-1) == 0, np.diff(stays.minute, prepend=0.0), 0.0)
    row = pd.DataFrame({"channel": stays.channel, "value": stays.value + 0.0, "step": np.round(step, 3)})
    mark = pd.util.hash_pandas_object(row, index=False).to_numpy(dtype=np.uint64)
    begins = np.arange(max(len(mark) - RUN + 1, 0))
    made = np.zeros(len(begins), dtype=np.uint64)
    for i in range(RUN):
        made = made * np.uint64(1_000_003) + mark[begins + i]
    whole = stays.stay[begins] == stays.stay[begins + RUN - 1] if len(begins) else np.zeros(0, dtype=bool)
    return pd.DataFrame({"mark": made[whole], "stay": stays.stay[begins][whole]}).drop_duplicates()


def _excess(made: Stays, unseen: Stays, train: Stays) -> tuple[Estimate, Estimate]:
    """How much larger the share of `made` that repeats runs of `train` is than that of `unseen`: of all runs, and of
    those that one stay alone has."""
    holders = runs(train)["mark"].value_counts()
    sides = [(runs(stays), stays.subjects) for stays in (made, unseen)]
    all_of, single = (_repeating(sides, known.index) for known in (holders, holders[holders == 1]))
    return all_of, single


def _repeating(sides: Sequence[tuple[pd.DataFrame, np.ndarray]], known: pd.Index) -> Estimate:
    shares = [
        mean(np.isin(np.arange(len(who)), found["stay"][found["mark"].isin(known)]), clusters=who)
        for found, who in sides
    ]
    found = difference(*shares)
    above, below = (3 / len(who) for _, who in sides)  # the rule of three, of each side
    low, high = min(found.low, found.value - below), max(found.high, found.value + above)
    return Estimate(found.value, low, high, found.level, found.n)


_TEXT = {
    COPIES: (
        "Copies of measurements",
        "How much larger the share of synthetic stays that repeat eight successive measurements of a training stay is "
        "than that of unseen real stays that do (0: no larger, as chance makes it; 1: every stay).",
    ),
    UNIQUE: (
        "Copies of unique measurements",
        "The same of measurements that one real stay alone has, by which a patient could be recognised (0: no more "
        "than chance makes; 1: every stay repeats some).",
    ),
}
_finding = Wording(_TEXT)
