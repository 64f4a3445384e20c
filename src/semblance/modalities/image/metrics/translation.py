"""How well contrasts are made from others, by the holdout's own images: likeness to the real target, and lesions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation

from semblance.core import large
from semblance.core.estimate import Estimate, difference, folded, linearized, mean
from semblance.core.judge import Wording, measures, patient_blocks, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.halves import known
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

    Every contrast is measured by its own range in train. Floor: the mean image of train. `detail["copy"]` has the same
    of the given contrast, brought to the range of the real one; not where only masks are given. A translation that is
    no better than these has learned nothing. Control, where patients have several images: the real target of the
    same patient's next image, such as the slice beside it.
    """
    if "completed" in evidence.failed:
        return _finding.unmeasured((SSIM, PSNR), status="error", reason=evidence.failed["completed"])
    if reason := _unmeasured(evidence):
        return _finding.unmeasured((SSIM, PSNR), status="not_applicable", reason=reason)
    held, made = _pairs(evidence)
    if len(held) < LEAST:
        return _finding.unmeasured((SSIM, PSNR), status="insufficient", reason=f"fewer than {LEAST} images")
    target, source = _target(held), _source(held)
    some = _some(evidence.train)
    train, real, drawn = _in_range(some, some, held, made)
    told = {"made": drawn[:, target], "mean": train[:, target].mean(0, keepdims=True).repeat(len(held), 0)}
    if source:
        told["copy"] = np.repeat(real[:, source], len(target), 1)
    inside, findings, (own, next_one) = _foreground(real, held), [], _next(held.subjects)
    for metric, measure in ((SSIM, _likeness), (PSNR, _decibels)):
        scores = {name: _over_patients(measure(x, real[:, target], inside), held.subjects) for name, x in told.items()}
        detail = {"images": len(held), "of_train": len(some), **({"copy": scores["copy"].plain()} if source else {})}
        control = None
        if len(own):
            usual = measure(real[next_one][:, target], real[own][:, target], inside[own])
            control = _over_patients(usual, held.subjects[own])
        findings.append(_finding(metric, estimate=scores["made"], control=control, floor=scores["mean"], detail=detail))
    return tuple(findings)


@measures(CONTRAST, FOUND)
def lesions(evidence: Measured) -> tuple[Finding, ...]:
    """Whether lesions outlive a translation, where a mask of the holdout shows them.

    Contrast: how far a lesion stands out from the pixels around it in translated images, over the same in real ones, is
    `detail["ratio"]` (1: as far; 0: it is gone), and |1 - ratio| what is judged; control: half of the holdout's
    patients against the others. Dice: of the pixels of the foreground beyond the threshold that finds lesions best in
    real train images, with the mask; control: the same in the real holdout. Intervals over patients.
    """
    if "completed" in evidence.failed:
        return _finding.unmeasured((CONTRAST, FOUND), status="error", reason=evidence.failed["completed"])
    if reason := _unmeasured(evidence) or ("" if _lesion(evidence.holdout) else "no mask shows lesions"):
        return _finding.unmeasured((CONTRAST, FOUND), status="not_applicable", reason=reason)
    held, made = _pairs(evidence)
    at = _lesion(held)[0]
    mask = held.pixels[:, at] > 0
    large = mask.reshape(len(mask), -1).sum(1) >= SMALL
    if large.sum() < LEAST or len(np.unique(held.subjects[large])) < 2:
        reason = f"fewer than {LEAST} images with a lesion, or one patient"
        return _finding.unmeasured((CONTRAST, FOUND), status="insufficient", reason=reason)
    channel, who = _target(held)[0], held.subjects[large]
    some = _some(evidence.train)
    train, whole, translated = _in_range(some, some, held, made)
    real, drawn = whole[large, channel], translated[large, channel]
    mask, inside = mask[large], _foreground(whole, held)[large]
    one, other = _standing(real, mask, inside), _standing(drawn, mask, inside)
    usual = float(one.mean()) if abs(one.mean()) > 1e-9 else 1e-9
    ratio, halves = float(other.mean()) / usual, _halves(one / usual, who, seed=evidence.seed)
    influence = (other - ratio * one) / usual
    off, kept = (linearized(value, influence, clusters=who) for value in (ratio - 1, ratio))
    sign, level = _threshold(train[:, channel], some.pixels[:, at] > 0, _foreground(train, some))
    scores = [_over_patients(dice((sign * x > level) & inside, mask), who) for x in (drawn, real)]
    detail = {"images": int(large.sum()), "channel": held.layout.channels[channel].name}
    return (
        _finding(
            CONTRAST, better="lower", estimate=folded(off), control=halves, detail={**detail, "ratio": kept.plain()}
        ),
        _finding(FOUND, estimate=scores[0], control=scores[1], detail=detail),
    )


def _unmeasured(evidence: Measured) -> str:
    if evidence.completed is None:
        return "no contrast is translated whose truth is known: none is given, nothing is paired, or no model is there"
    return "" if _target(evidence.holdout) else "no contrast is made: only masks are painted"


