"""One command from a CSV of patients to a judged and signed release."""

from __future__ import annotations

import json
import re
import tomllib
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.journeys.cohort import CANARIES, Ran, semblance, semblance_otherwise

DOCUMENTS = {"report.json", "report.html", "card.md", "croissant.json", "DATASHEET.md", "MAPPING.md"}
KEPT = {"synthetic.csv", *DOCUMENTS, "config.toml", "manifest.json", "attestation.json"}
DECIDED = (0, 5, 6)


def files(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def comparable(run: Path) -> dict[str, bytes]:
    """Everything but the signature with its time."""
    return {name: data for name, data in files(run).items() if name != "attestation.json"}


def test_the_run_folder_holds_what_it_should(place: Path, network: Ran) -> None:
    assert network.code in DECIDED, network.err
    assert KEPT | {"model", "INTERNAL.txt"} <= {path.name for path in (place / "network").iterdir()}
    assert not (place / "network.work").exists()
    assert {path.suffix for path in (place / "network" / "model").iterdir()} <= {".json", ".safetensors"}


def test_json_is_alone_on_stdout_and_progress_is_json_lines_on_stderr(place: Path, network: Ran) -> None:
    told = network.json
    assert told["exit_code"] == network.code and told["verdict"] in ("RELEASE", "CONTROLLED", "REFUSED")
    assert {"fidelity", "utility", "privacy"} <= {finding["section"] for finding in told["headline"]}
    assert all(Path(path).exists() for path in told["paths"].values())
    events = [json.loads(line) for line in network.err.splitlines()]
    done = [event["name"] for event in events if event["event"] == "finished"]
    assert done == [
        "profile",
        "contract",
        "identifiers",
        "split",
        "plan",
        "fit",
        "sample",
        "evaluate",
        "decide",
        "sign",
    ]
    assert any(event["event"] == "progressed" and event["loss"] is not None for event in events)


def test_text_output_has_no_escape_codes_and_fits(simple: Ran) -> None:
    assert simple.code in DECIDED
    assert "\x1b" not in simple.out + simple.err
    assert max(map(len, simple.out.splitlines())) <= 80 and "what will be done" in simple.out
    assert any(verdict in simple.out for verdict in ("RELEASE", "CONTROLLED", "REFUSED"))


def test_synthetic_data_look_like_the_input(place: Path, network: Ran) -> None:
    real, made = (pd.read_csv(place / name) for name in ("patients.csv", "network/synthetic.csv"))
    assert list(made.columns) == [name for name in real.columns if name != "name"]
    assert len(made) == len(real)
    assert set(made["sex"]) <= {"F", "M"} and made["weight"].isna().any()
    assert pd.to_datetime(made["admitted"], format="%Y-%m-%d").notna().all()
    assert made["age"].dtype == real["age"].dtype


@pytest.mark.parametrize("run", ["network", "simple"])
def test_no_canary_in_any_file(place: Path, network: Ran, simple: Ran, run: str) -> None:
    for name, data in files(place / run).items():
        found = [canary for canary in CANARIES if canary.encode() in data]
        assert found == [], name
        assert not re.search(rb"Person\d+ Name\d+", data), name


def test_no_canary_on_any_screen(network: Ran, simple: Ran) -> None:
    for ran in (network, simple):
        assert not [canary for canary in CANARIES if canary in ran.out + ran.err]


def test_public_stands_exactly_where_the_profile_is_granted(place: Path, network: Ran, simple: Ran) -> None:
    for ran, run in ((network, "network"), (simple, "simple")):
        public = place / run / "public"
        assert public.exists() == (ran.code == 0)
        if public.exists():
            assert {"synthetic.csv", "report.html", "card.md"} <= {path.name for path in public.iterdir()}


def test_internal_use_is_granted_more_easily_and_nothing_leaves_a_refused_run(place: Path, simple: Ran) -> None:
    report = json.loads((place / "simple" / "report.json").read_text())
    assert report["decision"]["exit_code"] == simple.code
    if report["decision"]["verdict"] == "REFUSED":
        assert not (place / "simple" / "public").exists()


def test_the_saved_config_repeats_the_run_to_the_byte(place: Path, network: Ran) -> None:
    again = semblance_otherwise("synth", "patients.csv", "-o", "again", "--config", "network/config.toml", cwd=place)
    assert again.code == network.code
    assert comparable(place / "again") == comparable(place / "network")


def test_an_accepted_plan_is_repeated_without_asking_again(place: Path, tmp_path: Path) -> None:
    lines = ["sample,age"] + [f"{700_000 + 17 * i},{20 + i % 60}" for i in range(300)]
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n")
    words = ("--config", place / "fast.toml", "--model", "marginals", "--yes")
    first = semblance("synth", "data.csv", "-o", "first", *words, cwd=tmp_path)
    again = semblance_otherwise("synth", "data.csv", "-o", "again", "--config", "first/config.toml", cwd=tmp_path)
    assert first.code in DECIDED and again.code == first.code, again.err
    assert comparable(tmp_path / "again") == comparable(tmp_path / "first")


def test_a_run_folder_is_for_its_owner_alone(place: Path, simple: Ran) -> None:
    assert (place / "simple").stat().st_mode & 0o777 == 0o700


def test_another_seed_makes_other_records(place: Path, simple: Ran) -> None:
    words = ("--config", "simple/config.toml", "--seed", "1", "--rows", "50", "--yes")
    assert semblance("synth", "patients.csv", "-o", "other", *words, cwd=place).code in DECIDED
    made = (place / "other" / "synthetic.csv").read_text().splitlines()
    assert len(made) == 51
    assert not set(made[1:]) & set((place / "simple" / "synthetic.csv").read_text().splitlines()[1:])


def test_config_says_what_really_ran(place: Path, network: Ran) -> None:
    ran = tomllib.loads((place / "network" / "config.toml").read_text())
    assert ran["synth"]["model"] == "auto" and ran["synth"]["threads"] == 1
    assert ran["plan"]["winner"] == "autoregressive" and ran["plan"]["plan"]["steps"] >= 1
    assert ran["input"]["names"] == ["patients.csv"] and len(ran["input"]["sha256"][0]) == 64
    assert str(place) not in json.dumps(ran)


@pytest.mark.parametrize("suffix", [".parquet", ".zip"])
def test_the_output_has_the_format_of_the_input(tmp_path: Path, place: Path, suffix: str) -> None:
    frame, path = pd.read_csv(place / "patients.csv"), tmp_path / f"patients{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("folder/patients.csv", frame.to_csv(index=False))
    words = ("--subject", "pid", "--model", "marginals", "--config", place / "fast.toml", "--yes", "--rows", "40")
    ran = semblance("synth", path, "-o", tmp_path / "RUN", *words)
    assert ran.code in DECIDED, ran.err
    made = tmp_path / "RUN" / ("synthetic.parquet" if suffix == ".parquet" else "synthetic.csv")
    again = pd.read_parquet(made) if suffix == ".parquet" else pd.read_csv(made)
    assert len(again) == 40 and "name" not in again
    text = again.to_csv()
    assert not [canary for canary in CANARIES if canary in text]
