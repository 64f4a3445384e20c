from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.table.units import _distance, comparable
from tests.contracts.samples import WEIRD, table


def weighed(seed: int, *, factor: float = 1.0, n: int = 500):
    rng = stream(seed)
    return table(pd.DataFrame({"weight": rng.normal(80, 10, n) * factor, "height": rng.normal(170, 9, n)}))


def test_the_same_units_pass():
    comparable(weighed(0), weighed(1), part="synthetic")


@pytest.mark.parametrize("factor", [1000, 0.001, 10])
def test_another_unit_is_told_with_its_column_and_factor(factor):
    with pytest.raises(DataError, match=r"weight.*about .* times"):
        comparable(weighed(0), weighed(1, factor=factor), part="synthetic")


def test_a_bad_generator_is_no_unit():
    train = weighed(0)
    spread = table(pd.DataFrame({"weight": stream(1).uniform(0, 4000, 500), "height": np.full(500, 170.0)}))
    comparable(train, spread, part="synthetic")


def test_the_distance_is_scipys():
    a, b = stream(0).normal(size=90), stream(1).normal(0.3, size=70)
    assert _distance(a, b) == pytest.approx(ks_2samp(a, b).statistic)


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_pass(name):
    comparable(WEIRD[name](), WEIRD[name](), part="holdout")
