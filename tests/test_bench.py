"""The bench's own parts: a peer is called and read back, and a result file says how it came about."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bench import evaluate, judged, ours
from bench.boards import _middle
from bench.evaluate import PEERS, Timing
from bench.evaluate import Row as Beside
from bench.results import Row, write
from bench.simulated import simulated
from bench.watch import Limits, watched
from semblance import catalog
from semblance.core.judge import patients
from semblance.core.rng import stream
from tests.conftest import ROOT

COPYCAT = """
serve(lambda train, job: lambda n: train.sample(n, replace=True, random_state=job["seed"]))
"""


def test_a_peer_is_one_file_that_reads_and_writes_parquet(tmp_path):
    (tmp_path / "copycat.py").write_text((ROOT / "bench/peers/exchange.py").read_text() + COPYCAT)
    pd.DataFrame({"x": [1, 2, 3], "c": ["a", "b", None]}).to_parquet(tmp_path / "train.parquet")
    job = {"train": str(tmp_path / "train.parquet"), "out": str(tmp_path / "out.parquet"), "rows": 7, "seed": 0}
    (tmp_path / "job.json").write_text(json.dumps(job))
    subprocess.run([sys.executable, tmp_path / "copycat.py", tmp_path / "job.json"], check=True)
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 7
    assert set(json.loads((tmp_path / "out.json").read_text())) == {"fit", "sample"}


def test_seeds_are_summed_up_by_their_median():
    rows = [Row("a", {"fidelity.shape": value, "fit": 1.0}) for value in (0.1, 0.9, 0.2)]
    assert _middle("a", rows) == Row("a", {"fidelity.shape": 0.2, "fit": 1.0})


def test_a_result_file_says_how_it_came_about(tmp_path):
    rows = [Row("real against real", {"fit": 0.0, "fidelity.shape": 0.01}), Row("ours", {"utility.tstr.linear": 0.9})]
    text = write(tmp_path / "deep" / "toy.md", "Toy", rows, seeds=3, time_budget=25)
    assert (tmp_path / "deep" / "toy.md").read_text() == text
    assert all(f"- {fact}:" in text for fact in ("command", "commit", "versions", "machine"))
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert "TSTR linear" in table[0]
    assert "| real against real |  |" in table[2]


def said(code: str, *, seconds: float = 30, memory: float = 2) -> evaluate.Outcome:
    return watched([sys.executable, "-c", code], limits=Limits(seconds, memory), folder=ROOT).outcome


def test_a_command_that_takes_too_much_is_ended_and_told():
    assert said("pass") == "finished"
    assert said("1 / 0") == "failed"
    assert said("import time; time.sleep(60)", seconds=0.3) == "not finished"
    assert said("raise MemoryError") == "ran out of memory"
    assert said("x = bytearray(300 * 2**20); import time; time.sleep(60)", memory=0.2) == "ran out of memory"


def test_memory_is_that_of_the_command_and_its_workers():
    worker = "x = b'1' * 2**28; import time; time.sleep(1)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {worker!r}])"
    ran = watched([sys.executable, "-c", code], limits=Limits(30, 2), folder=ROOT)
    assert ran.outcome == "finished" and ran.peak > 0.2 and ran.seconds > 1


def test_a_judge_of_a_peer_is_one_file_that_reads_parquet_and_writes_json(tmp_path):
    judge = 'serve({"mean": lambda frames, job: {name: float(frame["x"].mean()) for name, frame in frames.items()}})'
    (tmp_path / "toy.py").write_text((ROOT / "bench/peers/judging.py").read_text() + judge)
    for part, value in {"train": 1, "holdout": 2, "synthetic": 3}.items():
        pd.DataFrame({"x": [value], "key": [7]}).to_parquet(tmp_path / f"{part}.parquet")
    job = {part: str(tmp_path / f"{part}.parquet") for part in ("train", "holdout", "synthetic")}
    job |= {"columns": ["x"], "part": "mean", "out": str(tmp_path / "answer.json")}
    (tmp_path / "job.json").write_text(json.dumps(job))
    subprocess.run([sys.executable, tmp_path / "toy.py", tmp_path / "job.json"], check=True)
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["found"] == {"train": 1, "holdout": 2, "synthetic": 3} and answer["seconds"] >= 0


def test_every_judge_of_a_peer_has_its_script_and_its_packages():
    for name in {peer.name for peer in PEERS}:
        assert all((ROOT / "bench" / "peers" / f"{name}.{kind}").is_file() for kind in ("py", "txt"))


def test_our_judges_are_found_by_what_they_owe():
    manifest = catalog.modality("table")
    found = [name.rpartition(":")[2] for name in ours.matching(manifest, ["fidelity.shape", "privacy.membership"])]
    assert "shape" in found and "nearest_difference" in found and "pairs" not in found
    assert len(ours.matching(manifest, ["*"])) > len(found)


@pytest.mark.parametrize(
    "theirs, cell",
    [
        (Timing("finished", 8.0, 1.0), "| 4.0 |"),
        (Timing("not finished", 60.0, 1.0), "| > 30.0 |"),
        (Timing("ran out of memory", 3.0, 20.0), "ran out of memory after 3 s"),
        (Timing("failed", 3.0, 20.0, said="ValueError: a | b"), "failed (ValueError: a / b) after 3 s"),
    ],
)
def test_a_peer_stands_beside_the_judges_that_measure_the_same(theirs, cell):
    mine = Timing("finished", 2.0, 0.5, steps=(("floor", 0.1), ("shape", 1.9)))
    line = evaluate.table([Beside(PEERS[0], theirs, mine)])[-1]
    assert cell in line and "| shape | 2.0 | 0.5 |" in line
    assert line.count("|") == evaluate.table([])[0].count("|")


def test_a_board_is_replaced_in_the_result_file_and_the_others_stay(tmp_path):
    path = tmp_path / "deep" / "evaluate.md"
    evaluate.write(path, "one", ["first"])
    evaluate.write(path, "two", ["second"])
    evaluate.write(path, "one", ["third"])
    text = path.read_text()
    assert "first" not in text and text.index("third") < text.index("second")
    assert text.count("## one") == text.count("## two") == text.count("# The judge") == 1


def test_simulated_records_are_the_same_for_the_same_seed():
    a, b, other = (simulated(rows=300, columns=12, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(a.frame, b.frame)
    assert len(a) == 300 and len(a.schema.learned) == 12 and not a.frame.equals(other.frame)
    assert {column.continuous for column in a.schema} == {True, False}


@pytest.fixture(scope="module")
def parts() -> judged.Parts:
    return judged.Parts.of(simulated(rows=800, columns=6), protected="x01", seed=0)


def test_patients_are_dealt_once(parts):
    sizes = [len(part) for part in (parts.train, parts.holdout, parts.fresh)]
    assert sizes == [400, 200, 200] and patients(parts.train.subjects) == 400


def test_known_answers_hold_no_small_cell(parts):
    real, kept = parts.fresh.to_pandas(), judged.known(parts.fresh, parts)
    held = parts.train.to_pandas()["x03"].value_counts()
    assert set(kept["x03"].dropna()) <= set(held.index[held >= judged.RARE])
    assert len(real) // 2 < len(kept) < len(real)


def test_spoilt_records_are_spoilt_as_they_say(parts):
    made = {name: make(parts, stream(0, name)) for name, make in judged.REAL.items()}
    real, train = judged.known(parts.fresh, parts), judged.known(parts.train, parts)
    pd.testing.assert_frame_equal(made["fresh patients"], real)
    assert len(made["copycat"]) == len(train) and (made["copycat"]["x01"] == train["x01"]).all()
    assert np.corrcoef(made["copycat"]["x00"], train["x00"])[0, 1] > 0.9
    assert len(made["collapsed"].drop_duplicates()) <= len(parts.fresh) * judged.KEPT < len(made["collapsed"])
    assert gap(made["biased"]) > gap(real) + 0.1


def gap(frame: pd.DataFrame) -> float:
    group = frame["x01"] == frame["x01"].mode()[0]
    return abs(frame.loc[group, "outcome"].astype(int).mean() - frame.loc[~group, "outcome"].astype(int).mean())
