from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.drawing import ROUNDS, Drawing

SCHEMA = Schema((Column("x", "numeric"), Column("c", "categorical")))


@dataclass
class Uniform:
    """Numbers from 0 to 1 that are fine below `fine`, beside their label as a category."""

    fine: float = 0.3
    shares: tuple[float, ...] = ()
    made: list[int] = field(default_factory=list)

    def labels(self, n: int, *, rng: np.random.Generator) -> np.ndarray | None:
        return rng.permutation(np.arange(n) % len(self.shares)) if self.shares else None

    def make(self, labels: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        self.made.append(len(labels))
        names = pd.Categorical.from_codes(labels, categories=["a", "b", "c"])
        frame = pd.DataFrame({"x": rng.random(len(labels)), "c": names})
        return Table(SCHEMA, frame, first_subject + np.arange(len(labels)) // 2)

    def bad(self, table: Table, labels: np.ndarray) -> np.ndarray:
        assert (table.frame["c"].cat.codes == labels).all()
        return (table.frame["x"] > self.fine).to_numpy()

    def told(self) -> dict[str, Any]:
        return {"who": "uniform"}


def test_no_bad_record_is_left_and_the_others_are_as_they_would_be():
    drawing = Drawing(Uniform(), 3000, stream(0), 1000)
    made = concat(list(drawing))
    assert len(made) == 3000 and made.frame["x"].max() <= 0.3
    assert np.abs(np.quantile(made.frame["x"], [0.25, 0.5, 0.75]) - [0.075, 0.15, 0.225]).max() < 0.02
    assert made.subjects.tolist() == (np.arange(3000) // 2).tolist()


def test_the_cost_is_counted():
    source = Uniform(fine=0.5)
    drawing = Drawing(source, 1000, stream(0), 1000)
    assert drawing.told() == {"who": "uniform"}
    list(drawing)
    told = drawing.told()
    assert 400 < told.pop("broken") < 600
    assert told == {"who": "uniform", "drawn": sum(source.made), "redrawn": sum(source.made) - 1000}
    assert sum(source.made) < 6000


def test_every_record_keeps_its_label_through_all_rounds():
    made = concat(list(Drawing(Uniform(shares=(1, 1, 1)), 2501, stream(0), 1000))).frame
    assert sorted(made["c"].value_counts()) == [833, 834, 834]


def test_the_first_records_do_not_depend_on_how_many_follow():
    few, many = (concat(list(Drawing(Uniform(), n, stream(0), 500))).frame for n in (30, 1700))
    assert few.equals(many.head(30))


def test_a_few_records_cost_little():
    source = Uniform(fine=1)
    list(Drawing(source, 10, stream(0), 8192))
    list(Drawing(source, 9000, stream(0), 8192))
    assert source.made == [512, 512, 512, 1024, 2048, 4096, 8192]


def test_what_cannot_be_mended_ends_with_the_share_and_within_bounds():
    source = Uniform(fine=1e-9)
    with pytest.raises(DataError, match=r"100\.0% of the records"):
        list(Drawing(source, 10, stream(0), 100))
    assert len(source.made) == ROUNDS + 1 and sum(source.made) <= 100 * (ROUNDS + 1)


@pytest.mark.parametrize("n", [-1, 2.5, "x", True, None])
def test_what_is_no_number_of_records_is_refused_at_once(n):
    with pytest.raises(UsageError, match="whole number of records"):
        Drawing(Uniform(), n, stream(0), 100)
