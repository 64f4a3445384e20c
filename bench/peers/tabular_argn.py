"""MOSTLY AI's TabularARGN (mostlyai-engine, Apache-2.0; arXiv 2501.12012)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from exchange import serve
from mostlyai import engine


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """Train within the same time budget as ours; the engine counts it in minutes."""
    engine.set_random_state(job["seed"])
    model = engine.TabularARGN(max_training_time=job["time_budget"] / 60, verbose=0)
    model.fit(train)
    return lambda n: model.sample(n_samples=n)


if __name__ == "__main__":
    serve(fit)
