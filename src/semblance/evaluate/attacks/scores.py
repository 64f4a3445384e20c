"""The one place where an attack's scores become findings with intervals and controls."""

from __future__ import annotations

from typing import Any

from semblance.core.estimate import Estimate, auc, tpr_at_fpr
from semblance.core.judge import AttackScores
from semblance.core.report import Finding

FPR = 0.01
LEAST = 20  # patients on a side, below which a curve has no shape
METRICS = ("privacy.membership", "privacy.membership_tpr")


def findings(scores: AttackScores) -> tuple[Finding, ...]:
    """Two findings about telling training patients from holdout patients, with one score per patient.

    - membership: the advantage 2 AUC - 1 (AUC: area under the ROC curve), 0 at chance; DeLong's interval.
    - membership_tpr: share of training patients found while 1% of the others are accused falsely (Carlini et al. 2022,
      arXiv 2112.03570): .01 at chance.

    Each estimate's `n` is the number of patients on the smaller side, so that a gate can say when it is too small.
    """
    if min(len(scores.member), len(scores.outsider)) < LEAST:
        reason = f"fewer than {LEAST} patients on a side"
        return tuple(_finding(i, scores, status="insufficient", reason=reason) for i in range(2))
    area = auc(scores.member, scores.outsider)
    detail = {**scores.detail, "attack": scores.name, "auc": area.value, "fpr": FPR}
    real = (scores.control_member, scores.control_outsider)
    return (
        _finding(0, scores, estimate=advantage(area), control=advantage(auc(*real)), detail=detail),
        _finding(
            1,
            scores,
            estimate=tpr_at_fpr(scores.member, scores.outsider, fpr=FPR),
            control=tpr_at_fpr(*real, fpr=FPR),
            detail=detail,
        ),
    )


def advantage(area: Estimate) -> Estimate:
    """2 AUC - 1 (Somers' D): how far the attack is from guessing (0) to certainty (1)."""
    return Estimate(2 * area.value - 1, 2 * area.low - 1, 2 * area.high - 1, area.level, area.n)


def _finding(which: int, scores: AttackScores, **fields: Any) -> Finding:
    title = ("Membership attack", "Membership attack at 1% false alarms")[which]
    return Finding(METRICS[which], title, "privacy", meaning=_MEANING[which], **fields)


_MEANING = (
    "How much better than guessing an attacker tells training patients from others (0 not at all, 1 always).",
    "Share of training patients that an attacker finds while accusing 1% of the others falsely (.01 is chance).",
)
