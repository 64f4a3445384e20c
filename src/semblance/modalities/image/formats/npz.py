"""NumPy archives: `images` and `labels`, as one set or as `train_images`, `val_images`, `test_images` and so on.

`is_test` or the arrays of `test` are a holdout. `patient`, `source` or `subject` say whose an image is; `class_names`
what a label's number means; `spacing` the millimetres between pixels; `channels` the names of channels; `domain` and
`pair` which contrast an image is, and of which pair. Whole numbers for every pixel are a mask, by the name of their
array; `<mask>_classes` names its classes. Every other array of one value for each image is known of it (`age`,
`train_age`). What stands there besides is left out.
"""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance.core import large
from semblance.core.errors import DataError, Problem
from semblance.core.names import names_patients
from semblance.core.schema import Column
from semblance.modalities.image.apart import Plain, names, plain
from semblance.modalities.image.data import Images, Layout, Step
from semblance.modalities.image.declare import Said
from semblance.modalities.image.found import DOMAIN, LABEL, PAIR, SPLIT, SUBJECT, Found, broken, whole

SPLITS = ("train", "val", "test")
IMAGES, LABELS, TEST = ("images", "image", "x"), ("labels", "label", "y"), "is_test"
SOURCE = "source"
"""An array that tells patients although its name need not say so."""
STEPS = "intensity_steps"
"""The array of steps that were taken of what was made, as JSON."""
BESIDE = {"class_names", "spacing", "channels", "synthetic", STEPS}
MASK = re.compile(r"(?:^|_)(?:masks?|seg|segmentations?|lesions?|instances?|label_?maps?)$")
"""How an array of a mask is called; of another name it has few whole numbers."""
FEW = 20
CLASSES = "_classes"
CHANNELS = 4
"""At most so many channels: an axis that is longer is one of space."""
_BROKEN = (zipfile.BadZipFile, zlib.error)
_HEADS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_TOGETHER = 1 << 20

Arrays = Mapping[str, np.ndarray]
Masks = Mapping[str, str]
"""The arrays of masks, by the name of the mask."""


def read(path: Path, said: Said, *, alone: bool = False) -> Iterator[Found]:
    """Every image of the archive. Raises DataError with all that is wrong with it. `alone`: each by itself, so that
    the values of one decide nothing of the others, and without masks."""
    held = _load(path)
    parts = _parts(held)
    if not parts:
        rule = f"an archive of images has an array {' or '.join(IMAGES)}, or one for each of {', '.join(SPLITS)}"
        raise DataError.of(f"'{path.name}' holds no images", rule=rule, fix="rename the array of images")
    masks = {prefix: {} if alone else _masks(held, prefix, said) for prefix in parts}
    problems = [problem for prefix in parts for problem in _problems(path, held, prefix, said, masks[prefix])]
    if problems:
        raise DataError(*dict.fromkeys(problems))  # what is told of all arrays is wrong with each of them
    columns = {prefix: {} if alone else _columns(held, prefix, said, masks[prefix]) for prefix in parts}
    used = {name for prefix in parts for name in _used(held, prefix, said, masks[prefix])} | BESIDE
    used |= {name for some in columns.values() for name in some.values()}
    left = sorted(set(held) - used)
    notes = (f"'{path.name}': left out, as nothing is learned of them: {', '.join(left)}",) if left else ()
    for prefix in parts:
        yield from _images(path, held, prefix, said, masks[prefix], columns[prefix], notes)


def _load(path: Path) -> dict[str, np.ndarray]:
    with whole(path, "a NumPy archive", *_BROKEN), np.load(path, allow_pickle=False) as file:
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise broken(path, "a NumPy archive")
        return {name: _array(file, name) for name in file.files}


def named(path: Path, said: Said) -> tuple[str, ...]:
    """What an archive tells of its images besides pixels, `label` for their label, by the heads of its arrays alone."""
    with whole(path, "a NumPy archive", *_BROKEN), zipfile.ZipFile(path) as archive:
        held = {one.removesuffix(".npy"): _head(archive, one) for one in archive.namelist() if one.endswith(".npy")}
    parts = _parts(held)
    label = (LABEL,) if any(_label(held, prefix, said) is not None for prefix in parts) else ()
    return (*label, *dict.fromkeys(name for prefix in parts for name in _columns(held, prefix, said, {})))


