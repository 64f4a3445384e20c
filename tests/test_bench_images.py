"""The bench of images: a contender and real images go their way through it, and the page tells what came out."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from bench import images, translations
from bench.contenders import Peer
from bench.results import REAL
from semblance import catalog
from semblance.core.rng import stream
from semblance.modalities.image.halves import unpaired
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


@pytest.mark.slow
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


def test_a_board_of_gpus_is_refused_without_one_and_writes_no_row(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    page = tmp_path / "images.md"
    monkeypatch.setattr(sys, "argv", ["images", "--board", "gpu", "--contenders", "diffusion", "--out", str(page)])
    with pytest.raises(SystemExit) as ended:
        images.BENCH.main("")
    said = capsys.readouterr()
    assert ended.value.code == 2 and said.err.count("\n") == 1 and "needs CUDA" in said.err and not said.out
    assert not page.exists() and not page.with_suffix(".json").exists()


def test_words_stand_for_contenders():
    ours = list(catalog.modality("image").generators)
    assert images.BENCH.contenders(["real", "ours", "peers"]) == [REAL, *ours, *images.PEERS]
    assert not set(ours) & set(images.PEERS)


def test_what_peers_are_given_and_give_back_is_the_same(board, tmp_path):
    train, _ = board.parts()
    images.give(train, tmp_path / "train.npz", 40, stream(0, "wanted"))
    with np.load(tmp_path / "train.npz", allow_pickle=False) as held:
        given = dict(held)
    assert given["images"].min() == 0 and given["images"].max() == 1 and len(given["wanted"]) == 40
    np.savez(tmp_path / "out.npz", images=given["images"], labels=given["labels"])
    made = images.take(tmp_path / "out.npz", train)
    assert (made.pixels == train.pixels).all() and (made.labels == train.labels).all()
    assert made.frame.dtypes.equals(train.frame.dtypes)


def test_a_peer_that_is_not_there_is_told(board, monkeypatch):
    nobody = Peer("nobody", "nowhere", "image_networks.py", "dcgan", "torch")
    monkeypatch.setitem(images.GUESTS.peers, "nobody", nobody)
    told = images.BENCH.attempt("nobody", board, 1, seed=0)
    assert told.outcome == "failed" and "make peers" in told.said


def test_phantoms_are_learned_without_pairs_and_judged_with_them():
    train, held = replace(translations.BOARDS["phantoms"], learned=40, held=20).parts()
    seen = np.isfinite(train.pixels).all((2, 3))
    assert (seen[:, :2].sum(1) == 1).all() and seen[:, :2].sum(0).tolist() == [20, 20] and seen[:, 2].all()
    assert np.isfinite(held.pixels).all() and unpaired(train, rare=5)
    inside = held.pixels[:, 2] > 0
    mr, ct = (held.pixels[:, i] for i in (0, 1))
    assert np.corrcoef(mr[~inside], ct[~inside])[0, 1] > 0.9 and mr[inside].mean() > mr[ct > -100].mean() + 100
