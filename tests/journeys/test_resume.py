"""Killed in any stage and resumed, a run ends in the same bytes as one that was never interrupted."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.cohort import SIMPLE, STAGES, Ran, cohort_csv, kill_in, semblance, semblance_otherwise
from tests.journeys.test_synth import comparable


def test_killed_at_each_stage_a_run_resumes_to_the_same_bytes(place: Path, network: Ran, tmp_path: Path) -> None:
    run = tmp_path / "RUN"
    words = [
        "synth",
        str(place / "patients.csv"),
        "-o",
        str(run),
        "--config",
        str(place / "network/config.toml"),
        "--yes",
    ]
    for stage in STAGES:
        kill_in(stage, [*words, "--resume"])
        assert not (run / "manifest.json").exists() or stage == "sign"
    ended = semblance_otherwise(*words, "--resume")
    assert ended.code == network.code, ended.err
    assert comparable(run) == comparable(place / "network")
    assert not (tmp_path / "RUN.work").exists()


def test_resuming_a_complete_run_changes_nothing(place: Path, simple: Ran) -> None:
    before = comparable(place / "simple")
    ran = semblance("synth", "patients.csv", "-o", "simple", "--resume", *SIMPLE, cwd=place)
    assert ran.code == simple.code and comparable(place / "simple") == before


def test_a_complete_run_is_not_taken_for_another_one(place: Path, simple: Ran) -> None:
    before = comparable(place / "simple")
    words = (*SIMPLE, "--seed", "3", "--json")
    ran = semblance("synth", "patients.csv", "-o", "simple", "--resume", *words, cwd=place)
    assert ran.code == 2 and "seed" in ran.out and comparable(place / "simple") == before


def test_a_changed_input_is_not_resumed(place: Path, tmp_path: Path) -> None:
    cohort_csv(tmp_path / "patients.csv")
    words = ["synth", str(tmp_path / "patients.csv"), "-o", str(tmp_path / "RUN"), "--model", "marginals", "--yes"]
    kill_in("split", words)
    cohort_csv(tmp_path / "patients.csv", seed=6)
    ran = semblance(*words, "--resume", "--json")
    assert ran.code == 3 and "same bytes" in ran.out