def _head(archive: zipfile.ZipFile, member: str) -> np.ndarray:
    """An array of the shape and the type of one in the archive, which takes no memory."""
    with archive.open(member) as stream:
        shape, _, kind = _HEADS[np.lib.format.read_magic(stream)](stream)
    return np.broadcast_to(np.zeros((), kind), shape)


def _array(file: Any, name: str) -> np.ndarray:
    """An array of the archive, beyond `large.LARGE` bytes in a file of its own."""
    member = f"{name}.npy"
    if member not in file.zip.namelist() or file.zip.getinfo(member).file_size <= large.LARGE:
        found: np.ndarray = file[name]
        return found
    with file.zip.open(member) as stream:
        shape, backwards, kind = _HEADS[np.lib.format.read_magic(stream)](stream)
        if kind.hasobject:
            raise ValueError("objects")
        made = large.empty(shape[::-1] if backwards else shape, kind)
        bytes_of, at = made.reshape(-1).view(np.uint8), 0
        while some := stream.read(_TOGETHER):
            bytes_of[at : at + len(some)] = np.frombuffer(some, np.uint8)
            at += len(some)
        if at < len(bytes_of):
            raise EOFError
    return made.T if backwards else made


def _parts(held: Arrays) -> list[str]:
    """What the names of arrays begin with: '' for one set, 'train_' and so on for several."""
    split = [f"{name}_" for name in SPLITS if f"{name}_images" in held]
    return split if split else [""] if _named(held, "", IMAGES) else []


def _named(held: Arrays, prefix: str, names: Iterable[str]) -> str | None:
    return next((prefix + name for name in names if prefix + name in held), None)


def _label(held: Arrays, prefix: str, said: Said) -> str | None:
    return _named(held, prefix, LABELS if said.target is None else (said.target, *LABELS))


def _subject(held: Arrays, prefix: str, said: Said) -> str | None:
    if said.subject is not None:
        return _named(held, prefix, (said.subject,))
    return _named(held, prefix, (*_patients(held, prefix, said), SOURCE))


def _patients(held: Arrays, prefix: str, said: Said) -> list[str]:
    """The arrays that by their names tell patients."""
    named = (name.removeprefix(prefix) for name in held if name.startswith(prefix))
    return [name for name in named if names_patients(name) and name not in said.columns]


def _used(held: Arrays, prefix: str, said: Said, masks: Masks) -> set[str]:
    names = {_named(held, prefix, IMAGES), _label(held, prefix, said), _subject(held, prefix, said)}
    names |= {*masks.values(), *(f"{name}{CLASSES}" for name in masks)}
    return {name for name in names if name is not None} | {f"{prefix}{n}" for n in (TEST, DOMAIN, PAIR)}


def _columns(held: Arrays, prefix: str, said: Said, masks: Masks) -> dict[str, str]:
    """The arrays of one value for each image, by the name of what they tell of it."""
    n, used = held[str(_named(held, prefix, IMAGES))].shape[:1], _used(held, prefix, said, masks)
    named = {name.removeprefix(prefix): name for name in held if name.startswith(prefix) and name not in used}
    return {
        short: name
        for short, name in named.items()
        if short not in (*_patients(held, prefix, said), SOURCE, *BESIDE)
        and held[name].shape in (n, (*n, 1))
        and held[name].dtype.kind in "uifbU"
    }


def _masks(held: Arrays, prefix: str, said: Said) -> Masks:
    images = held[str(_named(held, prefix, IMAGES))]
    axes = _axes(images, held, said)
    sides = tuple(side for side, axis in zip(images.shape, axes or "", strict=bool(axes)) if axis != "C")
    known = {_named(held, prefix, IMAGES), _label(held, prefix, said), _subject(held, prefix, said)}
    named = {name.removeprefix(prefix): name for name in held if name.startswith(prefix) and name not in known}
    found = {}
    for short, name in named.items():
        array = held[name]
        fits = array.ndim > 2 and array.shape == sides and array.dtype.kind in "uib"
        if short in said.masks or (array.ndim > 2 and MASK.search(short)) or (fits and _has_few(array)):
            found[short] = name
    return found


