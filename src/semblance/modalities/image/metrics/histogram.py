"""How bright pixels are."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.image.data import Images
from semblance.modalities.image.embed import brightness
from semblance.modalities.image.metrics.samples import SAMPLES, Measured, each

METRIC = "fidelity.image_histogram"
BINS = 128


@measures(METRIC)
def histogram(evidence: Measured) -> tuple[Finding, ...]:
    """Wasserstein distance between the brightness of synthetic and of holdout pixels, over the range in train; 0 is
    best, and .1 says that brightness is off by a tenth of the range. Mean over channels. Control: train.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    low, high = brightness(evidence.train)
    made = SAMPLES.compared(evidence, lambda images: counts(images, low, high), _distance)
    return (_finding(METRIC, **SAMPLES.estimates(evidence, made, within=(0.0, 1.0))),)


def counts(images: Images, low: float, high: float) -> np.ndarray:
    """(n, channels, BINS) shares of the pixels of each image."""
    return each(lambda light: _counts(light, low, high), images.light)


def _counts(light: np.ndarray, low: float, high: float) -> np.ndarray:
    x = light.reshape(*light.shape[:2], -1)
    place = np.clip((x - low) / (high - low) * BINS, 0, BINS - 1).astype(np.int64)
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
