"""Are all kinds of patients there? Which groups a generator dropped, and how many kinds are left in effect."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, linearized, wilson
from semblance.core.judge import Wording, measures, patients, slots
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.fidelity.distances import between, median_distance
from semblance.evaluate.fidelity.samples import parts, rows, size, too_few, who
from semblance.evaluate.shared.models import beside

RECORDS = {"fast": 5_000, "standard": 20_000, "audit": 100_000}
KERNEL = {"fast": 500, "standard": 700, "audit": 1_000}
GROUPS = 200
SEEN = 30  # train patients in an average group
RARE = 11  # train patients, below which a group is too small to be missed
KEPT = 0.5  # of the train mass
WIDTH = 0.5  # of the median distance: a kernel as wide as the data would see one kind only
DISTINCT = 1_000  # records in which different ones are counted, since there cannot be more groups


@measures("rare.modes")
def modes(evidence: Evidence) -> tuple[Finding, ...]:
    """Share of the groups of train patients that the synthetic records keep: a test for mode collapse.

    Groups are the k-means clusters of train in the embedding (one per SEEN patients of the smallest part, at most
    GROUPS) with at least RARE patients. One is kept where the synthetic share of it is at least half of train's; each
    patient counts as one, over all of their records. Wilson's interval over the groups. Control: holdout in the
    synthetic set's place; all parts are cut to the same size.
    """
    if reason := too_few(evidence):
        return (_finding("rare.modes", status="insufficient", reason=reason),)
    n = size(evidence, RECORDS[evidence.tier])
    group = _groups(evidence, n)
    mass = {part: _mass(evidence, part, one) for part, one in group.items()}
    known = np.bincount(_distinct(group["train"], evidence.train.subjects[rows(evidence, "train", n)]))
    large = np.pad(known, (0, len(mass["train"]) - len(known))) >= RARE
    if not large.any():
        reason = f"no group of train patients has {RARE} of them"
        return (_finding("rare.modes", status="insufficient", reason=reason),)
    kept = {part: int((one >= KEPT * mass["train"])[large].sum()) for part, one in mass.items()}
    numbers = {part: wilson(hits, int(large.sum())) for part, hits in kept.items()}
    detail = {"groups": int(large.sum()), "records": n}
    return (_finding("rare.modes", **slots(numbers, control="holdout"), detail=detail),)


def _groups(evidence: Evidence, n: int) -> dict[Part, np.ndarray]:
    """The group of each of `n` records of every part."""
    asked: list[Part] = ["holdout", *parts(evidence)]
    cloud = {part: evidence.embedding(part)[rows(evidence, part, n)] for part in asked}
    fewest = min(patients(getattr(evidence, part).subjects[rows(evidence, part, n)]) for part in ("train", "holdout"))
    distinct = len(np.unique(cloud["train"][:DISTINCT], axis=0))
    seed = int(stream(evidence.seed, "modes").integers(2**31))
    count = max(min(fewest // SEEN, GROUPS, distinct), 1)
    with threadpool_limits(1):
        model = MiniBatchKMeans(count, random_state=seed, n_init=1, batch_size=2048, reassignment_ratio=0.0)
        model.fit(cloud["train"])
        return {part: model.predict(points) for part, points in cloud.items()}


def _distinct(group: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """The group of each distinct pair of group and patient."""
    patient = np.unique(subjects, return_inverse=True)[1]
    pairs: np.ndarray = np.unique(np.stack([group, patient]), axis=1)[0]
    return pairs


def _mass(evidence: Evidence, part: Part, group: np.ndarray) -> np.ndarray:
    """(GROUPS,) the share of each group: a patient's records share a weight of one patient."""
    unit = who(evidence, part, rows(evidence, part, len(group)))
    code, count = np.unique(unit, return_inverse=True, return_counts=True)[1:]
    mass: np.ndarray = np.bincount(group, weights=1 / count[code], minlength=GROUPS) / len(count)
    return mass


@dataclass(frozen=True)
class Entropy:
    """Von Neumann entropy of a kernel and each record's influence on it."""

    value: float
    influence: np.ndarray


@measures("rare.diversity")
def diversity(evidence: Evidence) -> tuple[Finding, ...]:
    """Effective number of distinct records (Vendi score; Friedman and Dieng 2023) over that of as many train records.

    The score is exp(-sum l log l) over the eigenvalues l of K / n, with a Gaussian kernel K whose width is the median
    distance between train records, times WIDTH. Control: holdout over train. Intervals come from the influence of each
    record on the entropy (its place in the kernel's spectrum), by patient, and are taken on the log scale.
    """
    if reason := too_few(evidence):
        return (_finding("rare.diversity", status="insufficient", reason=reason),)
    n = size(evidence, KERNEL[evidence.tier])
    asked: list[Part] = ["train", "synthetic", "holdout", *(["floor"] if evidence.floor is not None else [])]  # type: ignore[list-item]
    cloud = {part: evidence.embedding(part)[rows(evidence, part, n)].astype(float) for part in asked}
    width = WIDTH * median_distance(cloud["train"])
    made = dict(zip(asked, beside([partial(entropy, one, width) for one in cloud.values()]), strict=True))
    units = {part: who(evidence, part, rows(evidence, part, n)) for part in asked}
    logs = {part: linearized(one.value, one.influence, clusters=units[part]) for part, one in made.items()}
    numbers = {part: ratio(logs[part], logs["train"]) for part in asked[1:]}
    detail = {"records": n, "train": math.exp(logs["train"].value)}
    return (_finding("rare.diversity", **slots(numbers, control="holdout"), detail=detail),)


def entropy(points: np.ndarray, width: float) -> Entropy:
    """-sum l log l of a Gaussian kernel on `points` (n, d). Record i's influence is -(log rho)_ii less the mean."""
    kernel = np.exp(between(points, points) ** 2 / (-2 * width**2)) / len(points)
    size, axes = np.linalg.eigh(kernel)
    size = np.maximum(size, 1e-15)
    share = -(axes**2 * len(points)) @ (size * np.log(size))
    return Entropy(float(share.mean()), share - share.mean())


def ratio(a: Estimate, b: Estimate) -> Estimate:
    """exp(a - b) of independent estimates."""
    gap, half = a.value - b.value, math.hypot(a.high - a.value, b.high - b.value)
    return Estimate(math.exp(gap), math.exp(gap - half), math.exp(gap + half), n=min(a.n, b.n))


_TEXT = {
    "rare.modes": (
        "Groups of patients kept",
        "Share of the groups of similar patients that are at least half as frequent among synthetic as among real "
        "records (1 all kept, 0 none).",
    ),
    "rare.diversity": (
        "Diversity kept",
        "How many distinct kinds of records the synthetic data hold in effect, relative to real data (1: as many, near "
        "0: the same few again and again).",
    ),
}

_finding = Wording(_TEXT, better="higher")
