"""From paths to Images and the Profile that a person sees first.

Gather what the files hold, refuse what is not alike, settle labels and patients, and say which tags of patients and
which burned-in texts there are. Every problem of a step is told at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core import large
from semblance.core.declared import unknown
from semblance.core.errors import DataError, Problem, UsageError
from semblance.core.facts import MISSING, framed, patient_codes, planned, refuse_lacking, values
from semblance.core.modality import FieldPlan, Profile, ReadOptions
from semblance.core.schema import Column, Schema
from semblance.modalities.image import declare, halves, profile
from semblance.modalities.image.channels import Settled, settled, shows, unfit
from semblance.modalities.image.data import Channel, Images, Layout, Step, concat
from semblance.modalities.image.declare import FEWEST, Said
from semblance.modalities.image.directions import plane, straight
from semblance.modalities.image.encode import common_maps
from semblance.modalities.image.found import LABEL, SPLIT, SUBJECT, Found
from semblance.modalities.image.gather import Gathered, Watch, gather
from semblance.modalities.image.listing import kept_in, kind_of, named
from semblance.modalities.image.steps import RESAMPLE, resampled, take

__all__ = ["column_names", "concat", "further", "like", "output_name", "read"]

DECIMALS = 3
"""Of a spacing in millimetres, in which images are alike."""


def read(paths: Sequence[str | Path], options: ReadOptions) -> tuple[Images, Profile]:
    """Read images and say what was found. Raises DataError or UsageError with every problem of the input."""
    said, problems = declare.check(options)
    if problems:
        raise UsageError(*problems)
    gathered = _gathered(paths, said, options.watch)
    odd = [*gathered.problems, *_odd(gathered, said)]
    kept = kept_in(paths)
    made = _settled(gathered.found, said, () if kept is None else kept.layout.channels, odd)
    found = made.found
    who, subject, alone = _patients(found, said, gathered.subject)
    label, plans, frame = _label(found, said)
    further, more, facts = _facts(found, said)
    columns = [*(column for column in (subject, label) if column is not None), *further]
    schema = Schema(tuple(columns), said.cohort, said.n_public)
    images = _images(
        made, schema, framed({**frame, **facts}, len(found)), who, said, anonymous=subject is None, paths=paths
    )
    images, equal = _alike(images) if images.anonymous else (images, [])
    common = common_maps(images, options.rare)
    rare = [] if common is images.pixels else [f"classes of masks that under {options.rare} patients show are left out"]
    if said.steps:
        _refuse_few(images, options.rare)
    images = _stepped(_without_empty(replace(images, pixels=common), said), said.steps)
    whose = [] if subject is None else [profile.numbered(subject)]
    shown = (profile.pixels(images), *whose, *plans, *more, *profile.tags(found, said))
    notes = (
        *profile.told(images, options.rare),
        *profile.too_few(len(np.unique(images.subjects)), options.rare),
        *rare,
        *made.notes,
        *profile.unsaid(found),
        *alone,
        *equal,
        *gathered.notes,
    )
    return images, Profile(len(images), len(np.unique(images.subjects)), shown, notes)


def like(paths: Sequence[str | Path], schema: Schema) -> Images:
    """Read further images under a known schema; a label that is missing altogether is a DataError."""
    return _further(paths, schema, ())


def further(paths: Sequence[str | Path], train: Images) -> Images:
    """The same, of the channels of `train`: their masks have its classes. Steps that were taken of train are taken of
    these, but for those that were taken before they were written: what is made lies on the common scale."""
    taken = {step.name: step for step in train.layout.steps}
    grid = taken.pop(RESAMPLE).common[0] if RESAMPLE in taken else None
    made = _further(paths, train.schema, train.layout.channels, grid)
    left = [step for name, step in taken.items() if name not in {one.name for one in made.layout.steps}]
    return _stepped(replace(made, layout=replace(made.layout, given=train.layout.given)), left)


def _further(
    paths: Sequence[str | Path], schema: Schema, known: Sequence[Channel], grid: tuple[float, ...] | None = None
) -> Images:
    subject, target = schema.where("subject"), schema.where("target")
    said = Said(
        subject=None if subject is None else subject.name,
        target=None if target is None else target.name,
        columns={column.name: {} for column in schema},
        resample=grid,
    )
    try:
        gathered = _gathered(paths, said)
        lost = bool(gathered.problems)
    except DataError:
        if subject is None:
            raise
        lost = True
    if lost and subject is not None:
        gathered = _gathered(paths, replace(said, subject=None))
    odd = [*gathered.problems, *_unlike(gathered), *_nameless(gathered.found, said, gathered.subject)]
    if gathered.found and target is not None and not any(LABEL in one.facts for one in gathered.found):
        rule = "images have the label of the schema"
        odd.append(Problem("the images have no label", rule, "give a manifest, or folders by label", target.name))
    kept = kept_in(paths)
    made = _settled(gathered.found, said, known if kept is None or known else kept.layout.channels, odd)
    found = made.found
    told = dict.fromkeys(name for one in found for name in one.columns)
    refuse_lacking(schema, {*told, *(() if target is None else (target.name,))}, who="images")
    texts = {c.name: _texts(found) if c.role == "target" else _known(found, c.name, said) for c in schema.learned}
    frame = {column.name: values(texts[column.name], column) for column in schema.learned}
    who, named, _ = _patients(found, said, gathered.subject)
    anonymous = named is None and subject is None
    return _images(made, schema, framed(frame, len(found)), who, said, anonymous=anonymous, paths=paths)


def column_names(paths: Sequence[str | Path]) -> tuple[str, ...]:
    """What is told of images besides their pixels, which are not read. Raises DataError for what is no such file."""
    return named(paths, Said())


def output_name(paths: Sequence[str | Path]) -> str:
    """The name of the synthetic data: an archive for an archive, a folder for files."""
    known = [Path(path) for path in paths]
    if known and known[0].is_dir():
        files = sorted(file for file in known[0].rglob("*") if kind_of(file) is not None)
        known = files if files else known
    return "synthetic.npz" if known and kind_of(known[0]) == "npz" else "synthetic"


def _gathered(paths: Sequence[str | Path], said: Said, watch: Watch | None = None) -> Gathered:
    kept = kept_in(paths)
    gathered = gather(paths, said if kept is None else replace(said, dimensions=kept.dimensions), watch)
    if said.resample is None or (kept is not None and Step(RESAMPLE, (said.resample,)) in kept.layout.steps):
        return gathered  # files of synthetic images need not say their millimetres: what lies beside them does
    made, problems, shelf = list[Found](), list[Problem](), large.Shelf()
    for one in gathered.found:
        try:
            made.append(resampled(one, said.resample).on(shelf))
        except DataError as error:
            problems += error.problems
    return replace(gathered, found=made, problems=[*gathered.problems, *problems])


def _stepped(images: Images, steps: Sequence[str | Step]) -> Images:
    """The images after steps, in order; those that files hold out have no part in what is common."""
    if not steps:
        return images
    among = None if images.held is None else ~images.held
    light = [i for i in range(images.pixels.shape[1]) if i not in images.layout.maps]
    pixels = large.copied(images.pixels)
    pixels[:, light], taken = take(images.light, steps, whose=images.subjects, among=among)
    return replace(images, pixels=pixels, layout=replace(images.layout, steps=(*images.layout.steps, *taken.steps)))


def _refuse_few(images: Images, rare: int) -> None:
    """Raise DataError where what images have in common would be that of fewer than `rare` patients, in some channel."""
    seen = halves.known(images)[:, : images.light.shape[1]]
    seen &= np.ones((len(images), 1), dtype=bool) if images.held is None else ~images.held[:, None]
    least = min(len(np.unique(images.subjects[rows])) for rows in seen.T)
    if least < rare:
        rule = f"what is common to the images of a channel is of enough patients: {rare} (`rare`)"
        raise DataError.of(f"steps of {least} patients", rule=rule, fix="leave out [image] steps")


def _settled(found: Sequence[Found], said: Said, known: Sequence[Channel], odd: Sequence[Problem]) -> Settled:
    """The channels of images. Raises DataError with what is `odd` of these, and of masks and pairs."""
    made, problems = settled(found, said, known) if not odd else (Settled(found), [*unfit(found)])
    if odd or problems:
        raise DataError(*odd, *problems)
    return made


# What must be alike


def _odd(gathered: Gathered, said: Said) -> Iterator[Problem]:
    """What keeps images from being of one set; files that cannot be read may be of further patients."""
    yield from _unlike(gathered)
    yield from _unlabelled(gathered.found)
    yield from _nameless(gathered.found, said, gathered.subject)
    if not gathered.problems:
        yield from _alone(gathered.found, said)


def _unlike(gathered: Gathered) -> Iterator[Problem]:
    """Images whose size, channels, spacing or kind are not those of most."""
    found = gathered.found
    if not found:
        if not gathered.problems:
            yield Problem("no images", "there is at least one", "give a folder, a manifest, or files")
        return
    for what, tell, fix in (
        ("size", lambda one: "x".join(map(str, one.pixels.shape[1:])), "crop or resample it"),
        ("number of channels", lambda one: len(one.pixels), "convert it to grey, or the others to colour"),
        ("spacing", lambda one: tuple(round(x, DECIMALS) for x in one.layout.spacing), "resample it"),
        ("kind", lambda one: one.layout.kind or "any", "give one kind at a time"),
        ("plane", lambda one: plane(one.layout) or "unknown", "give images of one plane at a time"),
        ("depth of bits", lambda one: one.layout.stored if one.layout.fmt in ("png", "tiff") else "", "convert it"),
    ):
        each = [tell(one) for one in found]
        usual = Counter(each).most_common(1)[0][0]
        for one, mine in zip(found, each, strict=True):
            if mine != usual:
                yield Problem(f"'{one.name}': {what} {mine}, of most {usual}", f"all images have one {what}", fix)
    if min(found[0].pixels.shape[-2:]) < FEWEST:
        size = "x".join(map(str, found[0].pixels.shape[1:]))
        yield Problem(f"images of {size} pixels", f"a side has at least {FEWEST} pixels", "give larger ones")


def _unlabelled(found: Sequence[Found]) -> Iterator[Problem]:
    there = [bool(one.facts.get(LABEL, "").strip()) for one in found]
    if any(there):
        for one, labelled in zip(found, there, strict=True):
            if not labelled:
                yield Problem(
                    f"'{one.name}' has no label", "all images have a label, or none", "label it, or leave it out"
                )


def _alone(found: Sequence[Found], said: Said) -> Iterator[Problem]:
    named = {one.facts.get(SUBJECT, "") for one in found}
    if said.patients is None and len(found) > 1 and len(named) == 1 and named != {""}:
        fix = 'a manifest with a column subject, or [image] patients = "unknown" where that name means nothing'
        yield Problem(f"all {len(found):,} images name one patient", "a split needs at least two patients", fix)


# What is known of them


def _patients(found: Sequence[Found], said: Said, name: str) -> tuple[np.ndarray, Column | None, list[str]]:
    """(n,) codes, the column that tells patients, and a note of files that name none: each is of a patient of its own,
    as is every image where nothing is told."""
    texts = _whose(found, said)
    if not any(texts):
        return np.arange(len(found), dtype=np.int64), None, []
    lost = texts.count("")
    count = "1 image names" if lost == 1 else f"{lost:,} images name"
    notes = [f"{count} no patient: each counts as a patient of its own"] if lost else []
    return patient_codes(texts), Column(name, "identifier", "subject"), notes


def _whose(found: Sequence[Found], said: Said) -> list[str]:
    """What is told of whose each image is, empty where nothing is."""
    texts = [one.facts.get(SUBJECT, "") if said.patients is None else "" for one in found]
    return ["" if text.strip().lower() in MISSING else text for text in texts]


def _nameless(found: Sequence[Found], said: Said, name: str) -> Iterator[Problem]:
    """Empty cells of a column that tells patients."""
    texts = _whose(found, said)
    rule, fix = "every image belongs to a patient", 'fill the cell, or [image] patients = "unknown"'
    for one, text in zip(found, texts, strict=True):
        if any(texts) and not text and SUBJECT in one.facts:
            yield Problem(f"'{one.name}' names no patient", rule, fix, name)


def _texts(found: Sequence[Found]) -> pd.Series:
    held = [one.facts.get(LABEL, "").strip() for one in found]
    return pd.Series([None if text.lower() in MISSING else text for text in held], dtype=object)


def _known(found: Sequence[Found], name: str, said: Said) -> pd.Series:
    """(n,) the texts of a further column, None where it is missing."""
    declared = said.columns.get(name, {}).get("na", ())
    tokens = {*said.na, *((declared,) if isinstance(declared, str) else map(str, declared))}
    held = [one.columns.get(name, "") for one in found]
    return pd.Series([None if t in tokens or t.lower() in MISSING else t for t in held], dtype=object)


def _facts(found: Sequence[Found], said: Said) -> tuple[list[Column], list[FieldPlan], dict[str, Any]]:
    """What is known of images besides label and patient: the columns, what a person is shown of them, and their values.
    What may identify a patient is left out unless it was declared. Raises DataError for what was declared and is not
    there, or is not as it was declared."""
    label = LABEL if said.target is None else said.target
    known = dict.fromkeys(name for one in found for name in one.columns)
    problems = [
        unknown(n, [label, *known], "column", where="the data")
        for n in (*said.columns, *(() if said.prompt is None else (said.prompt,)))
        if n not in (label, *known)
    ]
    if said.prompt == label:
        rule, fix = "a prompt is a text that networks read, and nothing else", "name another column, or leave it out"
        problems.append(Problem(f"'{label}' is the prompt, and the label of images", rule, fix, label))
    columns, plans, frame = list[Column](), list[FieldPlan](), dict[str, Any]()
    for name in known:
        texts = _known(found, name, said)
        if name == said.prompt:
            columns.append(Column(name, "text"))
            plans.append(FieldPlan(name, "text", "feature", float(texts.isna().mean()), "", "read as a prompt"))
            frame[name] = values(texts, columns[-1])
            continue
        try:
            column, plan = planned(name, texts, told=said.columns.get(name, {}), target=None)
        except DataError as error:
            problems += error.problems
            continue
        columns.append(column)
        plans.append(replace(plan, unclear=False))
        if column.learned:
            frame[name] = values(texts, column)
    if problems:
        raise DataError(*problems)
    return columns, plans, frame


def _label(found: Sequence[Found], said: Said) -> tuple[Column | None, list[FieldPlan], dict[str, Any]]:
    """The column of the label, what a person is shown of it, and its values. Raises DataError where it is no class."""
    texts = _texts(found)
    if texts.isna().all():
        return None, [], {}
    name = LABEL if said.target is None else said.target
    column, plan = planned(name, texts, told=said.columns.get(name, {}), target=name)
    if column.continuous or not column.learned:
        raise DataError.of(
            f"the label is of kind {column.kind}",
            rule="the label of images is one of a few classes",
            fix=f'[columns."{name}"] kind = "categorical", or give classes of it',
            column=name,
        )
    return column, [plan], {name: values(texts, column)}


def _images(
    made: Settled, schema: Schema, frame: pd.DataFrame, who: np.ndarray, said: Said, *, anonymous: bool, paths: Any
) -> Images:
    found = made.found
    splits = [one.facts.get(SPLIT) for one in found]
    held = np.array([one == "test" for one in splits]) if any(one is not None for one in splits) else None
    kept = kept_in(paths)
    layout = _shared([one.layout for one in found]) if kept is None else kept.layout
    if kept is None and layout.fmt in ("png", "tiff") and any(LABEL in one.facts for one in found):
        layout = replace(layout, folders=not _has_manifest(paths))
    if made.channels:
        layout = replace(layout, channels=made.channels, given=said.given or layout.given, apart=made.apart)
    if said.resample is not None:
        others = (step for step in layout.steps if step.name != RESAMPLE)
        layout = replace(layout, spacing=said.resample, steps=(Step(RESAMPLE, (said.resample,)), *others))
    pixels = large.stacked([one.pixels for one in found])
    return Images(schema, frame, pixels, who, layout, held, anonymous)


def _alike(images: Images) -> tuple[Images, list[str]]:
    """Images of nobody knows whom, of which equal ones are of one patient: else a copy of what is learned would be
    judged as if nobody had seen it. Where files hold out only some of them, none is held out. Notes say of how many."""
    who = pd.factorize(np.array([sha256(one.tobytes()).hexdigest() for one in images.light], dtype=object))[0]
    copies, held = np.bincount(who)[who] > 1, images.held
    if not copies.any():
        return images, []
    notes = [f"{int(copies.sum()):,} images have an equal one: equal images count as one patient's"]
    if held is not None and (seen := held & np.isin(who, who[~held])).any():
        notes.append(f"not held out, as they are equal to others that are not: {int(seen.sum()):,} images")
        held = held & ~seen
    return replace(images, subjects=who.astype(np.int64), held=held), notes


def _without_empty(images: Images, said: Said) -> Images:
    """Without the classes of masks that nobody declared and no image shows any more: their number alone would tell that
    somebody has them. A mask keeps two classes."""
    pixels, channels = images.pixels, list(images.layout.channels)
    for i, channel in images.layout.maps.items():
        codes = range(len(channel.classes))
        shown = np.array([code for code in codes if code == 0 or shows(pixels, i, code).any()])
        if channel.name in said.masks or not 2 <= len(shown) < len(channel.classes):
            continue
        pixels = large.copied(pixels)
        for part in large.parts(pixels):
            pixels[part, i] = np.searchsorted(shown, pixels[part, i])
        kept = [(channel.classes[code], channel.numbers[code]) for code in shown.tolist()]
        channels[i] = replace(channel, classes=tuple(n for n, _ in kept), numbers=tuple(x for _, x in kept))
    return replace(images, pixels=pixels, layout=replace(images.layout, channels=tuple(channels)))


def _shared(layouts: Sequence[Layout]) -> Layout:
    """What most have of each; where a window or a scale is not that of all images, it is some patient's, and so are
    further decimals of the spacing. Without a scale, values are stored as they are. Where images lie at several places
    no place is kept, and where they are tilted no tilt."""
    counts = {part.name: Counter(getattr(one, part.name) for one in layouts) for part in fields(Layout)}
    usual = {name: count.most_common(1)[0][0] for name, count in counts.items()}
    own: dict[str, Any] = {"window": None, "windows": True} if len(counts["window"]) > 1 else {}
    if len(counts["slope"]) > 1 or len(counts["intercept"]) > 1:
        own |= {"stored": "float32", "slope": 1.0, "intercept": 0.0}
    if len(counts["spacing"]) > 1:
        own["spacing"] = tuple(round(x, DECIMALS) for x in usual["spacing"])
    made = Layout(**{**usual, **own})
    across, affine = straight(plane(made), made.spacing) if plane(made) else ((), ())
    if len(counts["across"]) > 1:
        made = replace(made, across=across)
    if len(counts["affine"]) > 1:
        turned = {tuple(x for i, x in enumerate(one) if i % 4 != 3) for one in counts["affine"]}
        made = replace(made, affine=affine if len(turned) > 1 else _at_zero(made.affine))
    return made


def _at_zero(affine: tuple[float, ...]) -> tuple[float, ...]:
    """An affine whose grid begins at the zero of the patient's axes."""
    return tuple(0.0 if i % 4 == 3 else x for i, x in enumerate(affine))


def _has_manifest(paths: Any) -> bool:
    several = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    return any(path.is_file() or (path / "manifest.csv").is_file() for path in several)
