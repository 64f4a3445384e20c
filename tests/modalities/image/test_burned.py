from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.image import burned
from semblance.modalities.image.burned import looked_at, written
from semblance.modalities.image.read import read
from tests.modalities.image.inscribed import TEXTS, inscribed, phantom

pytest.importorskip("PIL")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    ("size", "fill", "at"), [(12, 255, (3, 2)), (14, 255, (10, 60)), (14, 0, (15, 60)), (15, 235, (3, 110))]
)
def test_names_and_dates_over_phantoms_are_found(text, size, fill, at):
    assert written(inscribed(phantom(0), text, size=size, fill=fill, at=at))


def test_phantoms_noise_blobs_and_rulers_are_no_text():
    rng, grid = stream(0, "noise"), np.mgrid[0:128, 0:128]
    blobs = sum(255.0 * ((grid[0] - 60) ** 2 + (grid[1] - x) ** 2 < 16) for x in range(10, 120, 12))
    stripes = 255.0 * (grid[1] % 6 < 2)
    ruler = 255.0 * ((grid[1] % 10 == 0) & (grid[0] < 4))
    for image in (rng.normal(size=(128, 128)), blobs, stripes, ruler, np.zeros((128, 128))):
        assert not written(np.float32(image)[None])
    assert not any(written(phantom(i)) for i in range(30))


def test_a_side_marker_is_no_name():
    assert not any(written(inscribed(phantom(i), text, size=15)) for i in range(10) for text in ("L", "R", "AP"))


def test_of_colours_and_volumes_some_plane_is_enough():
    text = inscribed(phantom(0), TEXTS[0])
    blank = np.repeat(phantom(0)[:, None], 9, 1)
    assert not written(blank)
    for i in (0, 4, 8):
        volume = blank.copy()
        volume[:, i] = text
        assert written(volume)
    assert written(np.concatenate([phantom(0), text, phantom(0)]))


def test_the_run_stops_until_somebody_has_looked(tmp_path):
    def saved(name: str, count: int) -> Path:
        images = [inscribed(phantom(i), TEXTS[i % 4]) if i < count else phantom(i) for i in range(12)]
        np.savez(tmp_path / name, images=np.concatenate(images).astype(np.uint8))
        return tmp_path / name

    for declared, unclear in (({}, True), ({"image": {"burned_in": "accepted"}}, False)):
        (found,) = [f for f in read([saved("a.npz", 3)], ReadOptions(declared=declared))[1].fields if "text" in f.name]
        assert found.unclear is unclear and found.suspicion.startswith("3 of 12 images")
        assert "DOE" not in str(found)
    assert not [f for f in read([saved("b.npz", 0)], ReadOptions())[1].fields if "text" in f.name]


def test_of_many_images_some_are_looked_at_evenly(monkeypatch):
    monkeypatch.setattr(burned, "LOOKED", 10)
    assert looked_at([(1, 64, 64)] * 10) == list(range(10))
    assert looked_at([(1, 64, 64)] * 35) == list(range(0, 35, 4))
    assert looked_at([(1, 30, 64)] * 3) == []


def test_of_large_images_fewer_are_looked_at():
    assert looked_at([(1, 512, 512)] * 300) == looked_at([(1, 400, 512, 512)] * 300) == list(range(300))
    some = looked_at([(1, 4000, 3000)] * 300)
    assert 1 < len(some) <= burned.PIXELS / (4000 * 3000) and some[-1] > 250  # evenly
    assert looked_at([(3, 40_000, 40_000)]) == [0] and looked_at([]) == []


@pytest.mark.filterwarnings("error")
def test_pixels_that_nobody_knows_are_background():
    for unknown in (np.nan, np.inf, -np.inf):
        assert not written(np.full((1, 64, 64), unknown, np.float32))
    text = inscribed(phantom(0), TEXTS[0])
    text[:, 40:] = np.nan
    assert written(text) and written(np.where(text > 250, text, np.nan).astype(np.float32))
    assert written(np.concatenate([np.full_like(text, np.nan), text]))
