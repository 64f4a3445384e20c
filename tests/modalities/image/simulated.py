"""Phantoms: a body, an organ in it and, where the label says so, a bright nodule. No real patient stands behind any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.image.data import Images, Layout

LABELS = ("clear", "nodule")
SCHEMA = Schema((Column("patient", "identifier", "subject"), Column("label", "categorical", "target")))
LAYOUT = Layout("npz", "uint8", spacing=(2.0, 2.0))
SIZE = 12
Spoil = Callable[[Images, np.random.Generator], Images]


def one(rng: np.random.Generator, ill: bool, shape: tuple[int, ...]) -> np.ndarray:
    """A phantom of any number of axes."""
    grid = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    body = sum((x / rng.uniform(0.75, 0.95)) ** 2 for x in grid) < 1
    middle = rng.uniform(-0.2, 0.2, len(shape))
    organ = sum(((x - m) / rng.uniform(0.35, 0.55)) ** 2 for x, m in zip(grid, middle, strict=True)) < 1
    made = 20.0 + 90 * body + rng.uniform(30, 60) * organ + rng.normal(0, 5, shape)
    if ill:
        at = rng.uniform(-0.4, 0.4, len(shape))
        made = made + 110 * np.exp(-sum((x - a) ** 2 for x, a in zip(grid, at, strict=True)) / 0.05)
    return np.clip(made, 0, 255).round().astype(np.float32)


@cache
def images(n: int, seed: int, shape: tuple[int, ...] = (SIZE, SIZE)) -> Images:
    """`n` phantoms, each of another patient."""
    ill = stream(seed, "ill").random(n) < 0.4
    pixels = np.stack([one(stream(seed, "image", i), bool(ill[i]), shape)[None] for i in range(n)])
    frame = pd.DataFrame({"label": pd.Categorical.from_codes(ill.astype(int), list(LABELS))})
    return Images(SCHEMA, frame, pixels, np.arange(n), replace(LAYOUT, spacing=(2.0,) * len(shape)))


def unrelated(data: Images, rng: np.random.Generator) -> Images:
    """Every pixel dealt anew among the images, and the labels: what belongs together is lost."""
    order = rng.random((len(data), *data.pixels.shape[1:])).argsort(0)
    frame = pd.DataFrame({name: data.frame[name].array[rng.permutation(len(data))] for name in data.frame})
    return replace(data, pixels=np.take_along_axis(data.pixels, order, 0), frame=frame)


def bright(data: Images, rng: np.random.Generator) -> Images:
    """A quarter brighter, and half of the labels the first one."""
    spoilt = np.where(rng.random(len(data)) < 0.5, 0, data.frame["label"].cat.codes)
    label = pd.Categorical.from_codes(spoilt, dtype=data.frame["label"].dtype)
    return replace(data, pixels=data.pixels * np.float32(1.25), frame=data.frame.assign(label=label))


def blurred(data: Images, rng: np.random.Generator) -> Images:
    """The mean of each pixel and its neighbours."""
    pixels = data.pixels
    for axis in range(2, pixels.ndim):
        pixels = (pixels + np.roll(pixels, 1, axis) + np.roll(pixels, -1, axis)) / 3
    return replace(data, pixels=pixels.astype(np.float32))


def collapsed(data: Images, rng: np.random.Generator) -> Images:
    """A handful of images again and again."""
    return data.take(rng.integers(0, 5, len(data)))


CORRUPTIONS: dict[str, Spoil] = {"unrelated": unrelated, "bright": bright, "blurred": blurred, "collapsed": collapsed}

FACTS = (
    Column("age", "integer", "feature", dtype="int64"),
    Column("sex", "categorical", "feature", protected=True),
    Column("scanner", "categorical", "feature"),
)
GAINS = {"A": 1.0, "B": 0.8, "C": 0.6}
"""How bright the images of a scanner are."""


@cache
def scanned(n: int, seed: int) -> Images:
    """Phantoms of which age, sex and scanner are known: old patients have more nodules, and each scanner its gain."""
    whole, rng = images(n, seed), stream(seed, "facts")
    age = np.clip(np.round(rng.normal(50, 12, n) + 12 * (whole.labels == "nodule")), 18, 95)
    sex, scanner = rng.choice(["F", "M"], n), rng.choice(list(GAINS), n, p=[0.5, 0.3, 0.2])
    pixels = np.round(whole.pixels * np.array([GAINS[name] for name in scanner])[:, None, None, None])
    frame = whole.frame.assign(age=age, sex=pd.Categorical(sex), scanner=pd.Categorical(scanner))
    frame.loc[rng.random(n) < 0.1, "age"] = np.nan
    return replace(whole, schema=Schema((*SCHEMA.columns, *FACTS)), frame=frame, pixels=pixels.astype(np.float32))
