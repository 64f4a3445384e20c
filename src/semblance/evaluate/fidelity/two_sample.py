"""Two-sample tests: can a model tell synthetic records from real ones that nobody trained on?

Boosted trees learn any difference (`c2st`, `specks`); a logistic model on main effects has a known null (`pmse`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from statistics import NormalDist

import numpy as np
from scipy.special import expit

from semblance.core.dataset import Evidence, Features, Part
from semblance.core.estimate import LEVEL, Estimate, auc, average, difference, mean
from semblance.core.judge import Wording, measures, patient_blocks, patient_rows, patients, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fidelity.samples import too_few, who
from semblance.evaluate.shared.models import beside, boosting, design

FOLDS = 3
FLOOR_RECORDS = 4_000  # on a side: the floor is easy to tell
RECORDS = {"fast": 3_000, "standard": 10_000, "audit": 200_000}
PROPENSITY_RECORDS = {"fast": 2_000, "standard": 5_000, "audit": 50_000}
RIDGE = 1e-4  # the penalty of the logistic model
STEPS = 20  # of Newton
CLOSE = 1e-2  # twice what one more step could gain in log-likelihood
EMPTY = 1e-9  # share of the largest sum of squares, below which a direction of the design holds nothing
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)


@dataclass(frozen=True)
class Sides:
    """As many records of one part as of holdout: `x` (2n, d), `made` (2n,) marks the part's.

    `who` numbers the patients, those of the two sides apart.
    """

    x: np.ndarray
    made: np.ndarray
    who: np.ndarray
    fold: np.ndarray


@measures("fidelity.c2st", "fidelity.specks")
def c2st(evidence: Evidence) -> tuple[Finding, ...]:
    """How well boosted trees tell synthetic from holdout records, of which they have seen other patients.

    - c2st: area under the ROC curve (Lopez-Paz and Oquab 2017). The value is the raw area: .5 is ideal, and well below
      .5 means that synthetic records sit on top of holdout ones. `detail["folded"]` is the boards' "never below .5".
      DeLong's interval by patient.
    - specks: the Kolmogorov-Smirnov distance between the scores of both sides (SPECKS; Bowen, Liu and Su 2021), with
      the interval of the two shares at the cut where they differ most. It is above 0 by chance: compare it with its
      control.

    Three folds; a patient's records, real or synthetic, stay in one. Both sides have equally many records: the larger
    is cut patient by patient, and both at RECORDS of the tier. Both numbers are taken within each fold and averaged,
    since pooling scores of different classifiers pulls the area below .5; intervals are widened because the folds'
    classifiers share records. Control: train against holdout at the same size.
    """
    ids = ("fidelity.c2st", "fidelity.specks")
    if reason := too_few(evidence):
        return tuple(_finding(one, status="insufficient", reason=reason) for one in ids)
    n = _size(evidence, RECORDS)
    parts = _parts(evidence, n)
    fits = [fit for part, size in parts.items() for fit in _folds(evidence, part, size)]
    told = beside(fits)
    areas, gaps = ({p: _averaged(told[FOLDS * i : FOLDS * (i + 1)], j) for i, p in enumerate(parts)} for j in (0, 1))
    detail = {"records": n, "folds": FOLDS, "seed": evidence.seed}
    area = areas["synthetic"]
    return (
        _finding(ids[0], **slots(areas), better="half", detail={"folded": max(area.value, 0.5), **detail}),
        _finding(ids[1], **slots(gaps), detail=detail),
    )


@measures("fidelity.pmse")
def pmse(evidence: Evidence) -> tuple[Finding, ...]:
    """Propensity-score mean squared error over its expectation where nothing differs (Snoke, Raab et al. 2018).

    A logistic model with an intercept and k - 1 main effects tells synthetic (a share c of N records) from holdout;
    pMSE = mean((p - c)^2). Snoke et al. give the expectation c (1 - c)^2 (k - 1) / N for records drawn from a model of
    those same real records; holdout is independent of the synthetic records, which makes it c (1 - c) (k - 1) / N.
    It is multiplied by the design effect of records that belong to one patient (after Rao and Scott 1981).

    1 is ideal. N pMSE / (c (1 - c)) is close to a non-central chi-square, whose spread gives the interval.
    """
    if reason := too_few(evidence):
        return (_finding("fidelity.pmse", status="insufficient", reason=reason),)
    n = _size(evidence, PROPENSITY_RECORDS)
    parts = _parts(evidence, n)
    known = evidence.features("train")
    ratios = beside([partial(ratio, _sides(evidence, part, size), known.categorical) for part, size in parts.items()])
    return (_finding("fidelity.pmse", **slots(dict(zip(parts, ratios, strict=True))), detail={"records": n}),)


def _size(evidence: Evidence, most: dict[str, int]) -> int:
    return min(len(evidence.train), len(evidence.holdout), len(evidence.synthetic), most[evidence.tier])


def _parts(evidence: Evidence, n: int) -> dict[Part, int]:
    """The parts to tell from holdout and how many records of each: control and floor stand beside the synthetic set."""
    floor: dict[Part, int] = {} if evidence.floor is None else {"floor": min(n, FLOOR_RECORDS)}
    return {"synthetic": n, "train": n, **floor}


def _sides(evidence: Evidence, part: Part, n: int) -> Sides:
    made, real = _sample(evidence, part, n), _sample(evidence, "holdout", n)
    x, fold = (np.concatenate([made[i], real[i]]) for i in (0, 2))
    codes = [np.unique(side[1], return_inverse=True)[1] for side in (made, real)]
    return Sides(x, np.arange(len(x)) < len(made[0]), np.concatenate([codes[0], codes[0].max() + 1 + codes[1]]), fold)


def _sample(evidence: Evidence, part: Part, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, patients and folds of `n` records of a part."""
    rng = stream(evidence.seed, "c2st", "sample", part)
    rows = patient_rows(getattr(evidence, part).subjects, n, rng=rng)
    units = who(evidence, part, rows)
    return evidence.features(part).x[rows], units, patient_blocks(units, FOLDS, rng=rng)


