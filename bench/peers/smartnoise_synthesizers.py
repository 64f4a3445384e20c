"""SmartNoise's AIM, MST and DP-CTGAN (MIT) with their defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from exchange import serve
from mbi_sampling import corrected
from snsynth import Synthesizer
from snsynth.transform import TableTransformer


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """The transformer is fitted to a frame that holds every code of the public domain, so it costs nothing."""
    np.random.seed(job["seed"])
    torch.manual_seed(job["seed"])
    sizes, style = job["sizes"], "gan" if job["part"] == "dpctgan" else "cube"
    public = pd.DataFrame({name: np.arange(max(sizes.values())) % size for name, size in sizes.items()})
    transformer = TableTransformer.create(public, style=style, categorical_columns=list(public))
    transformer.fit(public)
    model = Synthesizer.create(job["part"], epsilon=job["epsilon"], delta=job["delta"], verbose=False)
    model.fit(train, transformer=transformer)
    return lambda n: pd.DataFrame(model.sample(n), columns=list(train)).astype("int64")


if __name__ == "__main__":
    corrected()
    serve(fit)
