"""Images <-> rows of numbers: every pixel in units of its channel's spread, the label as a class, other facts beside.

Pixels go no further than `rare` patients do, labels that fewer have are not learned, and where there are fewer patients
than that, nothing is learned but how bright an image is. Classes of a mask that fewer show are not learned either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core import large
from semblance.core.bounds import ends
from semblance.core.classes import Classes
from semblance.core.facts import framed
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.core.schema import Schema
from semblance.learn.drawn import Learned, Sizes
from semblance.modalities.image.channels import shows
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.facts import Facts
from semblance.modalities.image.halves import domains, known
from semblance.modalities.image.planes import LEAST, channels_of, coded, decoded, slots
from semblance.modalities.image.prompts import Prompts
from semblance.modalities.image.wanted import Asked, asked


@dataclass(frozen=True, eq=False)
class Encoding:
    """`shape` (planes, ...) of an image: a plane for each channel of intensities, for label maps those of `planes`; of
    each plane `low` and `high` bounds, `center` and `scale`; the `labels` that are learned, with their `shares`;
    whether the patients were `anonymous`; the `facts` that are known besides the label, and the `prompts`, where there
    are any."""

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
    facts: Facts | None = None
    prompts: Prompts | None = None

    @classmethod
    def fit(cls, images: Images, *, rare: int, reads: bool = False) -> tuple[Encoding, Learned]:
        """From images; with it their rows, which are to be learned, by what `reads` texts or not."""
        labels, shares = _common(images, rare)
        kept = _labelled(images, labels)
        flat, shape = _planes(kept, rare)
        low, high = _bounds(flat, kept.subjects, rare)
        maps = mapped(images.layout, flat.shape[1])
        low, high = np.where(maps, np.float32(-1), low), np.where(maps, np.float32(1), high)
        center, scale = _spread(flat, low, high)
        scale = np.where(maps, np.maximum(scale, LEAST), scale)
        made = cls(
            images.schema,
            images.layout,
            shape,
            low,
            high,
            center.astype(np.float32),
            np.where(scale > 0, scale, 1.0).astype(np.float32),
            labels,
            shares,
            images.anonymous,
            _facts(kept, labels, rare),
            _prompts(kept, labels, rare) if reads else None,
        )
        return made, made._learned(kept, flat, rare)

    def _learned(self, kept: Images, flat: np.ndarray, rare: int) -> Learned:
        seen = large.by_rows(lambda planes: ~np.isnan(planes).any(2), flat)
        few = np.array([len(np.unique(kept.subjects[known])) < rare for known in seen.T])
        none = np.repeat(few, flat.shape[2])

        def numbers(part: slice) -> np.ndarray:
            rows = self._rows(np.clip(flat[part], self.low[:, None], self.high[:, None]))
            rows[:, none] *= 0  # what nobody knows stays NaN
            return rows

        rows = large.filled(numbers, (len(kept), len(none)))
        codes = _codes(kept, self.labels)
        sizes = self.sizes
        return Learned(rows, codes, self.given(kept.frame), kept.subjects, sizes.kinds, self.shape[0], sizes.text)

    def _rows(self, near: np.ndarray) -> np.ndarray:
        made: np.ndarray = ((near - self.center[:, None]) / self.scale[:, None]).reshape(len(near), -1)
        return made.astype(np.float32)

    def rows(self, images: Images) -> tuple[np.ndarray, np.ndarray]:
        """(n, numbers) rows of images, NaN where nothing is known, and their classes; a label that was not learned is
        one class more than there are."""
        places = {label: i for i, label in enumerate(self.labels)}
        unknown = self.sizes.kinds if self.labels else 0
        classes = np.array([places.get(label, unknown) for label in images.labels], dtype=np.int64)
        return self.numbers(images.pixels), classes

    def numbers(self, pixels: np.ndarray) -> np.ndarray:
        """(n, numbers) of (n, channels, ...) pixels, NaN where nothing is known."""
        planes = coded(pixels, self.layout).reshape(len(pixels), self.shape[0], -1)
        return self._rows(np.clip(planes, self.low[:, None], self.high[:, None]))

    def given(self, frame: pd.DataFrame) -> np.ndarray:
        """(n, c) float32 what networks are told of images besides their label: facts, then words."""
        none = np.zeros((len(frame), 0), dtype=np.float32)
        facts = none if self.facts is None else self.facts.told(frame)
        return (
            facts if self.prompts is None else np.concatenate([facts, self.prompts.codes(frame[self.prompts.name])], 1)
        )

    @property
    def sizes(self) -> Sizes:
        """How many numbers an image has, and of how many classes it may be."""
        facts = 0 if self.facts is None else self.facts.width
        text = None if self.prompts is None else self.prompts.form
        given = facts + (0 if text is None else text.length)
        return Sizes(int(np.prod(self.shape)), given, max(len(self.labels), 1), self.shape[0], text)

    @property
    def known(self) -> Classes:
        """Which labels there are, and how frequent they are."""
        return _classes(self.schema, self.labels, self.shares)

    def asked(self, wanted: Wanted | None) -> Asked:
        """What is wanted, as `each` takes it. Raises UsageError with all that cannot be had."""
        return asked(self.known, self.facts, self.prompts, wanted)

    def each(
        self, n: int, wanted: Asked, *, together: int, seed: int
    ) -> Iterator[tuple[int, np.ndarray, pd.DataFrame]]:
        """Of `n` images so many `together`: the number of the first one, their classes (together,), and what is known
        of them as a frame; those beyond the last are of no image."""
        rest, text = wanted.rest, wanted.text
        if self.facts is None:
            for first, classes in self.known.each(n, rest, together=together, seed=seed, name="classes"):
                yield first, classes, self._prompted(self.labelled(classes), classes, text, seed, first)
        else:
            for first, frame in self.facts.each(n, rest, together=together, seed=seed, name="facts"):
                classes = self._classes(frame)
                yield first, classes, self._prompted(self._whole(frame), classes, text, seed, first)

    def _prompted(
        self, frame: pd.DataFrame, classes: np.ndarray, text: str | None, seed: int, first: int
    ) -> pd.DataFrame:
        """The frame with the texts of new images: the one that is asked for, or such as images of their class have."""
        if self.prompts is None:
            return frame
        drawn = self.prompts.draw(classes, rng=stream(seed, "prompts", first))
        return frame.assign(**{self.prompts.name: drawn if text is None else self.prompts.of(text, len(frame))})

    def _classes(self, frame: pd.DataFrame) -> np.ndarray:
        """(n,) the classes of new images."""
        target = self.schema.where("target")
        if target is None or not self.labels:
            return np.zeros(len(frame), dtype=np.int64)
        return np.searchsorted(self.labels, frame[target.name].astype(str))

    def _whole(self, frame: pd.DataFrame) -> pd.DataFrame:
        """All columns, also those of which nothing was learned."""
        nothing = pd.Categorical([None] * len(frame))
        return framed({c.name: frame.get(c.name, nothing) for c in self.schema.learned}, len(frame))

    def labelled(self, classes: np.ndarray) -> pd.DataFrame:
        """What is known of images of these classes, where nothing is but that."""
        nothing = pd.Categorical([None] * len(classes))
        known = {c.name: self._label(classes) if c.role == "target" else nothing for c in self.schema.learned}
        return framed(known, len(classes))

    def pixels(self, rows: np.ndarray) -> np.ndarray:
        """(n, channels, ...) pixels of (n, numbers) rows, as files of the input's type can hold them."""
        flat = rows.reshape(len(rows), self.shape[0], -1) * self.scale[:, None] + self.center[:, None]
        near = np.clip(flat, self.low[:, None], self.high[:, None]).reshape(-1, *self.shape)
        return self._stored(decoded(near, self.layout))

    def images(self, rows: np.ndarray, frame: pd.DataFrame, *, first: int) -> Images:
        """Images of (n, numbers) rows, of which this is known; the first one is of patient number `first`."""
        return Images(
            self.schema,
            frame,
            self.pixels(rows),
            np.arange(first, first + len(rows)),
            self.layout,
            anonymous=self.anonymous,
        )

    def _stored(self, pixels: np.ndarray) -> np.ndarray:
        """Physical values that a file of the input's type can hold."""
        if np.dtype(self.layout.stored).kind == "f":
            return pixels.astype(np.float32)
        made, light = pixels.astype(np.float32), pixels.shape[1] - len(self.layout.maps)
        numbers = self.layout.numbers(pixels[:, :light]).astype(np.float64)
        made[:, :light] = numbers * self.layout.slope + self.layout.intercept
        return made

    def _label(self, classes: np.ndarray) -> pd.Categorical:
        if not self.labels:
            return pd.Categorical([None] * len(classes))
        return pd.Categorical.from_codes(classes, categories=pd.Index(self.labels, dtype="str"))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        numbers = {name: getattr(self, name).tolist() for name in NUMBERS}
        told = {"shape": list(self.shape), "labels": list(self.labels), "anonymous": self.anonymous}
        told |= {} if self.facts is None else {"facts": self.facts.to_json()}
        told |= {} if self.prompts is None else {"prompts": self.prompts.to_json()}
        return {"schema": self.schema.to_json(), "layout": self.layout.to_json(), **told, **numbers}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Encoding:
        """The inverse of `to_json`."""
        schema = Schema.from_json(told["schema"])
        return cls(
            schema=schema,
            layout=Layout.from_json(told["layout"]),
            shape=tuple(told["shape"]),
            labels=tuple(told["labels"]),
            anonymous=told["anonymous"],
            facts=Facts.from_json(told["facts"], schema) if "facts" in told else None,
            prompts=Prompts.from_json(told["prompts"]) if "prompts" in told else None,
            **{name: np.array(told[name], dtype=float if name == "shares" else np.float32) for name in NUMBERS},
        )