def _folds(evidence: Evidence, part: Part, n: int) -> list[Callable[[], tuple[Estimate, Estimate]]]:
    """One call per fold: area and distance on the records held out."""
    sides, known = _sides(evidence, part, n), evidence.features("train")
    seeds = stream(evidence.seed, "c2st", part).integers(2**31, size=FOLDS).tolist()
    return [partial(_fold, sides, sides.fold == k, known, seed=seeds[k]) for k in range(FOLDS)]


def _fold(sides: Sides, held: np.ndarray, known: Features, *, seed: int) -> tuple[Estimate, Estimate]:
    learned, label = sides.x[~held], sides.made[~held].astype(int)
    score = boosting(learned, label, sides.x[held], known.categorical, np.array([1]), seed=seed)[:, 0]
    truth, unit = sides.made[held], sides.who[held]
    made, real = score[truth], score[~truth]
    whose = unit[truth], unit[~truth]
    return auc(made, real, positive_clusters=whose[0], negative_clusters=whose[1]), distance(made, real, *whose)


def distance(made: np.ndarray, real: np.ndarray, made_who: np.ndarray, real_who: np.ndarray) -> Estimate:
    """Kolmogorov-Smirnov distance of two samples, with the interval of the difference at its cut."""
    cuts = np.unique(np.concatenate([made, real]))
    below = [np.searchsorted(np.sort(side), cuts, side="right") / len(side) for side in (made, real)]
    gap = below[0] - below[1]
    at = int(np.abs(gap).argmax())
    shares = mean(made <= cuts[at], clusters=made_who), mean(real <= cuts[at], clusters=real_who)
    return difference(*(shares if gap[at] >= 0 else shares[::-1]))


def _averaged(told: list[tuple[Estimate, Estimate]], which: int) -> Estimate:
    made = average([pair[which] for pair in told], shared=1 / (FOLDS - 1))
    return replace(made, low=max(0.0, made.low), high=min(1.0, made.high))


