"""SDV's CTGANSynthesizer (Business Source License 1.1; Xu et al., NeurIPS 2019), as many epochs as time allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from exchange import serve
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer

MOST = 300  # its default


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """Fit with its defaults but for the epochs. SDV 2 speaks in dicts of tables."""
    metadata = Metadata.detect_from_dataframes({"t": train})
    one, three = (_fitted(train, metadata, epochs=epochs, seed=job["seed"])[1] for epochs in (1, 3))
    epoch = max((three - one) / 2, 1e-3)
    left = job["time_budget"] - one - three
    model, _ = _fitted(train, metadata, epochs=min(MOST, max(1, int(left / epoch))), seed=job["seed"])

    def sample(n: int) -> pd.DataFrame:
        made = model.sample(num_rows=n)
        return made["t"] if isinstance(made, dict) else made

    return sample


def _fitted(train: pd.DataFrame, metadata: Metadata, *, epochs: int, seed: int) -> tuple[CTGANSynthesizer, float]:
    """A model after so many epochs, and its seconds: SDV cannot go on with one, so the pace is tried out first."""
    np.random.seed(seed)
    torch.manual_seed(seed)
    begun = time.perf_counter()
    model = CTGANSynthesizer(metadata, epochs=epochs)
    model.fit({"t": train})
    return model, time.perf_counter() - begun


if __name__ == "__main__":
    serve(fit)
