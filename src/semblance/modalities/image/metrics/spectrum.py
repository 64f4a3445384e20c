"""The power of images at each fineness of detail: too little at the fine end is blur, too much is noise."""

from __future__ import annotations

import numpy as np

from semblance.core.judge import Wording, measures, to_real
from semblance.core.report import Finding
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.samples import SAMPLES, Measured, each

METRIC = "fidelity.image_spectrum"
FAINT = 1e-9
"""The share of the total power of real images that counts as none: no gap is larger than this."""


@measures(METRIC)
def power_spectrum(evidence: Measured) -> tuple[Finding, ...]:
    """Log-spectral distance in decibels between the mean power spectra of synthetic and holdout images; 0 is best.

    The root mean square, over rings of spatial frequency, of the difference in decibels, mean over channels: every
    decade of power counts alike, so that missing detail is seen as well as a missing shape. Control: train.
    `detail["rings"]` has the difference at each ring, from coarse to fine, of the first
    channel, `detail["contrasts"]` of each.
    """
    if reason := SAMPLES.too_few(evidence):
        return (_finding(METRIC, status="insufficient", reason=reason),)
    told = SAMPLES.described(evidence, rings)
    made = SAMPLES.apart(evidence, told, _distance)
    least = _least(told["holdout"])
    gap = _decibels(told["synthetic"], least) - _decibels(told["holdout"], least)
    numbers = SAMPLES.estimates(evidence, made)
    detail = {"rings": np.round(gap[0], 2).tolist(), "contrasts": np.round(gap, 2).tolist()}
    return (_finding(METRIC, **numbers, detail=detail | to_real(numbers)),)


def rings(images: Images) -> np.ndarray:
    """(n, channels, rings) mean power at each whole spatial frequency, from 1 up to half the shortest side."""
    return each(_rings, images.light)


def _rings(light: np.ndarray) -> np.ndarray:
    x = light.astype(float)
    space = tuple(range(2, x.ndim))
    x = x - x.mean(space, keepdims=True)
    shape = x.shape[2:]
    for i, side in enumerate(shape):
        window = np.hanning(side + 2)[1:-1]
        x = x * window.reshape([-1 if j == i else 1 for j in range(len(shape))])
    power = np.abs(np.fft.fftn(x, axes=space)) ** 2
    frequency = np.sqrt(sum(np.square(f) for f in np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij")))
    ring = np.round(frequency * min(shape)).astype(int).ravel()
    kept = np.arange(1, min(shape) // 2 + 1)
    flat = power.reshape(*x.shape[:2], -1)
    return np.stack([flat[..., ring == k].mean(-1) for k in kept], -1)


def _least(held: np.ndarray) -> np.ndarray:
    """(channels, 1) the power of real images (n, channels, rings) below which there is none."""
    made: np.ndarray = np.maximum(FAINT * held.mean(0).sum(-1, keepdims=True), 1e-300)
    return made


def _decibels(power: np.ndarray, least: np.ndarray) -> np.ndarray:
    """(channels, rings)."""
    made: np.ndarray = 10 * np.log10(np.maximum(power.mean(0), least))
    return made


def _distance(made: np.ndarray, held: np.ndarray) -> np.ndarray:
    least = _least(held)
    gap: np.ndarray = np.sqrt(((_decibels(made, least) - _decibels(held, least)) ** 2).mean(-1))
    return gap


_finding = Wording(
    {
        METRIC: (
            "Power spectrum",
            "How far the power of synthetic images is from that of real ones, over all fineness of detail, in decibels "
            "(0: alike; 3: twice or half the power).",
        )
    }
)
