"""Are beats of unseen patients classified as well by a model that learned from synthetic beats?

The inter-patient protocol (de Chazal et al. 2004) on classes such as AAMI's N, S, V and F: whoever is tested on was
never learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, difference, folded, jackknife
from semblance.core.judge import Wording, measures, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.signal.metrics.classifying import (
    PER_CLASS,
    Lot,
    Tested,
    jittered,
    judged,
    learn,
    lot,
    marked,
)
from semblance.modalities.signal.metrics.ridge import Scores
from semblance.modalities.signal.metrics.samples import Measured

METRICS = ("utility.signal_tstr", "utility.signal_trts", "utility.signal_augmentation", "utility.signal_rare_recall")
BOUNDS = (-1.0, 1.0)
USUAL, NEW = ("repeated", "jittered"), "synthetic"
Score = Callable[[Tested], np.ndarray]
"""(1 + blocks,) of what is tested, on all tested pieces, then without each block of patients."""


@measures(*METRICS)
def interpatient(evidence: Measured) -> tuple[Finding, ...]:
    """Four findings about the classification of holdout pieces, with intervals by patient for the fitted models.

    - signal_tstr: macro F1 of a model of synthetic pieces; control: of as many train pieces.
    - signal_trts: how far the macro F1 of a model of train pieces is on synthetic pieces from what it is on holdout;
      control: of a model of half the train patients, on the other half.
    - signal_augmentation: gain of macro F1 by synthetic pieces of all classes but the most frequent, over repeating the
      real ones as often, as they are or with jitter (Um et al. 2017), whichever is better: `detail["over"]`.
      `detail["arms"]` has both, the real ones alone, and those with synthetic ones. Control: the gain of half the train
      patients by the real pieces of the other half, over the better of the two again.
    - signal_rare_recall: the same gain in the recall of the rarest class.

    A class is judged where train and holdout have 10 pieces of it. Classes are learned from up to EACH pieces, spread
    over recordings, and weighted by the root of their share; tests are weighted back to the true shares.
    """
    if reason := _hopeless(evidence):
        status, why = reason
        return _finding.unmeasured(METRICS, status=status, reason=why)
    known, seed = judged(evidence), evidence.seed
    lots = {part: lot(evidence, part) for part in _parts(evidence)}
    models = {part: learn(one, len(known), seed=seed) for part, one in lots.items() if part != "holdout"}
    on_holdout = {part: marked(model, lots["holdout"]) for part, model in models.items()}
    first, second = _halves(lots["train"])
    return (
        _transfer(known, on_holdout),
        _reverse(lots, models["train"], on_holdout["train"], (first, second), seed=seed),
        *_augmented(evidence, known, lots, first, second),
    )


def _parts(evidence: Measured) -> tuple[Part, ...]:
    known: tuple[Part, ...] = ("train", "holdout", "synthetic")
    return known if evidence.floor is None or not len(evidence.floor) else (*known, "floor")


def _hopeless(evidence: Measured) -> Any:
    """The status and the reason where nothing can be classified."""
    if evidence.train.schema.where("target") is None:
        return "not_applicable", "pieces have no label"
    if min(patients(part.subjects) for part in (evidence.train, evidence.holdout)) < 2 or not len(evidence.synthetic):
        return "insufficient", "an interval needs at least two patients in train and in holdout"
    if len(judged(evidence)) < 2:
        return "insufficient", f"no two classes have {PER_CLASS} pieces in train and in holdout"
    return None


def _estimate(values: np.ndarray, *, within: tuple[float, float] = (0.0, 1.0)) -> Estimate:
    return jackknife(float(values[0]), values[1:], n=len(values) - 1, within=within)


def _transfer(known: Sequence[str], made: Mapping[Any, Tested]) -> Finding:
    numbers = {part: _estimate(one.macro) for part, one in made.items()}
    rows = [
        {
            "label": one,
            "f1": float(np.nan_to_num(made["synthetic"].f1[0, k])),
            "recall": float(np.nan_to_num(made["synthetic"].recall[0, k])),
            "control_f1": float(np.nan_to_num(made["train"].f1[0, k])),
            "control_recall": float(np.nan_to_num(made["train"].recall[0, k])),
        }
        for k, one in enumerate(known)
    ]
    return _finding(
        METRICS[0],
        estimate=numbers["synthetic"],
        control=numbers["train"],
        floor=numbers.get("floor"),
        better="higher",
        detail={"classes": rows},
    )


def _halves(train: Lot) -> tuple[Lot, Lot]:
    """The train pieces of two halves of the patients."""
    first = train.block % 2 == 0
    return train.take(first), train.take(~first)


def _reverse(lots: dict[Part, Lot], real: Scores, on_holdout: Tested, halves: tuple[Lot, Lot], *, seed: int) -> Finding:
    if not len(lots["synthetic"].y):
        return _finding(METRICS[1], status="insufficient", reason="no synthetic piece has a class that is judged")
    count = on_holdout.f1.shape[1]
    first, second = halves
    half = learn(first, count, seed=seed)
    return _finding(
        METRICS[1],
        estimate=_apart(marked(real, lots["synthetic"]), on_holdout),
        control=_apart(marked(half, second), marked(half, lots["holdout"])),
    )


def _apart(there: Tested, here: Tested) -> Estimate:
    """How far two macro F1 are apart, over the classes that both have."""
    both = ~(np.isnan(there.f1[0]) | np.isnan(here.f1[0]))
    if not both.any():
        return _estimate(here.macro)
    sides = [_estimate(np.nan_to_num(np.nanmean(side.f1[:, both], axis=1))) for side in (there, here)]
    return folded(difference(*sides))


def _augmented(
    evidence: Measured, known: Sequence[str], lots: dict[Part, Lot], first: Lot, second: Lot
) -> tuple[Finding, Finding]:
    """The gain of macro F1 and of the recall of the rarest class."""
    count, real, seed = len(known), lots["train"], evidence.seed

    def tested(some: Lot, more: Lot, *name: str) -> dict[str, Tested]:
        """Some real pieces, beside more of their rarer classes: again, jittered, or those of others (NEW)."""
        again = some.take(some.y > 0)
        jitter = jittered(evidence, again, rng=stream(seed, "jitter", *name))
        added = dict(zip((*USUAL, NEW), (again, jitter, more.take(more.y > 0)), strict=True))
        lots_of = {name: some.joined(one) for name, one in added.items()}
        return {name: marked(learn(one, count, seed=seed), lots["holdout"]) for name, one in lots_of.items()}

    made, control = tested(real, lots["synthetic"]), tested(first, second, "half")
    alone = marked(learn(real, count, seed=seed), lots["holdout"])
    arms = {name: {"f1": float(one.macro[0]), "recall": _last(one)} for name, one in {"alone": alone, **made}.items()}
    scores: list[tuple[str, Score, dict[str, str]]] = [
        (METRICS[2], lambda one: one.macro, {}),
        (METRICS[3], lambda one: np.nan_to_num(one.recall[:, -1]), {"label": known[-1]}),
    ]
    return tuple(
        _finding(
            metric,
            estimate=_gain(made, score),
            control=_gain(control, score),
            better="higher",
            detail={"arms": arms, "over": _best(made, score), **extra},
        )
        for metric, score, extra in scores
    )  # type: ignore[return-value]


def _best(made: Mapping[str, Tested], score: Score) -> str:
    """The usual augmentation that does better."""
    return max(USUAL, key=lambda name: float(score(made[name])[0]))


def _gain(made: Mapping[str, Tested], score: Score) -> Estimate:
    """By how much new pieces do better than the better of the usual augmentations."""
    return _estimate(score(made[NEW]) - score(made[_best(made, score)]), within=BOUNDS)


def _last(one: Tested) -> float:
    return float(np.nan_to_num(one.recall[0, -1]))


_finding = Wording(
    {
        METRICS[0]: (
            "Classes of unseen patients",
            "How well beats of real patients are classified by a model that learned from synthetic beats (mean F1 over "
            "classes: 1 is perfect).",
        ),
        METRICS[1]: (
            "Real rule of classes",
            "How differently a model that learned from real beats classifies synthetic and real ones (0: alike).",
        ),
        METRICS[2]: (
            "Gain by adding rare synthetic beats",
            "How much better real patients are classified when synthetic beats of rare classes join the real ones, "
            "instead of the same real ones again, as they are or jittered (0: no gain; below 0 they do harm).",
        ),
        METRICS[3]: (
            "Gain for the rarest class",
            "How many more beats of the rarest class are found when synthetic beats join the real ones, instead of the "
            "same real ones again, as they are or jittered, as a share (0: none).",
        ),
    }
)
