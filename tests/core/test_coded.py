from __future__ import annotations

from weakref import ref

import numpy as np
import pandas as pd

from semblance.core.coded import WIDTH, features, kept, names, narrow, number, one_hot, ranks, unit
from semblance.core.schema import Column, Schema

COLOURS = pd.Series(pd.Categorical(["red", "blue", "red", None], ["blue", "green", "red"]))


class Some:
    """A data set, for which only itself is the same."""


def test_what_is_kept_is_found_once_for_each_data_set_and_goes_with_it():
    asked = []
    numbered = kept(lambda data: asked.append(1) or len(asked))
    one, two = Some(), Some()
    assert [numbered(one), numbered(two), numbered(one), numbered(two)] == [1, 2, 1, 2]
    gone = ref(one)
    del one
    assert gone() is None and numbered(two) == 2


def test_categories_are_ranked_by_how_often_the_reference_has_them():
    assert list(names(COLOURS)) == ["red", "blue"]
    made = ranks(pd.Series(["blue", "red", "green", None]), names(COLOURS))
    assert np.array_equal(made, [1, 0, 2, np.nan], equal_nan=True)


def test_two_categories_are_one_apart_and_unknown_ones_at_the_origin():
    red, blue, green = one_hot(pd.Series(["red", "blue", "green"]), COLOURS)
    assert np.isclose(np.linalg.norm(red - blue), 1)
    assert not green.any()


def test_numbers_are_units_of_the_middle_nine_tenths_around_the_median():
    reference = np.linspace(0, 100, 101)
    assert np.allclose(unit(np.array([5.0, 50, 95, np.nan, 1e9]), reference), [-0.5, 0, 0.5, 0, 4])


def test_infinite_is_missing():
    assert np.isnan(number(pd.Series([np.inf, np.nan]))).all()


def test_what_is_too_wide_is_projected_and_nearly_keeps_its_lengths():
    x = np.random.default_rng(0).normal(size=(50, 4 * WIDTH)).astype(np.float32)
    made = narrow(x)
    assert made.shape == (50, WIDTH)
    assert np.allclose(np.linalg.norm(made, axis=1) / np.linalg.norm(x, axis=1), 1, atol=0.35)
    assert narrow(made) is made


def test_features_are_the_columns_and_what_stands_beside_them():
    schema = Schema((Column("pid", "identifier", "subject"), Column("age", "numeric"), Column("sex", "categorical")))
    frame = pd.DataFrame({"age": [50.0, np.inf], "sex": pd.Categorical(["F", "M"])})
    reference = pd.DataFrame({"age": [60.0] * 3, "sex": pd.Categorical(["M", "M", "F"])})
    made = features(schema, frame, reference, np.array([[7.0], [8.0]]), ["wave"])
    assert made.names == ("age", "sex", "wave") and made.levels == ((), ("M", "F"), ())
    assert np.array_equal(made.x, [[50, 1, 7], [np.nan, 0, 8]], equal_nan=True)
    assert made.categorical.tolist() == [False, True, False]
