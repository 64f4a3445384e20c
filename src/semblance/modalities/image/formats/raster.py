"""PNG of 8 and 16 bit, JPEG of 8 and TIFF of up to 32, by `pillow`: grey or colour, TIFF of several pages as a volume.

What is made of JPEG is written as PNG, which loses nothing more. Pillow holds numbers of some types as those of
another: what the tags of a TIFF say of them counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError
from semblance.core.need import need
from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats import texts
from semblance.modalities.image.found import Found, whole

LOSSY = (".jpg", ".jpeg")
SUFFIXES = (".png", ".tif", ".tiff", *LOSSY)
NAMES = {".png": "a PNG", **dict.fromkeys(LOSSY, "a JPEG")}
"""What the endings of files promise, where it is no TIFF."""
LOST = "JPEG has lost detail; what is made is written as PNG"
GREY = {"L": "uint8", "I;16": "uint16", "I;16B": "uint16", "I": "uint16", "1": "uint8", "F": "float32"}
"""The modes of grey images, and the type of a PNG's numbers in each."""
EXACT = 2**24
"""Up to which float32 holds every whole number."""
_BITS, _PHOTOMETRIC, _DESCRIPTION, _SAMPLES, _FORMAT = 258, 262, 270, 277, 339
"""Tags of TIFF 6.0."""
_FORMATS = {1: "uint", 2: "int", 3: "float", 6: "complex"}
_SIGNED = 2
_HELD = {"int8": "uint8", "int16": "uint16", "uint32": "int32"}
"""Types that Pillow does not write, and those of as many bits that it does."""
_TYPES = ("uint8", "uint16", "float32", "int32", *_HELD)
_DEEP = b"\x10\x02", b"\x10\x06", b"\x10\x04"  # 16 bit and a colour type that is not plain grey


def _pillow(module: str = "Image") -> Any:
    return need(f"PIL.{module}", extra="images", why="a PNG, JPEG or TIFF")


def read(path: Path) -> Found:
    """The image of a file. Raises DataError where it is broken, or of a kind whose values would be lost."""
    what = NAMES.get(path.suffix.lower(), "a TIFF")
    _refuse_deep_colour(path)
    with whole(path, what):
        tags = _tags(path)
    if tags is not None:
        _type(path, tags)  # Pillow opens none of a type that it does not know
    pages, kinds, fields = list[np.ndarray](), list[str](), list[str]()
    with whole(path, what, _pillow().DecompressionBombError), _opened(path, tags) as file:
        if file.format not in (("JPEG",) if path.suffix.lower() in LOSSY else ("PNG", "TIFF")):
            raise ValueError("another format")
        mode, fmt = file.mode, file.format.lower()
        for page in range(getattr(file, "n_frames", 1)):
            file.seek(page)
            kinds.append(_type(path, file.tag_v2) if fmt == "tiff" else GREY.get(file.mode, "uint8"))
            pages.append(_page(file, kinds[-1]))
            fields += texts.of_tiff(file.tag_v2) if fmt == "tiff" else []
        if fmt == "png":
            fields += texts.of_png(file.text, exif="exif" in file.info, private=bool(file.private_chunks))
        if fmt == "jpeg":
            fields += texts.of_jpeg(file.applist)
    _refuse_mode(path, mode)
    _refuse_several(path, pages, kinds)
    pixels = pages[0] if len(pages) == 1 else np.stack(pages, axis=1)
    notes = _rounded(path, pixels)
    made = pixels.astype(np.float32)
    grey = len(made) == 3 and (made[0] == made[1]).all() and (made[0] == made[2]).all()
    notes += (f"'{path.name}': colour in which all three channels are the same is read as grey",) if grey else ()
    notes += (f"'{path.name}': {LOST}",) if fmt == "jpeg" else ()
    pixels, told = made[:1] if grey else made, tuple(dict.fromkeys(fields))
    layout = Layout("png" if fmt == "jpeg" else fmt, kinds[0])
    return Found(path.name, pixels, layout, tags=told, notes=notes)


def _tags(path: Path) -> Mapping[int, Any] | None:
    """The tags of the first page of a TIFF, None for another file or where they are lost."""
    plugin = _pillow("TiffImagePlugin")
    with path.open("rb") as file:
        head = file.read(8)
        if not head.startswith(tuple(plugin.PREFIXES)):
            return None
        head += file.read(8) if 43 in head[2:4] else b""  # BigTIFF
        tags: Any = plugin.ImageFileDirectory_v2(head)
        file.seek(tags.next)
        tags.load(file)
    return dict(tags) or None


def _opened(path: Path, tags: Mapping[int, Any] | None) -> Any:
    """The file. Raises DataError for a TIFF whose tags are whole, but name what Pillow does not read."""
    try:
        return _pillow().open(path)
    except _pillow().UnidentifiedImageError:
        if tags is None:
            raise
        found = f"'{path.name}' is a TIFF of another kind: {_type(path, tags)}"
        fix = "save it in little-endian order and grey or RGB, or as NPZ"
        raise DataError.of(found, rule="a TIFF is one that `pillow` reads", fix=fix) from None


