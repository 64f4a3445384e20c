"""synthcity's SurvivalGAN with its defaults (Apache-2.0; Norcliffe et al., AISTATS 2023), for as many epochs as time
allows. Columns are named as in bench/survival.py: time and event."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import synthcity_without  # noqa: F401
from exchange import filled, restored, serve
from synthcity.plugins.core.dataloader import SurvivalAnalysisDataLoader
from synthcity.plugins.survival_analysis.plugin_survival_gan import SurvivalGANPlugin


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """The plugin, without the loader that imports all others."""
    whole = filled(train).assign(event=train["event"].astype(int))
    workspace = Path(tempfile.mkdtemp(dir="."))
    model = SurvivalGANPlugin(n_iter=job["epochs"], random_state=job["seed"], workspace=workspace)
    model.fit(SurvivalAnalysisDataLoader(whole, target_column="event", time_to_event_column="time"))
    return lambda n: _again(model.generate(count=n).dataframe(), train)


def _again(made: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """With the event as it was read, and whole days where they were."""
    event = made["event"].round().astype(int)
    kept = event.astype(bool) if pd.api.types.is_bool_dtype(train["event"]) else event
    return restored(made.assign(event=kept), train)


if __name__ == "__main__":
    serve(fit, most={"": 10_000})
