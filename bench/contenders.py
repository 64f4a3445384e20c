"""Who takes part: the catalogue's generators and peers. Each learns in a process of its own that is watched.

Reading the data and imports are not timed, but the peak memory is that of the whole process with its workers.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.boards import ROOT
from bench.watch import Limits, Outcome, Watched, watched
from semblance import catalog
from semblance.core.errors import DataError
from semblance.core.schema import Schema
from semblance.modalities.table.data import Table, like

CLASSES = 10  # a target with more different values is a number to regress on
UNLIMITED = Limits(math.inf, math.inf)


@dataclass(frozen=True)
class Peer:
    """A generator of somebody else: its title, its environment in .bench, its script in bench/peers, which of the
    script's generators it is, and the package whose version is told."""

    title: str
    environment: str
    script: str
    part: str
    package: str


def _sdv(part: str, title: str) -> Peer:
    return Peer(f"SDV {title}", "sdv", "sdv_synthesizers.py", part, "sdv")


def _synthcity(part: str) -> Peer:
    return Peer(f"synthcity {part}", "synthcity", "synthcity_plugins.py", part, "synthcity")


PEERS = {
    "tabular_argn": Peer("MOSTLY AI TabularARGN", "tabular_argn", "tabular_argn.py", "", "mostlyai-engine"),
    "sdv_ctgan": _sdv("ctgan", "CTGAN"),
    "sdv_tvae": _sdv("tvae", "TVAE"),
    "sdv_copula": _sdv("copula", "GaussianCopula"),
    "synthcity_ddpm": _synthcity("ddpm"),
    "synthcity_arf": _synthcity("arf"),
    "synthcity_adsgan": _synthcity("adsgan"),
    "imblearn_smote": Peer("imbalanced-learn SMOTE", "imblearn", "imblearn_smote.py", "", "imbalanced-learn"),
}


@dataclass(frozen=True)
class Attempt:
    """How a contender ended, the seconds for fitting (planning counts) and for sampling, the peak memory (GiB) of its
    process and workers, the records, its last words, and the seconds of processors for the fit, which other work on the
    machine does not lengthen."""

    outcome: Outcome
    fit: float
    sample: float
    peak: float
    made: Table | None = None
    said: str = ""
    cpu: float = 0.0

    @property
    def synthetic(self) -> Table:
        """The records. Raises RuntimeError where the contender came to none."""
        if self.made is None:
            raise RuntimeError(f"{self.outcome} after {self.fit:.0f} s: {self.said}")
        return self.made


def ours() -> tuple[str, ...]:
    """The names of the catalogue's generators."""
    return tuple(catalog.modality("table").generators)


def attempt(
    name: str,
    train: Table,
    *,
    seed: int,
    time_budget: float,
    limits: Limits = UNLIMITED,
    rows: int | None = None,
    kept: bool = True,
) -> Attempt:
    """A contender learns `train` and draws `rows` records (as many as it learned when None); `kept` reads them back."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        job = {"name": name, "rows": len(train) if rows is None else rows, "kept": kept}
        job |= {"train": str(folder / "train.parquet"), "out": str(folder / "out.parquet")}
        job |= {"seed": seed, "time_budget": time_budget}
        if name not in PEERS:
            write_table(train, folder / "train.parquet")
            ran = launched([sys.executable, "-m", "bench.alone"], job, limits, cwd=ROOT)
        elif (python := environment(PEERS[name]) / "bin" / "python").exists():
            job |= {"part": PEERS[name].part, **_for_peers(train, folder / "train.parquet")}
            ran = launched([python, ROOT / "bench" / "peers" / PEERS[name].script], job, limits, cwd=folder)
        else:
            return Attempt("failed", 0.0, 0.0, 0.0, said="no environment: make peers")
        read = partial(_from_peer, train=train) if name in PEERS else read_table
        return ended(ran, folder / "out.parquet", read if kept else None)


def launched(command: list[str | Path], job: Mapping[str, Any], limits: Limits, *, cwd: Path) -> Watched:
    """Run a contender's command on its job, which lies beside its data."""
    path = Path(job["train"]).parent / "job.json"
    path.write_text(json.dumps(job))
    return watched([*command, path], limits=limits, folder=cwd)


def ended(ran: Watched, out: Path, read: Callable[[Path], Table] | None) -> Attempt:
    """What it came to; its records are read back unless `read` is None."""
    if ran.outcome != "finished":
        begun = out.with_suffix(".begun")
        seconds = time.time() - begun.stat().st_mtime if begun.exists() else ran.seconds
        return Attempt(ran.outcome, seconds, 0.0, ran.peak, said=ran.said, cpu=ran.cpu)
    told = json.loads(out.with_suffix(".json").read_text())
    done = Attempt("finished", told["fit"], told["sample"], max(ran.peak, told["peak"]), cpu=told["cpu"])
    try:
        made = None if read is None else read(out)
    except DataError as error:
        return replace(done, outcome="failed", said=f"its records do not fit the schema: {error}")
    return replace(done, made=made)


# Data for both sides


def write_table(table: Table, path: Path) -> None:
    """A Table as it stands in memory: its frame, its patients and its schema."""
    table.frame.to_parquet(path)
    np.save(path.with_suffix(".subjects.npy"), table.subjects)
    path.with_suffix(".schema.json").write_text(json.dumps(table.schema.to_json()))


def read_table(path: Path) -> Table:
    """The inverse of `write_table`."""
    schema = Schema.from_json(json.loads(path.with_suffix(".schema.json").read_text()))
    return Table(schema, pd.read_parquet(path), np.load(path.with_suffix(".subjects.npy")))


def regression(table: Table) -> bool:
    """Whether the target is a number to regress on, and not one of a few classes."""
    target = table.schema.where("target")
    return target is not None and target.continuous and table.frame[target.name].nunique() > CLASSES


def _for_peers(train: Table, path: Path) -> dict[str, Any]:
    """Peers get the learned columns as a user sees them, without the patient's number and keys; categories as text."""
    frame = train.to_pandas()[[column.name for column in train.schema.learned]]
    text = {name: object for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)}
    frame.astype(text).to_parquet(path)
    target = train.schema.where("target")
    return {"target": None if target is None else target.name, "regression": regression(train)}


def _from_peer(path: Path, train: Table) -> Table:
    """A peer's records under the schema of the data. Its rows know no patients, so each is one of its own."""
    frame = pd.read_parquet(path)
    for column in train.schema:
        if not column.learned and column.written:
            frame[column.name] = np.arange(len(frame))
    frame.to_parquet(path)
    return like([path], train.schema)


# Environments


def environment(peer: Peer) -> Path:
    """The folder of a peer's environment."""
    return ROOT / ".bench" / peer.environment


def installed(folder: Path, package: str) -> str:
    """The version of a package in an environment, 'absent' where there is none."""
    pattern = f"lib/*/site-packages/{package.replace('-', '_')}-*.dist-info"
    found = next(folder.glob(pattern), None)
    return "absent" if found is None else found.stem.rpartition("-")[2]
