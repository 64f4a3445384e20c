from __future__ import annotations

import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.modalities.table.encode import Encoding, EncodingOptions
from semblance.modalities.table.wanted.asked import Asked
from tests.modalities.table.wanted.exact import exact

ENCODING = exact(n=600).encoding


def test_everything_that_is_wrong_is_told_at_once_by_column():
    wanted = Wanted(
        given={"sex": "F", "race": "Z", "age": ("old", None)},
        quota={"diabetes": {"yes": 0.5, "perhaps": 0.5}, "weight": {(40, 80): 0.5, (70, 99): 0.5}},
        shift={"died": 3},
    )
    with pytest.raises(UsageError) as caught:
        Asked.of(wanted, ENCODING)
    assert [p.column for p in caught.value.problems] == [None, "race", "age", "diabetes", "weight", "died"]
    told = str(caught.value)
    assert "no column 'sex'" in told and "one of A, B" in told and "overlap" in told and "odds" in told


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(quota={"weight": "balanced"}), "many values"),
        (Wanted(given={"age": (30, 40)}, quota={"age": {(20, 40): 0.5, (50, 60): 0.5}}), "outside"),
        (Wanted(fair_on=("weight",), quota={"race": "balanced"}), "a quota beside fairness"),
        (Wanted(fair_on=("race",), fairness="odds", quota={"race": "balanced"}), "a quota beside fairness"),
        (Wanted(fair_on=("died",)), "target as a group"),
    ],
)
def test_what_excludes_each_other_is_refused(wanted, said):
    with pytest.raises(UsageError, match=said):
        Asked.of(wanted, ENCODING)


def test_fairness_needs_an_outcome():
    from tests.modalities.table.wanted.exact import Exact, cohort, table

    encoding = Exact.of(table(cohort(600)), bins=4, tokens=1).encoding
    with pytest.raises(UsageError, match="target"):
        Asked.of(Wanted(fair_on=("race",)), encoding)


def test_no_value_of_the_data_stands_in_an_error_but_those_that_have_a_code():
    from tests.modalities.table.wanted.exact import Exact, cohort, table

    frame = cohort(600)
    frame.loc[5, "race"] = "Zanzibarite"
    encoding = Exact.of(table(frame, target="died"), bins=4, tokens=1).encoding
    with pytest.raises(UsageError) as caught:
        Asked.of(Wanted(given={"race": "Q"}), encoding)
    assert "Zanzibarite" not in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "column", "said"),
    [
        ({"given": {"ward": "Z"}}, "ward", "one of A, B"),
        ({"given": {"ward": None}}, "ward", "one of A, B"),
        ({"given": {"ward": {"A", "B"}, "stage": ("I", "IV")}}, "stage", "one of I, II"),
        ({"given": {"ward": "A", "stage": "II"}}, None, "a combination of ward, stage"),
        ({"given": {"ward": "A"}, "quota": {"stage": {"I": 0.5, "II": 0.5}}}, "stage", "outside"),
        ({"quota": {"ward": {"A": 0.5, "Q": 0.5}}}, "ward", "one of A, B"),
    ],
)
def test_what_no_combination_holds_is_told_before_anything_is_drawn(wanted, column, said):
    from tests.modalities.table.wanted.exact import table

    frame = pd.DataFrame({"ward": ["A", "B"] * 100, "stage": ["I", "II"] * 100, "x": [i % 50 for i in range(200)]})
    order = {"columns": {"stage": {"kind": "ordinal", "categories": ["I", "II"]}}}
    rule = {"constraints": [{"kind": "combinations", "columns": ["ward", "stage"]}]}
    encoding = Encoding.fit(table(frame, declared=order | rule), EncodingOptions())
    Asked.of(Wanted(given={"ward": "A", "stage": ("I", "II")}, quota={"x": {(0, 24): 0.5, (25, 49): 0.5}}), encoding)
    with pytest.raises(UsageError, match=said) as caught:
        Asked.of(Wanted(**wanted), encoding)
    assert [p.column for p in caught.value.problems] == [column]
