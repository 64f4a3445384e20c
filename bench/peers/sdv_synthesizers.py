"""SDV's synthesizers with their defaults, CTGAN and TVAE with as many epochs as time allows (Business Source License
1.1; Patki et al., DSAA 2016; Xu et al., NeurIPS 2019)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from exchange import serve
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer, GaussianCopulaSynthesizer, TVAESynthesizer

PARTS = {"ctgan": CTGANSynthesizer, "tvae": TVAESynthesizer, "copula": GaussianCopulaSynthesizer}
MOST = {"ctgan": 300, "tvae": 300}  # their defaults


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """SDV 2 speaks in dicts of tables."""
    np.random.seed(job["seed"])
    torch.manual_seed(job["seed"])
    epochs = {"epochs": job["epochs"]} if job["part"] in MOST else {}
    model = PARTS[job["part"]](Metadata.detect_from_dataframes({"t": train}), **epochs)
    model.fit({"t": train})

    def sample(n: int) -> pd.DataFrame:
        made = model.sample(num_rows=n)
        return made["t"] if isinstance(made, dict) else made

    return sample


if __name__ == "__main__":
    serve(fit, most=MOST)