def _type(path: Path, tags: Mapping[int, Any]) -> str:
    """The type of a TIFF's numbers. Raises DataError for one that is not read."""
    bits, count = int(tags.get(_BITS, (1,))[0]), tags.get(_SAMPLES, 1)
    name = _FORMATS.get(int(tags.get(_FORMAT, (1,))[0]), "unknown ")
    found = f"{name}{bits}"
    if name == "uint" and bits < 16:  # fewer bits are brought to 8, and 12 to 16
        found = "uint8" if bits <= 8 else "uint16"
    if count >= 3 and found != "uint8":
        rule, fix = "colours are of type uint8", "save its channels as grey images or as NPZ"
        raise DataError.of(f"'{path.name}' has colours of type {found}", rule=rule, fix=fix)
    if found not in _TYPES:
        rule = f"the numbers of a TIFF are of type {', '.join(_TYPES)}"
        raise DataError.of(f"'{path.name}' has numbers of type {found}", rule=rule, fix="save it as float32 or as NPZ")
    return found


def _page(file: Any, kind: str) -> np.ndarray:
    """(channels, height, width) numbers of a type; those of a JPEG as it is to be looked at."""
    values = np.asarray(_pillow("ImageOps").exif_transpose(file) if file.format == "JPEG" else file)
    if kind in ("int8", "uint32"):
        values = values.view(kind)
    if kind == "uint16" and getattr(file, "tag_v2", {}).get(_PHOTOMETRIC) == 0:  # white, which Pillow turns in 8 bit
        values = np.iinfo(kind).max - values
    return values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)


def _rounded(path: Path, pixels: np.ndarray) -> tuple[str, ...]:
    """A note of whole numbers that float32 does not hold."""
    if pixels.dtype.itemsize < 4 or pixels.dtype.kind == "f" or (pixels.astype(np.float32) == pixels).all():
        return ()
    return (f"'{path.name}': numbers beyond {EXACT:,} are rounded to seven digits",)


def _refuse_mode(path: Path, mode: str) -> None:
    if mode not in (*GREY, "RGB"):
        raise DataError.of(
            f"'{path.name}' is of mode {mode}",
            rule="an image is grey or RGB, without a palette or transparency",
            fix="convert it to one of these",
        )


def _refuse_several(path: Path, pages: Iterable[np.ndarray], kinds: Iterable[str]) -> None:
    for what, each in (("sizes", {page.shape for page in pages}), ("types", set(kinds))):
        if len(each) > 1:
            rule, fix = "the pages of a TIFF are the planes of one volume", "save other pages as files of their own"
            raise DataError.of(f"'{path.name}' has pages of several {what}", rule=rule, fix=fix)


def _refuse_deep_colour(path: Path) -> None:
    """Pillow would cut 16 bit colours of a PNG to 8 without a word."""
    with path.open("rb") as file:
        head = file.read(26)
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[24:26] in _DEEP:
        raise DataError.of(
            f"'{path.name}' has colours of 16 bit",
            rule="16 bit are read where an image is grey",
            fix="save its channels as grey images or as NPZ",
        )


def write(numbers: np.ndarray, layout: Layout, path: Path) -> Path:
    """(channels, height, width) or (channels, depth, height, width) numbers as a file; its suffix is added."""
    file = path.with_name(f"{path.name}{'.png' if layout.fmt == 'png' else '.tif'}")
    kind = str(numbers.dtype)
    held = numbers.view(_HELD.get(kind, kind))
    pages = [held] if held.ndim == 3 else list(np.moveaxis(held, 1, 0))
    images = [_pillow().fromarray(one[0] if len(one) == 1 else np.moveaxis(one, 0, -1).copy()) for one in pages]
    if layout.fmt == "png":
        told = _pillow("PngImagePlugin").PngInfo()
        told.add_text("Source", texts.MARK)
        images[0].save(file, "PNG", pnginfo=told)
        return file
    tags = {_DESCRIPTION: texts.MARK, **({_FORMAT: _SIGNED} if numbers.dtype.kind == "i" else {})}
    images[0].save(file, "TIFF", save_all=True, append_images=images[1:], tiffinfo=tags)
    if kind == "uint32":
        _say_unsigned(file)
    return file


def _say_unsigned(file: Path) -> None:
    """Pillow tells of all whole numbers of 32 bit that they are signed: the tag of every page says otherwise."""
    raw = bytearray(file.read_bytes())
    at = int.from_bytes(raw[4:8], "little")
    while at:
        end = at + 2 + 12 * int.from_bytes(raw[at : at + 2], "little")
        for entry in range(at + 2, end, 12):
            if int.from_bytes(raw[entry : entry + 2], "little") == _FORMAT:
                raw[entry + 8] = 1
        at = int.from_bytes(raw[end : end + 4], "little")
    file.write_bytes(raw)
