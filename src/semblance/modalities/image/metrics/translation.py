"""How well contrasts are made from others, by the holdout's own images: likeness to the real target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from semblance.core import large
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.halves import known
from semblance.modalities.image.metrics.samples import LEAST, Measured
from semblance.modalities.image.metrics.similarity import ssim
from semblance.modalities.image.translated import painted

SSIM, PSNR = "utility.translation_ssim", "utility.translation_psnr"
_NAMED = {"control_is": "the patient's next image", "floor_is": "the mean image"}
DARK = 0.05
"""The share of the range below which a pixel is background."""


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
    if reason := untranslated(evidence) or ("" if evidence.holdout.domain is None else "nothing is paired"):
        return _finding.unmeasured((SSIM, PSNR), status="not_applicable", reason=reason)
    held, made = pairs(evidence)
    if len(held) < LEAST:
        return _finding.unmeasured((SSIM, PSNR), status="insufficient", reason=f"fewer than {LEAST} images")
    aims, source = target(held), _source(held)
    some = few(evidence.train)
    train, real, drawn = in_range(some, some, held, made)
    told = {"made": drawn[:, aims], "mean": np.nanmean(train[:, aims], 0, keepdims=True).repeat(len(held), 0)}
    if source:
        told["copy"] = np.repeat(real[:, source], len(aims), 1)
    inside, findings, (own, next_one) = foreground(real, held), [], _next(held.subjects)
    for metric, measure in ((SSIM, _likeness), (PSNR, _decibels)):
        scores = {name: _over_patients(measure(x, real[:, aims], inside), held.subjects) for name, x in told.items()}
        detail = {"images": len(held), "of_train": len(some), **({"copy": scores["copy"].plain()} if source else {})}
        control = None
        if len(own):
            usual = measure(real[next_one][:, aims], real[own][:, aims], inside[own])
            control = _over_patients(usual, held.subjects[own])
        numbers = {"estimate": scores["made"], "control": control, "floor": scores["mean"]}
        findings.append(_finding(metric, **numbers, **_NAMED, detail=detail))
    return tuple(findings)


def untranslated(evidence: Measured) -> str:
    """Why no translation can be judged; '' where one can."""
    if evidence.completed is None:
        return "no contrast is translated: none is given, or no model is there"
    return "" if target(evidence.completed) else "no contrast is made: only masks are painted"


def pairs(evidence: Measured) -> tuple[Images, Images]:
    """Real images, and those that were made of the same sources."""
    assert evidence.completed is not None
    rows = np.flatnonzero(known(evidence.completed).all(1))
    return evidence.holdout.take(rows), evidence.completed.take(rows)


def few(train: Images) -> Images:
    """The images of train, or as many by chance as may be looked at together."""
    return train.take(large.few(train.pixels.shape, rng=stream(0, "translation")))


def target(images: Images) -> list[int]:
    """The channels of intensities that are not given."""
    return [i for i in painted(images.layout) if i not in images.layout.maps]


def _source(images: Images) -> list[int]:
    """The first given channel that is no mask, if there is one."""
    others = {*painted(images.layout), *images.layout.maps}
    return [i for i in range(images.pixels.shape[1]) if i not in others][:1]


def _next(who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows that a further one of the same patient follows, and those that follow."""
    order = np.argsort(who, kind="stable")
    goes_on = who[order[:-1]] == who[order[1:]]
    return order[:-1][goes_on], order[1:][goes_on]


def in_range(train: Images, *parts: Images) -> Iterator[np.ndarray]:
    """(n, channels, ...) float32 of each part, 0 and 1 at the ends of train's own values of each channel: contrasts may
    be of different units. Masks stay as they are."""
    shape = (train.pixels.shape[1], *[1] * (train.pixels.ndim - 2))
    low, reach = np.zeros(shape, dtype=np.float32), np.ones(shape, dtype=np.float32)
    for i in (i for i in range(len(low)) if i not in train.layout.maps):
        low[i], high = ends(train.pixels[:, i])
        reach[i] = high - low[i]
    reach = np.where(reach > 0, reach, np.float32(1))
    return ((part.pixels - low) / reach for part in parts)


def ends(values: np.ndarray) -> tuple[float, float]:
    """Between which numbers nearly all of some are, but for what nobody knows."""
    flat = values.ravel()
    low, high = np.nanquantile(flat[:: max(flat.size // 1_000_000, 1)], [0.001, 0.999])
    return float(low), float(high)


def foreground(pixels: np.ndarray, images: Images) -> np.ndarray:
    """(n, ...) where the given contrast, or where only masks are given or nobody knows it the real ones, are no
    background; of pixels in range."""
    real = pixels[:, target(images)].max(1)
    shown = pixels[:, _source(images)].max(1) if _source(images) else real
    made: np.ndarray = np.where(np.isnan(shown), real, shown) > DARK
    return made


def _over_patients(scores: np.ndarray, who: np.ndarray) -> Estimate:
    return mean(scores, clusters=who)


def _likeness(made: np.ndarray, real: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n,) mean structural similarity inside the foreground, over channels whose range is 1."""
    each = [within(np.prod(ssim(made[:, c], real[:, c], 1.0), axis=0), inside) for c in range(real.shape[1])]
    found: np.ndarray = np.mean(each, 0)
    return found


def _decibels(made: np.ndarray, real: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n,) peak signal-to-noise ratios inside the foreground, mean over channels whose range is 1."""
    each = [within((made[:, c] - real[:, c]) ** 2, inside) for c in range(real.shape[1])]
    found: np.ndarray = np.mean([-10 * np.log10(np.maximum(one, 1e-6)) for one in each], 0)
    return found


def within(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(n,) the mean of values (n, ...) where they are inside; 0 where nothing is."""
    flat, weight = values.reshape(len(values), -1), inside.reshape(len(values), -1)
    made: np.ndarray = (flat * weight).sum(1) / np.maximum(weight.sum(1), 1)
    return made


_texts: dict[str, Any] = {
    SSIM: (
        "Translated images, likeness",
        "Structural similarity of translated images with the real ones of the same unseen patients (1: the same).",
    ),
    PSNR: (
        "Translated images, decibels",
        "How small the error of translated images is against their range, in decibels (20: a tenth of the range).",
    ),
}
_finding = Wording(_texts, better="higher")
