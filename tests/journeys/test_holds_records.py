"""A generator whose model is the patients' records: its records are judged, and it leaves no model behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.cohort import kill_in, semblance


def test_no_model_is_written_and_public_is_never_granted(place: Path) -> None:
    pytest.importorskip("imblearn")
    words = ("--config", "fast.toml", "--model", "smote", "--subject", "pid", "--target", "outcome", "--yes")
    ran = semblance("synth", "patients.csv", "-o", "kept", *words, "--profile", "public", "--json", cwd=place)
    assert ran.code == 5, ran.err
    assert {"synthetic.csv", "report.html", "config.toml"} <= {path.name for path in (place / "kept").iterdir()}
    assert not (place / "kept" / "model").exists() and not (place / "kept" / "public").exists()
    report = json.loads((place / "kept" / "report.json").read_text())
    assert report["subject"]["generator"]["holds_records"]
    assert any("training records" in reason for reason in report["decision"]["reasons"])
    words = ("--config", "kept/config.toml", "--yes")
    kill_in("evaluate", ["synth", "patients.csv", "-o", "kept again", *words], cwd=place)
    (again,) = (place / "kept again.work").rglob("synthetic.csv")
    assert again.read_bytes() == (place / "kept" / "synthetic.csv").read_bytes()