def ratio(sides: Sides, categorical: np.ndarray) -> Estimate:
    """The pMSE ratio of both sides and its interval; patients are the independent units."""
    x = whitened(design(sides.x, categorical)(sides.x).astype(float))
    units = min(patients(sides.who[sides.made]), patients(sides.who[~sides.made]))
    if not x.shape[1]:  # all records alike: there is nothing to tell
        return Estimate(1.0, 1.0, 1.0, n=units)
    share, effects = float(sides.made.mean()), visits_effect(x, sides)
    error = float(((propensity(x, sides.made) - share) ** 2).mean())
    value = error * len(x) / (share * (1 - share) * effects.sum())
    freedom = effects.sum() ** 2 / (effects**2).sum()  # Satterthwaite
    half = Z * math.sqrt(2 * freedom + 4 * freedom * max(value - 1, 0)) / freedom
    return Estimate(value, max(0.0, value - half), value + half, n=units)


def whitened(x: np.ndarray) -> np.ndarray:
    """(n, k - 1) centred columns that span those of `x`, uncorrelated and of variance 1."""
    moved = x - x.mean(axis=0)
    size, axes = np.linalg.eigh(moved.T @ moved)
    held = size > EMPTY * max(size[-1], 1.0)
    white: np.ndarray = moved @ (axes[:, held] * np.sqrt(len(x) / size[held]))
    return white


def propensity(x: np.ndarray, made: np.ndarray) -> np.ndarray:
    """(n,) the logistic model's probability that a record is made, by Newton's method with halved steps.

    The penalty is next to nothing. Where the sides can be separated no model is best, and the steps end the drift.
    """
    x, label = np.column_stack([np.ones(len(x)), x]), made.astype(float)
    ridge, slope = RIDGE * np.eye(x.shape[1]), np.zeros(x.shape[1])

    def loss(at: np.ndarray) -> float:
        return float((np.logaddexp(0, x @ at) - label * (x @ at)).sum() + RIDGE * at @ at / 2)

    for _ in range(STEPS):
        chance = expit(x @ slope)
        gradient = x.T @ (label - chance) - RIDGE * slope
        curve = np.sqrt(chance * (1 - chance))[:, None] * x
        step = np.linalg.solve(curve.T @ curve + ridge, gradient)
        if gradient @ step < CLOSE:
            break
        before = loss(slope)
        slope = next((at for k in range(8) if loss(at := slope + step / 2**k) <= before), slope)
    made_chance: np.ndarray = expit(x @ slope)
    return made_chance


def visits_effect(x: np.ndarray, sides: Sides) -> np.ndarray:
    """(k - 1,) how much more the mean of each whitened direction varies than that of lone records (n, k - 1).

    All 1 where every patient has one record. Records are centred on their own side, so that a difference between the
    sides is no effect of visits.
    """
    if patients(sides.who) == len(x):
        return np.ones(x.shape[1])
    within = x - np.where(sides.made[:, None], x[sides.made].mean(axis=0), x[~sides.made].mean(axis=0))
    white = whitened(within)
    sums = _by_patient(white, sides.who)
    effects = np.linalg.eigvalsh(sums.T @ sums / len(x))
    return np.concatenate([np.maximum(effects, 1e-9), np.ones(x.shape[1] - len(effects))])


def _by_patient(x: np.ndarray, patient: np.ndarray) -> np.ndarray:
    order = np.argsort(patient, kind="stable")
    starts = np.flatnonzero(np.diff(patient[order], prepend=-1))
    sums: np.ndarray = np.add.reduceat(x[order], starts, axis=0)
    return sums


_TEXT = {
    "fidelity.c2st": (
        "Told from real by a classifier",
        "How well a classifier tells synthetic from unseen real records (.5 not at all, 1 always).",
    ),
    "fidelity.specks": (
        "Gap of propensity scores",
        "Largest gap between how synthetic and unseen real records are scored by a classifier that tries to tell them "
        "apart (near the control: alike; 1: told apart without error).",
    ),
    "fidelity.pmse": (
        "Propensity error ratio",
        "How much better a simple model tells synthetic from unseen real records than chance lets it (1 is chance; 10 "
        "is a difference ten times larger than chance gives).",
    ),
}

_finding = Wording(_TEXT)
