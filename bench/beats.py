"""What beats are worth: to be told from real ones, to look alike, and to teach a classifier of unseen patients.

Everything stands on the judges of the signals (semblance.modalities.signal.metrics), under the protocols of the bench.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.estimate import bootstrap
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn.objectives.telling import told_apart
from semblance.learn.trainer import TrainPlan
from semblance.modalities.signal.data import AFTER, BEFORE, Pieces
from semblance.modalities.signal.metrics import classifying
from semblance.modalities.signal.metrics.classifying import Lot
from semblance.modalities.signal.metrics.context import context_fid
from semblance.modalities.signal.metrics.discriminative import Side, score
from semblance.modalities.signal.metrics.gru import short
from semblance.modalities.signal.metrics.kernels import kernels
from semblance.modalities.signal.metrics.ridge import ridge
from semblance.modalities.signal.metrics.samples import spread
from semblance.modalities.signal.metrics.spectrum import power_spectrum
from semblance.modalities.signal.metrics.values import amplitude, intervals
from semblance.modalities.signal.pieces import BEAT

CLASSES = ("N", "S", "V", "F")
TOLD, MOST, FOLDS = (
    ("N", "V"),
    1_000,
    5,
)  # classes that are told from real ones, beats of each on a side, folds of beats
NETWORK = TrainPlan(steps=400, batch=64, rate=1e-2, weight_decay=0.01, warmup=20)  # of the recurrent judge
SEQUENCE = 128  # steps of what it reads
FEW = 40  # beats of a class on a side, below which nothing is told
SCHEMA = Schema((Column(BEAT, "categorical", "target"), Column(BEFORE, "numeric"), Column(AFTER, "numeric")))

Table = np.ndarray
"""(4, 4) how many beats of each class are given each class."""
Tables = np.ndarray
"""(recordings, 4, 4) the same of each recording, which has all beats of a patient."""
DRAWS = 2000
"""How often recordings are drawn anew for an interval."""


@dataclass(frozen=True)
class Made:
    """What a contender drew: beats of `new` recordings, beats at the conditions of the learned ones (`again`), and
    beats of recordings in which each kind is as frequent as the others (`even`).

    A contender that knows no patients drew one set, which is all three; without conditions there is no other `even`.
    `more` are further draws of as many new recordings: few patients have the rarer kinds, and which of them a draw has
    decides what it teaches, so that one draw says little of the generator.
    """

    new: Pieces
    again: Pieces
    even: Pieces
    more: tuple[Pieces, ...] = ()

    @property
    def sets(self) -> dict[str, tuple[Pieces, ...]]:
        """What differs: each set with its further draws."""
        others = {name: (one,) for name, one in (("again", self.again), ("even", self.even)) if one is not self.new}
        return {"new": (self.new, *self.more), **others}


def plain(pieces: Pieces) -> Pieces:
    """Beats of the four classes, all of whose leads were measured, with their intervals alone."""
    kept = pieces.take(np.isin(pieces.labels, CLASSES) & np.isfinite(pieces.waves).all((1, 2)))
    frame = kept.frame[[BEAT, BEFORE, AFTER]].assign(**{BEAT: pd.Categorical(kept.labels, CLASSES)})
    return replace(kept, schema=SCHEMA, frame=frame)


def evidence(train: Pieces, holdout: Pieces, made: Pieces, *, seed: int) -> Evidence[Pieces]:
    """What the judges look at."""
    return Evidence(train, holdout, made, catalog.modality("signal"), seed=seed, tier="fast")


# Told from real ones


def discriminative(train: Pieces, again: Pieces | None, *, seed: int) -> dict[str, float]:
    """|accuracy - .5| for N and V beats, by TimeGAN's protocol: beats of the same recordings on both sides, and a judge
    that is tested on other beats than it learned: convolutions (told), which see the finest noise, and TimeGAN's own
    recurrent network (gru). Without `again` real beats are told from other real ones."""
    rocket, scale = kernels(train.waves, rng=stream(seed, "kernels")), train.waves.std(axis=(0, 2))[:, None]
    found = {}
    for label in TOLD:
        rng = stream(seed, "told", label)
        real = rng.permutation(np.flatnonzero(train.labels == label))
        n = min(MOST, len(real) // 2)
        if again is None:
            other = train.waves[real[n : 2 * n]]
        else:
            other = again.waves[rng.permutation(np.flatnonzero(again.labels == label))[:n]]
        if min(n, len(other)) >= FEW:
            both = other, train.waves[real[: len(other)]]
            fake, held = (_side(rocket.of(waves), rng) for waves in both)
            found[f"told_{label}"] = score(fake, held, _judge, folds=range(FOLDS)).value
            fake, held = (_side(short(waves / scale, SEQUENCE), rng) for waves in both)
            network = partial(told_apart, plan=NETWORK, rng=stream(seed, "network", label))
            found[f"gru_{label}"] = score(fake, held, network, folds=(0,)).value
    return found


def _side(x: np.ndarray, rng: np.random.Generator) -> Side:
    return Side(x, np.arange(len(x)), rng.permutation(np.arange(len(x)) % FOLDS))


def _judge(x: np.ndarray, made: np.ndarray, test: np.ndarray) -> np.ndarray:
    scores: np.ndarray = ridge(x, np.where(made, 1.0, -1.0)[:, None])(test)[:, 0]
    return scores


# Alike


def alike(seen: Evidence[Pieces]) -> dict[str, float]:
    """Distances of new recordings' beats from those of unseen patients; the Frechet distance over train's own."""
    fid, power, size, gaps = (judge(seen)[0] for judge in (context_fid, power_spectrum, amplitude, intervals))
    told: dict[str, Any] = {"spectrum": power.estimate, "amplitude": size.estimate, "intervals": gaps.estimate}
    values = {name: one.value for name, one in told.items() if one is not None}
    return values | ({"fid": float(fid.detail["ratio"])} if "ratio" in fid.detail else {})


# Taught


def lot(seen: Evidence[Pieces], pieces: Pieces, *, name: str, most: int | None) -> Lot:
    """Beats to learn from, up to `most` of each class, that stand for all of them; or all to test on."""
    rng, drawn, weight = stream(seen.seed, "lot", name), [], []
    for label in CLASSES:
        rows = np.flatnonzero(pieces.labels == label)
        some = rows if most is None else rows[spread(pieces.source[rows], most, rng=rng)]
        drawn.append(some)
        weight.append(np.full(len(some), len(rows) / max(len(some), 1)))
    rows, y = np.concatenate(drawn), np.repeat(np.arange(len(CLASSES)), [len(one) for one in drawn])
    x = classifying.inputs(seen, pieces.take(rows))
    return Lot(x, y, np.concatenate(weight), np.zeros(len(rows), dtype=np.int64), rows)


def taught(seen: Evidence[Pieces], made: Made | None) -> dict[str, Tables]:
    """The tables of every classifier on held-out beats, by how it was taught.

    `real`: train; `repeated`, `jittered`: train and its rarer classes again, as they are or jittered; `new`, `again`,
    `even`: the synthetic beats; `with new` and so on: train and the rarer classes of the synthetic beats; where there
    are several draws, all their answers together. `reverse` is that of `real` on beats of new recordings.
    """
    most = classifying.EACH["standard"]
    held = lot(seen, seen.holdout, name="holdout", most=None)
    real = lot(seen, seen.train, name="train", most=most)
    rare = real.take(real.y > 0)
    rng = stream(seen.seed, "jitter")
    arms = {
        "real": [real],
        "repeated": [real.joined(rare)],
        "jittered": [real.joined(classifying.jittered(seen, rare, rng=rng))],
    }
    for name, draws in {} if made is None else made.sets.items():
        fresh = [lot(seen, pieces, name=name, most=most) for pieces in draws]
        arms |= {name: fresh, f"with {name}": [real.joined(one.take(one.y > 0)) for one in fresh]}

    judges = {
        name: [classifying.learn(one, len(CLASSES), seed=seen.seed) for one in lots]
        for name, lots in arms.items()
        if all(len(one.y) for one in lots)
    }
    tables = {
        name: sum(_tables(judge, held, seen.holdout.source) for judge in each) / len(each)
        for name, each in judges.items()
    }
    if made is not None:
        new = lot(seen, made.new, name="reverse", most=most)
        tables["reverse"] = _tables(judges["real"][0], new, made.new.source)
    return tables


def _tables(answers: Callable[[np.ndarray], np.ndarray], held: Lot, source: np.ndarray) -> Tables:
    """Those of the recordings that `source` numbers the pieces of."""
    names, place = np.unique(source, return_inverse=True)
    tables = np.zeros((len(names), len(CLASSES), len(CLASSES)))
    np.add.at(tables, (place[held.rows], held.y, answers(held.x).argmax(axis=1)), held.weight)
    return tables


def macro(table: Table) -> float:
    """Mean F1 over the classes that are there."""
    there = table.sum(axis=1) > 0
    return float((2 * np.diag(table) / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1))[there].mean())


def recall(table: Table, label: str) -> float:
    """The share of a class that is found; 0 where there is none."""
    k = CLASSES.index(label)
    return float(table[k, k] / max(table[k].sum(), 1))


def summed(tables: dict[str, Tables]) -> dict[str, float]:
    """The numbers of the tables of all folds together; `..._low` and `..._high` are the ends of their intervals, for
    which recordings are drawn anew."""
    real = tables["real"]
    found = _between("trtr", real, lambda t: macro(t[0])) | _between("trtr_s", real, lambda t: recall(t[0], "S"))
    for name in ("new", "again"):
        if name in tables:
            found |= _between(f"tstr_{name}", tables[name], lambda t: macro(t[0]))
            found |= _between(f"tstr_{name}_s", tables[name], lambda t: recall(t[0], "S"))
    for name in ("repeated", "jittered", "with new", "with again", "with even"):
        if name in tables:
            told = f"gain_{name.replace(' ', '_')}"
            found |= _between(told, tables[name], lambda t: 100 * (recall(t[0], "S") - recall(t[1], "S")), beside=real)
    return found | ({"trts": macro(tables["reverse"].sum(0))} if "reverse" in tables else {})


def _between(
    name: str, tables: Tables, number: Callable[[Table], float], *, beside: Tables | None = None
) -> dict[str, float]:
    """A number of the sums of tables (and of those `beside` them, of the same recordings), with its interval."""
    both = np.stack([tables] if beside is None else [tables, beside])
    one = bootstrap(
        lambda times: number(np.einsum("r,arjk->ajk", times, both)),
        both.shape[1],
        rng=stream(0, "recordings"),
        draws=DRAWS,
    )
    low, high = (-100.0, 100.0) if beside is not None else (0.0, 1.0)
    return {name: one.value, f"{name}_low": max(one.low, low), f"{name}_high": min(one.high, high)}
