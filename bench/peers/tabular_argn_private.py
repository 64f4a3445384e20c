"""MOSTLY AI's TabularARGN trained by DP-SGD (mostlyai-engine, Apache-2.0; arXiv 2501.12012), with its defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from exchange import serve
from mostlyai import engine


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """Codes are categories of a public domain, so nothing is spent on protecting values."""
    engine.set_random_state(job["seed"])
    model = engine.TabularARGN(
        max_training_time=job["time_budget"] / 60,
        value_protection=False,
        differential_privacy={"max_epsilon": job["epsilon"], "delta": job["delta"]},
        tgt_encoding_types=dict.fromkeys(train, "TABULAR_CATEGORICAL"),
        verbose=0,
    )
    model.fit(train.astype(str))
    return lambda n: _codes(model.sample(n_samples=n), job)


def _codes(made: pd.DataFrame, job: dict[str, Any]) -> pd.DataFrame:
    """Codes again; a word that is none is a missing value."""
    found = {name: pd.to_numeric(made[name], errors="coerce").fillna(code) for name, code in job["missing"].items()}
    return pd.DataFrame(found).astype("int64")


if __name__ == "__main__":
    serve(fit)
