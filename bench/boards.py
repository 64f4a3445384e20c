"""The boards: open tables with their targets, and the seconds in which every contender may learn."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from semblance.core.modality import ReadOptions
from semblance.modalities.table.data import Table, from_frame, read

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SEMBLANCE_DATA", ROOT.parent / "shared" / "data"))


@dataclass(frozen=True)
class Board:
    """One table with its target, and the seconds that every generator may learn."""

    title: str
    load: Callable[[], Table]
    time_budget: float


def _file(name: str, options: ReadOptions) -> Callable[[], Table]:
    return lambda: read([DATA / "tables" / name], options)[0]


def _framed(frame: Callable[[], pd.DataFrame], target: str) -> Callable[[], Table]:
    return lambda: from_frame(frame(), ReadOptions(target=target))[0]


def _flchain() -> pd.DataFrame:
    from semblance.app.demo import cohort

    return cohort()


def _survival(name: str) -> Callable[[], pd.DataFrame]:
    """A cohort of scikit-survival; its event and its time are two more columns."""

    def frame() -> pd.DataFrame:
        from sksurv import datasets

        covariates, outcome = getattr(datasets, f"load_{name}")()
        joined: pd.DataFrame = covariates.assign(**{column: outcome[column] for column in outcome.dtype.names})
        return joined

    return frame


def _learning(name: str) -> Callable[[], pd.DataFrame]:
    """A table of scikit-learn."""

    def frame() -> pd.DataFrame:
        from sklearn import datasets

        bunch: Any = getattr(datasets, f"load_{name}")(as_frame=True)
        table: pd.DataFrame = bunch.frame
        return table

    return frame


def _actg175() -> pd.DataFrame:
    """The trial without the patients' numbers."""
    return pd.read_csv(DATA / "tables" / "actg175" / "actg175.csv").drop(columns="pidnum")


BOARDS = {
    "flchain": Board("FLChain without the cause of death, target death", _framed(_flchain, "death"), 25),
    "adult": Board("Adult, target income", _file("adult.csv.gz", ReadOptions(target="income")), 60),
    "diabetes130": Board(
        "Diabetes-130, target readmitted",
        _file("diabetes130.zip", ReadOptions(subject="patient_nbr", target="readmitted")),
        240,
    ),
}
SMALL_BUDGET = 20
SMALL = {
    "gbsg2": Board("GBSG2, target cens", _framed(_survival("gbsg2"), "cens"), SMALL_BUDGET),
    "whas500": Board("WHAS500, target fstat", _framed(_survival("whas500"), "fstat"), SMALL_BUDGET),
    "veterans": Board(
        "Veterans' lung cancer, target Celltype", _framed(_survival("veterans_lung_cancer"), "Celltype"), SMALL_BUDGET
    ),
    "actg175": Board("ACTG175, target cens", _framed(_actg175, "cens"), SMALL_BUDGET),
    "breast_cancer": Board("Breast cancer, target benign", _framed(_learning("breast_cancer"), "target"), SMALL_BUDGET),
    "diabetes": Board("Diabetes, target progression", _framed(_learning("diabetes"), "target"), SMALL_BUDGET),
}
