"""The bench of signals: what it says of beats whose worth is known, and that contenders go their way through it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench import beats, eeg, recorded, signals
from bench.contenders import Attempt
from bench.results import REAL, Row, Section, Try, told
from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.signal.data import Pieces
from semblance.modalities.signal.write import write
from tests.conftest import ROOT
from tests.modalities.signal import simulated

PEERS_FOLDER = ROOT / "bench" / "peers"
COPYCAT = """
import json, sys
from pathlib import Path
import numpy as np
job = json.loads(Path(sys.argv[1]).read_text())
held = {key: value for key, value in np.load(job["train"]).items() if key != "source"}
np.savez(Path(job["out"]).parent / "new.npz", **held)
answer = dict(fit=1.0, cpu=0.5, sample=0.1, sample_cpu=0.1, peak=0.1, beats=len(held["label"]))
Path(job["out"]).with_suffix(".json").write_text(json.dumps(answer))
"""


MADE = {"command": "", **dict.fromkeys(("commit", "versions", "machine"), "x")}


@pytest.fixture(autouse=True)
def _a_quick_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "NETWORK", replace(beats.NETWORK, steps=25))
    monkeypatch.setattr(beats, "DRAWS", 400)


def cohort(seed: int, n: int = 12) -> Pieces:
    """Beats of patients of their own, as contenders get them."""
    held = simulated.pieces(n, seed)
    return beats.plain(replace(held, frame=held.frame.rename(columns={"label": beats.BEAT}), schema=beats.SCHEMA))


@pytest.fixture(scope="module")
def parts() -> tuple[Pieces, Pieces, Pieces]:
    return cohort(1, 40), cohort(2, 20), cohort(3, 40)


@pytest.fixture(scope="module")
def board(tmp_path_factory) -> signals.Board:
    """Simulated recordings in a folder, in two folds."""
    folder = tmp_path_factory.mktemp("board")
    found = simulated.recordings(16, seed=4)
    write([found], folder / "held")
    names = sorted(path.stem for path in (folder / "held").glob("*.hea"))
    return signals.Board("simulated", folder / "held", (tuple(names[:8]), tuple(names[8:])), 2)


@pytest.mark.slow
def test_copies_are_told_by_nobody_and_noise_is(parts):
    train, *_ = parts
    real = beats.discriminative(train, None, seed=0)
    noisy = beats.discriminative(train, simulated.noisy(train, stream(0, "spoil")), seed=0)
    assert real["told_N"] < 0.15 and noisy["told_N"] > 0.4


@pytest.mark.slow
def test_classifiers_taught_by_real_beats_do_as_well_and_by_wrong_labels_do_not(parts):
    train, holdout, fresh = parts
    rng = stream(0, "labels")
    wrong = replace(fresh, frame=fresh.frame.assign(beat=fresh.frame["beat"].array[rng.permutation(len(fresh))]))
    seen = beats.evidence(train, holdout, fresh, seed=0)
    found = beats.summed(beats.taught(seen, beats.Made(fresh, wrong, wrong)))
    assert found["tstr_new"] > found["trtr"] - 0.15 and found["tstr_again"] < found["trtr"] - 0.2
    assert {"gain_with_new", "gain_with_again", "gain_with_even", "gain_repeated", "gain_jittered"} <= set(found)
    assert found["trts"] > found["trtr"] - 0.15
    assert found["tstr_again_high"] < found["tstr_new_low"] <= found["tstr_new"] <= found["tstr_new_high"]
    both = beats.taught(seen, beats.Made(fresh, fresh, fresh, more=(wrong,)))["new"]
    apart = [beats.taught(seen, beats.Made(one, one, one))["new"] for one in (fresh, wrong)]
    assert np.allclose(both, sum(apart) / 2)  # a second draw counts as much as the first


def test_the_numbers_of_a_table_are_those_by_hand():
    table = np.array([[8.0, 2, 0, 0], [1, 3, 0, 0], [0, 0, 5, 0], [0, 0, 0, 0]])
    assert beats.recall(table, "S") == 0.75 and beats.recall(table, "F") == 0
    assert beats.macro(table) == pytest.approx(np.mean([16 / 19, 6 / 9, 1.0]))


def test_an_interval_is_as_wide_as_recordings_differ():
    one = np.array([[8.0, 2, 0, 0], [1, 3, 0, 0], [0, 0, 5, 0], [0, 0, 0, 0]])
    alike = beats.summed({"real": np.stack([one] * 9), "with new": np.stack([one] * 9), "new": np.stack([one] * 9)})
    assert alike["tstr_new_low"] == alike["tstr_new"] == alike["tstr_new_high"] == pytest.approx(beats.macro(one))
    assert (alike["gain_with_new"], alike["gain_with_new_low"], alike["gain_with_new_high"]) == (0, 0, 0)
    half = np.stack([one, one - [[0] * 4, [-3, 3, 0, 0], [0] * 4, [0] * 4]] * 8)
    apart = beats.summed({"real": half, "new": half, "with new": np.stack([one] * 16)})
    assert apart["trtr_s"] == 0.375 and apart["gain_with_new"] == pytest.approx(37.5)
    # of 16 recordings, half of which find three of four: a standard error of .375 / 4
    for name, error in (("tstr_new_s", 0.375 / 4), ("gain_with_new", 37.5 / 4)):
        width = apart[f"{name}_high"] - apart[f"{name}_low"]
        assert width == pytest.approx(2 * 1.96 * error, rel=0.1) and apart[f"{name}_low"] < apart[name]


def test_a_row_of_an_older_bench_lacks_cells_and_nothing_else():
    old = Row("floor", (Try("finished", values={"folds": 4, "tstr_new": 0.461}),), MADE)
    new = Row(
        "diffusion", (Try("finished", values={"tstr_new": 0.473, "tstr_new_low": 0.4, "tstr_new_high": 0.55}),), MADE
    )
    page = told({"b": Section("Board", "", {"floor": old, "diffusion": new})}, "", signals.COLUMNS, by="told_N")
    heads, _, *lines = [line.split(" | ") for line in page.splitlines() if line.startswith("|")]
    at = heads.index("TSTR 95 %")
    assert {line[0]: line[at] for line in lines} == {"| floor": "", "| diffusion": "0.40 to 0.55"}


def test_beats_with_a_missing_lead_are_left_out():
    held = cohort(1)
    waves = held.waves.copy()
    waves[:3, 1] = np.nan
    assert len(beats.plain(replace(held, waves=waves))) == len(held) - 3


def test_beats_go_from_process_to_process_as_they_are(tmp_path):
    held = cohort(1)
    recorded.save(held, tmp_path / "new.npz")
    back = recorded.made(tmp_path, held)
    assert back.again is back.new and back.even is back.new and list(back.sets) == ["new"]
    np.testing.assert_array_equal(back.new.waves, held.waves)
    assert (back.new.labels == held.labels).all() and back.new.frame.equals(held.frame)
    with pytest.raises(ValueError, match="like"):
        recorded.opened(tmp_path / "new.npz", replace(held, waves=held.waves[:, :, :-1]))


@pytest.mark.slow
def test_ours_learns_alone_and_draws_all_sets(board, tmp_path):
    outside, _ = board.parts(0)
    job = {"name": "floor", "out": str(tmp_path / "out.npz"), "recordings": outside, "seed": 0, "time_budget": 1}
    (tmp_path / "job.json").write_text(json.dumps(job))
    subprocess.run([sys.executable, "-m", "bench.recorded", tmp_path / "job.json"], cwd=ROOT, check=True)
    train, _ = signals.sides(board, 0)
    drawn, answer = recorded.made(tmp_path, train), json.loads((tmp_path / "out.json").read_text())
    assert list(drawn.sets) == ["new", "again", "even"]
    share = np.unique(drawn.even.labels, return_counts=True)[1] / len(drawn.even)
    assert share == pytest.approx(1 / len(share), abs=0.05)
    assert answer["beats"] >= len(drawn.new) > 0 and answer["cpu"] > 0
    assert abs(drawn.again.waves.std() / train.waves.std() - 1) < 0.2


@pytest.mark.slow
def test_a_peer_gets_arrays_of_beats_and_its_row_stands_beside_real_against_real(board, tmp_path, monkeypatch):
    python = tmp_path / "environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "copycat.py").write_text(COPYCAT)
    peer = signals.Peer("copycat", "copycat", str(tmp_path / "copycat.py"), "", "none")
    monkeypatch.setitem(signals.PEERS, "copycat", peer)
    monkeypatch.setattr(signals, "environment", lambda peer: tmp_path / "environment")
    terms = signals.Terms(2, 2.5, 8)
    *_, (real,) = signals.tries(REAL, board, range(2), terms, seeds=1)
    *_, (copied,) = signals.tries("copycat", board, range(2), terms, seeds=1)
    assert copied.outcome == real.outcome == "finished" and copied.values["folds"] == 2
    assert copied.values["tstr_new"] == pytest.approx(copied.values["trtr"], abs=0.1)
    rows = {one: Row(one, (each,), MADE) for one, each in ((REAL, real), ("copycat", copied))}
    page = told({"b": Section("Board", "", rows)}, signals.NOTES, signals.COLUMNS, by="told_N")
    assert page.index(f"| {REAL} |") < page.index("| copycat |")


def test_a_fold_that_did_not_finish_ends_the_row():
    late = signals.Fold(Attempt("not finished", 700.0, 0.0, 0.0), {}, {})
    assert signals.together([late]).outcome == "not finished"


def test_a_peer_without_its_environment_is_told(board, tmp_path, monkeypatch):
    monkeypatch.setattr(signals, "environment", lambda peer: tmp_path / "none")
    (done,) = next(signals.tries("synthcity_timevae", board, [0], signals.Terms(1, 2.5, 8), seeds=1))
    assert done.outcome == "failed" and "signal-peers" in done.said


def test_every_recording_of_a_board_is_in_one_fold(shared_data):
    board = signals.BOARDS["mitbih"]
    names = [name for fold in board.folds for name in fold]
    assert sorted(names) == sorted(path.stem for path in board.folder.glob("*.hea")) and len(set(names)) == 22


def test_every_peer_has_its_script_and_its_packages():
    for peer in signals.PEERS.values():
        assert (PEERS_FOLDER / peer.script).is_file() and (PEERS_FOLDER / f"{peer.environment}.txt").is_file()


def test_contenders_are_named_one_by_one_or_by_side():
    assert signals.contenders(["real", "floor"]) == [REAL, "floor"]
    assert signals.contenders(["ours", "peers"]) == [*signals.ours(), *signals.PEERS]
    assert not {*signals.ours()} & {*signals.PEERS}


def test_the_power_of_bands_is_told_by_state_and_halves_have_all_windows():
    some = simulated.windows(30, 1)
    states = pd.DataFrame({"state": pd.Categorical(["open", "open", "shut"] * 20)})
    real = replace(some, schema=some.schema.with_columns((Column("state", "categorical", "target"),)), frame=states)
    made = replace(real, waves=2 * real.waves)
    assert all(np.allclose(part, 4) for part in eeg.ratios(made, real, "open"))
    assert [len(part) for part in eeg.halves(real)] == [30, 30]
    (*_, shut) = eeg.powers({"twice": (made, real)})
    assert shut == "| shut, gamma | 4.00 (4.00 to 4.00) | 4.00 (4.00 to 4.00) |"
    assert len(list(eeg.leads({"twice": (made, real)}))) == 2 + 3 * 2
    assert all(line.endswith("| 0.000 |") for line in list(eeg.together({"itself": (real, real)}, real))[2:])
