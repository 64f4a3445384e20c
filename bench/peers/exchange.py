"""How a peer is called: one JSON of paths and numbers in, one Parquet of records and one JSON of seconds out.

A peer's script runs with its own environment's Python, which has no semblance; so this file imports only pandas.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

Fit = Callable[[pd.DataFrame, dict[str, Any]], Callable[[int], pd.DataFrame]]


def serve(fit: Fit) -> None:
    """Run one peer: `fit(train, job)` returns `sample(n)`. The job has train, out, rows, seed and time_budget."""
    job = json.loads(Path(sys.argv[1]).read_text())
    train = pd.read_parquet(job["train"])
    begun = time.perf_counter()
    sample = fit(train, job)
    fitted = time.perf_counter()
    records = sample(job["rows"])
    done = time.perf_counter()
    records.to_parquet(job["out"])
    Path(job["out"]).with_suffix(".json").write_text(json.dumps({"fit": fitted - begun, "sample": done - fitted}))
