"""Expectation maximisation of a mixture of products (Dempster, Laird & Rubin 1977) that does not fit itself.

Records lie in folds by patient. What a component says of a record comes from the other folds alone, so a component is
given only records that others like them would predict, and the log-likelihood of a pass is cross-validated: it stops
the passes when it stops to rise. Work and memory are linear in the records: blocks of rows times components.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from semblance.modalities.table.generators.leaves import Smoother
from semblance.modalities.table.generators.products import Products, blocks


@dataclass(frozen=True)
class Counts:
    """What components hold: `codes` (all codes, components) and `size` (components,) in records, and `patients`."""

    codes: np.ndarray
    size: np.ndarray
    patients: np.ndarray

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.codes + other.codes, self.size + other.size, self.patients + other.patients)

    def without(self, other: Counts) -> Counts:
        """What is left when `other` is taken away."""
        codes, size = np.maximum(self.codes - other.codes, 0), np.maximum(self.size - other.size, 0)
        return Counts(codes, size, np.maximum(self.patients - other.patients, 0))

    def keep(self, which: np.ndarray) -> Counts:
        """Some of the components."""
        return Counts(self.codes[:, which], self.size[which], self.patients[which])

    def merged(self) -> Counts:
        """All components as one."""
        return Counts(self.codes.sum(1, keepdims=True), self.size.sum(keepdims=True), self.patients.sum(keepdims=True))


@dataclass(frozen=True)
class Records:
    """(n, d) `codes` in [0, `sizes`), the patients as (n,) `share`s of one patient each, and the (n,) `fold`."""

    codes: np.ndarray
    sizes: np.ndarray
    share: np.ndarray
    fold: np.ndarray

    @classmethod
    def of(
        cls, codes: np.ndarray, sizes: np.ndarray, subjects: np.ndarray, *, folds: int, rng: np.random.Generator
    ) -> Records:
        """A patient with m records counts 1/m in each, so no component counts a patient as more than one."""
        _, patient, many = np.unique(subjects, return_inverse=True, return_counts=True)
        fold = rng.permutation(len(many)) % folds
        return cls(codes, sizes, (1 / many[patient]).astype(np.float32), fold[patient])

    def take(self, rows: np.ndarray) -> Records:
        """Some of the records."""
        return Records(self.codes[rows], self.sizes, self.share[rows], self.fold[rows])

    def folds(self) -> list[Records]:
        """One part for each fold."""
        return [self.take(np.flatnonzero(self.fold == v)) for v in range(int(self.fold.max(initial=0)) + 1)]


def started(records: Records, parts: Sequence[Records], components: int, rng: np.random.Generator) -> list[Counts]:
    """Per fold: components of one record each, drawn at random. The first pass gives each the records near it."""
    chosen = np.sort(rng.permutation(len(records.codes))[:components])
    found = []
    for v in range(len(parts)):
        own = (records.fold[chosen] == v).astype(np.float32)
        codes = np.zeros((int(records.sizes.sum()), len(chosen)), dtype=np.float32)
        rows = records.codes[chosen] + np.concatenate([[0], np.cumsum(records.sizes)])[:-1].astype(np.int64)
        codes[rows, np.arange(len(chosen))[:, None]] = own[:, None]
        found.append(Counts(codes, own, own * records.share[chosen]))
    return found


def products(counts: Counts, sizes: np.ndarray, smooth: Sequence[Smoother]) -> Products:
    """The mixture that counts make: smoothed shares, and the weights that keep the marginals where priors are alike."""
    parts = np.split(counts.codes, np.cumsum(sizes)[:-1]) if len(sizes) else []
    shares = [s.shares(part, counts.size) for s, part in zip(smooth, parts, strict=True)]
    weights = counts.size.astype(float) + (smooth[0].weight if smooth else 0.0)
    return Products(weights / max(weights.sum(), 1e-300), np.concatenate([*shares, counts.codes[:0]]), sizes)


def expected(model: Products, records: Records) -> tuple[Counts, float]:
    """The E-step: what each component holds of the records under `model`, and their summed log-likelihood."""
    codes = np.zeros(model.shares.shape, dtype=np.float32)
    size, patients, total = np.zeros(len(model.weights)), np.zeros(len(model.weights)), 0.0
    done = 0
    for rows in blocks(records.codes, model.offsets):
        joint = model.log_joint(rows)
        top = joint.max(1, keepdims=True)
        joint -= top
        np.exp(joint, out=joint)
        held = joint.sum(1, keepdims=True)
        joint /= held
        total += float((top + np.log(held)).sum(dtype=np.float64))
        codes += rows.T @ joint
        size += joint.sum(0)
        patients += records.share[done : done + len(joint)] @ joint
        done += len(joint)
    return Counts(codes, size.astype(np.float32), patients.astype(np.float32)), total


def crossed(
    counts: Sequence[Counts], parts: Sequence[Records], smooth: Sequence[Smoother]
) -> tuple[list[Counts], float]:
    """One pass: each fold is given to the components by what the other folds say. The mean log-likelihood beside."""
    whole, found, total = together(counts), [], 0.0
    for own, part in zip(counts, parts, strict=True):
        others = whole.without(own) if len(parts) > 1 else whole
        held, log_likelihood = expected(products(others, part.sizes, smooth), part)
        found.append(held)
        total += log_likelihood
    return found, total / max(sum(len(part.codes) for part in parts), 1)


def kept(counts: Sequence[Counts], *, least: float, at_once: float = 1.0) -> list[Counts]:
    """Without the components of fewer than `least` patients, or the smallest share `at_once` of those.

    Their records go to others in the next pass. One component for all where none is left.
    """
    patients = together(counts).patients
    few = np.flatnonzero(patients < least - 1e-3)
    few = few[np.argsort(patients[few], kind="stable")][: int(np.ceil(at_once * len(few)))]
    enough = np.ones(len(patients), dtype=bool)
    enough[few] = False
    return [part.keep(enough) for part in counts] if enough.any() else [part.merged() for part in counts]


def together(counts: Sequence[Counts]) -> Counts:
    """All folds."""
    whole = counts[0]
    for part in counts[1:]:
        whole = whole + part
    return whole


def passes(
    counts: list[Counts], parts: Sequence[Records], smooth: Sequence[Smoother], *, most: int, least: int
) -> Iterator[tuple[list[Counts], float]]:
    """At most so many passes, until one gains too little; components end with `least` patients each.

    Those that have fewer are dropped bit by bit, so that their records find others: all at once, too many would go.
    """
    last = -np.inf
    for i in range(most):
        counts, mean = crossed(counts, parts, smooth)
        small = len(together(counts).size)
        counts = kept(counts, least=least, at_once=1.0 if i == most - 1 else AT_ONCE * min(1, i / SETTLE))
        small -= len(together(counts).size)
        yield counts, mean
        if i > SETTLE and not small and mean - last < ENOUGH:
            return
        last = mean


AT_ONCE, SETTLE = 0.3, 4
ENOUGH = 1e-3
"""Nats per record: passes end when one gains less."""
