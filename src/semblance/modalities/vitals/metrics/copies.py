"""Runs of measurements that are repeated: eight successive ones of the same channels, values and minutes in between.

Runs repeat by chance (a ventilator that stays on), so train is counted against as many unseen stays.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.metrics.samples import LEAST, Measured

RUN = 8
COPIES, UNIQUE = "privacy.copies", "privacy.unique_copies"


@measures(COPIES, UNIQUE)
def copies(evidence: Measured) -> tuple[Finding, ...]:
    """Two excess shares of synthetic stays, each 0 in expectation for a generator that has not seen train.

    - copies: stays that repeat a run of a train stay, less those that repeat one of as many holdout stays.
    - unique_copies: the same of runs that one real stay alone has, by which a patient could be recognised.

    Intervals by stay, never narrower than the rule of three (Hanley and Lippman-Hand 1983). Control: half of train in
    the place of the synthetic stays, the other half in that of train.
    """
    channels, rng = evidence.train.channels, stream(evidence.seed, "copies")
    train, holdout = evidence.train, evidence.holdout.coded(channels)
    if min(patients(train.subjects), patients(holdout.subjects)) < 2 or len(evidence.synthetic) < LEAST:
        return _finding.unmeasured(_TEXT, status="insufficient", reason="too few stays to compare")
    size = min(len(train), len(holdout))
    known = runs(train.take(patient_rows(train.subjects, size, rng=rng)))
    unseen = runs(holdout.take(patient_rows(holdout.subjects, size, rng=rng)))
    measured = _excess(runs(evidence.synthetic.coded(channels)), known, unseen, len(evidence.synthetic))
    half = np.zeros(len(train), dtype=bool)
    half[patient_rows(train.subjects, len(train) // 2, rng=rng)] = True
    rest = train.take(~half)
    size = min(len(rest), len(holdout))
    aside, other = (runs(part.take(patient_rows(part.subjects, size, rng=rng))) for part in (rest, holdout))
    control = _excess(runs(train.take(half)), aside, other, int(half.sum()))
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


def _excess(made: pd.DataFrame, known: pd.DataFrame, unseen: pd.DataFrame, n: int) -> tuple[Estimate, Estimate]:
    """The excess of all runs, and of those that one real stay alone has."""
    holders = pd.concat([known["mark"], unseen["mark"]]).value_counts()
    single = set(holders.index[holders == 1])
    return _share(made, known, unseen, n), _share(made[made["mark"].isin(single)], known, unseen, n)


def _share(made: pd.DataFrame, known: pd.DataFrame, unseen: pd.DataFrame, n: int) -> Estimate:
    sides = [np.isin(np.arange(n), made["stay"][made["mark"].isin(set(one["mark"]))]) for one in (known, unseen)]
    found = mean(sides[0].astype(float) - sides[1])
    half = max(found.high - found.value, 3 / n)
    return Estimate(found.value, found.value - half, found.value + half, found.level, found.n)


_TEXT = {
    COPIES: (
        "Copies of measurements",
        "How much larger the share of synthetic stays that repeat eight successive measurements of a training stay is "
        "than the share that repeat those of as many unseen ones (0: no larger, as chance makes it; 1: every stay).",
    ),
    UNIQUE: (
        "Copies of unique measurements",
        "The same of measurements that one real stay alone has, by which a patient could be recognised (0: no more "
        "than chance makes; 1: every stay repeats some).",
    ),
}
_finding = Wording(_TEXT)
