"""Can a classifier that learned from other patients tell synthetic pieces from real ones?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, average, folded, mean
from semblance.core.judge import Wording, measures, patient_blocks, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.signal.metrics.kernels import shares
from semblance.modalities.signal.metrics.ridge import ridge
from semblance.modalities.signal.metrics.samples import Measured, Sample, classes, samples, too_few

FOLDS = 3
METRIC = "fidelity.signal_discriminative"
Judge = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From features to learn from, which of them are made, and features to test: (m,) scores above 0 for 'made'."""


@dataclass(frozen=True)
class Side:
    """Pieces of one part as a judge wants them (n, ...), the patient of each, and its fold."""

    x: np.ndarray
    who: np.ndarray
    fold: np.ndarray


@measures(METRIC)
def discriminative(evidence: Measured) -> tuple[Finding, ...]:
    """|accuracy - .5| of a MiniRocket that tells synthetic from holdout pieces; 0 is best, .5 the worst.

    The discriminative score of TimeGAN (Yoon et al. 2019) with a judge that needs no training of networks: frozen
    convolutions and a ridge classifier (Dempster et al. 2021). Three folds; all pieces of a patient are in one, so that
    nobody is on both sides of a test. Both sides are equally large. The interval is by patient. Control: train against
    holdout. `detail["classes"]` has the same among the pieces of each label that every part has enough of.
    """
    if reason := too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    made = told(evidence, None, _rocket)
    detail: dict[str, Any] = {"pieces": len(samples(evidence)["holdout"]), "folds": FOLDS}
    if len(labels := classes(evidence)) > 1:
        detail["classes"] = [_row(one, told(evidence, one, _rocket)) for one in labels]
    return (_finding(METRIC, **slots(made), detail=detail),)


def _row(label: str, made: dict[Part, Estimate]) -> dict[str, Any]:
    return {"label": label, **made["synthetic"].plain(), "control": made["train"].value}


def _rocket(x: np.ndarray, made: np.ndarray, test: np.ndarray) -> np.ndarray:
    scores: np.ndarray = ridge(x, np.where(made, 1.0, -1.0)[:, None])(test)[:, 0]
    return scores


def told(evidence: Measured, label: str | None, judge: Judge) -> dict[Part, Estimate]:
    """Per part, |accuracy - .5| of the judge between it and holdout, on MiniRocket's features."""
    drawn = samples(evidence, label)
    sides = {
        part: side_of(evidence, part, sample, shares(evidence, part, sample, label)) for part, sample in drawn.items()
    }
    return {part: score(side, sides["holdout"], judge) for part, side in sides.items() if part != "holdout"}


def side_of(evidence: Measured, part: Part, sample: Sample, x: np.ndarray) -> Side:
    """A sample as a judge wants it: described by x (n, ...), its patients dealt into folds."""
    return Side(x, sample.who, patient_blocks(sample.who, FOLDS, rng=stream(evidence.seed, "folds", part)))


def score(made: Side, held: Side, judge: Judge, *, folds: Sequence[int] = range(FOLDS)) -> Estimate:
    """|accuracy - .5| over the pieces of some folds; the judge of each has seen the patients of all other folds."""
    sides = made, held
    right: tuple[list[np.ndarray], ...] = ([], [])
    who: tuple[list[np.ndarray], ...] = ([], [])
    for k in [k for k in folds if all(_both(side.fold, k) for side in sides)]:
        learned = [side.x[side.fold != k] for side in sides]
        test = [side.x[side.fold == k] for side in sides]
        label = np.repeat([True, False], list(map(len, learned)))
        scores = judge(np.concatenate(learned), label, np.concatenate(test))
        for i, said in enumerate(np.split(scores > 0, [len(test[0])])):
            right[i].append(said == (i == 0))
            who[i].append(sides[i].who[sides[i].fold == k])
    parts = [mean(np.concatenate(r), clusters=np.concatenate(w)) for r, w in zip(right, who, strict=True)]
    accuracy = average(parts, shared=1 / (FOLDS - 1))
    moved = Estimate(accuracy.value - 0.5, accuracy.low - 0.5, accuracy.high - 0.5, n=min(part.n for part in parts))
    found = folded(moved)
    return replace(found, high=max(min(found.high, 0.5), found.value))


def _both(fold: np.ndarray, k: int) -> bool:
    """Whether a side has pieces in a fold and outside it."""
    return bool((fold == k).any() and (fold != k).any())


_finding = Wording(
    {
        METRIC: (
            "Told from real by convolutions",
            "How much more often than by chance a classifier of waves is right about what is synthetic (0: never more; "
            ".5: always right).",
        )
    }
)
