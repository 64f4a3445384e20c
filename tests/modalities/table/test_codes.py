import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.codes import RARE, Categories, Numbers, patients_of, snapped, unit_of

AGE = Column("age", "integer")
CODE = Column("code", "code")


def strings(values: list[str | None]) -> pd.Series:
    return pd.Series(pd.Categorical(values))


def numbers(
    values: np.ndarray, subjects: np.ndarray | None = None, *, column: Column = AGE, rare: int = 5, **how: int
) -> Numbers:
    subjects = np.arange(len(values)) if subjects is None else subjects
    return Numbers.fit(
        np.asarray(values, dtype=float), subjects, column, rare=rare, **{"tokens": 128, "bins": 64, **how}
    )


def test_patients_of_counts_patients_not_records() -> None:
    assert patients_of(np.array([0, 0, 1, -1]), np.array([7, 7, 8, 9]), 3).tolist() == [1, 1, 0]


def test_a_category_of_few_patients_joins_the_rare_class() -> None:
    values = strings(["a"] * 6 + ["b"] * 3 + ["c"] * 3)
    codes = Categories.fit(values, np.arange(12), CODE, rare=5, limit=100)
    assert codes.tokens == ("a", RARE)
    assert list(codes.decode(codes.encode(values), stream(0))) == ["a"] * 6 + [RARE] * 6


def test_many_records_of_one_patient_are_one_patient() -> None:
    values = strings(["a"] * 9 + ["b"] * 9)
    codes = Categories.fit(values, np.array([*range(9), *[99] * 9]), CODE, rare=5, limit=100)
    assert codes.tokens == ("a",)


def test_a_rare_class_of_too_few_patients_becomes_the_commonest() -> None:
    values = strings(["a"] * 6 + ["b"] * 7 + ["secret"])
    codes = Categories.fit(values, np.arange(14), CODE, rare=5, limit=100)
    assert codes.tokens == ("a", "b")
    assert codes.encode(strings(["secret"])).tolist() == [1]


@pytest.mark.parametrize("kind", ["boolean", "ordinal"])
def test_a_closed_list_gets_no_invented_category(kind: str) -> None:
    values = strings(["no"] * 50 + ["yes"] * 2 + ["maybe"] * 3)
    codes = Categories.fit(values, np.arange(55), Column("x", kind), rare=5, limit=100)
    assert RARE not in codes.tokens


def test_the_rare_class_never_takes_the_name_of_a_category() -> None:
    values = strings([RARE] * 6 + ["b"] * 3 + ["c"] * 3)
    codes = Categories.fit(values, np.arange(12), CODE, rare=5, limit=100)
    assert codes.tokens == (RARE, f"({RARE})")


def test_missing_is_a_value_where_enough_patients_lack_it() -> None:
    values = strings(["a"] * 6 + [None] * 5)
    codes = Categories.fit(values, np.arange(11), CODE, rare=5, limit=100)
    assert pd.isna(codes.decode(codes.encode(values), stream(0))[-5:]).all()


def test_few_common_numbers_stay_exact() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 50.0], 10)
    codes = numbers(values)
    assert codes.size == 4
    assert np.array_equal(codes.decode(codes.encode(values), stream(0)), values)


def test_knots_and_tokens_hold_no_single_patients_value() -> None:
    values = stream(0).normal(70, 9, 2000)
    codes = numbers(values, column=Column("w", "numeric", decimals=12))
    assert not set(values) & {*codes.knots, *codes.tokens, *codes.edges}


def test_one_outlier_moves_nothing() -> None:
    values = stream(0).normal(70, 9, 2000)
    with_outlier = np.append(values, 1e9)
    assert numbers(with_outlier, column=Column("w", "numeric", decimals=3)).knots.max() < 120


def test_one_patients_many_records_make_no_knot() -> None:
    values = np.concatenate([stream(0).normal(70, 9, 500), np.linspace(1e6, 1e6 + 9, 40)])
    codes = numbers(values, np.array([*range(500), *[999] * 40]), column=Column("w", "numeric", decimals=3))
    assert codes.knots.max() < 1e6


def test_decoded_numbers_keep_the_distribution() -> None:
    values = np.exp(stream(0).normal(1, 0.5, 20_000)).round(2)
    codes = numbers(values, column=Column("x", "numeric", decimals=2))
    again = codes.decode(codes.encode(values), stream(1))
    assert np.abs(np.quantile(again, [0.05, 0.5, 0.95]) / np.quantile(values, [0.05, 0.5, 0.95]) - 1).max() < 0.01
    assert np.array_equal(again, again.round(2))


