"""The one place where attacks' scores become findings with intervals and controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semblance.core.estimate import Estimate, auc, tpr_at_fpr
from semblance.core.judge import AttackScores
from semblance.core.report import Finding

FPR = 0.01
LEAST = 20  # patients on a side, below which a curve has no shape
METRICS = ("privacy.membership", "privacy.membership_tpr")


def findings(scores: Sequence[AttackScores], *, seed: int = 0) -> tuple[Finding, ...]:
    """Two findings about telling training patients from holdout patients, with one score per patient."""
    one = scores[0]
    if min(len(one.member), len(one.outsider)) < LEAST:
        reason = f"fewer than {LEAST} patients on a side"
        return tuple(_finding(i, status="insufficient", reason=reason) for i in range(2))
    area = auc(one.member, one.outsider)
    detail = {**one.detail, "attack": one.name, "auc": area.value, "fpr": FPR}
    real = (one.control_member, one.control_outsider)
    return (
        _finding(0, estimate=advantage(area), control=advantage(auc(*real)), detail=detail),
        _finding(
            1,
            estimate=tpr_at_fpr(one.member, one.outsider, fpr=FPR),
            control=tpr_at_fpr(*real, fpr=FPR),
            detail=detail,
        ),
    )


def advantage(area: Estimate) -> Estimate:
    """2 AUC - 1 (Somers' D): how far the attack is from guessing (0) to certainty (1)."""
    return Estimate(2 * area.value - 1, 2 * area.low - 1, 2 * area.high - 1, area.level, area.n)


def _finding(which: int, **fields: Any) -> Finding:
    title = ("Membership attack", "Membership attack at 1% false alarms")[which]
    return Finding(METRICS[which], title, "privacy", meaning=_MEANING[which], **fields)


_MEANING = (
    "How much better than guessing an attacker tells training patients from others (0 not at all, 1 always).",
    "Share of training patients that an attacker finds while accusing 1% of the others falsely (.01 is chance).",
)
