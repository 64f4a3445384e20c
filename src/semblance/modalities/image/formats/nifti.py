"""NIfTI (.nii, .nii.gz), by `nibabel`: volumes with their affine, or their axial slices as images.

Arrays of the house are (depth, height, width); NIfTI's run (x, y, z), so that axes are turned around on the way.
Where a file says how it lies in the patient, its axes are brought to z, y and x (`directions`); else they stay.
"""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from semblance.core.errors import DataError
from semblance.core.need import need
from semblance.modalities.image.data import Layout
from semblance.modalities.image.directions import TURNED, grid_turn
from semblance.modalities.image.found import Found, whole

SUFFIXES = (".nii", ".nii.gz")
MARK = b"synthetic, by semblance"
CHANNELS = 4
TEXTS = ("db_name", "descrip", "aux_file", "intent_name")
"""Fields of a header that hold free text."""


def _nibabel() -> Any:
    return need("nibabel", extra="images", why="a NIfTI")


def read(
    path: Path,
    *,
    slices: bool,
    masks: Mapping[str, np.ndarray] = MappingProxyType({}),
    lying: Collection[str] = (),
    turned: bool = True,
) -> Iterator[Found]:
    """The volume of a file, or its axial `slices` that show anything, with its part of `masks` of the volume, of which
    some are `lying` as their own file says, the others as this one does. Unless `turned`, axes stay as the file has
    them. Raises DataError where it is broken."""
    nibabel = _nibabel()
    with whole(path, "a NIfTI", nibabel.filebasedimages.ImageFileError, EOFError):
        file = nibabel.load(path)
        values = np.asarray(file.dataobj, dtype=np.float32)
        slope, intercept = file.dataobj.slope, file.dataobj.inter
        stored, zooms = str(file.get_data_dtype().newbyteorder("=")), file.header.get_zooms()[:3]
        affine, tags = _affine(file), tuple(_texts(file.header))
    if values.ndim not in (2, 3, 4) or (values.ndim == 4 and values.shape[3] > CHANNELS):
        rule, fix = f"a NIfTI is a plane, a volume, or one of at most {CHANNELS} channels", "split it into volumes"
        raise DataError.of(f"'{path.name}' has shape {values.shape}", rule=rule, fix=fix)
    pixels = np.ascontiguousarray(values.T if values.ndim == 4 else values.T[None])
    spacing, notes = tuple(round(float(x), 6) for x in zooms[::-1]), tuple[str, ...]()
    if affine is not None and turned:
        turn, affine = grid_turn(affine, pixels.shape[1:])
        pixels, spacing = np.ascontiguousarray(turn(pixels)), tuple(spacing[i] for i in turn.order)
        masks = {name: mask if name in lying else turn(mask) for name, mask in masks.items()}
        notes = (f"'{path.name}': {TURNED}",) if turn else ()
    numbers = () if affine is None else tuple(round(float(x), 6) + 0.0 for x in affine[:3].ravel())
    layout = Layout("nifti", stored, float(slope), float(intercept), spacing, affine=numbers)
    if slices and pixels.ndim == 4:
        flat = replace(layout, spacing=spacing[1:])
        for i in range(pixels.shape[1]):
            if (pixels[:, i] != pixels[0, i, 0, 0]).any():
                own = {name: mask[i] if mask.ndim == 3 and i < len(mask) else mask for name, mask in masks.items()}
                yield Found(f"{path.name}, slice {i}", pixels[:, i], flat, tags=tags, notes=notes, masks=own)
                notes = ()
    else:
        yield Found(path.name, pixels, layout, tags=tags, notes=notes, masks=dict(masks))


def _affine(file: Any) -> np.ndarray | None:
    """(4, 4) from the places of an array to millimetres, None where the file does not say how it lies."""
    affine = np.asarray(file.affine, dtype=float)
    said = int(file.header["qform_code"]) > 0 or int(file.header["sform_code"]) > 0
    return affine if said and np.isfinite(affine).all() and affine[:3, :3].any(axis=0).all() else None


def _texts(header: Any) -> Iterator[str]:
    """What of a header may name a patient: the texts that are filled, and extensions. What says that an image is
    synthetic does not."""
    yield from (name for name in TEXTS if header[name].item().strip(b" \0") not in (b"", MARK))
    if header.extensions:
        yield "extensions"


def lies(path: Path) -> bool:
    """Whether a file says how it lies in the patient. Raises DataError where it is broken."""
    nibabel = _nibabel()
    with whole(path, "a NIfTI", nibabel.filebasedimages.ImageFileError, EOFError):
        return _affine(nibabel.load(path)) is not None


def write(numbers: np.ndarray, layout: Layout, path: Path) -> Path:
    """(channels, depth, height, width) numbers, or a plane, as a `.nii.gz` with the affine and scale of the input;
    without an affine, which way its axes run is unknown, and their millimetres are told."""
    nibabel, file = _nibabel(), path.with_name(f"{path.name}.nii.gz")
    turned = numbers[0].T if len(numbers) == 1 else numbers.T
    if numbers.ndim == 3 and len(numbers) > 1:  # channels of a plane are no depth
        turned = turned[:, :, None]
    affine = np.diag([*layout.spacing[::-1], *[1.0] * (4 - len(layout.spacing))])
    if layout.affine:
        affine[:3] = np.reshape(layout.affine, (3, 4))
    made = nibabel.Nifti1Image(np.ascontiguousarray(turned), affine, dtype=np.dtype(layout.stored))
    made.header.set_slope_inter(layout.slope, layout.intercept)
    if not layout.affine:
        made.header["sform_code"] = made.header["qform_code"] = 0
    made.header["descrip"] = MARK
    made.header.set_xyzt_units("mm")
    # The numbers are stored as they are: nibabel would divide them by the slope once more.
    raw = made.header.copy()
    raw.set_data_offset(352)
    file.write_bytes(gzip.compress(raw.binaryblock + bytes(4) + turned.astype(layout.stored).tobytes("F"), mtime=0))
    return file
