"""Two generators on the same patients, side by side."""

from __future__ import annotations

import json
from pathlib import Path

from tests.journeys.cohort import Ran, semblance


def test_two_runs_on_the_same_patients_are_compared(place: Path, network: Ran, simple: Ran) -> None:
    words = ("compare", "network", "simple", "-o", "beside.html", "--anyway", "--json")
    ran = semblance(*words, cwd=place)
    assert ran.code == 0, ran.err
    told = ran.json
    assert [one["run"] for one in told["runs"]] == ["network", "simple"]
    pairs = next(row for row in told["findings"] if row["metric"] == "fidelity.pairs")
    assert len(pairs["runs"]) == 2 and pairs["control"] is not None
    assert (place / "beside.html").read_text().startswith("<!doctype html>")
    assert json.dumps(told)
