"""imbalanced-learn's SMOTE (MIT; Chawla et al., JAIR 2002): between neighbours of one class, categories by vote.

It makes records for classes that have too few, so it is asked for as many again of every class, and the first ones,
the real records, are left out. A target that is a number is a column like the others, and its halves are the classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from exchange import filled, restored, serve
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

NEIGHBOURS = 5  # its default


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """There is nothing to learn: the records are kept."""
    frame, target = filled(train), job["target"]
    split = job["regression"] or target is None
    classes = halves(frame, target) if split else frame[target].astype(str)
    columns = frame if split else frame.drop(columns=target)

    def sample(n: int) -> pd.DataFrame:
        counts = classes.value_counts()
        more = {name: count + -(-n * count // len(frame)) for name, count in counts.items()}
        smote = sampler(columns, more, neighbours=min(NEIGHBOURS, counts.min() - 1), seed=job["seed"])
        made, labels = smote.fit_resample(columns, classes)
        if not split:
            made[target] = labels.astype(frame[target].dtype)
        return restored(made.iloc[len(frame) :].sample(n, random_state=job["seed"]), train)

    return sample


def halves(frame: pd.DataFrame, target: str | None) -> pd.Series:
    """Records with a low and with a high target (or first number); any halves where nothing is a number."""
    numbers = frame.select_dtypes("number")
    by = frame[target] if target is not None else numbers.iloc[:, 0] if len(numbers.columns) else None
    ranks = pd.Series(range(len(frame)), index=frame.index) if by is None else by.rank(method="first")
    return (ranks > len(frame) / 2).astype(str)


def sampler(columns: pd.DataFrame, more: dict[str, int], *, neighbours: int, seed: int) -> Any:
    """The variant for numbers, for categories, or for both."""
    words = [name for name, kind in columns.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    told: dict[str, Any] = {"sampling_strategy": more, "k_neighbors": max(1, neighbours), "random_state": seed}
    if not words:
        return SMOTE(**told)
    if len(words) == len(columns.columns):
        return SMOTEN(**told)
    return SMOTENC(categorical_features=words, **told)


if __name__ == "__main__":
    serve(fit)
