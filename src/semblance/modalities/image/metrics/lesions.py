"""Whether lesions that a mask shows outlive a translation: how far they stand out, and whether they are still found.

Where nothing is paired no truth is known of a translated image, but how far lesions stand out in real images of the
domain is: those of other patients are what translations are compared with. A translator that adds or removes disease
(Cohen, Luck & Honari, MICCAI 2018) shows in both numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation

from semblance.core.estimate import Estimate, difference, folded, linearized, mean
from semblance.core.judge import Wording, measures, patient_blocks, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.halves import known
from semblance.modalities.image.metrics.overlap import dice
from semblance.modalities.image.metrics.samples import LEAST, Measured
from semblance.modalities.image.metrics.translation import (
    DARK,
    ends,
    few,
    foreground,
    in_range,
    pairs,
    target,
    untranslated,
    within,
)

CONTRAST, FOUND = "utility.translation_lesion_contrast", "utility.translation_lesion_dice"
RING, SMALL = 3, 4
"""Pixels around a lesion; pixels of the smallest one."""
LEVELS = 64
"""Thresholds that are tried for a lesion."""


@dataclass(frozen=True, eq=False)
class Marked:
    """A contrast `light` (n, ...) in units of its range in train, its lesions `mask` (n, ...) bool (the first mask is
    taken for lesions), where it is `inside` of the foreground, and whose images they are."""

    light: np.ndarray
    mask: np.ndarray
    inside: np.ndarray
    who: np.ndarray

    def __len__(self) -> int:
        return len(self.who)

    def large(self) -> Marked:
        """Those with a lesion of SMALL pixels."""
        rows = self.mask.reshape(len(self.mask), -1).sum(1) >= SMALL
        return Marked(self.light[rows], self.mask[rows], self.inside[rows], self.who[rows])

    @property
    def standing(self) -> np.ndarray:
        """(n,) how much brighter lesions are than what lies around them."""
        ring = np.stack([binary_dilation(one, iterations=RING) for one in self.mask]) & ~self.mask & self.inside
        return within(self.light, self.mask) - within(self.light, ring)

    def found(self, sign: int, level: float) -> Estimate:
        """The Dice coefficient of what lies beyond a threshold."""
        return mean(dice((sign * self.light > level) & self.inside, self.mask), clusters=self.who)


@measures(CONTRAST, FOUND)
def lesions(evidence: Measured) -> tuple[Finding, ...]:
    """Whether lesions outlive a translation, where a mask of the holdout shows them.

    Contrast: how far a lesion stands out from the pixels around it in translated images, over the same in real ones, is
    `detail["ratio"]` (1: as far; 0: it is gone), and |1 - ratio| what is judged; control: half of the holdout's
    patients against the others. Dice: of the pixels of the foreground beyond the threshold that finds lesions best in
    real train images, with the mask; control: the same in the real holdout. Intervals over patients; of one patient
    there is none, and the number certifies nothing.

    Where nothing is paired, real images are those of the domain that is made, of `detail["real_images"]`; each image
    has its own mask, and the foreground is where it is not dark itself.
    """
    if "completed" in evidence.failed:
        return _finding.unmeasured((CONTRAST, FOUND), status="error", reason=evidence.failed["completed"])
    if reason := untranslated(evidence) or ("" if evidence.holdout.layout.maps else "no mask shows lesions"):
        return _finding.unmeasured((CONTRAST, FOUND), status="not_applicable", reason=reason)
    paired = evidence.holdout.domain is None
    train, real, made = _paired(evidence) if paired else _apart(evidence)
    train, real, made = train.large(), real.large(), made.large()
    if min(len(real), len(made)) < LEAST:
        reason = f"fewer than {LEAST} images with a lesion"
        return _finding.unmeasured((CONTRAST, FOUND), status="insufficient", reason=reason)
    one, other = real.standing, made.standing
    usual = float(one.mean()) if abs(one.mean()) > 1e-9 else 1e-9
    ratio, halves = float(other.mean()) / usual, _halves(one / usual, real.who, seed=evidence.seed)
    influence, who = (_of_pairs if paired else _of_both)(other / usual, ratio * one / usual, made.who, real.who)
    off, kept = (linearized(value, influence, clusters=who) for value in (ratio - 1, ratio))
    lone = min(patients(real.who), patients(made.who)) < 2
    threshold = _threshold(train)
    assert evidence.completed is not None
    channel = evidence.completed.layout.channels[target(evidence.completed)[0]].name
    detail = {"images": len(made), "channel": channel, **({} if paired else {"real_images": len(real)})}
    told = {**detail, "ratio": {"value": ratio} if lone else kept.plain()}
    findings = (
        _finding(CONTRAST, better="lower", estimate=folded(off), control=halves, detail=told),
        _finding(FOUND, estimate=made.found(*threshold), control=real.found(*threshold), detail=detail),
    )
    return tuple(map(_of_one, findings)) if lone else findings


def _of_one(finding: Finding) -> Finding:
    """What is known of one patient: a number without an interval."""
    assert finding.estimate is not None
    reason = "of one patient only: the number holds for this patient"
    estimate, control = (x and Estimate(x.value, x.value, x.value, n=1) for x in (finding.estimate, finding.control))
    return replace(finding, status="insufficient", reason=reason, estimate=estimate, control=control)


def _paired(evidence: Measured) -> tuple[Marked, Marked, Marked]:
    """Of train, of the real images, and of those that were made of the same sources."""
    held, made = pairs(evidence)
    whole, channel, (at, *_) = few(evidence.train), target(held)[0], held.layout.maps
    some = whole.take(known(whole)[:, channel])
    train, real, drawn = in_range(whole, some, held, made)
    marked = [
        Marked(x[:, channel], part.pixels[:, at] > 0, foreground(x, part), part.subjects)
        for x, part in ((train, some), (real, held))
    ]
    return marked[0], marked[1], replace(marked[1], light=drawn[:, channel])


def _apart(evidence: Measured) -> tuple[Marked, Marked, Marked]:
    """The same where nothing is paired: of train's and the holdout's images of the domain that is made."""
    assert evidence.completed is not None
    made = evidence.completed.take(np.flatnonzero(known(evidence.completed).all(1)))
    aims = target(made)
    domain = ", ".join(made.layout.channels[i].name for i in aims)
    train, real = (part.take(np.flatnonzero(part.domain == domain)) for part in (few(evidence.train), evidence.holdout))
    low, high = ends(train.pixels[:, 0]) if len(train) else (0.0, 1.0)

    def marked(images: Images, channel: int) -> Marked:
        light = (images.pixels[:, channel] - low) / (high - low if high > low else 1.0)
        return Marked(light, images.pixels[:, next(iter(images.layout.maps))] > 0, light > DARK, images.subjects)

    return marked(train, 0), marked(real, 0), marked(made, aims[0])


def _of_pairs(other: np.ndarray, one: np.ndarray, *who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the influence of each image on the mean of their differences, and whose it is."""
    return other - one, who[0]


def _of_both(other: np.ndarray, one: np.ndarray, whose: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n + m,) the influence of the images of two sets on the difference of their means, and whose they are."""
    count = len(other) + len(one)
    parts = [sign * (x - x.mean()) * count / len(x) for sign, x in ((1, other), (-1, one))]
    return np.concatenate(parts), np.concatenate([whose, real])


def _halves(standing: np.ndarray, who: np.ndarray, *, seed: int) -> Estimate | None:
    """How much farther real lesions of one half of the patients stand out than those of the other half, either way; of
    four patients or more."""
    if patients(who) < 4:
        return None
    block = patient_blocks(who, 2, rng=stream(seed, "lesions", "halves"))
    return folded(difference(*(mean(standing[block == k], clusters=who[block == k]) for k in (0, 1))))


def _threshold(train: Marked) -> tuple[int, float]:
    """Whether lesions are bright (1) or dark (-1), and the signed brightness beyond which they are found best."""
    if not len(train):
        return 1, 1.0
    sign = 1 if train.standing.mean() >= 0 else -1
    levels = sign * np.linspace(0, 1, LEVELS)
    best = max(levels, key=lambda level: train.found(sign, level).value)
    return sign, float(best)


_texts: dict[str, Any] = {
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
