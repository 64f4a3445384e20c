"""How bright pixels are."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures, to_real
from semblance.core.report import Finding
from semblance.modalities.image.data import Images
from semblance.modalities.image.embed import ends, unit_of
from semblance.modalities.image.metrics.samples import SAMPLES, Measured, each

METRIC = "fidelity.image_histogram"
BINS = 128


@measures(METRIC)
def histogram(evidence: Measured) -> tuple[Finding, ...]:
    """Wasserstein distance between the brightness of synthetic and of holdout pixels, over the range in train; 0 is
    best, and .1 says that brightness is off by a tenth of the range. Mean over channels, each by its own contrast's
    range. Control: train.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    between = ends(evidence.train)
    made = SAMPLES.compared(evidence, lambda images: counts(images, between), _distance)
    numbers = SAMPLES.estimates(evidence, made, within=(0.0, 1.0))
    return (_finding(METRIC, **numbers, detail=to_real(numbers)),)


def counts(images: Images, ends: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """(n, channels, BINS) shares of the pixels of each image between the ends of each channel."""
    return each(lambda light: _counts(unit_of(light, ends)), images.light)


def _counts(unit: np.ndarray) -> np.ndarray:
    x = unit.reshape(*unit.shape[:2], -1)
    place = np.clip(x * BINS, 0, BINS - 1).astype(np.int64)
    rows = np.arange(x.shape[0] * x.shape[1])[:, None] * BINS
    found = np.bincount((place.reshape(len(rows), -1) + rows).ravel(), minlength=len(rows) * BINS)
    made: np.ndarray = found.reshape(*x.shape[:2], BINS) / x.shape[2]
    return made


def _distance(made: np.ndarray, held: np.ndarray) -> np.ndarray:
    gap: np.ndarray = np.abs(made.mean(0).cumsum(-1) - held.mean(0).cumsum(-1)).mean(-1)
    return gap


_finding = Wording(
    {
        METRIC: (
            "Brightness",
            "How far the brightness of synthetic pixels is from that of real ones, as a share of its range (0: alike).",
        )
    }
)
