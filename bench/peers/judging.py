"""How a peer judges: one JSON of paths in, one JSON of seconds, peak memory and what it found out.

A peer's script runs with its own environment's Python, which has no semblance; so this file imports only pandas.
Reading the files is not timed, and neither are imports: what counts is the call that a user makes on frames in memory.
A mark says when it began, for a call that never answers.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

Frames = Mapping[str, pd.DataFrame]
Judge = Callable[[Frames, dict[str, Any]], Mapping[str, float]]


def serve(parts: Mapping[str, Judge]) -> None:
    """Run the part of the peer that the job names on the frames train, holdout and synthetic."""
    job = json.loads(Path(sys.argv[1]).read_text())
    frames = {name: pd.read_parquet(job[name], columns=job["columns"]) for name in ("train", "holdout", "synthetic")}
    Path(job["out"]).with_suffix(".begun").touch()
    begun = time.perf_counter()
    found = parts[job["part"]](frames, job)
    answer = {"seconds": time.perf_counter() - begun, "peak": peak(), "found": dict(found)}
    Path(job["out"]).write_text(json.dumps(answer))


def peak() -> float:
    """The largest resident size of this process so far, in GiB; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 2**20 for line in lines if line.startswith("VmHWM")), 0.0)
