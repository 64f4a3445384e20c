"""The classification of pieces of unseen patients: what is learned from, the classifier, and how well it does.

One classifier for all: boosted trees on the shape of a piece, its height and the intervals of a beat. (On unseen
patients of MIT-BIH they do far better than MiniRocket with a ridge: mean F1 of four classes .52 against .35.)
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from semblance.core.dataset import Part
from semblance.core.judge import patient_blocks, patients
from semblance.core.rng import stream
from semblance.modalities.signal.data import AFTER, BEFORE, Pieces
from semblance.modalities.signal.embed import basis
from semblance.modalities.signal.metrics.ridge import Scores
from semblance.modalities.signal.metrics.samples import BLOCKS, Measured, spread
from semblance.modalities.signal.metrics.values import around

EACH = {"fast": 500, "standard": 1_500, "audit": 6_000}  # pieces of a class, on a side
ROUNDS = 50
TREES = {
    "objective": "multiclass",
    "num_leaves": 15,
    "feature_fraction_bynode": 0.3,
    "max_bin": 63,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
PER_CLASS = 10  # pieces of a class in train and in holdout, below which it is not judged
LOUDER, NOISE = 0.1, 0.03  # of jitter: spread of the factor, and noise as a share of each lead's spread


@dataclass(frozen=True)
class Lot:
    """Pieces to learn from or to test on.

    Features (n, d), class (n,), how many pieces each stands for, its block of patients, its row in the part.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    block: np.ndarray
    rows: np.ndarray

    def take(self, chosen: np.ndarray) -> Lot:
        """Some of the pieces."""
        return Lot(*(values[chosen] for values in (self.x, self.y, self.weight, self.block, self.rows)))

    def joined(self, more: Lot) -> Lot:
        """These pieces, and others that together count as much as these do of their class."""
        if not len(more.y):
            return self
        size = max(int(self.y.max()), int(more.y.max())) + 1
        mine, theirs = (np.bincount(one.y, weights=one.weight, minlength=size) for one in (self, more))
        told = replace(
            more, weight=more.weight * (np.where(mine > 0, mine, theirs) / np.maximum(theirs, 1e-12))[more.y]
        )
        pairs = ((getattr(self, field.name), getattr(told, field.name)) for field in fields(Lot))
        return Lot(*map(np.concatenate, pairs))


@dataclass(frozen=True)
class Tested:
    """(1 + blocks, classes) F1 and recall on all tested pieces, then without each block of patients."""

    f1: np.ndarray
    recall: np.ndarray
    patients: int

    @property
    def macro(self) -> np.ndarray:
        """(1 + blocks,) mean F1 over the classes that are there."""
        return np.nan_to_num(np.nanmean(self.f1, axis=1))


def judged(evidence: Measured) -> tuple[str, ...]:
    """The classes that train and holdout have enough of, the most frequent in train first."""
    names, count = np.unique(evidence.train.labels, return_counts=True)
    held = evidence.holdout.labels
    ordered = names[np.argsort(-count, kind="stable")].tolist()
    enough = set(names[count >= PER_CLASS].tolist())
    return tuple(one for one in ordered if one in enough and one and (held == one).sum() >= PER_CLASS)


def lot(evidence: Measured, part: Part) -> Lot:
    """What is learned from, or tested on, of a part: made once."""
    return evidence.once(("lot", part), lambda: _lot(evidence, part))


def _lot(evidence: Measured, part: Part) -> Lot:
    pieces: Pieces = getattr(evidence, part)
    labels, most = pieces.labels, EACH[evidence.tier]
    rng = stream(evidence.seed, "lot", part)
    there = [np.flatnonzero(labels == one) for one in judged(evidence)]
    drawn = [rows[spread(pieces.source[rows], most, rng=rng)] for rows in there]
    chosen, y = np.concatenate(drawn), np.repeat(np.arange(len(drawn)), list(map(len, drawn)))
    share = np.array([len(rows) / max(len(some), 1) for rows, some in zip(there, drawn, strict=True)])
    block = _blocks(evidence, part, pieces.subjects[chosen])
    return Lot(inputs(evidence, pieces.take(chosen)), y, share[y], block, chosen)


