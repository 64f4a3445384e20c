"""synthcity's metrics (Apache-2.0; arXiv 2301.07573), one at a time and straight: its own loop swallows errors."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import synthcity_without  # noqa: F401
from judging import Frames, serve
from synthcity.metrics.eval import standard_metrics
from synthcity.plugins.core.dataloader import GenericDataLoader, create_from_info

PARTS = ("train", "holdout", "synthetic")


def filled(frames: Frames) -> list[pd.DataFrame]:
    """The parts without missing values, which synthcity does not take: the median, or a word of its own."""
    middle = frames["train"].median(numeric_only=True)
    words = {name: str for name in frames["train"] if name not in middle.index}
    return [frames[part].fillna(middle).astype(words) for part in PARTS]


def measured(frames: Frames, job: dict[str, Any]) -> dict[str, float]:
    """One metric on data encoded together, as Metrics.evaluate does."""
    parts = filled(frames)
    told = GenericDataLoader(parts[0], target_column=job["target"]).info()
    _, encoders = create_from_info(pd.concat(parts), told).encode()
    train, holdout, made = (create_from_info(part, told).encode(encoders)[0] for part in parts)
    n = min(len(train), len(made))
    kind = next(metric for metric in standard_metrics if metric.name() == job["part"])
    with tempfile.TemporaryDirectory() as folder:
        metric = kind(workspace=Path(folder), use_cache=False, n_folds=5)
        if job["part"].startswith("Domias"):
            found = metric.evaluate(holdout, made, train, made, reference_size=len(holdout) // 2)
        else:
            found = metric.evaluate(train.sample(n), made.sample(n))
    return {name: float(np.asarray(value)) for name, value in found.items()}


if __name__ == "__main__":
    serve({metric.name(): measured for metric in standard_metrics})
