"""Copies of images, moved, turned over or not: synthetic images that resemble a training image too closely.

Images of one kind are alike, so likeness proves nothing. What resembles an image of train more than nearly all unseen
images do was taken from there. A few copies among many images are found by what no unseen image comes near to, and by
what is equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from semblance.core.estimate import Estimate, mean
from semblance.core.judge import Wording, measures, patient_rows, patients
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.alike import STILL, Sight, equal, likest, sights, unmoved
from semblance.modalities.image.metrics.samples import LEAST, Measured

COPIES, UNIQUE, EQUAL = "privacy.copies", "privacy.unique_copies", "privacy.equal_images"
IMAGES = {"fast": 200, "standard": 500, "audit": 3_000}  # of each part that are looked for, moved as well
USUAL = 0.99  # share of holdout images that count as no copies

Likeness = Mapping[str, np.ndarray]
"""(n,) how alike images are to the train image that they resemble most, of each sight."""


@measures(COPIES)
def copies(evidence: Measured) -> tuple[Finding, ...]:
    """Share of synthetic images that resemble some train image more than 99 % of holdout images resemble theirs, less
    the 1 % that do so by chance; 0 is none, near 1 says that every image is a copy.

    Likeness is the largest normalised cross-correlation over small moves and all ways round, at 28 places a side at
    most (of volumes 12): brighter, moved and turned copies are found. Each contrast, and the masks, are looked for by
    themselves against a limit of their own, and what is a copy in any of them is one: a patient's mask under new
    pixels, or a patient's CT beside a new PET. Chance is the share of holdout at the limit of any, and no more than 1 %
    for each.
    Control: one half of train looked for in the other half, against the limit that holdout sets there. Interval by
    patient, never narrower than the rule of three (Hanley and Lippman-Hand 1983). IMAGES of each part are looked for.
    """
    if reason := _too_few(evidence):
        return _finding.unmeasured((COPIES,), status="insufficient", reason=reason)
    train, rng, most = evidence.train, stream(evidence.seed, "copies"), IMAGES[evidence.tier]
    held, made = (
        part.take(patient_rows(part.subjects, most, rng=rng)) for part in (evidence.holdout, evidence.synthetic)
    )
    some, rest = _halves(train, rng=rng)
    some = some.take(np.arange(min(most, len(some))))
    seen = sights(train)
    usual, likeness = _alike(held, train, seen), _alike(made, train, seen)
    shares = (
        _share(likeness, usual, _who(made)),
        _share(_alike(some, rest, seen), _alike(held, rest, seen), some.subjects),
    )
    told = {name: _told(likeness[name], usual[name]) for name in seen}
    return (_finding(COPIES, estimate=shares[0], control=shares[1], detail={"images": len(made), "sights": told}),)


@measures(UNIQUE)
def unique_copies(evidence: Measured) -> tuple[Finding, ...]:
    """Share of all synthetic images that resemble some train image more than any holdout image resembles one.

    The same likeness, all ways round but not moved, and nothing is taken off for chance: one image in as many as there
    are held out may be nearest without having been copied (`detail["by_chance"]`). Holdout images that equal one of
    train set no limit. Control: one half of train looked for in the other half, against what is held out. Interval by
    patient, never narrower than the rule of three; downwards by the patients held out as well: the fewer set the limit,
    the more images are beyond it by chance.
    """
    if reason := _too_few(evidence):
        return _finding.unmeasured((UNIQUE,), status="insufficient", reason=reason)
    train, made = evidence.train, evidence.synthetic
    held = evidence.holdout.take(~equal(evidence.holdout, train))
    if len(held) < LEAST or patients(held.subjects) < 2:
        reason = f"fewer than {LEAST} images are held out that are not in train as well"
        return _finding.unmeasured((UNIQUE,), status="insufficient", reason=reason)
    some, rest = _halves(train, rng=stream(evidence.seed, "unique copies"))
    seen, m = sights(train), patients(held.subjects)
    limits = {name: float(one.max()) for name, one in _alike(held, train, seen, STILL).items()}
    among = {name: float(one.max()) for name, one in _alike(held, rest, seen, STILL).items()}
    beyond = _beyond(unmoved(evidence), limits)
    estimate = _counted(beyond, _who(made), least=3 / m)
    control = _counted(_beyond(_alike(some, rest, seen, STILL), among), some.subjects, least=3 / m)
    detail = {"images": len(made), "found": int(beyond.sum()), "by_chance": 1 / (len(held) + 1), "limits": limits}
    return (_finding(UNIQUE, estimate=estimate, control=control, detail=detail),)


@measures(EQUAL)
def equal_images(evidence: Measured) -> tuple[Finding, ...]:
    """Share of all synthetic images of which a contrast, turned over or not, equals one of a train image in its file.

    What a holdout image shows as well does not count, and neither does an image of one grey. Control: one half of train
    looked for in the other half. Interval by patient, never narrower than the rule of three.
    """
    train, made = evidence.train, evidence.synthetic
    if not len(made) or patients(train.subjects) < 2:
        return _finding.unmeasured((EQUAL,), status="insufficient", reason="no images, or fewer than two patients")
    some, rest = _halves(train, rng=stream(evidence.seed, "equal images"))
    found = equal(made, train) & ~equal(made, evidence.holdout)
    estimate = _counted(found, _who(made))
    control = _counted(equal(some, rest) & ~equal(some, evidence.holdout), some.subjects)
    detail = {"images": len(made), "found": int(found.sum())}
    return (_finding(EQUAL, estimate=estimate, control=control, detail=detail),)


def _too_few(evidence: Measured) -> str:
    """Why nothing can be measured, or nothing."""
    real = evidence.train, evidence.holdout
    few = min(map(len, (*real, evidence.synthetic))) < LEAST or min(patients(part.subjects) for part in real) < 2
    return f"fewer than {LEAST} images or two patients in a part" if few else ""


def _halves(train: Images, *, rng: np.random.Generator) -> tuple[Images, Images]:
    half = np.zeros(len(train), dtype=bool)
    half[patient_rows(train.subjects, len(train) // 2, rng=rng)] = True
    return train.take(half), train.take(~half)


def _who(made: Images) -> np.ndarray:
    """The patients of synthetic images; where all are of one, each stands for itself."""
    return made.subjects if patients(made.subjects) > 1 else np.arange(len(made))


def _alike(images: Images, train: Images, seen: Mapping[str, Sight], *moved: tuple[int, ...]) -> Likeness:
    return {name: likest(images, train, sight, *moved) for name, sight in seen.items()}


def _limit(likeness: np.ndarray) -> float:
    return float(np.quantile(likeness, USUAL, method="higher"))


def _beyond(likeness: Likeness, limits: Mapping[str, float]) -> np.ndarray:
    """(n,) whether an image is more alike than the limit of any sight."""
    found: np.ndarray = np.any([one > limits[name] for name, one in likeness.items()], axis=0)
    return found


def _share(likeness: Likeness, usual: Likeness, who: np.ndarray) -> Estimate:
    """What is beyond the limits that usual likenesses set, less chance."""
    limits = {name: _limit(one) for name, one in usual.items()}
    at = np.any([one >= limits[name] for name, one in usual.items()], axis=0).mean()
    chance = min(float(at), len(limits) * (1 - USUAL))
    found = _counted(_beyond(likeness, limits), who)
    return replace(found, value=found.value - chance, low=found.low - chance, high=found.high - chance)


def _counted(copied: np.ndarray, who: np.ndarray, *, least: float = 0.0) -> Estimate:
    found = mean(copied, clusters=who)
    half = max(found.high - found.value, 3 / len(copied))
    return replace(found, low=max(found.value - max(half, least), 0.0), high=min(found.value + half, 1.0))


def _told(likeness: np.ndarray, usual: np.ndarray) -> dict[str, Any]:
    return {"limit": _limit(usual), "likeness": _quantiles(likeness), "likeness_in_holdout": _quantiles(usual)}


def _quantiles(likeness: np.ndarray) -> dict[str, float]:
    low, middle, high = np.quantile(likeness, [0.05, 0.5, 0.95])
    return {"q05": round(float(low), 5), "median": round(float(middle), 5), "q95": round(float(high), 5)}


_finding = Wording(
    {
        COPIES: (
            "Copies of images",
            "Share of synthetic images that repeat a training image, moved, turned over or not, more closely than "
            "unseen real images do, beyond chance (0: none; 1: all are copies; below 0: fewer than chance makes).",
        ),
        UNIQUE: (
            "Images nearer to a training image than any unseen one",
            "Share of all synthetic images that repeat a training image more closely than every unseen real image does "
            "(0: none; 1: all are copies).",
        ),
        EQUAL: (
            "Images equal to a training image",
            "Share of all synthetic images of which a contrast is that of a training image, turned over or not "
            "(0: none).",
        ),
    }
)
