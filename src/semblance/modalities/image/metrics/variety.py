"""Has a generator collapsed: are images of a label made again and again, or nearly so?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial.distance import cdist

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.samples import SAMPLES, Measured, pooled

METRIC = "fidelity.image_variety"
SIDE, FEW, MOST = 16, 10, 500
"""Places a side at which images are compared; images of a label that are enough to compare, and at most."""


@measures(METRIC)
def variety(evidence: Measured) -> tuple[Finding, ...]:
    """Mean distance of a synthetic image to its nearest other synthetic one of its label, over the same of holdout: of
    the label for which it is smallest. 1 is as varied as real images, 0 one image, or a few, again and again.

    Pixels are pooled to 16 places a side; of each label equally many images are compared. Where a generator has lost
    its variety in one label only, means over labels hide it (class-conditional collapse). Interval: grouped jackknife
    by patient. Control: train. `detail["labels"]` has the ratio of each label.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    names, codes = np.unique(SAMPLES.of(evidence)["holdout"].records.labels, return_inverse=True)
    if np.bincount(codes).max() < FEW:
        return (_finding(METRIC, status="insufficient", reason=f"no label has {FEW} images that were held out"),)
    told = SAMPLES.described(evidence, lambda images: _rows(images, names))
    made = SAMPLES.apart(evidence, told, _least)
    labels = {str(names[k]): ratio for k, ratio in ratios(told["synthetic"], told["holdout"])}
    return (_finding(METRIC, **SAMPLES.estimates(evidence, made), detail={"labels": labels}),)


def _rows(images: Images, names: np.ndarray) -> np.ndarray:
    """(n, 1 + d) the code of the label of each image, -1 for one that has no name here, then its pixels."""
    pixels = pooled(images.pixels, SIDE).reshape(len(images), -1)
    codes = np.minimum(np.searchsorted(names, images.labels), len(names) - 1)
    return np.column_stack([np.where(names[codes] == images.labels, codes, -1), pixels])


def ratios(made: np.ndarray, held: np.ndarray) -> Iterator[tuple[int, float]]:
    """Of each label that both sides have FEW images of, how varied the first ones are; rows are the code of a label,
    then pixels."""
    for k in np.unique(held[:, 0]).astype(int):
        one, other = (x[x[:, 0] == k, 1:] for x in (made, held))
        n = min(len(one), len(other), MOST)
        if n >= FEW:
            yield k, (_apart(one[:n]) + TINY) / (_apart(other[:n]) + TINY)


TINY = 1e-9
"""So that images which are all alike are as varied as others which are."""


def _least(made: np.ndarray, held: np.ndarray) -> float:
    return min((ratio for _, ratio in ratios(made, held)), default=1.0)


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
            "ones (1: the same; 0: one image again and again).",
        )
    },
    better="higher",
)
