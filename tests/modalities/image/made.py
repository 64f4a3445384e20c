"""Folders of phantoms in each format, for tests of reading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from semblance.core.schema import Schema
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.write import write
from tests.modalities.image.simulated import images

LAYOUTS = {
    "npz": Layout("npz", "uint8", spacing=(2.0, 2.0)),
    "png": Layout("png", "uint8"),
    "tiff": Layout("tiff", "uint16"),
    "dicom": Layout("dicom", "int16", 1.0, -100.0, (2.0, 2.0), kind="CT"),
    "nifti": Layout("nifti", "int16", affine=(2.0, 0, 0, 0, 0, 2.0, 0, 0, 0, 0, 2.0, 0), spacing=(2.0, 2.0, 2.0)),
}


def phantoms(fmt: str, n: int = 6, *, anonymous: bool = False) -> Images:
    """Phantoms as a format holds them: volumes for NIfTI."""
    whole = replace(images(n, 1, (9, 10, 11) if fmt == "nifti" else (12, 12)), layout=LAYOUTS[fmt])
    if not anonymous:
        return whole
    return replace(whole, schema=Schema(whole.schema.columns[1:]), anonymous=True)


def folder(fmt: str, path: Path, n: int = 6, *, anonymous: bool = False) -> Path:
    """A folder, or an archive, of phantoms; without patients, PNG and TIFF lie in folders by label."""
    whole = phantoms(fmt, n, anonymous=anonymous)
    whole = replace(whole, layout=replace(whole.layout, folders=anonymous and fmt in ("png", "tiff")))
    made = write([whole], path / "x.npz" if fmt == "npz" else path / "x")
    if made.is_dir():
        (made / "layout.json").unlink()
    return made


def pixels(found: Images) -> np.ndarray:
    """Pixels in an order that does not depend on that of the files."""
    return found.pixels[np.argsort(found.pixels.reshape(len(found), -1).sum(1), kind="stable")]
