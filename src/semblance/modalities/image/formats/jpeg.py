"""JPEG of 12 bit in DICOM (Extended, Process 4), by GDCM, which reads it although `pydicom` does not ask it to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from semblance.core.need import need

EXTENDED = "1.2.840.10008.1.2.4.51"
"""The transfer syntax of Process 2 (8 bit) and 4 (12 bit)."""


def is_deep(held: Any) -> bool:
    """Whether the pixels of a data set are JPEG of 12 bit."""
    return held.file_meta.TransferSyntaxUID == EXTENDED and int(held.get("BitsStored", 8)) > 8


def decoded(path: Path, held: Any) -> np.ndarray:
    """([frames,] height, width) numbers of the file of a data set. Raises RuntimeError where it is broken."""
    reader = need("gdcm", extra="images", why="JPEG of 12 bit").ImageReader()
    reader.SetFileName(str(path))
    with _quiet():
        raw = reader.GetImage().GetBuffer() if reader.Read() else None
    several = int(held.get("NumberOfFrames") or 1)
    shape = (*((several,) if several > 1 else ()), int(held.Rows), int(held.Columns))
    bytes_of = b"" if raw is None else raw.encode("utf-8", "surrogateescape")  # GDCM gives bytes as a text
    if len(bytes_of) != 2 * np.prod(shape):
        raise RuntimeError
    return np.frombuffer(bytes_of, "<i2" if int(held.get("PixelRepresentation", 0)) else "<u2").reshape(shape)


@contextmanager
def _quiet() -> Iterator[None]:
    """GDCM tries other decoders first, each of which complains to stderr, past Python."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
