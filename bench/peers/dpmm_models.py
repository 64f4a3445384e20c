"""DPMM's AIM, MST and PrivBayes (Apache-2.0; Mahiou et al., 2025) with their defaults, without its own binning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from dpmm.pipelines import AIMPipeline, MSTPipeline, PrivBayesPipeline
from exchange import serve

PARTS = {"aim": AIMPipeline, "mst": MSTPipeline, "priv_bayes": PrivBayesPipeline}


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """The domain is public, so nothing is spent on processing."""
    model = PARTS[job["part"]](
        epsilon=job["epsilon"], delta=job["delta"], proc_epsilon=None, disable_processing=True, n_jobs=1
    )
    model.fit(train, domain=job["sizes"], random_state=job["seed"])
    return lambda n: model.generate(n_records=n, random_state=job["seed"])[list(train)]


if __name__ == "__main__":
    serve(fit)
