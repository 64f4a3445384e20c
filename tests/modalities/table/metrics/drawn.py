"""Small evidence for the tests of this folder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.modalities.table.data import Table
from tests.contracts.samples import cohort, table


def evidence(train: Table, holdout: Table, synthetic: Table, **more: Any) -> Evidence[Table]:
    return Evidence(train, holdout, synthetic, catalog.modality("table"), **more)


def framed(*frames: pd.DataFrame, subject: str | None = None, **more: Any) -> Evidence[Table]:
    """Train, holdout and synthetic from frames, read as one file so that they share a schema."""
    whole = table(pd.concat(frames, ignore_index=True), subject=subject)
    ends = np.cumsum([len(frame) for frame in frames])
    parts = [whole.take(np.arange(end - len(frame), end)) for end, frame in zip(ends, frames, strict=True)]
    return evidence(*parts, **more)


def thirds(n: int = 400, seed: int = 0) -> tuple[Table, Table, Table]:
    whole = cohort(3 * n, seed)
    first, second, third = (whole.take(np.arange(i * n, (i + 1) * n)) for i in range(3))
    return first, second, third
