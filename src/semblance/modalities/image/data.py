"""Images of patients in physical units: planes and volumes alike, with what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from semblance.core import large
from semblance.core.errors import UsageError
from semblance.core.facts import stacked
from semblance.core.schema import Schema

Format = Literal["npz", "png", "tiff", "dicom", "nifti"]


@dataclass(frozen=True)
class Channel:
    """A channel of images by its name: intensities, or a label map.

    A label map has `classes`; pixels hold the position of their class among these, and files of type `stored` the one
    of `numbers` at that position. The first class is what is around all others.
    """

    name: str
    classes: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    stored: str = ""

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Channel:
        """The inverse of `dataclasses.asdict`."""
        return cls(told["name"], tuple(told["classes"]), tuple(told["numbers"]), told["stored"])


@dataclass(frozen=True)
class Step:
    """A step that was taken of intensities: its `name`, and what all images have in `common`: landmarks of each
    channel, or millimetres."""

    name: str
    common: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Step:
        """The inverse of `dataclasses.asdict`."""
        return cls(told["name"], tuple(map(tuple, told["common"])))


@dataclass(frozen=True)
class Layout:
    """How files hold images: a number `x` of type `stored` stands for the physical value slope * x + intercept.

    `spacing` has millimetres between the middles of pixels along each axis of an image (empty: unknown), `window` the
    centre and the width at which it is looked at. `axes` says where an NPZ has its channels (none, first or last) and
    `prefix` how its arrays begin. `kind` is the DICOM modality, `sop` its storage class, `across` the directions of
    rows and columns; `affine` is NIfTI's. `folders` says that the folder of a file is its label.

    `channels` names the channels where masks or contrasts are known by name (empty: all are intensities), those of
    label maps last, `given` those from which the others are painted. `apart`: each channel of intensities stands in
    files as an image of its own. `steps` were taken of intensities when they were read (see `steps.py`).
    `frames`: a DICOM volume is one file of several frames, and not a folder of slices. `windows`: those of the input
    differ, and each image has a window by its own pixels.
    """

    fmt: Format = "npz"
    stored: str = "uint8"
    slope: float = 1.0
    intercept: float = 0.0
    spacing: tuple[float, ...] = ()
    window: tuple[float, float] | None = None
    axes: Literal["", "first", "last"] = ""
    prefix: str = ""
    kind: str = ""
    sop: str = ""
    across: tuple[float, ...] = ()
    affine: tuple[float, ...] = ()
    folders: bool = False
    channels: tuple[Channel, ...] = ()
    given: tuple[str, ...] = ()
    apart: bool = False
    frames: bool = False
    windows: bool = False
    steps: tuple[Step, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {key: one for key, one in asdict(self).items() if one or key not in LATER}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Layout:
        """The inverse of `to_json`."""
        held: dict[str, Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in told.items()}
        held["channels"] = tuple(map(Channel.from_json, told.get("channels", ())))
        return cls(**{**held, "steps": tuple(map(Step.from_json, told.get("steps", ())))})

    @property
    def maps(self) -> dict[int, Channel]:
        """The label maps, by the position of their channel."""
        return {i: channel for i, channel in enumerate(self.channels) if channel.classes}

    def numbers(self, pixels: np.ndarray) -> np.ndarray:
        """What a file holds of physical values: the nearest number of its type, at its ends where there is none."""
        kind = np.dtype(self.stored)
        found = (pixels.astype(np.float64) - self.intercept) / self.slope
        if kind.kind == "f":
            return found.astype(kind)
        ends = np.iinfo(kind)
        return np.clip(np.rint(found), ends.min, ends.max).astype(kind)


COLOURS = ("red", "green", "blue")
"""The names of the channels of a colour image, where any have names."""
LATER = ("channels", "given", "apart", "frames", "windows", "steps")
"""What is told of a layout only where there is any."""


@dataclass(frozen=True, eq=False)
class Images:
    """Images under a schema, all of one size.

    `pixels` (n, channels, height, width) or (n, channels, depth, height, width) float32: intensities in physical units,
    label maps by the positions of their classes, NaN where nothing is known (see `Layout.channels`); those of a set
    larger than `core.large.LARGE` lie in a file. `frame` (n, learned columns) holds the label as tables hold it, a
    pandas Categorical. `subjects` (n,) int64 codes of patients; where the images are `anonymous` nobody knows them, and
    each image counts as one. `held` (n,) bool marks a holdout that the files declare. `domain` (n,) text
    names the one that each image is of, where judges see domains of unpaired images by themselves (`halves.judged`).
    """

    schema: Schema
    frame: pd.DataFrame
    pixels: np.ndarray
    subjects: np.ndarray
    layout: Layout = Layout()
    held: np.ndarray | None = None
    anonymous: bool = False
    domain: np.ndarray | None = None

    def __post_init__(self) -> None:
        if list(self.frame.columns) != [column.name for column in self.schema.learned]:
            raise ValueError("the frame holds exactly the learned columns, in the schema's order")
        if not len(self.subjects) == len(self.frame) == len(self.pixels):
            raise ValueError("every image has a patient and a row of the frame")
        if self.pixels.ndim not in (4, 5) or self.pixels.dtype != np.float32:
            raise ValueError("pixels are (n, channels, height, width) or (n, channels, depth, height, width) float32")
        if any(i < self.pixels.shape[1] - len(self.layout.maps) for i in self.layout.maps):
            raise ValueError("label maps are the last channels")

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: np.ndarray) -> Self:
        """The images at these positions (or under this mask)."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return type(self)(
            self.schema,
            self.frame.iloc[rows].reset_index(drop=True),
            large.taken(self.pixels, rows),
            self.subjects[rows],
            self.layout,
            None if self.held is None else self.held[rows],
            self.anonymous,
            None if self.domain is None else self.domain[rows],
        )

    def without(self, *names: str) -> Self:
        """The same, of which nobody knows these channels: they are to be completed. Raises UsageError for others."""
        known = [channel.name for channel in self.layout.channels]
        if lost := [name for name in names if name not in known]:
            rule, fix = "channels as they are named in the files", f"of {', '.join(known)}"
            raise UsageError.of(f"no channel '{lost[0]}'", rule=rule, fix=fix)
        pixels = large.copied(self.pixels)
        pixels[:, [known.index(name) for name in names]] = np.nan
        return replace(self, pixels=pixels)

    @property
    def light(self) -> np.ndarray:
        """(n, channels, ...) the channels that are intensities."""
        return self.pixels[:, : self.pixels.shape[1] - len(self.layout.maps)]

    @property
    def contrasts(self) -> dict[str, list[int]]:
        """The channels of intensities of each contrast by its name; those of a colour image are of one."""
        count = self.pixels.shape[1] - len(self.layout.maps)
        names = tuple(channel.name for channel in self.layout.channels[:count])
        if count == len(COLOURS) and names in ((), COLOURS):
            return {"image": [*range(count)]}
        named = names or (("image",) if count == 1 else tuple(f"image {i + 1}" for i in range(count)))
        return {name: [i] for i, name in enumerate(named)}

    @property
    def labels(self) -> np.ndarray:
        """(n,) text: the label of each image, empty where it has none."""
        target = self.schema.where("target")
        if target is None:
            return np.full(len(self), "")
        column = self.frame[target.name].astype(object)
        return column.where(column.notna(), "").to_numpy().astype(str)


def concat(chunks: Iterable[Images]) -> Images:
    """The images of all parts under the first one's schema; their `subjects` number the same patients alike."""
    shelf = large.Shelf()
    parts = [replace(part, pixels=shelf.put(part.pixels)) for part in chunks]
    if not parts:
        raise UsageError.of("no images", rule="at least one part is needed to join", fix="give one or more parts")
    first = {field.name: getattr(parts[0], field.name) for field in fields(Images)}
    joined = {
        "frame": stacked([part.frame for part in parts]),
        "pixels": large.concatenated([part.pixels for part in parts]),
        "subjects": np.concatenate([part.subjects for part in parts]),
        "held": _joined([part.held for part in parts]),
        "domain": _joined([part.domain for part in parts]),
    }
    return Images(**{**first, **joined})


def _joined(told: list[np.ndarray | None]) -> np.ndarray | None:
    """What all parts tell; nothing where one of them does not."""
    there = [one for one in told if one is not None]
    return np.concatenate(there) if len(there) == len(told) else None