def _has_few(array: np.ndarray) -> bool:
    numbers = np.empty(0, array.dtype)
    for part in large.parts(array):
        numbers = np.union1d(numbers, array[part])
        if len(numbers) > FEW:
            return False
    return True


def _problems(path: Path, held: Arrays, prefix: str, said: Said, masks: Masks) -> Iterator[Problem]:
    """What is wrong with the shapes and types of arrays."""
    images = held[str(_named(held, prefix, IMAGES))]
    place, axes = f"'{path.name}', array", _axes(images, held, said)
    if axes is None or images.dtype.kind not in "uif":
        rule, fix = "images are numbers (n, height, width), with a channel or a depth at most", "[image] axes = ..."
        found = f"{place} '{_named(held, prefix, IMAGES)}' has shape {images.shape} of {images.dtype}"
        yield Problem(found, rule, fix)
        return
    for mask in masks.values():
        if held[mask].shape[:1] != images.shape[:1]:
            rule, fix = "every image has its mask", "give one mask for each image"
            yield Problem(f"{place} '{mask}' has shape {held[mask].shape}", rule, fix)
    told = (f"{prefix}{fact}" for fact in (TEST, DOMAIN, PAIR) if f"{prefix}{fact}" in held)
    for name in (_label(held, prefix, said), _subject(held, prefix, said), *told):
        if name is not None and held[name].shape not in ((len(images),), (len(images), 1)):
            rule, fix = "an image has one label, patient, domain, pair and split", "one value for each image"
            yield Problem(f"{place} '{name}' has shape {held[name].shape}", rule, fix)
    test = held.get(f"{prefix}{TEST}", np.zeros(0))
    if test.dtype.kind not in "uifb" or not np.isin(test, (0, 1)).all():
        rule, fix = "0 or 1 says whether an image is held out", "1 for those, 0 for others"
        yield Problem(f"{place} '{prefix}{TEST}' has other values, of {test.dtype}", rule, fix)
    yield from _of_axes(place, held, dict(zip(axes, images.shape, strict=True)))


def _of_axes(place: str, held: Arrays, sides: Mapping[str, int]) -> Iterator[Problem]:
    """What is wrong with what is told of the axes of images, of which `sides` has the lengths by name."""
    spacing, across = np.ravel(held.get("spacing", ())), len(sides.keys() - {"N", "C"})
    numbers = spacing.dtype.kind in "uif" and bool((np.isfinite(spacing) & (spacing > 0)).all())
    if "spacing" in held and not (numbers and len(spacing) == across):
        rule, fix = "millimetres between pixels along each axis of an image", "give as many numbers, or leave it out"
        yield Problem(f"{place} 'spacing' is not {across} numbers above 0", rule, fix)
    channels, count = list(map(str, np.ravel(held.get("channels", ())))), sides.get("C", 1)
    if "channels" in held and not len(set(channels)) == len(channels) == count:
        rule, fix = "every channel has a name of its own", f"name {count}, or leave it out"
        yield Problem(f"{place} 'channels' names {', '.join(channels)}", rule, fix)


def _axes(images: np.ndarray, held: Arrays, said: Said) -> str | None:
    """The names of the axes, or nothing where they make no sense."""
    if said.axes is not None:
        return said.axes if len(said.axes) == images.ndim else None
    if images.ndim == 3:
        return "NHW"
    told = held.get("channels")
    first = images.ndim > 3 and (images.shape[1] <= CHANNELS or (told is not None and told.size == images.shape[1]))
    last = images.ndim > 3 and images.shape[-1] <= CHANNELS
    if images.ndim == 4:
        return "NHWC" if last and not first else "NCHW" if first else "NDHW"
    return ("NCDHW" if first else "NDHWC" if last else None) if images.ndim == 5 else None


