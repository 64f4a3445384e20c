"""The same judgement for the output of any tool."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.journeys.cohort import Ran, semblance


@pytest.fixture(scope="module")
def parts(place: Path) -> Path:
    """train.csv, holdout.csv, and copied.csv: training records given out as synthetic."""
    frame = pd.read_csv(place / "patients.csv").drop(columns="name")
    frame[frame["pid"] % 2 == 0].to_csv(place / "train.csv", index=False)
    frame[frame["pid"] % 2 == 1].to_csv(place / "holdout.csv", index=False)
    frame[frame["pid"] % 2 == 0].to_csv(place / "copied.csv", index=False)
    return place


def judged(place: Path, synthetic: str, run: str, *words: str) -> Ran:
    parts = ("--train", "train.csv", "--holdout", "holdout.csv", "--synthetic", synthetic, "-o", run)
    return semblance("evaluate", *parts, "--subject", "pid", "--tier", "fast", "--json", *words, cwd=place)


def test_copies_of_training_records_are_refused(parts: Path) -> None:
    ran = judged(parts, "copied.csv", "judged-copies", "--target", "outcome")
    assert ran.code == 5 and ran.json["verdict"] == "REFUSED"
    assert not (parts / "judged-copies" / "public").exists()
    assert semblance("verify", parts / "judged-copies").code == 0


def test_without_a_target_utility_is_not_applicable_and_refuses_nothing(parts: Path, network: Ran) -> None:
    ran = judged(parts, "network/synthetic.csv", "judged-network")
    assert ran.code in (0, 5, 6), ran.err
    report = json.loads((parts / "judged-network" / "report.json").read_text())
    utility = [finding for finding in report["findings"] if finding["section"] == "utility"]
    assert all(finding["status"] == "not_applicable" for finding in utility)
    assert not [r for r in ran.json["reasons"] if "utility" in r.lower()]


def test_the_unfinished_run_of_synth_is_neither_judged_nor_removed(parts: Path) -> None:
    (parts / "begun.work").mkdir()
    (parts / "begun.work" / "kind").write_text("synth")
    ran = judged(parts, "copied.csv", "begun")
    assert ran.code == 2 and "semblance synth" in ran.out and (parts / "begun.work" / "kind").exists()


def test_a_missing_column_ends_with_3(parts: Path) -> None:
    pd.read_csv(parts / "copied.csv").drop(columns="age").to_csv(parts / "short.csv", index=False)
    ran = judged(parts, "short.csv", "judged-short")
    assert ran.code == 3 and "age" in ran.out


def test_a_holdout_of_training_patients_ends_with_3(parts: Path) -> None:
    words = ("--train", "train.csv", "--holdout", "copied.csv", "--synthetic", "copied.csv", "--subject", "pid")
    ran = semblance("evaluate", *words, "-o", "judged-twice", "--json", cwd=parts)
    assert ran.code == 3 and "210 patients" in ran.out and not (parts / "judged-twice").exists()


def test_every_file_is_told_at_once_and_by_name(parts: Path) -> None:
    copied = pd.read_csv(parts / "copied.csv")
    copied.drop(columns="age").to_csv(parts / "narrow.csv", index=False)
    copied.assign(added=1).to_csv(parts / "wide.csv", index=False)
    copied.astype({"age": object}).assign(age="SECRET").to_csv(parts / "worded.csv", index=False)
    words = ("--train", "train.csv", "--holdout", "narrow.csv", "--synthetic", "wide.csv", "--further", "worded.csv")
    ran = semblance("evaluate", *words, "--subject", "pid", "-o", "judged-many", "--json", cwd=parts)
    assert ran.code == 3 and "SECRET" not in ran.out + ran.err
    told = {(one["column"], one["found"].partition("(in ")[2]) for one in ran.json["problems"]}
    assert told == {
        ("age", "--holdout narrow.csv)"),
        ("added", "--synthetic wide.csv)"),
        ("age", "--further worded.csv)"),
    }
    assert not list(parts.glob("judged-many*"))


@pytest.mark.parametrize("again", [("--synthetic", "holdout.csv"), ("--further", "made.csv")])
def test_one_file_is_not_given_for_two(parts: Path, again: tuple[str, str]) -> None:
    pd.read_csv(parts / "copied.csv").sample(frac=1, random_state=0).to_csv(parts / "made.csv", index=False)
    words = ("--train", "train.csv", "--holdout", "holdout.csv", "--synthetic", "made.csv", *again)
    ran = semblance("evaluate", *words, "--subject", "pid", "-o", "judged-one", "--json", cwd=parts)
    assert ran.code == 3 and "the same file" in ran.out and not list(parts.glob("judged-one*"))


def test_a_column_of_one_unseen_category_is_judged(parts: Path) -> None:
    """Where a coefficient cannot be estimated the page says so."""
    pd.read_csv(parts / "copied.csv").assign(sex="X", weight=np.nan).to_csv(parts / "odd.csv", index=False)
    ran = judged(parts, "odd.csv", "judged-odd", "--target", "outcome")
    assert ran.code in (5, 6), ran.out + ran.err
    assert "cannot be estimated" in (parts / "judged-odd" / "report.html").read_text()


@pytest.mark.parametrize(("torn", "code"), [(False, 0), (True, 6)])
def test_fresh_draws_are_granted_and_torn_columns_fail_fidelity_alone(tmp_path: Path, torn: bool, code: int) -> None:
    def draw(name: str, seed: int, n: int) -> None:
        rng = np.random.default_rng(seed)
        age = rng.integers(20, 90, n)
        dose = age * 2 + rng.integers(-9, 10, n)
        if torn and name == "synthetic":
            rng.shuffle(dose)
        rows = zip(age, dose, rng.integers(0, 50, n), strict=True)
        lines = ["age,dose,ward", *(",".join(map(str, row)) for row in rows)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")

    for seed, name in enumerate(("train", "holdout", "synthetic")):
        draw(name, seed, 2000)
    files = [word for name in ("train", "holdout", "synthetic") for word in (f"--{name}", f"{name}.csv")]
    ran = semblance("evaluate", *files, "-o", "RUN", "--tier", "fast", "--json", cwd=tmp_path)
    assert ran.code == code, ran.json["reasons"]
