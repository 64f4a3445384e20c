"""The same in five lines of Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import semblance as sb
from semblance.core.errors import UsageError
from tests import warm


@pytest.fixture(scope="module")
def data(place: Path) -> Any:
    return sb.read(place / "patients.csv", subject="pid", target="outcome")


def test_five_lines(data: Any, tmp_path: Path) -> None:
    train, holdout = sb.split(data, holdout=0.3)
    model = sb.fit(train, model="marginals", time_budget=2, seed=0)
    made = model.sample(300)
    report = sb.evaluate(train=train, holdout=holdout, synthetic=made, tier="fast", model=model)
    outcome = sb.release(report, synthetic=made, folder=tmp_path / "RUN", model=model)
    assert isinstance(made, pd.DataFrame) and len(made) == 300
    assert report["fidelity.c2st"].status == "measured" and outcome.exit_code in (0, 5, 6)
    assert (tmp_path / "RUN" / "attestation.json").exists() and (tmp_path / "RUN" / "model" / "model.json").exists()
    with pytest.raises(UsageError):
        sb.release(report, synthetic=made, folder=tmp_path / "RUN")


def test_the_same_seed_and_plan_give_the_same_records(data: Any) -> None:
    first, again = (sb.fit(data, model="marginals", seed=3).sample(50) for _ in range(2))
    assert first.equals(again)
    assert not first.equals(sb.fit(data, model="marginals", seed=4).sample(50))


def test_a_saved_model_samples_the_same(data: Any, tmp_path: Path) -> None:
    model = sb.fit(data, model="copula", seed=3)
    model.save(tmp_path / "model")
    assert sb.load(tmp_path / "model").sample(40, seed=3).equals(model.sample(40))


@pytest.mark.parametrize(
    ("library", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame), ("pyarrow", pa.Table)]
)
def test_frames_in_frames_out(place: Path, library: str, kind: type) -> None:
    frame: Any = pd.read_csv(place / "patients.csv").drop(columns="name")
    if library == "polars":
        frame = pl.from_pandas(frame)
    if library == "pyarrow":
        frame = pa.Table.from_pandas(frame)
    train, holdout = sb.split(sb.read(frame, subject="pid"), holdout=0.3)
    made = sb.fit(train, model="marginals").sample(200)
    assert isinstance(made, kind) and isinstance(holdout.to_frame(), kind)
    if library == "polars":
        report = sb.evaluate(train=train, holdout=holdout, synthetic=made, tier="fast")
        assert report["fidelity.shape"].status == "measured"


def test_import_needs_no_torch_and_no_pandas() -> None:
    code = "import semblance, sys; assert not {'torch', 'pandas', 'numpy', 'typer'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=warm.environment())


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['semblance', 'synth', '--help']\n"
        "from semblance.app.cli import main\nmain()\n"
        "assert not {'torch', 'pandas', 'numpy', 'pydantic'} & set(sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, env=warm.environment(), capture_output=True, text=True
    )
    assert "--time-budget" in shown.stdout and "--resume" in shown.stdout


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        sb.fitt  # noqa: B018
    assert "fit" in dir(sb)


def test_functions_stay_in_front_of_the_rooms_of_the_same_name() -> None:
    code = (
        "import semblance as sb\n"
        "from semblance.evaluate import run\nimport semblance.release.gate\n"
        "assert callable(sb.evaluate) and callable(sb.release)"
    )
    warm.run(["-c", code], env=warm.environment()).check_returncode()