def mapped(layout: Layout, planes: int) -> np.ndarray:
    """(planes,) whether each is of a label map."""
    every = slots(layout, channels_of(layout, planes))
    return np.concatenate([np.full(slot.stop - slot.start, i in layout.maps) for i, slot in enumerate(every)])


def common_maps(images: Images, rare: int) -> np.ndarray:
    """The pixels, with those of classes that fewer than `rare` patients show as what is around them."""
    pixels = images.pixels
    for i, channel in images.layout.maps.items():
        for code in range(1, len(channel.classes)):
            rows = np.flatnonzero(shows(pixels, i, code))
            if 0 < len(np.unique(images.subjects[rows])) < rare:
                pixels = large.copied(pixels)
                for row in rows:
                    pixels[row, i][pixels[row, i] == code] = 0
    return pixels


def _planes(images: Images, rare: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """(n, planes, numbers) of images, and the shape (planes, ...) of one."""
    pixels, layout = common_maps(images, rare), images.layout
    shape = (coded(pixels[:1], layout).shape[1], *pixels.shape[2:])
    flat = (len(pixels), shape[0], int(np.prod(shape[1:])))
    if not layout.maps:
        return pixels.reshape(flat), shape
    return large.filled(lambda part: coded(pixels[part], layout).reshape(-1, *flat[1:]), flat), shape


def _bounds(flat: np.ndarray, subjects: np.ndarray, rare: int) -> tuple[np.ndarray, np.ndarray]:
    """(planes,) float32 between which the values of each are learned, by the images that have it."""
    low = large.by_rows(lambda planes: np.fmin.reduce(planes, 2), flat)
    high = large.by_rows(lambda planes: np.fmax.reduce(planes, 2), flat)
    bounds = []
    for bottom, top in zip(low.T, high.T, strict=True):
        known = ~np.isnan(bottom)
        who = subjects[known]
        bounds.append((ends(bottom[known], who, rare=rare)[0], ends(top[known], who, rare=rare)[1]))
    made = np.array(bounds, dtype=np.float32)
    return made[:, 0], made[:, 1]


def _spread(flat: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(planes,) mean and standard deviation of (n, planes, numbers) within their bounds, but for what is unknown."""

    def near(part: slice) -> np.ndarray:
        found: np.ndarray = np.clip(flat[part], low[:, None], high[:, None])
        return found

    def total(of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        found: np.ndarray = np.add.reduce([np.nansum(of(near(part)), (0, 2), dtype=float) for part in every])
        return found

    every = large.parts(flat)
    count = np.add.reduce([np.sum(~np.isnan(flat[part]), (0, 2)) for part in every])
    center = total(lambda x: x) / count
    return center, np.sqrt(total(lambda x: (x - center[:, None]) ** 2) / count)


NUMBERS = ("low", "high", "center", "scale", "shares")


def check(images: Images, *, wanted: Wanted, rare: int, reads: bool) -> None:
    """Raise UsageError with all that no model of these images could draw."""
    labels, shares = _common(images, rare)
    kept = _labelled(images, labels)
    prompts = _prompts(kept, labels, rare) if reads else None
    facts = _facts(kept, labels, rare)
    found = asked(_classes(images.schema, labels, shares), facts, prompts, wanted)
    if facts is not None:
        facts.tried(found.rest)


def _labelled(images: Images, labels: tuple[str, ...]) -> Images:
    """The images of labels that are learned."""
    return images.take(np.isin(images.labels, labels)) if labels else images


def _facts(kept: Images, labels: tuple[str, ...], rare: int) -> Facts | None:
    """What is known of images besides their label; None where nothing is."""
    if all(column.role == "target" or column.kind == "text" for column in kept.schema.learned):
        return None
    return Facts.fit(kept.schema, kept.frame, kept.subjects, labelled=bool(labels), rare=rare)


def _prompts(kept: Images, labels: tuple[str, ...], rare: int) -> Prompts | None:
    """The texts of images; None where none are declared."""
    column = next((column for column in kept.schema.learned if column.kind == "text"), None)
    if column is None:
        return None
    classes, kinds = _codes(kept, labels), max(len(labels), 1)
    return Prompts.fit(kept.frame[column.name], classes, kinds, kept.subjects, rare=rare)


def _codes(kept: Images, labels: tuple[str, ...]) -> np.ndarray:
    """(n,) the classes of images whose labels are learned."""
    return np.searchsorted(labels, kept.labels) if labels else np.zeros(len(kept), dtype=np.int64)


def _classes(schema: Schema, labels: tuple[str, ...], shares: np.ndarray) -> Classes:
    column = schema.where("target")
    return Classes(column.name if column is not None and labels else "", labels, shares)


def _common(images: Images, rare: int) -> tuple[tuple[str, ...], np.ndarray]:
    """The labels that at least `rare` patients have in every domain, in order, and their shares."""
    labels, seen = images.labels, known(images)
    sides = [seen[:, list(side)].all(1) for side in domains(images)] or [np.ones(len(labels), dtype=bool)]
    names = sorted(name for name in set(labels.tolist()) if name)
    common = [
        name
        for name in names
        if min(len(np.unique(images.subjects[(labels == name) & side])) for side in sides) >= rare
    ]
    count = np.array([float((labels == name).sum()) for name in common])
    return tuple(common), count / max(count.sum(), 1.0)
