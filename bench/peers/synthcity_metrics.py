"""synthcity's metrics (Apache-2.0; arXiv 2301.07573), one at a time and straight, since its own loop swallows errors.

Its import loads the image and time-series parts of the library too. Tables need none of them, and their packages bring
gigabytes for GPUs, so empty modules stand in for them.
"""

from __future__ import annotations

import sys
import tempfile
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from judging import Frames, serve

UNUSED = ("monai", "torchvision", "tsai")


class _Empty(ModuleType):
    """A module in which every name is a class that does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class _Unused(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in UNUSED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing."""


sys.meta_path.insert(0, _Unused())

from synthcity.metrics.eval import standard_metrics  # noqa: E402
from synthcity.plugins.core.dataloader import GenericDataLoader, create_from_info  # noqa: E402

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
