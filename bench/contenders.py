"""Who takes part: the catalogue's generators in this process, peers as subprocesses in their own environments."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semblance import catalog
from semblance.app import stages
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, like

HERE = Path(__file__).resolve().parent
PEERS = ("tabular_argn", "gaussian_copula")


@dataclass(frozen=True)
class Attempt:
    """What a contender made, and the seconds it took."""

    synthetic: Table
    fit: float
    sample: float


def ours(name: str, train: Table, *, seed: int, time_budget: float) -> Attempt:
    """A generator of the catalogue; planning counts as fitting."""
    spec: Any = catalog.modality("table").generator(name)()
    begun = time.perf_counter()
    plan = spec.plan(train, rng=stream(seed, "plan"), time_budget=time_budget)
    model = spec.fit(train, rng=stream(seed, "fit"), plan=plan)
    fitted = time.perf_counter()
    synthetic = stages.gather(catalog.modality("table"), model.sample(len(train), rng=stream(seed, "sample")))
    return Attempt(synthetic, fitted - begun, time.perf_counter() - fitted)


def peer(name: str, train: Table, *, seed: int, time_budget: float) -> Attempt:
    """A peer of bench/peers. Raises FileNotFoundError where its environment was not made (make peers)."""
    python = HERE.parent / ".bench" / name / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"no environment for the peer '{name}': make peers")
    with tempfile.TemporaryDirectory() as folder:
        job = _job(Path(folder), train, seed=seed, time_budget=time_budget)
        subprocess.run([python, HERE / "peers" / f"{name}.py", job], check=True, stdout=subprocess.DEVNULL)
        out = Path(folder) / "out.parquet"
        seconds = json.loads(out.with_suffix(".json").read_text())
        return Attempt(_read(out, train), seconds["fit"], seconds["sample"])


def _job(folder: Path, train: Table, *, seed: int, time_budget: float) -> Path:
    """Peers get the learned columns as a user sees them, without the patient's number and keys; categories as text."""
    frame = train.to_pandas()[[column.name for column in train.schema.learned]]
    text = {name: object for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)}
    frame.astype(text).to_parquet(folder / "train.parquet")
    said = {"train": str(folder / "train.parquet"), "out": str(folder / "out.parquet"), "rows": len(train)}
    (folder / "job.json").write_text(json.dumps({**said, "seed": seed, "time_budget": time_budget}))
    return folder / "job.json"


def _read(path: Path, train: Table) -> Table:
    """A peer's records under the schema of the data. Its rows know no patients, so each is one of its own."""
    frame = pd.read_parquet(path)
    for column in train.schema:
        if not column.learned and column.written:
            frame[column.name] = np.arange(len(frame))
    frame.to_parquet(path)
    return like([path], train.schema)
