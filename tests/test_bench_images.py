"""The bench of images: a contender and real images go their way through it, and the page tells what came out."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from bench import images
from bench.results import REAL
from semblance.modalities.image.write import write
from tests.modalities.image import simulated


@pytest.fixture
def board(tmp_path, monkeypatch) -> images.Board:
    """Phantoms of which a third is held out."""
    archive = write([simulated.images(150, 3)], tmp_path / "phantoms.npz")
    held = dict(np.load(archive, allow_pickle=False))
    np.savez(archive, allow_pickle=False, **held, is_test=np.arange(150) % 3 == 0)
    made = images.Board("phantoms", archive, 1)
    monkeypatch.setitem(images.BOARDS, "phantoms", made)
    return made


def test_rows_are_made_and_told(board, tmp_path, monkeypatch):
    train, holdout = board.parts()
    assert (len(train), len(holdout)) == (100, 50)
    page = tmp_path / "out" / "images.md"
    monkeypatch.setattr(
        sys, "argv", ["images", "--board", "phantoms", "--contenders", "real", "floor", "--out", str(page)]
    )
    images.BENCH.main("")
    rows = json.loads(page.with_suffix(".json").read_text())["phantoms 1"]["rows"]
    assert set(rows) == {REAL, "floor"}
    told = rows["floor"]["tries"][0]["values"]
    assert {"fit", "pace", "image_fid_domain", "tstr", "trtr", "coverage", "copies"} <= set(told)
    assert 0.3 < rows[REAL]["tries"][0]["values"]["image_fid_domain"] < 3
    assert "| floor |" in page.read_text() and "| real against real |" in page.read_text()


def test_words_stand_for_contenders():
    assert images.BENCH.contenders(["real", "ours"]) == [REAL, "diffusion", "floor"]
