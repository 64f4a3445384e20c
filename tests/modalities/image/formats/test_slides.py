from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.image.declare import Tile
from semblance.modalities.image.formats import slides
from semblance.modalities.image.formats.slides import averaged
from semblance.modalities.image.read import read as read_all
from semblance.modalities.image.write import write

tifffile = pytest.importorskip("tifffile")
MICRONS = 0.5


def slide(path: Path, seed: int = 0, *, microns: float | None = MICRONS, **options) -> np.ndarray:
    """A pyramid of three levels (128, 64 and 32 pixels) of a disc of pink tissue on white glass, in tiles of 16."""
    grid = np.linspace(-1, 1, 128)
    inside = grid[:, None] ** 2 + grid**2 < 0.6
    pixels = np.full((128, 128, 3), 245, np.uint8)
    pink = np.array([200, 100, 150])
    pixels[inside] = pink + stream(seed, "slide").integers(0, 40, (int(inside.sum()), 3))
    told = {} if microns is None else {"resolution": (10_000 / microns,) * 2, "resolutionunit": "CENTIMETER"}
    with tifffile.TiffWriter(path) as file:
        for level in range(3):
            some = pixels.reshape(128 >> level, 1 << level, 128 >> level, 1 << level, 3).mean((1, 3)).astype(np.uint8)
            how = {"tile": (16, 16), "photometric": "rgb", "compression": "zlib", "metadata": None, **options}
            file.write(
                some, **how, **(told if not level else {}), **({"subifds": 2} if not level else {"subfiletype": 1})
            )
    return pixels


def test_tiles_are_of_tissue_alone_and_where_they_are_said_to_be(tmp_path):
    pixels = slide(tmp_path / "a.tif")
    found = list(slides.read(tmp_path / "a.tif", Tile(24, level=0)))
    assert 4 < len(found) < 25
    for one in found:
        x, y = map(int, one.name.rpartition(" at ")[2].split(", "))
        real = np.moveaxis(pixels[y : y + 24, x : x + 24], -1, 0)
        assert np.array_equal(one.pixels, real) and one.facts == {"subject": "a"}
        assert (np.ptp(real, axis=0) > 15).mean() >= 0.5


def test_texts_of_all_pages_are_told_by_their_fields_and_written_nowhere(tmp_path):
    slide(tmp_path / "a.tif", description="Quetzal")
    with tifffile.TiffWriter(tmp_path / "a.tif", append=True) as file:
        told = [("Artist", 2, 0, "Quetzal", True)]
        file.write(np.zeros((16, 16, 3), np.uint8), photometric="rgb", metadata=None, extratags=told)
    slide(tmp_path / "b.tif", 1)
    options = ReadOptions(declared={"image": {"tile": {"size": 32, "level": 0, "most": 3}}})
    data, shown = read_all([str(tmp_path / name) for name in ("a.tif", "b.tif")], options)
    told = {one.name: one.suspicion for one in shown.fields if one.kind == "TIFF tag"}
    assert [*told] == ["ImageDescription", "Artist"] and "3 of 6 images fill this tag: 'a.tif, tile" in told["Artist"]
    written = [file for file in write([data], tmp_path / "again").rglob("*") if file.is_file()]
    assert "Quetzal" not in str(shown) and not any(b"Quetzal" in file.read_bytes() for file in written)


def test_micrometres_choose_the_level_and_what_is_between_levels_is_averaged(tmp_path):
    pixels = slide(tmp_path / "a.tif").astype(np.float64)
    (one, *_) = slides.read(tmp_path / "a.tif", Tile(8, microns=1.0))
    assert one.layout.spacing == (0.001, 0.001)
    x, y = map(int, one.name.rpartition(" at ")[2].split(", "))
    half = pixels.reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.abs(one.pixels - np.moveaxis(half[y : y + 8, x : x + 8], -1, 0)).max() <= 1
    (one, *_) = slides.read(tmp_path / "a.tif", Tile(8, microns=1.5))
    x, y = map(int, one.name.rpartition(" at ")[2].split(", "))
    real = np.moveaxis(half[y : y + 12, x : x + 12], -1, 0)
    assert abs(one.pixels.mean() - real.mean()) < 1


def test_areas_are_averaged_as_they_cover_pixels():
    assert np.allclose(averaged(np.array([[[0.0, 90, 0], [90, 0, 90], [0, 90, 0]]]), 1), 40)
    ramp = np.tile(np.arange(6.0) * 10, (6, 1))[None]
    assert np.array_equal(averaged(ramp, 4)[0, 0], np.round([10 / 3, 50 / 3, 100 / 3, 140 / 3]))


def test_a_few_tiles_of_each_slide_are_always_the_same_ones_and_slides_are_patients(tmp_path):
    for i in range(3):
        slide(tmp_path / f"{'abc'[i]}.svs", i, description=f"Aperio|MPP = {MICRONS}", microns=None)
    options = ReadOptions(declared={"image": {"tile": {"size": 8, "microns": 1.0, "most": 5}, "folders": "none"}})
    data, profile = read_all([tmp_path], options)
    again, _ = read_all([tmp_path], options)
    assert np.array_equal(data.pixels, again.pixels)
    assert (len(data), profile.patients, data.pixels.shape[1:]) == (15, 3, (3, 8, 8))
    made = write([data], tmp_path / "made")
    back, _ = read_all([made], ReadOptions())
    assert np.array_equal(back.pixels, data.pixels) and len(list(made.glob("*.tif"))) == 15


