"""Games whose answer is known, for the tests of attacks: cohorts, and generators that leak in a known way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.table.data import Table
from tests.contracts.samples import cohort

N = 400
Leak = Callable[[Table, Table], Table]
"""Synthetic records from the train and from fresh ones."""


def evidence(leak: Leak, *, n: int = N, seed: int = 4, **more: Any) -> Evidence[Table]:
    """Train, holdout and fresh patients of one cohort; `leak` makes the synthetic records."""
    whole = cohort(3 * n, seed)
    train, holdout, fresh = (whole.take(np.arange(i * n, (i + 1) * n)) for i in range(3))
    return Evidence(train, holdout, leak(train, fresh), catalog.modality("table"), seed=seed, **more)


def copycat(**more: Any) -> Evidence[Table]:
    """The training records themselves."""
    return evidence(lambda train, fresh: train, **more)


def blameless(**more: Any) -> Evidence[Table]:
    """Fresh real patients."""
    return evidence(lambda train, fresh: fresh, **more)


def noisy(share: float) -> Leak:
    """Copies whose numbers moved by a share of their standard deviation."""

    def leak(train: Table, fresh: Table) -> Table:
        frame, rng = train.frame.copy(), stream(0, "noise")
        for column in train.schema.learned:
            if column.continuous:
                values = frame[column.name]
                frame[column.name] = values + rng.normal(0, share * np.nanstd(values), len(values))
        return replace(train, frame=frame)

    return leak
