"""Is the mix of labels that of real images? Shared margins have the label as one of many features, where it is lost."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.image.metrics.samples import SAMPLES, Measured

METRIC = "fidelity.image_labels"


@measures(METRIC)
def label_mix(evidence: Measured) -> tuple[Finding, ...]:
    """Total variation between the shares of labels among synthetic and among holdout images: 0 is the same mix, .1 says
    that a tenth of the images would have to have another label.

    Labels that train does not have count as one. Interval: grouped jackknife by patient. Control: train.
    `detail["labels"]` has both shares of each label, the farthest first.
    """
    names = np.unique([name for name in evidence.train.labels if name])
    if not len(names):
        return (_finding(METRIC, status="not_applicable", reason="images have no label"),)
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    told = SAMPLES.described(evidence, lambda images: _of(images.labels, names))
    made = SAMPLES.apart(evidence, told, _distance)
    mine, held = (told[part].mean(0) for part in ("synthetic", "holdout"))
    order = np.argsort(-np.abs(mine - held), kind="stable")
    every = [*names.tolist(), "other"]
    rows = [{"name": every[j], "synthetic": float(mine[j]), "real": float(held[j])} for j in order]
    return (_finding(METRIC, **SAMPLES.estimates(evidence, made, within=(0.0, 1.0)), detail={"labels": rows}),)


def _of(labels: np.ndarray, names: np.ndarray) -> np.ndarray:
    """(n, names + 1) which label each image has, the last for others."""
    known = labels[:, None] == names
    return np.column_stack([known, ~known.any(1)]).astype(float)


def _distance(made: np.ndarray, held: np.ndarray) -> float:
    return float(np.abs(made.mean(0) - held.mean(0)).sum() / 2)


_finding = Wording(
    {
        METRIC: (
            "Mix of labels",
            "The share of synthetic images that would need another label to have the mix of real ones (0: the same).",
        )
    }
)
