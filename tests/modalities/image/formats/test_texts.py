from __future__ import annotations

import numpy as np
import pytest

from semblance.core.modality import ReadOptions
from semblance.modalities.image.data import Layout
from semblance.modalities.image.formats import raster, texts
from semblance.modalities.image.read import read
from semblance.modalities.image.write import write
from tests.modalities.image.made import folder

image = pytest.importorskip("PIL.Image")
plugin = pytest.importorskip("PIL.PngImagePlugin")
tifffile = pytest.importorskip("tifffile")
NAME = "Quetzal Miller"
GREY = np.arange(90, dtype=np.uint8).reshape(9, 10)


def exif():
    made = image.Exif()
    made[315] = NAME
    return made


def png(path):
    """A PNG with a text in every kind of chunk."""
    told = plugin.PngInfo()
    told.add_text("Author", NAME)
    told.add_text("Comment", NAME, zip=True)
    told.add_text("Software", "a viewer")
    told.add_text("Description", "  ")
    told.add_text("Patient ID", NAME)
    told.add_text(NAME, "a name that is one of a person")
    told.add_itxt("XML:com.adobe.xmp", f"<x>{NAME}</x>")
    told.add(b"teSt", NAME.encode(), after_idat=True)
    image.fromarray(GREY).save(path, pnginfo=told, exif=exif())


def tiff(path):
    """A TIFF with a text in many a tag, also of its second page."""
    first = {269: NAME, 270: NAME, 305: "a program", 315: NAME, 316: " ", 306: "2020:01:02 03:04:05"}
    more = {700: NAME.encode(), 40093: NAME.encode("utf-16-le"), 65000: NAME}
    pages = [image.fromarray(GREY), image.fromarray(GREY)]
    pages[1].encoderinfo = {"tiffinfo": {285: NAME}}
    inner = {34665: {37510: NAME.encode()}}
    pages[0].save(path, save_all=True, append_images=pages[1:], tiffinfo={**first, **more, **inner})


def jpg(path):
    """A JPEG with a comment, EXIF, XMP and what no standard names."""
    image.fromarray(GREY).save(path, comment=NAME, exif=exif(), xmp=NAME.encode(), icc_profile=b"colours")
    whole = path.read_bytes()
    path.write_bytes(whole[:2] + b"\xff\xed\x00\x07" + NAME.encode()[:5] + whole[2:])


@pytest.mark.parametrize(
    ("made", "fields"),
    [
        (png, {"Author", "Comment", "Patient ID", "XMP", "EXIF", texts.OTHERS, texts.PRIVATE}),
        (jpg, {"Comment", "EXIF", "XMP", texts.PRIVATE}),
        (
            tiff,
            {"DocumentName", "ImageDescription", "Artist", "DateTime", "PageName", "XMP", "EXIF"}
            | {"XPAuthor", texts.PRIVATE},
        ),
    ],
)
def test_what_is_filled_is_told_by_its_name_and_not_by_its_value(made, fields, tmp_path):
    path = tmp_path / f"x.{made.__name__}"
    made(path)
    assert {*raster.read(path).tags} == fields and NAME not in str(raster.read(path).tags)


@pytest.mark.parametrize("fmt", ["png", "tiff"])
def test_what_says_that_an_image_is_synthetic_names_nobody(fmt, tmp_path):
    assert raster.read(raster.write(GREY[None], Layout(fmt), tmp_path / "x")).tags == ()


@pytest.mark.parametrize(("fmt", "made"), [("png", png), ("tiff", tiff)])
def test_texts_are_told_before_anything_is_learned_and_written_nowhere(fmt, made, tmp_path):
    files = sorted(folder(fmt, tmp_path, 12).glob("*.*"))
    for path in [file for file in files if file.name != "manifest.csv"][:3]:
        with image.open(path) as held:
            plain = held.copy()
        if fmt == "png":
            told = plugin.PngInfo()
            told.add_text("Author", NAME)
            plain.save(path, pnginfo=told)
        else:
            plain.save(path, tiffinfo={315: NAME})
    data, shown = read([tmp_path / "x"], ReadOptions())
    (told,) = [one for one in shown.fields if one.name in ("Author", "Artist")]
    kind = {"png": "PNG or JPEG text", "tiff": "TIFF tag"}[fmt]
    assert (told.kind, told.role, told.action, told.unclear) == (kind, "drop", "drop", False)
    assert told.suspicion.startswith("3 of 12 images fill this tag: '000001.") and told.suspicion.endswith("1 more")
    assert NAME not in str(shown)
    written = [file for file in write([data], tmp_path / "again").rglob("*") if file.is_file()]
    assert len(written) > 12 and not any(b"Quetzal" in file.read_bytes() for file in written)
    for file in written:
        if file.suffix in (".png", ".tif"):
            assert raster.read(file).tags == ()
