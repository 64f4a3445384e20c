"""The bench's own parts: a peer is called and read back, and a result file says how it came about."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd

from bench.boards import _middle
from bench.results import Row, write
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
