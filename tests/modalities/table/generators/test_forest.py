from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.forest import Forest, ForestModel
from tests.contracts.samples import cohort, table


@pytest.fixture(scope="module")
def train() -> Table:
    return cohort(900, 1)


@pytest.fixture(scope="module")
def model(train: Table) -> ForestModel:
    return Forest(trees=3).fit(train, rng=stream(0))


def test_relations_and_missing_values_are_kept(train: Table, model: ForestModel) -> None:
    real, drawn = train.frame, concat(list(model.sample(6000, rng=stream(1)))).frame
    for frame in (real, drawn):
        frame["sick"] = frame["died"].astype(str) == "True"
    gap = [f.loc[f["sick"], "age"].mean() - f.loc[~f["sick"], "age"].mean() for f in (real, drawn)]
    assert abs(gap[0] - gap[1]) < 0.3 * abs(gap[0])
    absent = [f.loc[~f["sick"], "creatinine"].isna().mean() for f in (real, drawn)]
    assert abs(absent[0] - absent[1]) < 0.06


def test_an_interaction_of_categories_is_found() -> None:
    rng = stream(2)
    a, b = rng.integers(0, 5, 1500), rng.integers(0, 5, 1500)
    sums = np.where(rng.random(1500) < 0.95, (a * 2 + b) % 5, rng.integers(0, 5, 1500))
    data = table(pd.DataFrame({"a": [f"a{x}" for x in a], "b": [f"b{x}" for x in b], "c": [f"c{x}" for x in sums]}))
    drawn = concat(list(Forest(trees=3).fit(data, rng=stream(0)).sample(4000, rng=stream(1)))).frame
    first, second, third = (drawn[name].astype(str).str[1:].astype(int) for name in "abc")
    assert ((first * 2 + second) % 5 == third).mean() > 0.8


@pytest.mark.parametrize("visits", [1, 4])
def test_every_leaf_stands_for_enough_patients(visits: int) -> None:
    frame = pd.DataFrame({"x": stream(0).normal(size=600).round(2), "y": stream(1).normal(size=600).round(2)})
    frame["y"] += frame["x"]
    frame["pid"] = np.arange(600) // visits
    data = table(frame, subject="pid")
    model = Forest(rare=7, leaf=5, trees=2, bins=20).fit(data, rng=stream(0))
    codes = model.encoding.encode(data)[:, list(model.structure.order)]
    for j, trees in enumerate(model.grown):
        for tree in trees:
            reached = tree.reached(codes[:, :j])
            patients = pd.Series(data.subjects).groupby(reached).nunique()
            assert patients.min() >= 7
            assert len(patients) == len(tree.shares)
    assert len(model.grown[1][0].shares) > 3


def test_leaves_hold_shares_that_sum_to_one(model: ForestModel) -> None:
    for trees in model.grown:
        for tree in trees:
            assert np.allclose(tree.shares.sum(1), 1, atol=1e-4)
            assert (tree.shares > 0).all()


def test_saved_and_loaded_it_draws_the_same(model: ForestModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = Forest.load(tmp_path)
    assert (again.draw(200, rng=stream(3)) == model.draw(200, rng=stream(3))).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_records_is_enough(n: int) -> None:
    model = Forest().fit(cohort(n, 0), rng=stream(0))
    assert sum(map(len, model.sample(5, rng=stream(1)))) == 5
