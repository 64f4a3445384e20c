"""The one place where attacks' scores become findings with intervals and controls.

The best attack is chosen on one half of the patients and scored on the other, then the halves change places and both
results are averaged. So every patient counts, and the best of several attacks that guess still shows an advantage of 0:
the largest of their results on one half would not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.estimate import Estimate, auc, average, difference, tpr_at_fpr, wilson
from semblance.core.judge import AttackScores, Wording
from semblance.core.report import Finding
from semblance.core.rng import stream

METRICS = (
    "privacy.membership",
    "privacy.membership_tpr",
    "privacy.membership_tpr_low",
    "privacy.membership_outliers",
)
FPR, LOW_FPR = 0.01, 0.001
LEAST = 20  # patients on a side, below which a curve has no shape
LEAST_OUTLYING = 10  # of them who are outlying: five to choose by, five to score
OUTLYING = 0.1  # share of patients, members and outsiders together, that lie farthest from the reference
POINTS = 40  # of a drawn curve


@dataclass(frozen=True)
class Sides:
    """The scores of several attacks on the same patients: `member` (attacks, m), `outsider` (attacks, k)."""

    member: np.ndarray
    outsider: np.ndarray

    @property
    def n(self) -> int:
        """Patients on the smaller side."""
        return min(self.member.shape[1], self.outsider.shape[1])

    def only(self, member: np.ndarray, outsider: np.ndarray) -> Sides:
        """The patients at these places."""
        return Sides(self.member[:, member], self.outsider[:, outsider])


@dataclass(frozen=True)
class Choice:
    """An attack, and the score from which on it accuses."""

    attack: int
    threshold: float = np.nan


Choose = Callable[[Sides], Choice]
Score = Callable[[Sides, Choice], Estimate]


def findings(scores: Sequence[AttackScores], *, seed: int = 0) -> tuple[Finding, ...]:
    """The findings about telling training patients from holdout patients, with one score per patient and attack.

    - membership: true less false positive rate (Yeom et al. 2018, arXiv 1709.01604) of the best attack at its best
      threshold, both chosen on the other half. The interval joins Wilson's for the two rates (Newcombe 1998). Where
      nothing leaks, its upper end is .02 or less in half of all runs from about 3,400 patients a side on, and in nine
      of ten from about 12,000 on (simulated with five attacks).
    - membership_tpr, membership_tpr_low: share of members found at 1 % and at .1 % false positives (Carlini et al.
      2022, arXiv 2112.03570) by the attack that finds most on the other half.
    - membership_outliers: the first of these among the tenth of patients that lie farthest from the reference.

    An estimate's n is the number of patients on a side. The control is the same procedure on the control scores.
    """
    made = [one for one in scores if min(len(one.member), len(one.outsider)) > 0]
    if not made or _stack(made).n < LEAST:
        reason = f"fewer than {LEAST} patients on a side"
        return _finding.unmeasured(METRICS, status="insufficient", reason=reason)
    names, played, control = [one.name for one in made], _stack(made), _stack(made, control=True)
    everyone = [np.ones(side.shape[1], dtype=bool) for side in (played.member, played.outsider)]
    measure = _Measure(names, played, control, seed)
    return (
        measure.finding(METRICS[0], everyone, best_threshold, advantage, attacks=_curves(made)),
        measure.finding(METRICS[1], everyone, *_rates(FPR), fpr=FPR),
        measure.finding(METRICS[2], everyone, *_rates(LOW_FPR), fpr=LOW_FPR),
        measure.finding(METRICS[3], _outlying(made[0]), *_rates(FPR), fpr=FPR, share=OUTLYING),
    )


@dataclass(frozen=True)
class _Measure:
    names: Sequence[str]
    played: Sides
    control: Sides
    seed: int

    def finding(self, metric: str, among: Sequence[np.ndarray], choose: Choose, score: Score, **detail: Any) -> Finding:
        """The finding among some patients of each side (masks)."""
        if min(int(mask.sum()) for mask in among) < LEAST_OUTLYING:
            reason = f"fewer than {LEAST_OUTLYING} such patients on a side"
            return _finding(metric, status="insufficient", reason=reason)
        estimate, choices = self._crossed(self.played.only(*among), metric, choose, score)
        control, _ = self._crossed(self.control.only(*among), metric, choose, score)
        chosen = [self.names[choice.attack] for choice in choices]
        members, outsiders = (int(mask.sum()) for mask in among)
        told = {"chosen": chosen, "members": members, "outsiders": outsiders, **detail}
        return _finding(metric, estimate=estimate, control=control, detail=told)

    def _crossed(self, sides: Sides, metric: str, choose: Choose, score: Score) -> tuple[Estimate, list[Choice]]:
        return crossed(sides, choose, score, rng=stream(self.seed, "halves", metric))


def crossed(sides: Sides, choose: Choose, score: Score, *, rng: np.random.Generator) -> tuple[Estimate, list[Choice]]:
    """Choose on one half and score on the other, both ways, and average; with both choices."""
    halves = list(_halves(sides, rng=rng))
    choices = [choose(half) for half in halves]
    return average([score(halves[1], choices[0]), score(halves[0], choices[1])]), choices


def _halves(sides: Sides, *, rng: np.random.Generator) -> Iterator[Sides]:
    orders = [rng.permutation(side.shape[1]) for side in (sides.member, sides.outsider)]
    for half in (0, 1):
        yield sides.only(*(order[half::2] for order in orders))


def best_threshold(half: Sides) -> Choice:
    """The attack and the threshold with the largest true less false positive rate; of equals the first attack's."""
    found = [_threshold(*pair) for pair in zip(half.member, half.outsider, strict=True)]
    attack = int(np.argmax([gain for gain, _ in found]))
    return Choice(attack, found[attack][1])