def _pairs(evidence: Measured) -> tuple[Images, Images]:
    """Real images, and those that were made of the same sources."""
    assert evidence.completed is not None
    rows = np.flatnonzero(known(evidence.completed).all(1))
    return evidence.holdout.take(rows), evidence.completed.take(rows)


def _some(train: Images) -> Images:
    """The images of train, or as many by chance as may be looked at together."""
    return train.take(large.few(train.pixels.shape, rng=stream(0, "translation")))


def _target(images: Images) -> list[int]:
    return [i for i in painted(images.layout) if i not in images.layout.maps]


def _source(images: Images) -> list[int]:
    """The first given channel that is no mask, if there is one."""
    others = {*painted(images.layout), *images.layout.maps}
    return [i for i in range(images.pixels.shape[1]) if i not in others][:1]


def _lesion(images: Images) -> list[int]:
    """The label maps of two classes or more: the first one is taken for lesions."""
    return list(images.layout.maps)


def _next(who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows that a further one of the same patient follows, and those that follow."""
    order = np.argsort(who, kind="stable")
    goes_on = who[order[:-1]] == who[order[1:]]
    return order[:-1][goes_on], order[1:][goes_on]


def _in_range(train: Images, *parts: Images) -> Iterator[np.ndarray]:
    """(n, channels, ...) float32 of each part, 0 and 1 at the ends of train's own values of each channel: contrasts may
    be of different units. Masks stay as they are."""
    shape = (train.pixels.shape[1], *[1] * (train.pixels.ndim - 2))
    low, reach = np.zeros(shape, dtype=np.float32), np.ones(shape, dtype=np.float32)
    for i in (i for i in range(len(low)) if i not in train.layout.maps):
        values = train.pixels[:, i].ravel()
        ends = np.quantile(values[:: max(values.size // 1_000_000, 1)], [0.001, 0.999])
        low[i], reach[i] = ends[0], ends[1] - ends[0]
    reach = np.where(reach > 0, reach, np.float32(1))
    return ((part.pixels - low) / reach for part in parts)


def _foreground(pixels: np.ndarray, images: Images) -> np.ndarray:
    """(n, ...) where the given contrast, or where only masks are given the real ones, are no background; of pixels in
    range."""
    made: np.ndarray = pixels[:, _source(images) or _target(images)].max(1) > DARK
    return made


def _over_patients(scores: np.ndarray, who: np.ndarray) -> Estimate:
    return mean(scores, clusters=who)


def _likeness(made: np.ndarray, real: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n,) mean structural similarity inside the foreground, over channels whose range is 1."""
    each = [_within(np.prod(ssim(made[:, c], real[:, c], 1.0), axis=0), inside) for c in range(real.shape[1])]
    found: np.ndarray = np.mean(each, 0)
    return found


def _decibels(made: np.ndarray, real: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n,) peak signal-to-noise ratios inside the foreground, mean over channels whose range is 1."""
    each = [_within((made[:, c] - real[:, c]) ** 2, inside) for c in range(real.shape[1])]
    found: np.ndarray = np.mean([-10 * np.log10(np.maximum(one, 1e-6)) for one in each], 0)
    return found


def _within(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    flat, weight = values.reshape(len(values), -1), inside.reshape(len(values), -1)
    made: np.ndarray = (flat * weight).sum(1) / np.maximum(weight.sum(1), 1)
    return made


def _standing(pixels: np.ndarray, mask: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n,) how much brighter lesions are than what lies around them."""
    ring = np.stack([binary_dilation(one, iterations=RING) for one in mask]) & ~mask & inside
    return _within(pixels, mask) - _within(pixels, ring)


def _halves(standing: np.ndarray, who: np.ndarray, *, seed: int) -> Estimate | None:
    """How much farther real lesions of one half of the patients stand out than those of the other half, either way; of
    four patients or more."""
    if patients(who) < 4:
        return None
    block = patient_blocks(who, 2, rng=stream(seed, "lesions", "halves"))
    return folded(difference(*(mean(standing[block == k], clusters=who[block == k]) for k in (0, 1))))


def _threshold(pixels: np.ndarray, mask: np.ndarray, inside: np.ndarray) -> tuple[int, float]:
    """Whether lesions are bright (1) or dark (-1), and the signed brightness beyond which they are found best."""
    large = mask.reshape(len(mask), -1).sum(1) >= SMALL
    pixels, mask, inside = pixels[large], mask[large], inside[large]
    if not large.any():
        return 1, 1.0
    sign = 1 if _standing(pixels, mask, inside).mean() >= 0 else -1
    levels = sign * np.linspace(0, 1, LEVELS)
    best = max(levels, key=lambda level: float(dice((sign * pixels > level) & inside, mask).mean()))
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
        "By which share lesions stand out less, or more, in translated images than in real ones (0: as far; 1: gone).",
    ),
    FOUND: (
        "Lesions found in translated images",
        "Overlap of lesions found by a threshold in translated images with those marked by hand (Dice; 1: all).",
    ),
}
_finding = Wording(_texts, better="higher")
