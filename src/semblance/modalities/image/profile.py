"""What a person is told of images before anything is learned: their size, tags that may name a patient, and text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from semblance.core.modality import FieldPlan
from semblance.core.schema import Column
from semblance.modalities.image import channels, halves
from semblance.modalities.image.burned import looked_at, written
from semblance.modalities.image.data import Images
from semblance.modalities.image.declare import UNLEARNED, Said
from semblance.modalities.image.formats import classes, dicom
from semblance.modalities.image.found import Found

HELD = {"nifti": "NIfTI header", "png": "PNG or JPEG text", "tiff": "TIFF tag"}
"""What holds the texts of a format that may name a patient."""
NAMED = 2
"""Images that are named, at most, where some fill a tag and others do not."""
LOOK = '[image] burned_in = "accepted" once somebody has looked at them, or leave these files out'


def pixels(images: Images) -> FieldPlan:
    """The pixels as a field."""
    size = "x".join(map(str, images.pixels.shape[2:]))
    return FieldPlan("pixels", f"{images.pixels.shape[1]} x {size}, {images.layout.stored}", "feature", 0.0)


def numbered(subject: Column) -> FieldPlan:
    """The column of patients."""
    return FieldPlan(subject.name, "identifier", "subject", 0.0, "", "numbered anew")


def tags(found: Sequence[Found], said: Said) -> Iterator[FieldPlan]:
    """Tags that may name a patient, which go no further, and text that is burned into pixels, as files say it or as it
    looks, which might."""
    learned = {name for name, column in said.columns.items() if column.get("role") not in UNLEARNED}
    filled: dict[tuple[str, str], list[str]] = {}
    for one in found:
        for tag in one.tags:
            filled.setdefault((one.layout.fmt, tag), []).append(one.name)
    for (fmt, tag), names in sorted(filled.items(), key=_telling):
        if fmt != "dicom" or tag not in learned:
            kind, missing = dicom.told_kind(tag) if fmt == "dicom" else HELD[fmt], 1 - len(names) / len(found)
            yield FieldPlan(tag, kind, "drop", missing, _filled(names, len(found)), "drop", beside=True)
    burned = sum(one.burned is True for one in found)
    if burned:
        reason = f"{burned:,} images say that text is burned into their pixels"
        yield FieldPlan("burned-in text", "pixels", "feature", 0.0, reason, "learn", said.burned_in is None, LOOK)
    if reason := lettered(found):
        yield FieldPlan("text in pixels", "pixels", "feature", 0.0, reason, "learn", said.burned_in is None, LOOK)


def _telling(each: tuple[tuple[str, str], list[str]]) -> tuple[int, bool]:
    """Tags that most images fill first, and of these those that are called after the patient."""
    (_, tag), names = each
    return -len(names), not tag.startswith("Patient")


def _filled(names: Sequence[str], images: int) -> str:
    """How many images fill a tag, and which first, where others do not: without their folder, which a report does not
    need, and which may be called after a patient."""
    some = ", ".join(f"'{name.rpartition('/')[2]}'" for name in names[:NAMED])
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{len(names):,} of {images:,} images fill this tag" + (f": {some}{more}" if len(names) < images else "")


def lettered(found: Sequence[Found]) -> str:
    """How many of the images that say nothing of text seem to show a line of it; nothing where none does."""
    quiet = [one for one in found if one.burned is not True]
    some = looked_at([one.pixels.shape for one in quiet])
    seen = sum(written(quiet[i].pixels) for i in some)
    return f"{seen:,} of {len(some):,} images that were looked at seem to show a line of text" if seen else ""


def unsaid(found: Sequence[Found]) -> Iterator[str]:
    """That files do not say whether there is text in their pixels."""
    silent = sum(one.burned is None for one in found if one.layout.fmt == "dicom")
    if silent:
        yield f"{silent:,} images do not say whether text is burned into their pixels: look at some"


def too_few(patients: int, rare: int) -> Iterator[str]:
    """That of so few patients nothing is learned."""
    if patients <= rare:
        yield (
            f"{patients} patients: of fewer than {rare} in train (`rare`) nothing but brightness is learned, since any "
            "pattern would be a patient's own; images come out flat"
        )


def told(images: Images, rare: int) -> Iterator[str]:
    """What there is to say of all images, without classes of masks that fewer than `rare` patients show."""
    kind = "volumes" if images.pixels.ndim == 5 else "images"
    yield f"{len(images):,} {kind} of {'x'.join(map(str, images.pixels.shape[2:]))} pixels"
    if images.held is not None and images.held.any():
        yield f"{int(images.held.sum()):,} of them are held out by the files, which --holdout does not change"
    if images.layout.steps:
        names = ", ".join(step.name for step in images.layout.steps)
        yield f"steps taken: {names}; what is made comes out so, on the common scale"
    if images.layout.fmt == "dicom":
        yield from classes.told(images.layout, several=images.layout.frames and images.pixels.ndim == 5)
    yield from channels.told(images.layout.maps, images.pixels, rare)
    yield from halves.told(images)
    if images.anonymous:
        yield "nobody says whose the images are: they are split one by one, and privacy of patients cannot be certified"
