"""How a peer is called: one JSON of paths and numbers in, one Parquet of records and one JSON of seconds out.

A peer's script runs with its own environment's Python, which has no semblance; so this file imports only pandas.
Reading the data and imports are not timed. A mark says when learning began, for a peer that never answers.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from judging import peak

Fit = Callable[[pd.DataFrame, dict[str, Any]], Callable[[int], pd.DataFrame]]
MISSING = "(missing)"
TRIED = 0.2  # share of the time that the longest try takes at least


def serve(fit: Fit, *, most: Mapping[str, int] | None = None) -> None:
    """Run one peer: `fit(train, job)` returns `sample(n)`.

    The job has rows, seed, time_budget, target (or None), regression (whether the target is a number) and part (which
    of the script's generators). For a part in `most` it also has epochs: as many as the time allows, at most so many.
    """
    job = json.loads(Path(sys.argv[1]).read_text())
    train, out = pd.read_parquet(job["train"]), Path(job["out"])
    if most is not None and job["part"] in most:
        job["epochs"] = affordable(
            partial(_seconds, fit, train, job), most[job["part"]], time_budget=job["time_budget"]
        )
    out.with_suffix(".begun").touch()
    begun, busy = time.perf_counter(), time.process_time()
    sample = fit(train, job)
    fitted, busy = time.perf_counter(), time.process_time() - busy
    records = sample(job["rows"])
    done = time.perf_counter()
    records.reset_index(drop=True).to_parquet(out)
    answer = {"fit": fitted - begun, "sample": done - fitted, "peak": peak(), "cpu": busy}
    out.with_suffix(".json").write_text(json.dumps(answer))


def affordable(seconds: Callable[[int], float], most: int, *, time_budget: float) -> int:
    """How many epochs fit into the time, when `seconds(epochs)` is what so many take: most peers know no clock.

    Twice as many are tried again and again until a try takes a good part of the time; by what the last two differ tells
    the pace without what comes before the first epoch. Tries are not timed, and the very first only warms up.
    """
    if seconds(1) > 2 * time_budget:
        return 1
    tries = [(1, seconds(1))]
    while tries[-1][1] < TRIED * time_budget and tries[-1][0] < most:
        tries.append((2 * tries[-1][0], seconds(2 * tries[-1][0])))
    (few, short), (many, long) = tries[-2] if len(tries) > 1 else (0, 0.0), tries[-1]
    epoch = max((long - short) / (many - few), 1e-6)
    return max(1, min(most, int((time_budget - long) / epoch) + many))


def _seconds(fit: Fit, train: pd.DataFrame, job: dict[str, Any], epochs: int) -> float:
    begun = time.perf_counter()
    fit(train, {**job, "epochs": epochs})
    return time.perf_counter() - begun


def filled(frame: pd.DataFrame) -> pd.DataFrame:
    """Without missing values, for peers that do not take them: the median, or a word of its own. Text is text."""
    numbers = frame.select_dtypes("number")
    words = frame.drop(columns=numbers.columns).astype(object).fillna(MISSING).astype(str)
    whole: pd.DataFrame = numbers.fillna(numbers.median().fillna(0)).join(words)[list(frame)]
    return whole


def restored(made: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """The records of a peer that learned `filled(train)`: the word is missing again, whole numbers are whole."""
    made = made[list(train)].copy()
    for name, kind in train.dtypes.items():
        if pd.api.types.is_integer_dtype(kind):
            made[name] = made[name].astype(float).round().astype("int64")
        elif pd.api.types.is_bool_dtype(kind):
            made[name] = made[name].astype(str).eq("True")
        elif not pd.api.types.is_numeric_dtype(kind):
            made[name] = made[name].astype(object).where(made[name] != MISSING, None)
    return made