def test_a_spike_in_a_continuous_column_is_a_token() -> None:
    values = np.append(stream(0).normal(5, 1, 5000), np.zeros(500))
    codes = numbers(values, column=Column("x", "numeric", decimals=9))
    assert codes.tokens.tolist() == [0.0]


def test_infinities_and_missing_values_come_back() -> None:
    values = np.concatenate([np.arange(20.0).repeat(5), [np.inf] * 6, [-np.inf] * 5, [np.nan] * 5])
    codes = numbers(values)
    assert np.array_equal(codes.decode(codes.encode(values), stream(0)), values, equal_nan=True)


def test_dates_are_snapped_to_days() -> None:
    days = stream(0).integers(0, 20_000, 3000) * 86_400.0
    codes = numbers(days, column=Column("seen", "date", date_format="%Y-%m-%d"))
    assert not (codes.decode(codes.encode(days), stream(1)) % 86_400).any()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, float("nan"), float("inf")])), max_size=80),
    st.integers(1, 12),
)
def test_any_numbers_encode_within_size_and_survive_json(values: list[float], rare: int) -> None:
    codes = numbers(np.array(values), rare=rare, column=Column("x", "numeric", decimals=3), bins=8, tokens=16)
    coded = codes.encode(np.array(values, dtype=float))
    assert codes.size >= 1
    assert ((coded >= 0) & (coded < codes.size)).all()
    again = Numbers.from_json(json.loads(json.dumps(codes.to_json())))
    assert np.array_equal(again.decode(coded, stream(0)), codes.decode(coded, stream(0)), equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdef")), min_size=1, max_size=60), st.integers(1, 12))
def test_any_strings_encode_within_size_and_survive_json(values: list[str | None], rare: int) -> None:
    series = strings(values)
    codes = Categories.fit(series, np.arange(len(values)), CODE, rare=rare, limit=4)
    coded = codes.encode(series)
    assert codes.size >= 1
    assert ((coded >= 0) & (coded < codes.size)).all()
    assert Categories.from_json(json.loads(json.dumps(codes.to_json()))) == codes


def test_one_patients_precision_is_not_the_columns() -> None:
    values = np.append(stream(0).normal(70, 9, 2000).round(1), 71.2345)
    codes = numbers(values, column=Column("w", "numeric", decimals=4))
    drawn = codes.decode(stream(1).integers(0, codes.size, 2000), stream(2))
    assert np.array_equal(drawn, drawn.round(1))


def test_one_patients_many_visits_neither_set_the_extremes_nor_distort_the_rest() -> None:
    subjects = np.array([*np.repeat(np.arange(200), 3), *[999] * 40])
    values = np.append(stream(0).normal(100, 5, 600), np.full(40, 98765.43))
    codes = numbers(values, subjects, column=Column("w", "numeric", decimals=2), tokens=0)
    drawn = codes.decode(codes.encode(values), stream(1))
    assert drawn.max() < 125
    assert np.abs(np.quantile(drawn, [0.1, 0.5]) - np.quantile(values, [0.1, 0.5])).max() < 1


def test_dates_keep_the_coarsest_step_that_all_but_a_few_have() -> None:
    whole = np.arange(100) * 86_400.0
    stamps, days = Column("d", "date"), Column("d", "date", date_format="%Y-%m-%d")
    assert unit_of(stamps, whole, rare=5) == 86_400
    assert unit_of(stamps, np.append(whole, [61.5] * 4), rare=5) == 86_400
    assert unit_of(stamps, np.append(whole, [60.0] * 5), rare=5) == 60
    assert unit_of(stamps, np.append(whole, [61.5] * 5), rare=5) == 1e-6
    assert unit_of(days, whole, rare=5) == 86_400
    assert unit_of(replace(days, date_format="%d.%m.%Y %H:%M"), whole + 3600, rare=5) == 3600


def test_snapped_values_equal_what_is_read_from_their_texts() -> None:
    values = np.array([0.1 + 0.2, 0.29, 1.005, 154.98])
    assert snapped(values, 0.01).tolist() == [float(f"{round(v, 2):.2f}") for v in values]
    assert snapped(np.array([1.5e9 + 3.0]), 86_400.0) % 86_400 == 0
    assert snapped(values, 0.0) is values
