from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats import raster

image = pytest.importorskip("PIL.Image")
RAMP = (np.arange(90).reshape(9, 10) * 2).astype(np.uint8)


@pytest.mark.parametrize(("fmt", "kind"), [("png", "uint8"), ("png", "uint16"), ("tiff", "uint8"), ("tiff", "uint16")])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_written_is_read_again(fmt, kind, channels, tmp_path):
    if channels == 3 and kind == "uint16":
        return
    numbers = np.stack([RAMP.astype(kind) * (i + 1) for i in range(channels)])
    numbers = numbers * 100 if kind == "uint16" else numbers
    found = raster.read(raster.write(numbers, Layout(fmt, kind), tmp_path / "1"))
    assert (found.pixels == numbers).all()
    assert (found.layout.fmt, found.layout.stored) == (fmt, kind)


def test_a_png_says_that_it_is_synthetic(tmp_path):
    file = raster.write(RAMP[None], Layout("png"), tmp_path / "1")
    with image.open(file) as held:
        assert held.text["Source"].startswith("synthetic")


def test_pages_are_a_volume(tmp_path):
    volume = np.stack([RAMP, RAMP + 1, RAMP + 2])[None]
    assert (raster.read(raster.write(volume, Layout("tiff"), tmp_path / "1")).pixels == volume).all()


def test_colour_that_is_grey_is_grey_and_says_so(tmp_path):
    image.fromarray(np.stack([RAMP] * 3, -1)).save(tmp_path / "grey.png")
    found = raster.read(tmp_path / "grey.png")
    assert found.pixels.shape == (1, 9, 10) and "grey" in found.notes[0]


@pytest.mark.parametrize("mode", ["P", "RGBA", "CMYK"])
def test_palettes_and_transparency_are_refused(mode, tmp_path):
    name = "x.tif" if mode == "CMYK" else "x.png"
    image.fromarray(np.stack([RAMP, RAMP + 1, RAMP + 3], -1)).convert(mode).save(tmp_path / name)
    with pytest.raises(DataError, match=f"mode {mode}"):
        raster.read(tmp_path / name)


def test_deep_colours_that_would_be_cut_are_refused(tmp_path):
    file = raster.write(RAMP[None], Layout("png"), tmp_path / "deep")
    raw = bytearray(file.read_bytes())
    raw[24:26] = b"\x10\x02"
    file.write_bytes(bytes(raw))
    with pytest.raises(DataError, match="16 bit"):
        raster.read(file)


@pytest.mark.parametrize("harm", ["cut", "empty", "other"])
def test_a_broken_file_is_named(harm, tmp_path):
    file = raster.write(np.tile(RAMP, (9, 9))[None], Layout("png"), tmp_path / "x")
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "other": b"GIF89a" + whole}[harm])
    with pytest.raises(DataError, match=r"'x.png' (cannot be read as a PNG|is empty)"):
        raster.read(file)