def _blocks(evidence: Measured, part: Part, subjects: np.ndarray) -> np.ndarray:
    who = subjects if patients(subjects) > 1 else np.arange(len(subjects))
    if not len(who):
        return np.empty(0, dtype=np.int64)
    return patient_blocks(who, min(BLOCKS, patients(who)), rng=stream(evidence.seed, "lot blocks", part))


def inputs(evidence: Measured, pieces: Pieces) -> np.ndarray:
    """(n, d) what the classifier sees of pieces: components of their shapes, their heights, the intervals of beats."""
    axes = evidence.once("shapes", lambda: basis(shapes(evidence.train.waves)[0]))
    shape, height = shapes(pieces.waves)
    seen = [axes.of(shape), np.log(height).astype(np.float32)]
    if BEFORE in pieces.frame and AFTER in pieces.frame:
        seen.append(around(pieces).astype(np.float32))
    return np.concatenate(seen, axis=1)


def shapes(waves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, leads, samples) waves around their median, in units of their largest swing, and (n, leads) these swings.

    Patients differ in how high their waves are, classes in their shape: unseen patients are classified better so.
    """
    known = np.where(np.isnan(waves).all(axis=2, keepdims=True), 0, waves)
    moved = np.nan_to_num(known - np.nanmedian(known, axis=2, keepdims=True))
    height = np.maximum(np.abs(moved).max(axis=2), 1e-6)
    return moved / height[:, :, None], height


def learn(one: Lot, count: int, *, seed: int) -> Scores:
    """Boosted trees (LightGBM) of the pieces: a function from (m, d) features to (m, count) probabilities.

    Classes weigh as the root of the pieces that they stand for.
    """
    if len(np.unique(one.y)) < 2:
        certain = np.bincount(one.y, minlength=count).astype(float)
        return lambda test: np.repeat(certain[None], len(test), axis=0)
    import lightgbm

    options = {**TREES, "num_class": count, "min_data_in_leaf": min(10, max(len(one.y) // 20, 1)), "seed": seed}
    share = np.bincount(one.y, weights=one.weight, minlength=count)
    weight = one.weight / np.sqrt(share[one.y])
    known = lightgbm.Dataset(one.x, one.y, weight=weight / weight.mean(), params=options)
    model = lightgbm.train(options, known, ROUNDS).free_dataset()
    return lambda test: np.asarray(model.predict(test, num_threads=1))


def marked(model: Scores, test: Lot) -> Tested:
    """F1 and recall of each class, NaN where no tested piece has it."""
    scores = model(test.x)
    count, made, blocks = scores.shape[1], scores.argmax(axis=1), int(test.block.max()) + 1
    key = (test.block * count + test.y) * count + made
    table = np.bincount(key, weights=test.weight, minlength=blocks * count**2).reshape(blocks, count, count)
    whole = table.sum(axis=0)
    table = np.concatenate([whole[None], whole - table])
    hit, there, said = np.einsum("bii->bi", table), table.sum(axis=2), table.sum(axis=1)
    known = there > 1e-9 * whole.sum()
    f1 = np.divide(2 * hit, there + said, out=np.full(hit.shape, np.nan), where=known)
    recall = np.divide(hit, there, out=np.full(hit.shape, np.nan), where=known)
    return Tested(f1, recall, blocks)


def jittered(evidence: Measured, one: Lot, *, rng: np.random.Generator) -> Lot:
    """Train pieces again, a little louder or softer and with noise: the usual augmentation (Um et al. 2017)."""
    pieces = evidence.train.take(one.rows)
    spread_of = np.nanstd(pieces.waves, axis=(0, 2))[:, None]
    loud = rng.normal(1, LOUDER, (len(pieces), 1, 1))
    waves = pieces.waves * loud + NOISE * spread_of * rng.standard_normal(pieces.waves.shape)
    return replace(one, x=inputs(evidence, replace(pieces, waves=waves.astype(np.float32))))