def _images(
    path: Path,
    held: Arrays,
    prefix: str,
    said: Said,
    masks: Masks,
    columns: dict[str, str],
    notes: tuple[str, ...],
) -> Iterator[Found]:
    array = str(_named(held, prefix, IMAGES))
    images = held[array]
    axes = str(_axes(images, held, said))
    where = "first" if axes[1] == "C" else "last" if axes[-1] == "C" else ""
    spacing = tuple(float(x) for x in np.ravel(held["spacing"])) if "spacing" in held else ()
    with whole(path, "a NumPy archive"):
        taken = tuple(Step.from_json(json.loads(str(one))) for one in np.ravel(held.get(STEPS, ())))
    prefixed = "train_" if prefix else ""
    layout = Layout("npz", str(images.dtype), spacing=spacing, axes=where, prefix=prefixed, steps=taken)  # type: ignore[arg-type]
    facts = {LABEL: _texts(held, _label(held, prefix, said)), SUBJECT: _texts(held, _subject(held, prefix, said))}
    facts |= {fact: _texts(held, f"{prefix}{fact}") for fact in (DOMAIN, PAIR) if f"{prefix}{fact}" in held}
    beside = {short: [_exactly(value) for value in np.ravel(held[own])] for short, own in columns.items()}
    channels = tuple(map(str, np.ravel(held.get("channels", ()))))
    classes = {n: tuple(map(str, np.ravel(held[n + CLASSES]))) for n in masks if n + CLASSES in held}
    name = _subject(held, prefix, said)
    subject = None if name is None else name.removeprefix(prefix)
    test = np.ravel(held[f"{prefix}{TEST}"]) != 0 if f"{prefix}{TEST}" in held else None
    for i, image in enumerate(images):
        pixels = np.moveaxis(image, -1, 0) if where == "last" else image if where else image[None]
        told = {name: texts[i] for name, texts in facts.items() if texts is not None}
        if prefix or test is not None:
            told[SPLIT] = "test" if prefix == "test_" or (test is not None and test[i]) else "train"
        name, some = f"{path.name}, array {array}, image {i}", notes if not i else ()
        shown = {short: held[own][i] for short, own in masks.items()}
        known = {short: texts[i] for short, texts in beside.items()}
        numbers = pixels.astype(np.float32)
        yield Found(name, numbers, layout, told, (), None, some, subject, shown, classes, channels, known)


def _texts(held: Arrays, name: str | None) -> list[str] | None:
    if name is None:
        return None
    values = np.ravel(held[name])
    known = held.get("class_names") if "label" in name or name.endswith("y") else None
    return [_text(value, () if known is None else np.ravel(known).tolist()) for value in values.tolist()]


def _text(value: Any, known: Sequence[Any]) -> str:
    """What a value says, whatever the others are: one that is missing makes all whole numbers of an array floats."""
    if isinstance(value, float):
        if np.isnan(value):
            return ""
        value = int(value) if value.is_integer() else f"{value:g}"
    if isinstance(value, int) and 0 <= value < len(known):
        value = known[value]
    return str(value).strip()


def _exactly(value: np.generic) -> str:
    """The same of a fact, with all digits that a number of its type has."""
    if isinstance(value, np.floating) and np.isfinite(value):
        return np.format_float_positional(value, trim="-")
    return _text(value.item(), ())


# Writing