def test_strips_are_read_as_tiles_are(tmp_path):
    pixels = slide(tmp_path / "a.tif", tile=None, rowsperstrip=10)
    (one, *_) = slides.read(tmp_path / "a.tif", Tile(16, level=1))
    x, y = map(int, one.name.rpartition(" at ")[2].split(", "))
    half = pixels.reshape(64, 2, 64, 2, 3).mean((1, 3)).astype(np.uint8)
    assert np.array_equal(one.pixels, np.moveaxis(half[y : y + 16, x : x + 16], -1, 0))


@pytest.mark.parametrize(
    ("tile", "options", "told"),
    [
        (Tile(8, level=3), {}, "3 levels"),
        (Tile(8, microns=0.1), {}, "0.5 micrometres"),
        (Tile(8, microns=1.0), {"microns": None}, "how fine it is"),
        (Tile(8, microns=1.0), {"microns": None, "description": "Aperio|MPP = 0.0"}, "how fine it is"),
    ],
)
def test_what_cannot_be_tiled_is_told(tmp_path, tile, options, told):
    slide(tmp_path / "a.tif", **options)
    with pytest.raises(DataError, match=told):
        list(slides.read(tmp_path / "a.tif", tile))


def test_broken_and_grey_files_and_slides_without_a_declaration_are_told_together(tmp_path):
    slide(tmp_path / "a.svs")
    (tmp_path / "b.svs").write_bytes((tmp_path / "a.svs").read_bytes()[:2000])
    (tmp_path / "c.svs").write_bytes(b"")
    tifffile.imwrite(tmp_path / "d.svs", np.zeros((64, 64), np.uint8))
    with pytest.raises(DataError) as error:
        read_all([tmp_path], ReadOptions(declared={"image": {"tile": {"size": 8, "level": 0}}}))
    assert [problem.found.split("'")[1] for problem in error.value.problems] == ["b.svs", "c.svs", "d.svs"]
    with pytest.raises(DataError, match="is a whole slide"):
        read_all([tmp_path / "a.svs"], ReadOptions())


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_what_a_slide_leaves_out_is_black(compression, tmp_path):
    pink = np.array([200, 100, 150], np.uint8) + stream(0, "slide").integers(0, 40, (3, 32, 32, 3)).astype(np.uint8)
    every = (pink[0], None, *pink[1:])
    how = {"tile": (32, 32), "photometric": "rgb", "compression": compression}
    tifffile.imwrite(tmp_path / "a.svs", iter(every), shape=(64, 64, 3), dtype=np.uint8, **how)
    found = list(slides.read(tmp_path / "a.svs", Tile(32, level=0)))
    assert all(np.array_equal(one.pixels, np.moveaxis(real, -1, 0)) for one, real in zip(found, pink, strict=True))


def strips(path: Path, pixels: np.ndarray, **options) -> Path:
    with tifffile.TiffWriter(path) as file:
        file.write(pixels, photometric="rgb", metadata=None, **options)
    return path


@pytest.mark.parametrize("rows", [128, 48, 7])
def test_of_strips_that_are_not_compressed_only_some_rows_are_read(tmp_path, rows, monkeypatch):
    pixels = slide(tmp_path / "a.tif")
    path = strips(tmp_path / "b.tif", pixels, rowsperstrip=rows)
    monkeypatch.setattr(slides, "TOGETHER", 10 * 3 * 128)  # ten rows at a time
    with slides._opened(path) as levels:
        monkeypatch.setattr(levels[0].page, "decode", None)
        found = slides._Pieces(path, levels[0].page)
        assert found.high == min(rows, 10)
        for top, left in ((0, 0), (37, 60), (104, 104)):
            assert np.array_equal(
                found.region(top, left, 24), np.moveaxis(pixels[top : top + 24, left : left + 24], -1, 0)
            )


def test_a_strip_that_a_slide_leaves_out_is_black(tmp_path):
    pixels = slide(tmp_path / "a.tif")
    path = strips(tmp_path / "b.tif", pixels, rowsperstrip=32)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for tag in ("StripOffsets", "StripByteCounts"):
            told = file.pages[0].tags[tag]
            told.overwrite((told.value[0], 0, *told.value[2:]))
    with slides._opened(path) as levels:
        found = slides._Pieces(path, levels[0].page).region(0, 0, 128)
    pixels[32:64] = 0
    assert np.array_equal(found, np.moveaxis(pixels, -1, 0))


def test_a_piece_that_no_machine_should_decode_whole_is_refused(tmp_path, monkeypatch):
    path = strips(tmp_path / "c.tif", slide(tmp_path / "a.tif"), rowsperstrip=128, compression="zlib")
    assert list(slides.read(path, Tile(24, level=0)))
    monkeypatch.setattr(slides, "LARGE", 20_000)
    with pytest.raises(DataError, match="tiled pyramid"):
        list(slides.read(path, Tile(24, level=0)))


def test_tiles_of_what_is_no_slide_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", images=np.zeros((30, 8, 8), np.uint8))
    with pytest.raises(DataError, match="tiles are cut of whole slides"):
        read_all([str(tmp_path / "x.npz")], ReadOptions(declared={"image": {"tile": {"size": 16, "level": 0}}}))
