"""SDV's GaussianCopulaSynthesizer (Business Source License 1.1; Patki et al., DSAA 2016)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from exchange import serve
from sdv.metadata import Metadata
from sdv.single_table import GaussianCopulaSynthesizer


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """Fit with its defaults. SDV 2 speaks in dicts of tables."""
    np.random.seed(job["seed"])
    metadata = Metadata.detect_from_dataframes({"t": train})
    model = GaussianCopulaSynthesizer(metadata)
    model.fit({"t": train})

    def sample(n: int) -> pd.DataFrame:
        made = model.sample(num_rows=n)
        return made["t"] if isinstance(made, dict) else made

    return sample


if __name__ == "__main__":
    serve(fit)
