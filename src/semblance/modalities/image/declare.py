"""What the person declared about images: the schema file as parsed, checked as far as no data is needed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semblance.core import declared
from semblance.core.errors import Problem
from semblance.core.modality import ReadOptions

AXES = ("NHW", "NCHW", "NHWC", "NDHW", "NCDHW", "NDHWC")


@dataclass(frozen=True)
class Said:
    """The declarations that hold.

    `dimensions` is 2 or 3: whether slices are images or volumes. `axes` names the axes of an NPZ's images. `patients`
    is "unknown" where what files say of patients is not to be believed; `burned_in` is "accepted" where somebody has
    looked at the text in the pixels. `folders` says what the folder of a file is. `masks` has the classes of label maps
    by name: the first one is of number 0. `given` names the channels from which the others are painted.
    """

    dimensions: int | None = None
    axes: str | None = None
    patients: str | None = None
    burned_in: str | None = None
    folders: str | None = None
    masks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    subject: str | None = None
    target: str | None = None
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    na: tuple[str, ...] = ()
    cohort: str | None = None
    n_public: int | None = None


def check(options: ReadOptions) -> tuple[Said, list[Problem]]:
    """The declarations of `options`, with every problem that they have."""
    common, own, problems = declared.check(options, own="image", rules=_IMAGE)
    if problems:
        return Said(), problems
    own = {**own, **({"given": tuple(own["given"])} if "given" in own else {})}
    return Said(**{**own, **common}), []


def _are_masks(value: Any) -> bool:
    """Whether every name has two classes or more."""
    return isinstance(value, Mapping) and all(declared.is_texts(one) and len(one) > 1 for one in value.values())


_IMAGE: declared.Rules = {
    "dimensions": (lambda value: value in (2, 3) and not isinstance(value, bool), "2 or 3"),
    "axes": (lambda value: value in AXES, f"one of {', '.join(AXES)}"),
    "patients": (lambda value: value == "unknown", '"unknown"'),
    "burned_in": (lambda value: value == "accepted", '"accepted"'),
    "folders": (lambda value: value in ("label", "subject", "none"), '"label", "subject" or "none"'),
    "masks": (_are_masks, 'of each mask its classes: masks = {lesion = ["background", "lesion"]}'),
    "given": (declared.is_texts, "a list of names of channels"),
}
