"""Images <-> rows of numbers: every pixel in units of its channel's spread, the label as a class.

Pixels go no further than `rare` patients do, labels that fewer have are not learned, and where there are fewer patients
than that, nothing is learned but how bright an image is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.bounds import ends
from semblance.core.classes import Classes
from semblance.core.facts import framed
from semblance.core.schema import Schema
from semblance.learn.drawn import Learned, Sizes
from semblance.modalities.image.data import Images, Layout


@dataclass(frozen=True, eq=False)
class Encoding:
    """`shape` (channels, ...) of an image; of each channel `low` and `high` bounds, `center` and `scale`; the `labels`
    that are learned, with their `shares`; and whether the patients were `anonymous`."""

    schema: Schema
    layout: Layout
    shape: tuple[int, ...]
    low: np.ndarray
    high: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    labels: tuple[str, ...]
    shares: np.ndarray
    anonymous: bool

    @classmethod
    def fit(cls, images: Images, *, rare: int) -> tuple[Encoding, Learned]:
        """From images; with it their rows, which are to be learned."""
        labels, shares = _common(images, rare)
        kept = images.take(np.isin(images.labels, labels)) if labels else images
        flat = kept.pixels.reshape(len(kept), kept.pixels.shape[1], -1)
        bounds = [
            (ends(flat[:, c].min(1), kept.subjects, rare=rare)[0], ends(flat[:, c].max(1), kept.subjects, rare=rare)[1])
            for c in range(flat.shape[1])
        ]
        low, high = np.array(bounds, dtype=np.float32).T
        near = np.clip(flat, low[:, None], high[:, None])
        center, scale = near.mean((0, 2), dtype=float), near.std((0, 2), dtype=float)
        made = cls(
            images.schema,
            images.layout,
            images.pixels.shape[1:],
            low,
            high,
            center.astype(np.float32),
            np.where(scale > 0, scale, 1.0).astype(np.float32),
            labels,
            shares,
            images.anonymous,
        )
        return made, made._learned(kept, near, rare)

    def _learned(self, kept: Images, near: np.ndarray, rare: int) -> Learned:
        rows = ((near - self.center[:, None]) / self.scale[:, None]).reshape(len(kept), -1).astype(np.float32)
        if len(np.unique(kept.subjects)) < rare:
            rows = np.zeros_like(rows)
        codes = np.searchsorted(self.labels, kept.labels) if self.labels else np.zeros(len(kept), dtype=np.int64)
        given = np.zeros((len(rows), 0), dtype=np.float32)
        return Learned(rows, codes, given, kept.subjects, self.sizes.kinds, self.shape[0])

    @property
    def sizes(self) -> Sizes:
        """How many numbers an image has, and of how many classes it may be."""
        return Sizes(int(np.prod(self.shape)), 0, max(len(self.labels), 1), self.shape[0])

    @property
    def known(self) -> Classes:
        """What can be asked for."""
        return _classes(self.schema, self.labels, self.shares)

    def images(self, rows: np.ndarray, classes: np.ndarray, *, first: int) -> Images:
        """Images of (n, numbers) rows of these classes; the first one is of patient number `first`."""
        flat = rows.reshape(len(rows), self.shape[0], -1) * self.scale[:, None] + self.center[:, None]
        pixels = np.clip(flat, self.low[:, None], self.high[:, None]).reshape(len(rows), *self.shape)
        frame = {c.name: self._label(classes) for c in self.schema.learned}
        return Images(
            self.schema,
            framed(frame, len(rows)),
            self._stored(pixels),
            np.arange(first, first + len(rows)),
            self.layout,
            anonymous=self.anonymous,
        )

    def _stored(self, pixels: np.ndarray) -> np.ndarray:
        """Physical values that a file of the input's type can hold."""
        if np.dtype(self.layout.stored).kind == "f":
            return pixels.astype(np.float32)
        numbers = self.layout.numbers(pixels).astype(np.float64)
        return (numbers * self.layout.slope + self.layout.intercept).astype(np.float32)

    def _label(self, classes: np.ndarray) -> pd.Categorical:
        if not self.labels:
            return pd.Categorical([None] * len(classes))
        return pd.Categorical.from_codes(classes, categories=pd.Index(self.labels, dtype="str"))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        numbers = {name: getattr(self, name).tolist() for name in NUMBERS}
        told = {"shape": list(self.shape), "labels": list(self.labels), "anonymous": self.anonymous}
        return {"schema": self.schema.to_json(), "layout": self.layout.to_json(), **told, **numbers}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Encoding:
        """The inverse of `to_json`."""
        return cls(
            schema=Schema.from_json(told["schema"]),
            layout=Layout.from_json(told["layout"]),
            shape=tuple(told["shape"]),
            labels=tuple(told["labels"]),
            anonymous=told["anonymous"],
            **{name: np.array(told[name], dtype=float if name == "shares" else np.float32) for name in NUMBERS},
        )


NUMBERS = ("low", "high", "center", "scale", "shares")


def known_of(images: Images, *, rare: int) -> Classes:
    """What can be asked for of a model of these images."""
    return _classes(images.schema, *_common(images, rare))


def _classes(schema: Schema, labels: tuple[str, ...], shares: np.ndarray) -> Classes:
    column = schema.where("target")
    return Classes(column.name if column is not None and labels else "", labels, shares)


def _common(images: Images, rare: int) -> tuple[tuple[str, ...], np.ndarray]:
    """The labels that at least `rare` patients have, in order, and their shares."""
    labels = images.labels
    names = sorted(name for name in set(labels.tolist()) if name)
    common = [name for name in names if len(np.unique(images.subjects[labels == name])) >= rare]
    count = np.array([float((labels == name).sum()) for name in common])
    return tuple(common), count / max(count.sum(), 1.0)
