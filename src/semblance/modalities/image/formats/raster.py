"""PNG and TIFF of 8 and 16 bit, by `pillow`: grey or colour, TIFF of several pages as a volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.errors import DataError
from semblance.core.need import need
from semblance.modalities.image.data import Layout
from semblance.modalities.image.found import Found, whole

SUFFIXES = (".png", ".tif", ".tiff")
GREY = {"L": "uint8", "I;16": "uint16", "I;16B": "uint16", "I": "uint16", "1": "uint8", "F": "float32"}
MARK = "synthetic: made by semblance, of no patient"
_DESCRIPTION = 270  # the TIFF tag
_DEEP = b"\x10\x02", b"\x10\x06", b"\x10\x04"  # 16 bit and a colour type that is not plain grey


def _pillow() -> Any:
    return need("PIL.Image", extra="images", why="a PNG or TIFF")


def read(path: Path) -> Found:
    """The image of a file. Raises DataError where it is broken, or of a kind whose values would be lost."""
    what = "a TIFF" if path.suffix.lower() != ".png" else "a PNG"
    _refuse_deep_colour(path)
    with whole(path, what, _pillow().DecompressionBombError), _pillow().open(path) as file:
        if file.format not in ("PNG", "TIFF"):
            raise ValueError("another format")
        mode, pages = file.mode, []
        for page in range(getattr(file, "n_frames", 1)):
            file.seek(page)
            pages.append(_page(file))
    _refuse_mode(path, mode)
    pixels = pages[0] if len(pages) == 1 else np.stack(pages, axis=1)
    grey = len(pixels) == 3 and (pixels[0] == pixels[1]).all() and (pixels[0] == pixels[2]).all()
    notes = (f"'{path.name}': colour in which all three channels are the same is read as grey",) if grey else ()
    layout = Layout("png" if what == "a PNG" else "tiff", GREY.get(mode, "uint8"))
    return Found(path.name, pixels[:1] if grey else pixels, layout, notes=notes)


def _page(file: Any) -> np.ndarray:
    """(channels, height, width) float32."""
    values = np.asarray(file).astype(np.float32)
    return values[None] if values.ndim == 2 else np.moveaxis(values, -1, 0)


def _refuse_mode(path: Path, mode: str) -> None:
    if mode not in (*GREY, "RGB"):
        raise DataError.of(
            f"'{path.name}' is of mode {mode}",
            rule="an image is grey or RGB, without a palette or transparency",
            fix="convert it to one of these",
        )


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
    pages = [numbers] if numbers.ndim == 3 else list(np.moveaxis(numbers, 1, 0))
    images = [_pillow().fromarray(one[0] if len(one) == 1 else np.moveaxis(one, 0, -1).copy()) for one in pages]
    if layout.fmt == "png":
        told = need("PIL.PngImagePlugin", extra="images", why="a PNG").PngInfo()
        told.add_text("Source", MARK)
        images[0].save(file, "PNG", pnginfo=told)
    else:
        images[0].save(file, "TIFF", save_all=True, append_images=images[1:], tiffinfo={_DESCRIPTION: MARK})
    return file
