"""Copies of images, moved or turned over or not: synthetic images that resemble a training image too closely.

Images of one kind are alike, so likeness proves nothing. What resembles an image of train more than nearly all unseen
images do was taken from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from semblance.core import large
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.samples import LEAST, Measured, pooled

COPIES, UNIQUE = "privacy.copies", "privacy.unique_copies"
IMAGES = {"fast": 200, "standard": 500, "audit": 3_000}  # of each part that are looked for
SIDE, SHIFTS = 28, (-1, 0, 1)
DEEP = 12
"""Places a side at which images are compared (of volumes DEEP), and by how many of them they may be moved."""
USUAL = 0.99  # share of holdout images that count as no copies
ALL_UNIQUE = "noise never repeats, so that every copy of an image is of one patient's alone: see the copies of images"


@measures(COPIES, UNIQUE)
def copies(evidence: Measured) -> tuple[Finding, ...]:
    """Share of synthetic images that resemble some train image more than 99 % of holdout images resemble theirs, less
    the 1 % that do so by chance; 0 is none, near 1 says that every image is a copy.

    Likeness is the largest normalised cross-correlation over small moves and both ways round, at 28 places a side at
    most: brighter, moved and mirrored copies are found. Control: one half of train looked for in the other half,
    against the limit that holdout sets there. Interval by patient, never narrower than the rule of three (Hanley and
    Lippman-Hand 1983). No image is like another patient's, so that no copies but unique ones count. Masks are looked
    for by themselves as well, with a limit of their own and 1 % more by chance: a patient's mask under new pixels is a
    copy.
    """
    train, holdout, synthetic = evidence.train, evidence.holdout, evidence.synthetic
    if min(map(len, (train, holdout, synthetic))) < LEAST or min(map(_patients, (train, holdout))) < 2:
        reason = f"fewer than {LEAST} images or two patients in a part"
        return _finding.unmeasured((COPIES, UNIQUE), status="insufficient", reason=reason)
    rng, most = stream(evidence.seed, "copies"), IMAGES[evidence.tier]
    held, made = (part.take(patient_rows(part.subjects, most, rng=rng)) for part in (holdout, synthetic))
    half = np.zeros(len(train), dtype=bool)
    half[patient_rows(train.subjects, len(train) // 2, rng=rng)] = True
    some = train.take(half).take(np.arange(min(most, int(half.sum()))))
    rest = train.take(~half)
    sights = [light, *([masks] if train.layout.maps else [])]
    copied, again, told = np.zeros(len(made), dtype=bool), np.zeros(len(some), dtype=bool), dict[str, Any]()
    for sight in sights:
        usual, likeness = likest(held, train, sight), likest(made, train, sight)
        limit = _limit(usual)
        copied |= likeness > limit
        again |= likest(some, rest, sight) > _limit(likest(held, rest, sight))
        mine = {"limit": limit, "likeness": _quantiles(likeness), "likeness_in_holdout": _quantiles(usual)}
        told |= mine if sight is light else {"masks": mine}
    who, chance = made.subjects if patients(made.subjects) > 1 else np.arange(len(made)), len(sights) * (1 - USUAL)
    shares = _share(copied, who, chance), _share(again, some.subjects, chance)
    found = _finding(COPIES, estimate=shares[0], control=shares[1], detail=told)
    return (found, *_finding.unmeasured((UNIQUE,), status="not_applicable", reason=ALL_UNIQUE))


def _patients(images: Images) -> int:
    return patients(images.subjects)


def _limit(likeness: np.ndarray) -> float:
    return float(np.quantile(likeness, USUAL, method="higher"))


Sight = Callable[[Images], np.ndarray]
"""What of images is compared, (n, planes, ...)."""


def light(images: Images) -> np.ndarray:
    """Their intensities."""
    return images.light


def masks(images: Images) -> np.ndarray:
    """Where each class of their masks is, but for what is around."""
    maps = images.layout.maps.items()
    shown = [images.pixels[:, i] == code for i, channel in maps for code in range(1, len(channel.classes))]
    return np.stack(shown, 1).astype(np.float32)


def likest(images: Images, train: Images, sight: Sight = light) -> np.ndarray:
    """(n,) the likeness of each image to the train image that it resembles most."""
    return twins(images, train, sight)[0]


def twins(images: Images, train: Images, sight: Sight = light) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the same, and the row of that train image."""
    most = SIDE if train.pixels.ndim == 4 else DEEP
    small = pooled(sight(images), most)
    likeness, where = np.full(len(images), -np.inf), np.zeros(len(images), dtype=np.int64)
    for part in large.parts(train.pixels):
        known = _unit(_middle(pooled(sight(_part(train, part)), most)))
        for moved in _moves(small):
            found = _unit(_middle(moved)) @ known.T
            best = found.argmax(1)
            now = found[np.arange(len(found)), best]
            where = np.where(now > likeness, best + part.start, where)
            likeness = np.maximum(now, likeness)
    return likeness, where


def _part(images: Images, part: slice) -> Images:
    return images.take(np.arange(len(images))[part])


def _moves(x: np.ndarray) -> Iterator[np.ndarray]:
    """Images moved by a place or none along each of the last axes, both ways round."""
    for mirrored in (x, np.flip(x, -1)):
        for steps in product(SHIFTS, repeat=2):
            yield np.roll(mirrored, steps, axis=(-2, -1))


def _middle(x: np.ndarray) -> np.ndarray:
    """Without the outermost place, which a move brings in from the other side."""
    return x[..., 1:-1, 1:-1]


def _unit(x: np.ndarray) -> np.ndarray:
    """(n, d) float32 of mean 0 and length 1."""
    flat = x.reshape(len(x), -1)
    flat = flat - flat.mean(1, keepdims=True)
    made: np.ndarray = (flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return made


def _share(copied: np.ndarray, who: np.ndarray, chance: float) -> Estimate:
    found = mean(copied, clusters=who)
    half = max(found.high - found.value, 3 / len(copied))
    low, high = max(found.value - half, 0.0), min(found.value + half, 1.0)
    return replace(found, value=found.value - chance, low=low - chance, high=high - chance)


def _quantiles(likeness: np.ndarray) -> dict[str, float]:
    low, middle, high = np.quantile(likeness, [0.05, 0.5, 0.95])
    return {"q05": round(float(low), 5), "median": round(float(middle), 5), "q95": round(float(high), 5)}


_finding = Wording(
    {
        COPIES: (
            "Copies of images",
            "Share of synthetic images that repeat a training image, moved or mirrored or not, more closely than "
            "unseen real images do, beyond chance (0: none; 1: all are copies).",
        ),
        UNIQUE: ("Copies that one patient alone has", "Of images these are all copies."),
    }
)
