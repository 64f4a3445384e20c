"""How well contrasts are made from others, by the holdout's own images: likeness to the real target, and lesions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation

from semblance.core.estimate import Estimate, linearized, mean
from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.overlap import dice
from semblance.modalities.image.metrics.samples import LEAST, Measured
from semblance.modalities.image.metrics.similarity import ssim
from semblance.modalities.image.translated import painted

SSIM, PSNR = "utility.translation_ssim", "utility.translation_psnr"
CONTRAST, FOUND = "utility.translation_lesion_contrast", "utility.translation_lesion_dice"
DARK, RING, SMALL = 0.05, 3, 4
"""The share of the range below which a pixel is background; pixels around a lesion; pixels of the smallest one."""
LEVELS = 64
"""Thresholds that are tried for a lesion."""


@measures(SSIM, PSNR)
def translation(evidence: Measured) -> tuple[Finding, ...]:
    """Structural similarity (Wang et al. 2004) and peak signal-to-noise ratio in decibels of translated images with the
    real ones of the same patients, inside the foreground; the mean over images, the interval over patients.

    Floor: the mean image of train. `detail["copy"]` has the same of the given contrast, taken as it is. A translation
    that is no better than these has learned nothing.
    """
    if reason := _unmeasured(evidence):
        return _finding.unmeasured((SSIM, PSNR), status="not_applicable", reason=reason)
    held, made = _pairs(evidence)
    if len(held) < LEAST:
        return _finding.unmeasured((SSIM, PSNR), status="insufficient", reason=f"fewer than {LEAST} images")
    target, source = _target(held), _source(held)
    usual = evidence.train.pixels[:, target].mean(0, keepdims=True).repeat(len(held), 0)
    told: dict[str, np.ndarray] = {
        "made": made.pixels[:, target],
        "mean": usual,
        "copy": np.repeat(held.pixels[:, [source]], len(target), 1),
    }
    low, high = _range(evidence)
    inside = np.asarray((held.pixels[:, [source, *target]] > low + DARK * (high - low)).any(1))
    findings = []
    for metric, measure in ((SSIM, _likeness), (PSNR, _decibels)):
        scores = {
            name: _over_patients(measure(x, held.pixels[:, target], inside, high - low), held.subjects)
            for name, x in told.items()
        }
        detail = {"copy": scores["copy"].plain(), "images": len(held)}
        findings.append(_finding(metric, estimate=scores["made"], floor=scores["mean"], detail=detail))
    return tuple(findings)


@measures(CONTRAST, FOUND)
def lesions(evidence: Measured) -> tuple[Finding, ...]:
    """Whether lesions outlive a translation, where a mask of the holdout shows them.

    Contrast: how far a lesion stands out from the pixels around it in translated images, over the same in real ones (1:
    as much; 0: it is gone). Dice: of the pixels of the foreground beyond the threshold that finds lesions best in real
    train images, with the mask; control: the same in the real holdout. Intervals over patients.
    """
    if reason := _unmeasured(evidence) or ("" if _lesion(evidence.holdout) else "no mask shows lesions"):
        return _finding.unmeasured((CONTRAST, FOUND), status="not_applicable", reason=reason)
    held, made = _pairs(evidence)
    at = _lesion(held)[0]
    mask = held.pixels[:, at] > 0
    large = mask.reshape(len(mask), -1).sum(1) >= SMALL
    if large.sum() < LEAST or len(np.unique(held.subjects[large])) < 2:
        reason = f"fewer than {LEAST} images with a lesion, or one patient"
        return _finding.unmeasured((CONTRAST, FOUND), status="insufficient", reason=reason)
    channel, low, high = _target(held)[0], *_range(evidence)
    real, drawn, who = held.pixels[large, channel], made.pixels[large, channel], held.subjects[large]
    mask, inside = mask[large], _foreground(held.pixels[large], _source(held), low, high)
    one, other = _standing(real, mask, inside), _standing(drawn, mask, inside)
    usual = float(one.mean()) if abs(one.mean()) > 1e-9 else 1e-9
    ratio = float(other.mean()) / usual
    kept = linearized(ratio, (other - ratio * one) / usual, clusters=who)
    sign, level = _threshold(evidence.train, channel, at, low, high)
    scores = [_over_patients(dice((sign * x > level) & inside, mask), who) for x in (drawn, real)]
    detail = {"images": int(large.sum()), "channel": held.layout.channels[channel].name}
    return (
        _finding(CONTRAST, estimate=kept, detail=detail),
        _finding(FOUND, estimate=scores[0], control=scores[1], detail=detail),
    )


def _unmeasured(evidence: Measured) -> str:
    if evidence.completed is None:
        return "no contrast is translated whose truth is known: none is given, nothing is paired, or no model is there"
    return "" if _target(evidence.holdout) else "no contrast is made: only masks are painted"


def _pairs(evidence: Measured) -> tuple[Images, Images]:
    """Real images, and those that were made of the same sources."""
    assert evidence.completed is not None
    rows = np.flatnonzero(np.isfinite(evidence.completed.pixels).reshape(len(evidence.completed), -1).all(1))
    return evidence.holdout.take(rows), evidence.completed.take(rows)


def _target(images: Images) -> list[int]:
    return [i for i in painted(images.layout) if i not in images.layout.maps]


def _source(images: Images) -> int:
    """The first given channel."""
    names = [channel.name for channel in images.layout.channels]
    return names.index(images.layout.given[0])


def _lesion(images: Images) -> list[int]:
    """The label maps of two classes or more: the first one is taken for lesions."""
    return list(images.layout.maps)


def _range(evidence: Measured) -> tuple[float, float]:
    light = evidence.train.light
    low, high = np.quantile(light.ravel()[:: max(light.size // 1_000_000, 1)], [0.001, 0.999])
    return float(low), float(max(high, low + 1e-6))


def _foreground(pixels: np.ndarray, source: int, low: float, high: float) -> np.ndarray:
    made: np.ndarray = pixels[:, source] > low + DARK * (high - low)
    return made


def _over_patients(scores: np.ndarray, who: np.ndarray) -> Estimate:
    return mean(scores, clusters=who)


Measure = Callable[[np.ndarray, np.ndarray, np.ndarray, float], np.ndarray]


def _likeness(made: np.ndarray, real: np.ndarray, inside: np.ndarray, reach: float) -> np.ndarray:
    """(n,) mean structural similarity inside the foreground, over channels."""
    each = [_within(np.prod(ssim(made[:, c], real[:, c], reach), axis=0), inside) for c in range(real.shape[1])]
    found: np.ndarray = np.mean(each, 0)
    return found


def _decibels(made: np.ndarray, real: np.ndarray, inside: np.ndarray, reach: float) -> np.ndarray:
    """(n,) peak signal-to-noise ratios inside the foreground, mean over channels."""
    each = [_within((made[:, c] - real[:, c]) ** 2, inside) for c in range(real.shape[1])]
    found: np.ndarray = np.mean([10 * np.log10(reach**2 / np.maximum(one, 1e-6 * reach**2)) for one in each], 0)
    return found


def _within(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    flat, weight = values.reshape(len(values), -1), inside.reshape(len(values), -1)
    made: np.ndarray = (flat * weight).sum(1) / np.maximum(weight.sum(1), 1)
    return made


def _standing(pixels: np.ndarray, mask: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n,) how much brighter lesions are than what lies around them."""
    ring = np.stack([binary_dilation(one, iterations=RING) for one in mask]) & ~mask & inside
    return _within(pixels, mask) - _within(pixels, ring)


