from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.cohort import SIMPLE, Ran, cohort_csv, semblance

FAST = """
[synth]
tier = "fast"
threads = 1
holdout = 0.3
"""


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with patients.csv and fast.toml."""
    folder = tmp_path_factory.mktemp("journeys")
    cohort_csv(folder / "patients.csv")
    (folder / "fast.toml").write_text(FAST)
    return folder


@pytest.fixture(scope="session")
def network(place: Path) -> Ran:
    """A whole run with the default generator, in RUN `network`."""
    words = (
        "--config",
        "fast.toml",
        "--subject",
        "pid",
        "--target",
        "outcome",
        "--time-budget",
        "3s",
        "--yes",
        "--json",
    )
    return semblance("synth", "patients.csv", "-o", "network", *words, cwd=place)


@pytest.fixture(scope="session")
def simple(place: Path) -> Ran:
    """A whole run with independent marginals, in RUN `simple`, shown as text."""
    return semblance("synth", "patients.csv", "-o", "simple", *SIMPLE, cwd=place)
