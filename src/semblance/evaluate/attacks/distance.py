"""Membership by distance: a training patient lies nearer to the synthetic records than fresh real records would.

The distance to the nearest synthetic record is compared with the distance to the nearest of a real reference set, which
takes out that some patients live in crowded places (the difference attack of Synth-MIA; calibration as Watson et al.
2022, arXiv 2111.08440). The reference is train patients other than the members, so members and outsiders meet it alike
and the score is exactly exchangeable wherever nothing leaks.
"""

from __future__ import annotations

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.judge import AttackScores, measures
from semblance.evaluate.attacks.cast import Cast, cast, per_patient
from semblance.evaluate.shared.neighbours import neighbours


@measures("privacy.membership", "privacy.membership_tpr")
def nearest_difference(evidence: Evidence) -> AttackScores:
    """Scores of equally many train and holdout patients; the control plays a real reference half as the synthetic set.

    A patient's score is the largest of its records'. All synthetic records are searched, exactly.
    """
    sides = cast(evidence)
    member, control_member = _side(evidence, "train", sides.member, sides)
    outsider, control_outsider = _side(evidence, "holdout", sides.outsider, sides)
    return AttackScores("nearest_difference", member, outsider, control_member, control_outsider)


def _side(evidence: Evidence, part: Part, rows: np.ndarray, sides: Cast) -> tuple[np.ndarray, np.ndarray]:
    """One side's scores against the synthetic set, and its control scores between two halves of the reference."""
    if not min(len(rows), len(evidence.synthetic), len(sides.first)):
        return np.empty(0), np.empty(0)
    first, second = (
        neighbours(evidence, (part, rows), ("train", half), k=1).distance[:, 0] for half in (sides.first, sides.second)
    )
    made = neighbours(evidence, (part, rows), ("synthetic", None), k=1).distance[:, 0]
    subjects = getattr(evidence, part).subjects[rows]
    return per_patient(np.minimum(first, second) - made, subjects), per_patient(second - first, subjects)