def _threshold(member: np.ndarray, outsider: np.ndarray) -> tuple[float, float]:
    """The largest advantage and its threshold, midway to the next lower score."""
    cuts = np.unique(np.concatenate([member, outsider]))
    caught, accused = (1 - np.searchsorted(np.sort(side), cuts) / len(side) for side in (member, outsider))
    best = int(np.argmax(caught - accused))
    return float((caught - accused)[best]), float((cuts[best] + cuts[max(best - 1, 0)]) / 2)


def advantage(half: Sides, choice: Choice) -> Estimate:
    """True less false positive rate of the chosen attack at the chosen threshold."""
    sides = (half.member[choice.attack], half.outsider[choice.attack])
    caught, accused = (wilson(int((side >= choice.threshold).sum()), len(side)) for side in sides)
    return difference(caught, accused)


def _rates(fpr: float) -> tuple[Choose, Score]:
    """How to choose for, and how to score, the true positive rate at a false positive rate."""

    def found(half: Sides, attack: int) -> Estimate:
        return tpr_at_fpr(half.member[attack], half.outsider[attack], fpr=fpr)

    def choose(half: Sides) -> Choice:
        # Few patients tie often at low rates; of equals, the attack that is better overall.
        ranked = [(found(half, i).value, auc(half.member[i], half.outsider[i]).value) for i in range(len(half.member))]
        return Choice(max(range(len(ranked)), key=lambda i: ranked[i]))

    return choose, lambda half, choice: found(half, choice.attack)


def _stack(scores: Sequence[AttackScores], *, control: bool = False) -> Sides:
    if control:
        return Sides(*(np.stack([getattr(s, f"control_{side}") for s in scores]) for side in ("member", "outsider")))
    return Sides(*(np.stack([getattr(s, side) for s in scores]) for side in ("member", "outsider")))


def _outlying(one: AttackScores) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the members and the outsiders that lie farthest: one cut for both."""
    far = np.concatenate([one.far_member, one.far_outsider])
    cut = np.quantile(far, 1 - OUTLYING) if len(far) else np.inf
    return one.far_member >= cut, one.far_outsider >= cut


def _curves(scores: Sequence[AttackScores]) -> list[dict[str, Any]]:
    """Every attack on all patients: its curve and, for context, 2 AUC - 1 with DeLong's interval."""
    return [
        {
            "name": one.name,
            "title": _TITLES.get(one.name, one.name.replace("_", " ").capitalize()),
            "advantage": somers(auc(one.member, one.outsider)).plain(),
            "curve": curve(one.member, one.outsider),
        }
        for one in scores
    ]


def curve(member: np.ndarray, outsider: np.ndarray) -> list[list[float]]:
    """[false, true positive rate] at most POINTS times, false rates in even steps of their logarithm from 1/n to 1."""
    n, falling = len(outsider), np.sort(outsider)[::-1]
    passing = np.unique(np.geomspace(1, n, POINTS).round().astype(int))
    rising = np.sort(member)
    # The next lower outsider is the threshold: at a rate of passing / n, `passing` outsiders stand above it.
    caught = [1 - np.searchsorted(rising, falling[k], side="right") / len(member) if k < n else 1.0 for k in passing]
    return [[round(float(k / n), 6), round(float(share), 6)] for k, share in zip(passing, caught, strict=True)]


def somers(area: Estimate) -> Estimate:
    """2 AUC - 1 (Somers' D): how far the attack is from guessing (0) to certainty (1), over all thresholds."""
    return Estimate(2 * area.value - 1, 2 * area.low - 1, 2 * area.high - 1, area.level, area.n)


_TITLES = {
    "nearest_difference": "Distance to the nearest record",
    "density_ratio": "Density ratio",
    "likelihood_ratio": "Likelihood of nearby records",
    "classifier": "Classifier",
    "neighbour_ensemble": "Counts of neighbours",
    "shadow": "Shadow models",
}

_TEXT = {
    METRICS[0]: (
        "Membership attack",
        "How much better than guessing the best of several attackers tells training patients from others (0 not at "
        "all, 1 always).",
    ),
    METRICS[1]: (
        "Membership attack at 1% false alarms",
        "Share of training patients that an attacker finds while accusing 1% of the others falsely (.01 is chance, 1 "
        "is everybody).",
    ),
    METRICS[2]: (
        "Membership attack at 0.1% false alarms",
        "Share of training patients that an attacker finds while accusing 1 in 1,000 others falsely (.001 is chance, 1 "
        "is everybody).",
    ),
    METRICS[3]: (
        "Membership attack on unusual patients",
        "Share of the training patients least like anybody else, a tenth of all, that an attacker finds while accusing "
        "1% of such others falsely (.01 is chance, 1 is everybody).",
    ),
}

_finding = Wording(_TEXT)
