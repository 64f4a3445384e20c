from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.modalities.table.metrics.places import coarse, places
from semblance.modalities.table.metrics.samples import samples
from tests.modalities.table.metrics.drawn import evidence, framed, thirds


def test_places_give_the_values_back():
    found = evidence(*thirds(100))
    for column in found.train.schema.learned:
        made = places(found, column)
        for part, sample in samples(found).items():
            values = sample.table.frame[column.name].to_numpy()
            back = np.append(made.values, np.nan)[made.at[part]]
            assert all(a == b or (pd.isna(a) and pd.isna(b)) for a, b in zip(values, back, strict=True))


def test_names_of_train_come_first_by_frequency():
    train = pd.DataFrame({"c": ["b", "b", "a", "b", "a", "d"], "x": np.arange(6) / 7})
    other = pd.DataFrame({"c": ["z", "b", "z", None, "z", "z"], "x": np.arange(6) / 7})
    found = framed(train, train, other)
    made = places(found, found.train.schema["c"])
    assert made.values.tolist() == ["b", "a", "d", "z"]
    assert made.known == 3
    assert np.bincount(made.at["synthetic"], minlength=made.size).tolist() == [1, 0, 0, 4, 1]


def test_codes_stand_on_trains_edges_and_names_alone():
    rng = stream(0)
    real = pd.DataFrame({"x": rng.permutation(1000) / 7, "c": ["a", "b"] * 500})
    moved = pd.DataFrame({"x": real["x"] * 100 + 5000, "c": ["a", "new"] * 500})
    found = framed(real, real, moved)
    grids = coarse(found)
    assert grids["synthetic"].sizes.tolist() == [11, 4]
    assert np.bincount(grids["train"].codes[:, 0], minlength=10).tolist() == [100] * 10
    assert set(grids["synthetic"].codes[:, 0]) == {9}
    assert np.bincount(grids["synthetic"].codes[:, 1], minlength=4).tolist() == [500, 0, 500, 0]


def test_few_names_are_kept_and_missing_is_the_last_code():
    frame = pd.DataFrame({"c": ["a"] * 5 + ["b"] * 4 + ["d"] * 3 + [None] * 2, "x": np.arange(14) / 7})
    grid = coarse(framed(frame, frame, frame), top=2)["holdout"]
    assert grid.sizes.tolist()[0] == 4
    assert np.bincount(grid.codes[:, 0]).tolist() == [5, 4, 3, 2]
