"""Two-sample test by classifier: can it tell synthetic records from real ones that nobody trained on?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from semblance.core.dataset import Evidence, Features, Part
from semblance.core.estimate import Estimate, auc, average
from semblance.core.judge import measures, patient_blocks, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.shared.models import beside, boosting

FOLDS = 3
LEAST = 30  # patients on a side
FLOOR_RECORDS = 4_000  # on a side: the floor is easy to tell
RECORDS = {"fast": 4_000, "standard": 20_000, "audit": 200_000}


@measures("fidelity.c2st")
def c2st(evidence: Evidence) -> tuple[Finding, ...]:
    """Area under the ROC curve of histogram gradient boosting, synthetic against holdout (Lopez-Paz and Oquab 2017).

    Three folds; a patient's records, real or synthetic, stay in one. Both sides have equally many records: the larger
    is cut patient by patient, and both at RECORDS of the tier. The curve is taken within each fold and averaged, since
    pooling scores of different classifiers pulls the area below .5; DeLong's interval by patient, widened because
    the folds' classifiers share records.

    The value is the raw area: .5 is ideal, and well below .5 means that synthetic records sit on top of holdout ones.
    `detail["folded"]` is the boards' "never below .5". Control: train against holdout at the same size.
    """
    least = min(patients(part.subjects) for part in (evidence.train, evidence.holdout, evidence.synthetic))
    title = "Told from real by a classifier"
    if least < LEAST:
        reason = f"fewer than {LEAST} patients on a side"
        return (Finding("fidelity.c2st", title, "fidelity", status="insufficient", reason=reason),)
    n = min(len(evidence.holdout), len(evidence.synthetic), RECORDS[evidence.tier])
    area = _area(evidence, "synthetic", n)
    finding = Finding(
        "fidelity.c2st",
        title,
        "fidelity",
        estimate=area,
        control=_area(evidence, "train", n),
        floor=None if evidence.floor is None else _area(evidence, "floor", min(n, FLOOR_RECORDS)),
        better="half",
        meaning="How well a classifier tells synthetic from unseen real records (.5 not at all, 1 always).",
        detail={"folded": max(area.value, 0.5), "records": n, "folds": FOLDS, "seed": evidence.seed},
    )
    return (finding,)


def _area(evidence: Evidence, part: Part, n: int) -> Estimate:
    """AUC of `part` against holdout, with at most `n` records of each."""
    made, real = _sample(evidence, part, n), _sample(evidence, "holdout", n)
    x = np.concatenate([made[0], real[0]])
    label = np.repeat([1, 0], [len(made[0]), len(real[0])])
    fold = np.concatenate([made[2], real[2]])
    who = np.concatenate([made[1], real[1]])
    rng = stream(evidence.seed, "c2st", part)
    known = evidence.features("train")
    seeds = rng.integers(2**31, size=FOLDS).tolist()
    fits = [partial(_fold, x, label, who, fold == k, known, seed=seeds[k]) for k in range(FOLDS)]
    area = average(beside(fits), shared=1 / (FOLDS - 1))
    return replace(area, low=max(0.0, area.low), high=min(1.0, area.high))


def _sample(evidence: Evidence, part: Part, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, patients and folds of `n` records of a part."""
    rng = stream(evidence.seed, "c2st", "sample", part)
    rows = patient_rows(getattr(evidence, part).subjects, n, rng=rng)
    subjects = getattr(evidence, part).subjects[rows]
    return evidence.features(part).x[rows], subjects, patient_blocks(subjects, FOLDS, rng=rng)


def _fold(
    x: np.ndarray, label: np.ndarray, who: np.ndarray, held: np.ndarray, known: Features, *, seed: int
) -> Estimate:
    """The AUC on the records held out."""
    made = boosting(x[~held], label[~held], x[held], known.categorical, np.array([1]), seed=seed)
    score, truth, patient = made[:, 0], label[held] == 1, who[held]
    return auc(score[truth], score[~truth], positive_clusters=patient[truth], negative_clusters=patient[~truth])
