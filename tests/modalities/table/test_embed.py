from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.modalities.table.embed import TOP, WIDTH, embed, features
from tests.contracts.samples import WEIRD, cohort, table


def test_features_are_ranks_of_the_reference():
    reference = table(pd.DataFrame({"c": ["b"] * 3 + ["a"] * 2, "x": [1.5, 2.5, 3.5, np.nan, 9.5]}))
    other = table(pd.DataFrame({"c": ["a", "new", None], "x": [0.5, np.inf, np.nan]}))
    made = features(other, replace(reference))
    assert made.names == ("c", "x")
    assert made.categorical.tolist() == [True, False]
    np.testing.assert_array_equal(made.x, [[1, 0.5], [2, 18.5], [np.nan, np.nan]])


def test_features_stay_below_the_limit_of_boosting_and_find_the_target():
    many = table(pd.DataFrame({"c": [f"v{i:03d}" for i in range(300)] * 2, "died": [0, 1] * 300}), target="died")
    made = features(many, many)
    assert made.x[:, 0].max() == TOP
    assert made.target == 1


def test_one_category_and_one_range_are_one_step():
    whole = cohort(400, 0)
    x = embed(whole, whole)
    assert x.dtype == np.float32
    frame = whole.frame.iloc[[0]].copy()
    low, high = np.quantile(whole.frame["age"], [0.05, 0.95])
    before = replace(whole, frame=frame.assign(age=low), subjects=whole.subjects[:1])
    after = replace(before, frame=frame.assign(age=high))
    assert np.linalg.norm(embed(after, whole) - embed(before, whole)) == np.float32(1)
    swapped = {"F": "M", "M": "F"}[frame["sex"].iloc[0]]
    other = replace(before, frame=before.frame.assign(sex=pd.Categorical([swapped])))
    assert np.isclose(np.linalg.norm(embed(other, whole) - embed(before, whole)), 1)


def test_equal_records_are_equal_whatever_their_categories_list():
    whole = cohort(50, 0)
    pruned = replace(whole, frame=whole.frame.assign(sex=whole.frame["sex"].cat.set_categories(["M", "x", "F"])))
    assert np.array_equal(embed(whole, whole), embed(pruned, whole))


def test_wide_tables_stay_narrow_and_keep_distances():
    rng = stream(0)
    wide = table(pd.DataFrame({f"x{i}": rng.normal(size=200) for i in range(400)}))
    x = embed(wide, wide)
    assert x.shape == (200, WIDTH)
    scaled = [(v - np.median(v)) / np.ptp(np.quantile(v, [0.05, 0.95])) for v in wide.frame.to_numpy().T]
    true = np.linalg.norm(np.diff(np.clip(scaled, -4, 4), axis=1), axis=0)
    ratio = np.linalg.norm(np.diff(x, axis=0), axis=1) / true
    assert 0.95 < ratio.mean() < 1.05


def test_every_weird_table_is_embedded_finitely():
    for name, make in WEIRD.items():
        whole = make()
        assert np.isfinite(embed(whole, whole)).all(), name
        assert not np.isinf(features(whole, whole).x).any(), name
