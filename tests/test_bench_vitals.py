"""The bench of vitals: a contender and real stays go their way through it, and the page tells what came out."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from bench import vitals
from bench.results import REAL
from semblance.modalities.vitals.write import write
from tests.modalities.vitals import simulated


@pytest.fixture
def board(tmp_path, monkeypatch) -> vitals.Board:
    """A simulated ward."""
    folder = tmp_path / "ward"
    write([simulated.stays(260, 3)], folder)
    made = vitals.Board("a ward", folder, ("stays.vitals.csv", "stays.csv"), "died", 1)
    monkeypatch.setitem(vitals.BOARDS, "ward", made)
    return made


@pytest.mark.slow
def test_rows_are_made_and_told(board, tmp_path, monkeypatch):
    train, holdout = board.parts()
    assert (len(train), len(holdout)) == (182, 78)
    assert not np.isin(train.subjects, holdout.subjects).any()
    page = tmp_path / "out" / "vitals.md"
    monkeypatch.setattr(sys, "argv", ["vitals", "--board", "ward", "--contenders", "real", "floor", "--out", str(page)])
    vitals.BENCH.main("")
    rows = json.loads(page.with_suffix(".json").read_text())["ward 1"]["rows"]
    assert set(rows) == {REAL, "floor"}
    told, real = (rows[name]["tries"][0]["values"] for name in ("floor", REAL))
    assert {key for key, _ in vitals.COLUMNS.values()} <= set(told)
    assert real["vitals_gap"] == 0 and real["trtr"] == real["vitals_tstr"]
    assert told["vitals_gap"] == pytest.approx(told["trtr"] - told["vitals_tstr"])
    assert told["vitals_order"] == 0
    assert "| floor |" in page.read_text() and "| real against real |" in page.read_text()


def test_words_stand_for_contenders():
    assert vitals.BENCH.contenders(["real", "floor"]) == [REAL, "floor"]
