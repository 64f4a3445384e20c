"""Whether further images measure as train's do: the same size, channels, millimetres and steps."""

from __future__ import annotations

from semblance.core.errors import DataError, Problem
from semblance.modalities.image.data import Images
from semblance.modalities.image.halves import domains, known_in_part, unlike

NEAR = 0.01
"""How far two spacings may be from each other, as a share."""


def comparable(train: Images, other: Images, *, part: str) -> None:
    """Raise DataError where images of `other` are of another size, number of channels or spacing than train's,
    or went through other steps."""
    problems = []
    mine, theirs = train.pixels.shape[1:], other.pixels.shape[1:]
    if mine != theirs:
        found = f"the {part} images are of {_spoken(theirs)}, those of train of {_spoken(mine)}"
        problems.append(Problem(found, "all parts hold images of one size", "crop or resample them alike"))
    sides = domains(train) if mine == theirs else ()
    holes = known_in_part(train) or known_in_part(other)
    if holes and (not sides or unlike(train, sides) or unlike(other, sides)):
        rule, fix = (
            "judges compare images of which all channels are known, or, as in train, one domain",
            "judge each contrast by itself, or pair them",
        )
        problems.append(Problem(f"of train or of the {part} images only some channels are known", rule, fix))
    if train.layout.channels != other.layout.channels:
        rule, fix = "all parts have the same channels and classes of masks", "name them alike in all parts"
        problems.append(Problem(f"the {part} images have other channels than those of train", rule, fix))
    pairs = list(zip(train.layout.spacing, other.layout.spacing, strict=False))
    if any(abs(a - b) > NEAR * max(a, b) for a, b in pairs):
        found = f"the {part} images have other millimetres between pixels than those of train"
        problems.append(Problem(found, "all parts have one spacing", "resample them alike"))
    if (here := _taken(train)) != (there := _taken(other)):
        found = f"the {part} images went through {there}, those of train through {here}"
        problems.append(Problem(found, "all parts lie on one scale", "read train with the same [image] steps"))
    if problems:
        raise DataError(*problems)


def _taken(images: Images) -> str:
    """The steps of intensity that were taken of images."""
    return ", ".join(step.name for step in images.layout.steps) or "no steps"


def _spoken(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} channels of {'x'.join(map(str, shape[1:]))}"
