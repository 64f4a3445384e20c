"""synthcity's generators with their defaults (Apache-2.0; arXiv 2301.07573), ddpm and adsgan for as many epochs as
time allows. They take no missing values, so these are filled first: the median, or a word of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import synthcity_without  # noqa: F401
from exchange import filled, restored, serve
from synthcity.plugins.core.dataloader import GenericDataLoader
from synthcity.plugins.generic.plugin_arf import ARFPlugin
from synthcity.plugins.generic.plugin_ddpm import TabDDPMPlugin
from synthcity.plugins.privacy.plugin_adsgan import AdsGANPlugin

PARTS = {"ddpm": TabDDPMPlugin, "arf": ARFPlugin, "adsgan": AdsGANPlugin}
MOST = {"ddpm": 1000, "adsgan": 10_000}  # their defaults


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """One plugin, without the loader that imports all others. Only ddpm wants to know whether the target is a class."""
    told: dict[str, Any] = {"random_state": job["seed"], "workspace": Path(tempfile.mkdtemp(dir="."))}
    if job["part"] in MOST:
        told["n_iter"] = job["epochs"]
    if job["part"] == "ddpm":
        told["is_classification"] = job["target"] is not None and not job["regression"]
    target = {} if job["target"] is None else {"target_column": job["target"]}
    model = PARTS[job["part"]](**told)
    model.fit(GenericDataLoader(filled(train), **target))
    return lambda n: restored(model.generate(count=n).dataframe(), train)


if __name__ == "__main__":
    serve(fit, most=MOST)
