"""Images read under what is declared and nothing else, as differential privacy asks.

Each is read by itself. One that cannot be, that has another size or number of channels, a label that is not declared,
text in its pixels or nobody's name counts as missing, whatever the others are; pixels beyond the declared range count
as its end. So one patient more or less changes nothing of the others. A holdout that files declare is read as all
others: a coin for each patient parts train from holdout, and the ledger covers both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core import large
from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.facts import framed
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Column, Schema
from semblance.modalities.image import declare, profile
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.declare import Said
from semblance.modalities.image.found import LABEL, SPLIT, SUBJECT, Found
from semblance.modalities.image.gather import each
from semblance.modalities.image.listing import kind_of

PIXELS = "pixels"
"""The column of the schema that says between which values pixels lie. It is in no frame."""
FIXES = {
    "range": "range = [0, 255]",
    "size": "size = [28, 28]",
    "channels": "channels = 1",
    "labels": 'labels = ["normal", "ill"], or labels = [] where images have none',
}


def read(
    paths: Sequence[str | Path], options: ReadOptions, ledger: Any = None, resume: Path | None = None
) -> tuple[Images, Profile]:
    """The images and what those inside are shown. Raises UsageError with all that is not declared."""
    said, problems = declare.check(options)
    problems = problems if problems else undeclared(said)
    if problems:
        raise UsageError(*problems)
    several = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    found, lost = each(several, said, options.watch)
    kept = [one for one in found if _is_declared(one, said)]
    if not kept:
        rule, fix = "at least one image has what is declared", "correct [image] size, channels, labels, or the paths"
        raise DataError.of(f"none of {len(found) + lost} images is as declared", rule=rule, fix=fix)
    schema = _schema(said)
    images = _images(kept, schema, said, _layout(several, said))
    out = len(found) + lost - len(kept)
    notes = [f"{out} images are not as declared, and count as missing"] if out else []
    if held := sum(one.facts.get(SPLIT) == "test" for one in kept):
        notes.append(f"{held:,} images that files hold out are read as all others: a coin parts train from holdout")
    notes += (
        [f"{lettered}; under differential privacy it stops nothing"] if (lettered := profile.lettered(kept)) else []
    )
    size = "x".join(map(str, said.size or ()))
    plans = [FieldPlan(PIXELS, f"{said.channels} x {size}, as declared", "feature", 0.0)]
    plans += [FieldPlan(c.name, c.kind, c.role, 0.0) for c in schema.learned]
    return images, Profile(len(images), len(np.unique(images.subjects)), tuple(plans), tuple(notes))


def undeclared(said: Said) -> list[Problem]:
    """All that differential privacy asks to be declared, and is not."""
    rule = "under differential privacy nothing is looked up in images: what is public of them is declared"
    further = [name for name, one in said.columns.items() if name != said.target and one.get("role") != "drop"]
    learned = "under differential privacy the label alone is learned of what is known besides pixels"
    words = "under differential privacy the label alone is learned: which words texts have is not declared"
    taken = [key for key in ("steps", "resample") if getattr(said, key)]
    return [
        *(Problem(f"'{n}' is declared", learned, f'leave out [columns."{n}"]', n) for n in further),
        *(Problem(f"[image] {key} is declared", rule, f"leave out {key}, which looks at images") for key in taken),
        *([Problem("[image] prompt is declared", words, "leave out prompt")] if said.prompt is not None else []),
        *(
            Problem(f"no {key} is declared", rule, f"[image] {fix}")
            for key, fix in FIXES.items()
            if getattr(said, key) is None
        ),
    ]


def _is_declared(one: Found, said: Said) -> bool:
    """Whether an image is what was declared of all."""
    named = said.patients is not None or bool(one.facts.get(SUBJECT))
    labelled = not said.labels or one.facts.get(LABEL, "").strip() in said.labels
    free = one.burned is not True or said.burned_in is not None
    alike = one.pixels.shape == (said.channels, *(said.size or ()))
    return named and labelled and free and alike and bool(np.isfinite(one.pixels).all())


def _schema(said: Said) -> Schema:
    assert said.range is not None
    low, high = map(float, said.range)
    columns = [Column(PIXELS, "numeric", "drop", dtype="float32", min=low, max=high, bound="declared")]
    if said.patients is None:
        columns.append(Column(SUBJECT if said.subject is None else said.subject, "identifier", "subject"))
    if said.labels:
        name = LABEL if said.target is None else said.target
        columns.append(Column(name, "categorical", "target", categories=said.labels, bound="declared"))
    return Schema(tuple(columns), said.cohort, said.n_public, public=True)


def _images(kept: Sequence[Found], schema: Schema, said: Said, layout: Layout) -> Images:
    assert said.range is not None
    pixels = large.stacked([one.pixels for one in kept])
    for part in large.parts(pixels):
        np.clip(pixels[part], *said.range, out=pixels[part])
    whose = [one.facts.get(SUBJECT, "") if said.patients is None else str(i) for i, one in enumerate(kept)]
    texts = [one.facts.get(LABEL, "").strip() for one in kept]
    frame = {c.name: pd.Categorical(texts, categories=pd.Index(list(c.categories or ()))) for c in schema.learned}
    subjects = pd.factorize(np.array(whose, dtype=object))[0].astype(np.int64)
    return Images(schema, framed(frame, len(kept)), pixels, subjects, layout, anonymous=said.patients is not None)


def _layout(paths: Sequence[Path], said: Said) -> Layout:
    """An archive where one was given, else PNG; of whole numbers where the ends of the range are whole."""
    assert said.range is not None and said.channels is not None
    whole = all(float(end).is_integer() for end in said.range)
    kinds = [kind for kind in ("uint8", "uint16", "int16") if whole and _holds(kind, said.range)]
    axes = "first" if said.channels > 1 else ""
    fmt = "npz" if kind_of(paths[0]) == "npz" or kinds[:1] not in (["uint8"], ["uint16"]) else "png"
    return Layout(fmt, kinds[0] if kinds else "float32", axes="" if fmt == "png" else axes)  # type: ignore[arg-type]


def _holds(kind: str, span: tuple[float, float]) -> bool:
    return np.iinfo(kind).min <= span[0] and span[1] <= np.iinfo(kind).max