def write(chunks: Iterable[Images], path: Path) -> None:
    """An archive of all images under the names that the input has. Pixels pass through a file, not through memory."""
    kept: list[Images] = []
    beside: list[Plain] = []
    shelf = large.Shelf()
    with tempfile.TemporaryFile(dir=path.parent) as pixels:
        for chunk in chunks:
            for one in plain(chunk):
                numbers = _arranged(one.numbers[None], chunk.layout)
                pixels.write(np.ascontiguousarray(numbers).tobytes())
                masks = {name: shelf.put(mask) for name, mask in one.masks.items()}
                beside.append(Plain(sum(map(len, kept)) + one.row, numbers[:0], masks, one.domain))
            kept.append(_without_pixels(chunk))
        pixels.seek(0)
        layout, shape = kept[0].layout, kept[0].pixels.shape[2:]
        channels = 1 if layout.apart else kept[0].pixels.shape[1] - len(layout.maps)
        whole = _arranged(np.empty((len(beside), channels, *shape), layout.stored), layout)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open(_entry(f"{layout.prefix}images"), "w", force_zip64=True) as stream:
                head = np.lib.format.header_data_from_array_1_0(np.empty(0, whole.dtype)) | {"shape": whole.shape}
                np.lib.format.write_array_header_1_0(stream, head)
                while part := pixels.read(_TOGETHER):
                    stream.write(part)
            for name, array in {**_beside(kept, layout, beside), **_masked(layout, beside)}.items():
                with archive.open(_entry(name), "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, array, allow_pickle=False)


def _without_pixels(chunk: Images) -> Images:
    """The same with pixels that take no memory."""
    nothing = np.broadcast_to(np.float32(0), chunk.pixels.shape)
    return Images(chunk.schema, chunk.frame, nothing, chunk.subjects, chunk.layout, chunk.held, chunk.anonymous)


def _entry(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(f"{name}.npy")
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def _arranged(numbers: np.ndarray, layout: Layout) -> np.ndarray:
    """(n, channels, ...) with the channels where the input has them."""
    return {"first": numbers, "last": np.moveaxis(numbers, 1, -1)}.get(layout.axes, numbers[:, 0])


def _masked(layout: Layout, beside: list[Plain]) -> dict[str, np.ndarray]:
    """Masks and their classes, domains and pairs, and the names of channels."""
    made: dict[str, np.ndarray] = {}
    for channel in layout.maps.values():
        if all(channel.name in one.masks for one in beside):
            made[f"{layout.prefix}{channel.name}"] = large.stacked([one.masks[channel.name] for one in beside])
            if channel.numbers == tuple(range(len(channel.numbers))):
                made[f"{channel.name}{CLASSES}"] = np.array(channel.classes)
    if layout.apart:
        made[f"{layout.prefix}{DOMAIN}"] = np.array([one.domain for one in beside])
        made[f"{layout.prefix}{PAIR}"] = np.array([one.row + 1 for one in beside])
    elif layout.channels:
        made["channels"] = np.array(names(layout))
    return made


def _beside(kept: list[Images], layout: Layout, beside: list[Plain]) -> dict[str, np.ndarray]:
    """Labels, patients, what else is known, and spacing."""
    made: dict[str, np.ndarray] = {"synthetic": np.array(True)}
    rows = [one.row for one in beside]
    target, subject = kept[0].schema.where("target"), kept[0].schema.where("subject")
    if target is not None:
        texts = np.concatenate([part.labels for part in kept])[rows]
        classes = np.array(sorted(set(texts)))
        name = f"{layout.prefix}{target.name if target.name not in ('label', 'labels') else 'labels'}"
        if all(one.isdecimal() and str(int(one)) == one for one in classes.tolist()):
            made[name] = texts.astype(np.int64)
        else:
            made |= {name: np.searchsorted(classes, texts), "class_names": classes}
    for column in kept[0].schema.learned:
        if column.role != "target":
            values = np.concatenate([part.frame[column.name].astype(object).to_numpy() for part in kept])[rows]
            made[f"{layout.prefix}{column.name}"] = _values(values, column)
    if subject is not None:
        made[f"{layout.prefix}{subject.name}"] = np.concatenate([part.subjects for part in kept])[rows] + 1
    if layout.spacing:
        made["spacing"] = np.array(layout.spacing)
    if layout.steps:
        made[STEPS] = np.array([json.dumps(asdict(step)) for step in layout.steps])
    return made


def _values(values: np.ndarray, column: Column) -> np.ndarray:
    """(n,) numbers, or texts, empty where missing; whole numbers as such where they are numbers or none is missing."""
    if column.continuous:
        numbers = values.astype(float)
        return numbers.astype(np.int64) if column.kind == "integer" and np.isfinite(numbers).all() else numbers
    texts = np.array(["" if pd.isna(value) else str(value) for value in values])
    whole = all(text.isdecimal() and str(int(text)) == text for text in set(texts.tolist()))
    return texts.astype(np.int64) if whole else texts
