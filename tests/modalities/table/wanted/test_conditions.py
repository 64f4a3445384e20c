from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.codes import Categories, Numbers
from semblance.modalities.table.wanted.conditions import (
    Condition,
    Unfit,
    bands_of,
    condition_of,
    overlapping,
    values_of,
)

SEX, AGE = Column("sex", "categorical"), Column("age", "integer")
DAY, STAGE = Column("day", "date"), Column("stage", "ordinal", categories=("I", "II", "III"))
SEXES = Categories(("F", "M", None), 2)
FLAGS = Categories(("0", "1"), 0)


def ages() -> Numbers:
    values = stream(0, "ages").integers(20, 90, 3000).astype(float)
    return Numbers.fit(values, np.arange(3000), AGE, rare=5, tokens=1, bins=10)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("F", Condition(names=frozenset("F"))),
        ({"F", "M"}, Condition(names=frozenset("FM"))),
        (["F", None], Condition(names=frozenset("F"), missing=True)),
        (None, Condition(missing=True)),
    ],
)
def test_values_sets_and_the_missing_value(asked, wanted):
    assert condition_of(asked, SEX, SEXES) == wanted


@pytest.mark.parametrize("asked", [True, 1, 1.0, "1"])
def test_a_category_is_found_as_the_data_write_it(asked):
    assert condition_of(asked, Column("died", "boolean"), FLAGS).names == {"1"}


@pytest.mark.parametrize(
    ("asked", "spans"),
    [
        ((60, 80), ((60, 80),)),
        (("60", "80"), ((60, 80),)),
        ((60, None), ((60, np.inf),)),
        (65, ((65, 65),)),
        ({65, (70, 75), (74, 80)}, ((65, 65), (70, 80))),
    ],
)
def test_ranges_of_numbers(asked, spans):
    assert condition_of(asked, AGE, ages()).spans == spans


def test_dates_are_texts_or_dates():
    seconds = pd.Timestamp("2020-02-01").timestamp()
    for asked in ("2020-02-01", date(2020, 2, 1), pd.Timestamp("2020-02-01"), np.datetime64("2020-02-01")):
        assert condition_of(asked, DAY, None).spans == ((seconds, seconds),)


def test_a_range_of_an_ordinal_column_follows_its_order():
    stages = Categories(("I", "II", "III"), 0)
    assert condition_of(("II", "III"), STAGE, stages).names == {"II", "III"}
    assert condition_of((None, "II"), STAGE, stages).names == {"I", "II"}


@pytest.mark.parametrize(
    ("asked", "column", "coder", "said"),
    [
        ("X", SEX, SEXES, "one of F, M, or None"),
        (("F", "M"), SEX, SEXES, "order"),
        (None, AGE, ages(), "never missing"),
        ((100, 120), AGE, ages(), "about 2"),
        ((80, 60), AGE, ages(), "lowest"),
        (("80", "60"), AGE, ages(), "lowest"),
        ("old", AGE, ages(), "a number"),
        (float("nan"), AGE, ages(), "None"),
        ("yesterday-ish", DAY, None, "a date"),
        (("I", "IV"), STAGE, None, "one of I, II, III"),
        (("III", "I"), STAGE, Categories(("I", "II", "III"), 0), "lowest"),
    ],
)
def test_what_a_column_cannot_have_is_told_with_what_it_can(asked, column, coder, said):
    with pytest.raises(Unfit) as caught:
        condition_of(asked, column, coder)
    assert said in caught.value.rule


@pytest.mark.parametrize(
    ("asked", "column", "values", "step"),
    [
        (70.5, AGE, np.arange(3000.0) % 70 + 20, "whole numbers"),
        ((70.1, 70.9), AGE, np.arange(3000.0) % 70 + 20, "whole numbers"),
        ({70.5, "120.5"}, AGE, np.arange(3000.0) % 70 + 20, "whole numbers"),
        (70.55, Column("weight", "numeric", decimals=1), (np.arange(3000) % 700 + 200) / 10, "multiples of 0.1"),
        ("1970-02-01 12:00", DAY, np.arange(3000.0) % 700 * 86_400, "whole days"),
    ],
)
def test_a_value_between_the_steps_of_a_column_is_told_as_such(asked, column, values, step):
    coder = Numbers.fit(values, np.arange(3000), column, rare=5, tokens=1, bins=10)
    with pytest.raises(Unfit) as caught:
        condition_of(asked, column, coder)
    assert caught.value.found == f"a value that falls between {step}"
    assert caught.value.rule.startswith(f"the column holds {step}, about ")


def test_a_value_far_away_is_not_said_to_fall_between_steps():
    for asked in (200, [70.5, 200], (200, None)):
        with pytest.raises(Unfit, match="does not know"):
            condition_of(asked, AGE, ages())


def test_weight_and_holds_agree_on_whole_codes():
    condition = condition_of({"F", None}, SEX, SEXES)
    assert condition.weight(SEXES).tolist() == [1, 0, 1]
    values = pd.Series(pd.Categorical(["F", "M", None]))
    assert condition.holds(values).tolist() == [True, False, True]
    numbers = condition_of({(30, 40), None}, AGE, None)
    assert numbers.holds(pd.Series([29.0, 30, 40, 41, np.nan])).tolist() == [False, True, True, False, True]


def test_bands_that_touch_leave_the_border_to_the_upper_one_and_others_overlap():
    bands = bands_of({(18, 60): 0.4, (60, 90): 0.6}, AGE, ages())
    assert not list(overlapping(bands))
    assert [band.holds(pd.Series([60.0]))[0] for band, _ in bands] == [False, True]
    assert list(overlapping(bands_of({(18, 61): 0.4, (60, 90): 0.6}, AGE, ages()))) == [1]
    assert list(overlapping(bands_of({"F": 0.5, "M": 0.2, frozenset(["M"]): 0.3}, SEX, SEXES))) == [2]


def test_both_is_the_intersection():
    a, b = condition_of({(20, 40), (60, 80)}, AGE, None), condition_of((30, 70), AGE, None)
    assert a.both(b).spans == ((30, 40), (60, 70)) == b.both(a).spans
    assert not Condition(names=frozenset("F")).overlaps(Condition(names=frozenset("M")))


def test_equal_shares_are_of_all_known_values():
    assert [c.names for c in values_of(SEX, SEXES)] == [{"F"}, {"M"}]
    with pytest.raises(Unfit, match="many values"):
        values_of(AGE, ages())
    with pytest.raises(Unfit, match="single"):
        values_of(SEX, Categories(("F", None), 0))
