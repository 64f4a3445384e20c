from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.vitals.encoding.facts import Fact


def again(column: Column, values: pd.Series) -> tuple[Fact, pd.Series]:
    fact = Fact.of(column, values, np.arange(len(values)), rare=5)
    numbers = fact.encode(values, rng=stream(0, "x"))
    assert numbers.shape == (len(values), fact.width)
    return fact, pd.Series(Fact.from_json(fact.to_json()).decode(numbers))


def test_choices_come_back_and_rare_ones_do_not():
    values = pd.Series(pd.Categorical(["F"] * 50 + ["M"] * 45 + ["Z"] + [None] * 10))
    fact, made = again(Column("sex", "categorical"), values)
    assert fact.levels == ("F", "M")
    assert made[:95].tolist() == values[:95].tolist()
    assert made[96:].isna().all()


def test_whole_numbers_of_few_values_are_choices():
    values = pd.Series(np.repeat([1.0, 2.0, 4.0], 20))
    fact, made = again(Column("ward", "integer"), values)
    assert fact.levels == (1.0, 2.0, 4.0)
    assert made.tolist() == values.tolist()


def test_numbers_come_back_within_what_enough_patients_have():
    values = pd.Series(np.append(np.arange(200) / 2, 7000.0))
    fact, made = again(Column("weight", "numeric", decimals=1), values)
    assert not fact.levels
    assert made.max() <= 100
    assert np.corrcoef(made[:200], values[:200])[0, 1] > 0.99


def test_a_column_of_nothing():
    fact, made = again(Column("x", "numeric"), pd.Series(np.full(20, np.nan)))
    assert made.isna().all()
    assert fact.missing == 1


def test_a_fact_that_fewer_than_rare_patients_have_is_missing_in_all():
    values = pd.Series(np.where(np.arange(60) < 12, 683.27 + np.arange(60) / 7, np.nan))
    fact = Fact.of(Column("dose", "numeric", decimals=2), values, np.arange(60) // 3, rare=5)  # of 4 patients
    assert fact.missing == 1
    assert not len(fact.marginal.knots)
    made = Fact.from_json(fact.to_json()).decode(fact.encode(values, rng=stream(0, "x")))
    assert np.isnan(made).all()


def test_a_choice_of_one_patient_with_many_stays_is_none():
    values = pd.Series(pd.Categorical(["odd"] * 30 + ["usual"] * 60))
    fact = Fact.of(Column("ward", "categorical"), values, np.append(np.zeros(30), np.arange(1, 61)), rare=5)
    assert fact.levels == ("usual",)