def _threshold(train: Images, channel: int, at: int, low: float, high: float) -> tuple[int, float]:
    """Whether lesions are bright (1) or dark (-1), and the signed brightness beyond which they are found best."""
    mask = train.pixels[:, at] > 0
    large = mask.reshape(len(mask), -1).sum(1) >= SMALL
    pixels, mask, inside = train.pixels[large], mask[large], _foreground(train.pixels[large], _source(train), low, high)
    if not large.any():
        return 1, high
    x = pixels[:, channel]
    sign = 1 if _standing(x, mask, inside).mean() >= 0 else -1
    levels = sign * np.linspace(low, high, LEVELS)
    best = max(levels, key=lambda level: float(dice((sign * x > level) & inside, mask).mean()))
    return sign, float(best)


_texts: dict[str, Any] = {
    SSIM: (
        "Translated images, likeness",
        "Structural similarity of translated images with the real ones of the same unseen patients (1: the same).",
    ),
    PSNR: (
        "Translated images, decibels",
        "How small the error of translated images is against their range, in decibels (20: a tenth of the range).",
    ),
    CONTRAST: (
        "Lesions that outlive a translation",
        "How far lesions stand out in translated images, over how far they do in real ones (1: as far; 0: gone).",
    ),
    FOUND: (
        "Lesions found in translated images",
        "Overlap of lesions found by a threshold in translated images with those marked by hand (Dice; 1: all).",
    ),
}
_finding = Wording(_texts, better="higher")
