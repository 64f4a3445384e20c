"""What the person declared about images: the schema file as parsed, checked as far as no data is needed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semblance.core import declared
from semblance.core.declared import Common, is_number, is_texts
from semblance.core.errors import Problem
from semblance.core.modality import ReadOptions
from semblance.modalities.image.formats.identifying import NEVER
from semblance.modalities.image.steps import NAMES

UNLEARNED = ("subject", "key", "drop")
"""Roles of columns that no generator models."""
AXES = ("NHW", "NCHW", "NHWC", "NDHW", "NCDHW", "NDHWC")


@dataclass(frozen=True)
class Tile:
    """The pieces of whole slides that are read: of `size` pixels a side, at so many `microns` per pixel or as a `level`
    of the file has them, 0 for the finest; at `most` so many of a slide."""

    size: int
    microns: float | None = None
    level: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Said(Common):
    """The declarations that hold.

    `dimensions` is 2 or 3: whether slices are images or volumes. `axes` names the axes of an NPZ's images. `patients`
    is "unknown" where what files say of patients is not to be believed; `burned_in` is "accepted" where somebody has
    looked at the text in the pixels. `folders` says what the folder of a file is. `masks` has the classes of label maps
    by name: the first one is of number 0. `given` names the channels from which the others are painted. `tile` says
    that TIFF are whole slides, and which pieces of these are read. `steps` names what is done to intensities before
    they are learned, in order, `resample` the millimetres between pixels to which images are brought first. `prompt` is
    the column of short texts that tell what an image shows. `extractors` names ONNX files that judges look through.
    For differential privacy: `range` is the lowest and the highest value of a pixel, `size` the pixels along each axis,
    `channels` how many there are, and `labels` are the labels that are learned, none where images have none.
    """

    dimensions: int | None = None
    axes: str | None = None
    patients: str | None = None
    burned_in: str | None = None
    folders: str | None = None
    masks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    resample: tuple[float, ...] | None = None
    prompt: str | None = None
    extractors: Mapping[str, Any] = field(default_factory=dict)
    tile: Tile | None = None
    range: tuple[float, float] | None = None
    size: tuple[int, ...] | None = None
    channels: int | None = None
    labels: tuple[str, ...] | None = None


def check(options: ReadOptions) -> tuple[Said, list[Problem]]:
    """The declarations of `options`, with every problem that they have."""
    common, own, problems = declared.check(options, own="image", rules=_IMAGE)
    never, another = "a DICOM tag that may identify a patient is never learned", "another name where it is no such tag"
    problems += [
        Problem(f"'{name}' is declared to be learned", never, f'role = "drop", or {another}', name)
        for name, column in common.get("columns", {}).items()
        if name in NEVER and column.get("role") not in UNLEARNED
    ]
    prompt = own.get("prompt")
    if prompt is not None and prompt in (common.get("target"), *common.get("columns", {})):
        rule, fix = "a prompt is a text that networks read, and nothing else", f'leave out [columns."{prompt}"]'
        problems.append(Problem(f"'{prompt}' is the prompt, and declared as a column", rule, fix, prompt))
    if prompt in NEVER:
        fix = f"take another text, of a manifest, or {another}"
        problems.append(Problem(f"'{prompt}' is declared as the prompt", never, fix, prompt))
    if problems:
        return Said(), problems
    made: dict[str, Any] = {key: tuple(own[key]) for key in ("given", "range", "size", "labels", "steps") if key in own}
    made |= {"resample": tuple(map(float, own["resample"]))} if "resample" in own else {}
    made |= {"tile": Tile(**own["tile"])} if "tile" in own else {}
    return Said(**{**own, **made, **common}), []


def _are_masks(value: Any) -> bool:
    """Whether every name has two classes or more."""
    return isinstance(value, Mapping) and all(declared.is_texts(one) and len(one) > 1 for one in value.values())


def _are_networks(value: Any) -> bool:
    """Whether every name has a file, and no more than a range of brightness beside it."""
    if not isinstance(value, Mapping) or not value:
        return False
    told = [{"file": one} if isinstance(one, str) else one for one in value.values()]
    return all(
        isinstance(one, Mapping)
        and {"file"} <= {*one} <= {"file", "range"}
        and declared.is_text(one["file"])
        and _is_range(one.get("range", (0, 1)))
        for one in told
    )


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_tile(value: Any) -> bool:
    """Whether it has a size, and microns or a level."""
    if not isinstance(value, Mapping) or not {"size"} <= {*value} <= {"size", "microns", "level", "most"}:
        return False
    fine = is_number(value.get("microns", 1)) and value.get("microns", 1) > 0
    whole = all(_is_whole(value.get(key, n), n) for key, n in (("size", FEWEST), ("level", 0), ("most", 1)))
    return fine and whole and ("microns" in value) != ("level" in value)


def _is_range(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value)) and value[0] < value[1]


def _are_steps(value: Any) -> bool:
    return is_texts(value) and set(value) <= set(NAMES)


def _is_grid(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) in (2, 3) and all(is_number(x) and x > 0 for x in value)


def _is_size(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) in (2, 3) and all(_is_whole(n, FEWEST) for n in value)


FEWEST = 8
"""Pixels along a side of the smallest image."""
_IMAGE: declared.Rules = {
    "dimensions": (lambda value: value in (2, 3) and not isinstance(value, bool), "2 or 3"),
    "axes": (lambda value: value in AXES, f"one of {', '.join(AXES)}"),
    "patients": (lambda value: value == "unknown", '"unknown"'),
    "burned_in": (lambda value: value == "accepted", '"accepted"'),
    "folders": (lambda value: value in ("label", "subject", "none"), '"label", "subject" or "none"'),
    "masks": (_are_masks, 'of each mask its classes: masks = {lesion = ["background", "lesion"]}'),
    "given": (declared.is_texts, "a list of names of channels"),
    "steps": (_are_steps, f"a list of different steps of {', '.join(NAMES)}"),
    "resample": (_is_grid, "the millimetres along two or three axes, such as [1.0, 1.0]"),
    "prompt": (declared.is_text, "the name of a column"),
    "extractors": (_are_networks, 'of each network its ONNX file: extractors = {inception = "inception.onnx"}'),
    "tile": (_is_tile, "a size in pixels, and microns per pixel or a level: tile = {size = 128, microns = 1.0}"),
    "range": (_is_range, "a lowest and a highest value, such as [0, 255]"),
    "size": (_is_size, f"the pixels along two or three axes, each at least {FEWEST}, such as [28, 28]"),
    "channels": (lambda value: _is_whole(value, 1), "a whole number from 1"),
    "labels": (is_texts, "a list of different texts"),
}
