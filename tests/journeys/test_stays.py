"""Stays whose files are told by declaration: every part is read as train was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import semblance as sb
from semblance.core.errors import DataError
from semblance.modalities.vitals.write import write
from tests.modalities.vitals.simulated import stays

RENAMED = {"stay": "who", "minute": "when", "channel": "what", "value": "much"}
VITALS = {"record": "who", "time": "when", "channel": "what", "value": "much", "missing": [-5]}


def folder(path: Path, seed: int) -> Path:
    """Stays as a tool of one's own writes them, with a number that stands for none."""
    write([stays(40, seed)], path)
    (path / "layout.json").unlink()
    long = pd.read_csv(path / "stays.vitals.csv").rename(columns=RENAMED)
    odd = long.assign(much=-5.0).drop_duplicates(["who", "what"])
    pd.concat([odd, long]).to_csv(path / "stays.vitals.csv", index=False)
    table = pd.read_csv(path / "stays.csv").rename(columns=RENAMED)
    table.to_csv(path / "stays.csv", index=False)
    return path


def test_holdout_and_synthetic_stays_are_read_under_the_schema_file(tmp_path):
    parts = {part: folder(tmp_path / part, seed) for seed, part in enumerate(("train", "holdout", "synthetic"))}
    report = sb.evaluate(**parts, schema={"vitals": VITALS}, target="died", tier="fast", profile="internal")
    assert report["fidelity.vitals_values"].status == "measured"
    assert report["fidelity.vitals_values"].estimate.value < 0.15
    with pytest.raises(DataError):
        sb.evaluate(**parts, target="died", tier="fast", profile="internal")
