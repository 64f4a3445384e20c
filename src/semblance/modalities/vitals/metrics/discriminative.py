"""Can a classifier tell synthetic stays from real ones?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate, average, folded, mean
from semblance.core.judge import Wording, measures, patient_blocks, patients, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.vitals.embed import features
from semblance.modalities.vitals.metrics.samples import SAMPLES, Measured
from semblance.modalities.vitals.metrics.trees import learn

FOLDS = 3
METRIC = "fidelity.vitals_discriminative"


@measures(METRIC)
def discriminative(evidence: Measured) -> tuple[Finding, ...]:
    """|accuracy - .5| of boosted trees that tell synthetic from holdout stays; 0 is best, .5 the worst.

    The discriminative score of TimeGAN (Yoon et al. 2019) on first, last, lowest, highest and mean values and counts of
    channels, and on the facts of stays. Three folds; all stays of a patient are in one. Both sides are equally large.
    Control: train against holdout.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    drawn = SAMPLES.of(evidence)
    x = {part: features(sample.records, evidence.train).x for part, sample in drawn.items()}
    told: dict[Part, Estimate] = {part: _told(evidence, part, x) for part in drawn if part != "holdout"}
    return (_finding(METRIC, **slots(told), detail={"stays": len(drawn["holdout"]), "folds": FOLDS}),)


def _told(evidence: Measured, part: Part, x: dict[Part, np.ndarray]) -> Estimate:
    drawn, sides = SAMPLES.of(evidence), (part, "holdout")
    who = [drawn[one].records.subjects for one in sides]  # type: ignore[index]
    who = [one if patients(one) > 1 else np.arange(len(one)) for one in who]
    fold = [
        patient_blocks(one, FOLDS, rng=stream(evidence.seed, "folds", name))
        for one, name in zip(who, sides, strict=True)
    ]
    rows = [x[one] for one in sides]  # type: ignore[index]
    right: list[list[np.ndarray]] = [[], []]
    held: list[list[np.ndarray]] = [[], []]
    for k in range(FOLDS):
        learned = [one[f != k] for one, f in zip(rows, fold, strict=True)]
        made = np.repeat([True, False], list(map(len, learned)))
        model = learn(np.concatenate(learned), made, seed=evidence.seed)
        for i in range(2):
            said = model(rows[i][fold[i] == k]) > made.mean()
            right[i].append(said == (i == 0))
            held[i].append(who[i][fold[i] == k])
    parts = [mean(np.concatenate(r), clusters=np.concatenate(w)) for r, w in zip(right, held, strict=True)]
    accuracy = average(parts, shared=1 / (FOLDS - 1))
    n = min(one.n for one in parts)
    found = folded(Estimate(accuracy.value - 0.5, accuracy.low - 0.5, accuracy.high - 0.5, n=n))
    return replace(found, high=max(min(found.high, 0.5), found.value))


_finding = Wording(
    {
        METRIC: (
            "Told from real by trees",
            "How much more often than by chance a classifier of stays is right about what is synthetic (0: never more; "
            ".5: always right).",
        )
    }
)
