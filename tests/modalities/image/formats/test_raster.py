from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats import raster

image = pytest.importorskip("PIL.Image")
tifffile = pytest.importorskip("tifffile")
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


@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_is_read_as_it_is_to_be_looked_at(channels, tmp_path):
    numbers = np.stack([RAMP] * 3, -1) // [1, 2, 3] if channels == 3 else RAMP
    told = image.Exif()
    told[274] = 6  # the camera was turned
    image.fromarray(numbers.astype(np.uint8)).save(tmp_path / "x.jpg", quality=100, subsampling=0, exif=told)
    found = raster.read(tmp_path / "x.jpg")
    turned = np.rot90(np.atleast_3d(numbers), -1)
    assert np.abs(found.pixels - np.moveaxis(turned, -1, 0)).max() < 4
    assert found.layout == Layout("png", "uint8") and found.notes == (f"'x.jpg': {raster.LOST}",)


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


SIGNED = {
    "int8": (-128, -70, 0, 77, 127),
    "int16": (-32768, -1584, 0, 1535, 32767),
    "int32": (-(2**24), -100_000, 0, 289_400, 2**24),
    "uint32": (0, 1, 70_000, 289_400, 2**24),
    "float32": (-1.5, 0.0, 1e-3, 7.25, 1e9),
}


def of(kind: str, *shape: int) -> np.ndarray:
    """Numbers of a type, its ends among them."""
    return np.resize(np.array(SIGNED[kind], dtype=kind), shape)


@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize("shape", [(1, 9, 10), (1, 4, 9, 10)])
def test_every_type_of_a_tiff_is_read_and_written_as_it_is(kind, shape, tmp_path):
    """Values below 0 once were written as 0, those above 65,535 as that."""
    numbers = of(kind, *shape)
    file = raster.write(numbers, Layout("tiff", kind), tmp_path / "1")
    found = raster.read(file)
    assert (found.pixels == numbers).all() and found.layout == Layout("tiff", kind) and found.notes == ()
    held = tifffile.imread(file)
    assert held.dtype == kind and (held == numbers[0]).all()


@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_others_is_read_by_its_tags(kind, order, tmp_path):
    """Numbers of 8 bit below 0 once were read as those above 127."""
    numbers = of(kind, 9, 10)
    tifffile.imwrite(tmp_path / "x.tif", numbers, byteorder=order)
    if (kind, order) == ("uint32", ">"):  # which Pillow does not know
        with pytest.raises(DataError, match=r"(?s)'x\.tif' is a TIFF of another kind: uint32.*little-endian"):
            raster.read(tmp_path / "x.tif")
        return
    found = raster.read(tmp_path / "x.tif")
    assert (found.pixels == numbers).all() and found.layout == Layout("tiff", kind)


@pytest.mark.parametrize("kind", ["float64", "float16", "int64", "uint64", "complex64"])
def test_types_that_no_image_holds_are_named(kind, tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.ones((9, 10), kind))
    with pytest.raises(DataError, match=rf"'x\.tif' has numbers of type {kind}") as caught:
        raster.read(tmp_path / "x.tif")
    assert "as float32" in str(caught.value) and "again" not in str(caught.value)


@pytest.mark.parametrize("big", [False, True])
def test_deep_colours_of_a_tiff_are_refused(big, tmp_path):
    """They once were cut to 8 bit without a word."""
    tifffile.imwrite(tmp_path / "x.tif", np.ones((9, 10, 3), np.uint16), photometric="rgb", bigtiff=big)
    with pytest.raises(DataError, match=r"'x\.tif' has colours of type uint16"):
        raster.read(tmp_path / "x.tif")


def test_white_may_be_zero(tmp_path):
    """Of 16 bit the black was read as white."""
    for kind, top in (("uint8", 255), ("uint16", 65535)):
        tifffile.imwrite(tmp_path / "x.tif", np.resize(np.array([0, 1, top], kind), (9, 9)), photometric="miniswhite")
        assert raster.read(tmp_path / "x.tif").pixels[0, 0, :3].tolist() == [top, top - 1, 0]


@pytest.mark.parametrize(
    ("second", "found"), [(np.ones((5, 5), np.uint8), "sizes"), (np.ones((9, 10), np.int16), "types")]
)
def test_pages_that_differ_are_refused(second, found, tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        file.write(RAMP)
        file.write(second)
    with pytest.raises(DataError, match=rf"'x\.tif' has pages of several {found}"):
        raster.read(tmp_path / "x.tif")


def test_numbers_that_are_rounded_are_told(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.full((9, 10), 2**24 + 1, np.int32))
    assert raster.read(tmp_path / "x.tif").notes == ("'x.tif': numbers beyond 16,777,216 are rounded to seven digits",)


def test_what_a_file_is_counts_not_its_name(tmp_path):
    tifffile.imwrite(tmp_path / "x.png", of("int16", 9, 10))
    assert raster.read(tmp_path / "x.png").layout == Layout("tiff", "int16")


@pytest.mark.parametrize("fmt", ["png", "tiff", "jpeg"])
@pytest.mark.parametrize("harm", ["cut", "empty", "other"])
def test_a_broken_file_is_named(harm, fmt, tmp_path):
    file = tmp_path / f"x.{fmt}"
    image.fromarray(np.tile(RAMP, (9, 9))).save(file)
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "other": b"GIF89a" + whole}[harm])
    with pytest.raises(DataError, match=r"'x\.\w+' (cannot be read as a (PNG|JPEG|TIFF)|is empty)"):
        raster.read(file)
