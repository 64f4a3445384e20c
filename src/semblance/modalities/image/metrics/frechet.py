"""Distances between clouds of described images: Fréchet's between their Gaussians, and of kernel means.

A Fréchet distance says little by itself: two samples of real images have one as well, the larger the fewer they are. So
each is given in units of that of train from holdout, with as many images.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from semblance.core.dataset import Part
from semblance.core.estimate import Estimate
from semblance.core.judge import Wording, measures, slots, to_real
from semblance.core.report import Finding
from semblance.modalities.image.metrics.extractors import EXTRACTORS, described
from semblance.modalities.image.metrics.samples import SAMPLES, Measured

MOST, PER = 24, 5
"""Dimensions of a cloud, at most, and images that each needs."""
SHRUNK = 0.05
"""How far a covariance is drawn towards a multiple of the identity where there are PER images per dimension."""
METRICS = tuple(f"fidelity.image_fid_{name}" for name in EXTRACTORS)
KID = "fidelity.image_kid"


@measures(*METRICS)
def frechet(evidence: Measured) -> tuple[Finding, ...]:
    """Fréchet distance of synthetic from holdout images over that of train images (Heusel et al. 2017): 1 is as near as
    real images are, and the ideal.

    In principal components of each extractor's numbers on train, at most one per 5 images; covariances are shrunk, as
    is needed of few images. Extractors: a classifier that learned from train, a bank of fixed random convolutions,
    radiomics. Interval: grouped jackknife by patient, of the ratio. Control: train itself.
    """
    if reason := SAMPLES.too_few(evidence):
        return _finding.unmeasured(METRICS, status="insufficient", reason=reason)
    return tuple(_ratio(evidence, metric, name) for metric, name in zip(METRICS, EXTRACTORS, strict=True))


def _ratio(evidence: Measured, metric: str, extractor: str) -> Finding:
    numbers, detail = ratio(evidence, described(evidence, extractor))
    return _finding(metric, **slots(numbers), detail=detail)


def ratio(evidence: Measured, told: dict[Part, np.ndarray]) -> tuple[dict[Part, Estimate], dict[str, Any]]:
    """The distance of each part from holdout over that of train, of images that are described by (n, d) numbers; and
    what there is to say of it."""
    clouds = _reduced(told)
    made = {part: one[:, 0] for part, one in SAMPLES.apart(evidence, clouds, frechet_distance).items()}
    least = 1e-9 * max(float(made["train"][0]), 1e-9)
    unit = np.maximum(made["train"], least)
    ratios = {part: one / (unit if part != "train" else unit[0]) for part, one in made.items()}
    numbers = {part: SAMPLES.estimate(evidence, one) for part, one in ratios.items()}
    detail = {"images": len(SAMPLES.of(evidence)["holdout"]), "dimensions": clouds["holdout"].shape[1]}
    detail |= {"distance": float(made["synthetic"][0]), "of_real": float(made["train"][0])}
    return numbers, detail


def _reduced(told: dict[Part, np.ndarray]) -> dict[Part, np.ndarray]:
    """The first principal components of train, every number in units of its spread there."""
    train = told["train"]
    center, spread = train.mean(0), train.std(0)
    varies = spread > 1e-9 * max(float(spread.max()), 1e-300)
    unit = {part: (x[:, varies] - center[varies]) / spread[varies] for part, x in told.items()}
    count = max(1, min(MOST, len(train) // PER, int(varies.sum())))
    axes = np.linalg.eigh(np.cov(unit["train"].T).reshape(int(varies.sum()), -1))[1][:, ::-1][:, :count]
    return {part: x @ axes for part, x in unit.items()}


def frechet_distance(made: np.ndarray, held: np.ndarray) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two clouds (n, d)."""
    gap = made.mean(0) - held.mean(0)
    one, other = _covariance(made), _covariance(held)
    root = _root(one)
    joint = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)).sum()
    return float(max(gap @ gap + np.trace(one) + np.trace(other) - 2 * joint, 0.0))


def _covariance(x: np.ndarray) -> np.ndarray:
    n, d = x.shape
    found = np.cov(x.T).reshape(d, d)
    share = min(1.0, SHRUNK * PER * d / n)
    made: np.ndarray = (1 - share) * found + share * np.trace(found) / d * np.eye(d)
    return made


def _root(cover: np.ndarray) -> np.ndarray:
    size, axes = np.linalg.eigh(cover)
    made: np.ndarray = (axes * np.sqrt(np.maximum(size, 0))) @ axes.T
    return made


@measures(KID)
def kernel(evidence: Measured) -> tuple[Finding, ...]:
    """Kernel distance of synthetic from holdout images (KID; Binkowski et al. 2018), unbiased: about 0 for real images.

    The squared maximum mean discrepancy under the kernel (x y / d + 1)^3, of the random bank's numbers in units of
    their spread in train. Interval: grouped jackknife by patient. Control: train.
    """
    if reason := SAMPLES.too_few(evidence):
        return _finding.unmeasured((KID,), status="insufficient", reason=reason)
    told = described(evidence, "bank")
    center, spread = told["train"].mean(0), np.maximum(told["train"].std(0), 1e-9)
    unit = {part: np.clip((x - center) / spread, -10, 10) for part, x in told.items()}
    made = {part: one[:, 0] for part, one in SAMPLES.apart(evidence, unit, kernel_distance).items()}
    least = partial(SAMPLES.estimate, evidence, within=(-np.inf, np.inf))
    numbers = slots({part: least(one) for part, one in made.items()})
    return (_finding(KID, **numbers, detail=to_real(numbers)),)


def kernel_distance(made: np.ndarray, held: np.ndarray) -> float:
    """The unbiased squared maximum mean discrepancy of two clouds (n, d)."""
    d = made.shape[1]
    own = [((x @ x.T / d + 1) ** 3) for x in (made, held)]
    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in own]
    return float(sum(within) - 2 * ((made @ held.T / d + 1) ** 3).mean())


_WHAT = "Distance of synthetic from unseen real images in units of that of real ones (1: as near; 2: twice as far), "
_finding = Wording(
    {
        METRICS[0]: ("Fréchet distance, classifier", f"{_WHAT}by a classifier that learned from training images."),
        METRICS[1]: ("Fréchet distance, random bank", f"{_WHAT}by fixed random convolutions."),
        METRICS[2]: ("Fréchet distance, radiomics", f"{_WHAT}by brightness and texture."),
        KID: (
            "Kernel distance",
            "Squared distance between the means of synthetic and unseen real images in a kernel's space (0: none); "
            "its unit is the kernel's, of numbers in units of their spread in train, and it has no largest value.",
        ),
    }
)
