"""Has a generator collapsed: are images of a label made again and again, or nearly so?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist

from semblance.core.judge import Wording, measures, patients
from semblance.core.report import Finding
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.samples import SAMPLES, Measured, pooled

METRIC = "fidelity.image_variety"
SIDE, FEW, MOST = 16, 10, 500
"""Places a side at which images are compared; images of a label that are enough to compare, and at most."""
LOST = 0.25
"""A label that is drawn less than this share as often as it was held out is lost."""


@measures(METRIC)
def variety(evidence: Measured) -> tuple[Finding, ...]:
    """Mean distance of a synthetic image to its nearest other synthetic one of its label, over the same of holdout: of
    the label for which it is smallest. 1 is as varied as real images, 0 one image, or a few, again and again.

    Pixels are pooled to 16 places a side; of each label equally many images are compared. Where a generator has lost
    its variety in one label only, means over labels hide it (class-conditional collapse). A label of FEW patients that
    is never drawn, or hardly ever, counts as 0. Interval: grouped jackknife by patient. Control: train.
    `detail["labels"]` has the ratio of each label, `detail["lost"]` those that are hardly drawn.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    names = _compared(*(SAMPLES.of(evidence)[part].records for part in ("holdout", "synthetic")))
    told = SAMPLES.described(evidence, lambda images: _rows(images, names))
    # Without some block of patients, no image of any label may be left.
    made = {part: x for part, x in SAMPLES.apart(evidence, told, _least).items() if np.isfinite(x).all()}
    if not {"synthetic", "train"} <= made.keys():
        return (_finding(METRIC, status="insufficient", reason=f"no label has {FEW} images on both sides"),)
    each = {str(names[k]): ratio for k, ratio in ratios(told["synthetic"], told["holdout"])}
    lost = [name for name, ratio in each.items() if ratio == 0]
    return (_finding(METRIC, **SAMPLES.estimates(evidence, made), detail={"labels": each, "lost": lost}),)


def _compared(held: Images, made: Images) -> np.ndarray:
    """Labels that either FEW images of both sides have, or FEW patients who were held out and hardly any image that
    was made."""
    names = np.unique(held.labels)
    images, drawn = (np.array([(side.labels == name).sum() for name in names]) for side in (held, made))
    who = np.array([patients(held.subjects[held.labels == name]) for name in names])
    found: np.ndarray = names[np.where(drawn < LOST * images, who, np.minimum(images, drawn)) >= FEW]
    return found


def _rows(images: Images, names: np.ndarray) -> np.ndarray:
    """(n, 1 + d) the code of the label of each image, -1 for one that has no name here, then its pixels."""
    pixels = pooled(images.pixels, SIDE).reshape(len(images), -1)
    codes = {name: k for k, name in enumerate(names)}
    return np.column_stack([[codes.get(label, -1) for label in images.labels], pixels])


def ratios(made: np.ndarray, held: np.ndarray) -> Iterator[tuple[int, float]]:
    """Of each label, how varied the first images are that both sides have, 0 where it is lost; rows are the code of a
    label, -1 for none, then pixels."""
    for k in np.unique(held[held[:, 0] >= 0, 0]).astype(int).tolist():
        one, other = (x[x[:, 0] == k, 1:] for x in (made, held))
        n = min(len(one), len(other), MOST)
        if len(one) < LOST * len(other):
            yield k, 0.0
        elif n > 1:
            yield k, (_apart(one[:n]) + TINY) / (_apart(other[:n]) + TINY)


TINY = 1e-9
"""So that images which are all alike are as varied as others which are."""


def _least(made: np.ndarray, held: np.ndarray) -> float:
    return min((ratio for _, ratio in ratios(made, held)), default=np.nan)


def _apart(x: np.ndarray) -> float:
    """The mean distance of a row to its nearest other one."""
    gap = cdist(x, x)
    np.fill_diagonal(gap, np.inf)
    return float(gap.min(1).mean())


_finding = Wording(
    {
        METRIC: (
            "Variety within a label",
            "How far synthetic images of a label are from the next one like them, as a share of what it is among real "
            "ones (1: the same; 0: one image again and again, or none).",
        )
    },
    better="higher",
)
