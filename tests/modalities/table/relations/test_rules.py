"""Which records break which rule, worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.constraint import Condition, Constraint
from semblance.core.errors import UsageError
from semblance.modalities.table.relations.rules import broken
from tests.modalities.table.relations.tables import table

NO, YES = False, True


def breaks(frame: pd.DataFrame, rule: Constraint, **columns) -> list[bool]:
    return broken(rule, table(frame, rule, **columns)).tolist()


def test_orders_pass_over_what_is_missing():
    frame = pd.DataFrame({"a": [1, 1, 5.0, np.nan], "b": [2, np.nan, np.nan, 3], "c": [2, 0, 6, 2.0]})
    assert breaks(frame, Constraint("ordered", ("a", "b", "c"))) == [NO, YES, NO, YES]
    assert breaks(frame, Constraint("ordered", ("a", "b", "c"), strict=True)) == [YES, YES, NO, YES]


def test_a_dependency_is_broken_by_the_minority():
    frame = pd.DataFrame({"city": [*"AAABB", None], "region": ["N", "N", "S", "S", None, "S"]})
    assert breaks(frame, Constraint("dependency", ("city", "region"))) == [NO, NO, YES, NO, NO, NO]


@pytest.mark.parametrize(("one", "zero"), [(1, 0), (True, False), ("yes", "no"), (1.0, 0.0)])
def test_exactly_one_of_several_is_one(one, zero):
    frame = pd.DataFrame({"a": [one, zero, one, zero] * 5, "b": [zero, one, one, zero] * 5, "c": [zero] * 20})
    rule = Constraint("one-hot", ("a", "b", "c"))
    kind = {"kind": "boolean"} if isinstance(one, str) else {}
    assert breaks(frame, rule, a=kind, b=kind, c=kind)[:4] == [NO, NO, YES, YES]


def test_with_gaps_only_two_ones_are_too_many():
    frame = pd.DataFrame({"a": [1, 1, 0, np.nan], "b": [np.nan, 1, np.nan, np.nan], "c": [0, np.nan, 0, np.nan]})
    assert breaks(frame, Constraint("one-hot", ("a", "b", "c"))) == [NO, YES, NO, NO]


FRAME = pd.DataFrame(
    {
        "sex": ["M", "M", "F", None, "M"],
        "icd": ["O80", "I10", "O80", "O80", None],
        "age": [10.0, 40.0, 12.0, 50.0, np.nan],
        "smoker": [True, False, False, True, False],
    }
)
MALE = Condition("sex", ("M",))


@pytest.mark.parametrize(
    ("when", "then", "never", "expected"),
    [
        (MALE, (), (Condition("icd", ("O*",)),), [YES, NO, NO, NO, NO]),
        (MALE, (), (Condition("icd", ("O",)),), [NO, NO, NO, NO, NO]),
        (MALE, (Condition("icd", ("I10", "I50")),), (), [YES, NO, NO, NO, NO]),
        (Condition("age", max=12.0), (), (Condition("smoker", (True,)),), [YES, NO, NO, NO, NO]),
        (Condition("smoker", (False,)), (Condition("age", min=40.0),), (), [NO, NO, YES, NO, NO]),
        (Condition("age", (40.0, 50.0)), (MALE,), (), [NO, NO, NO, NO, NO]),
        (Condition("icd", ("O80",)), (MALE,), (Condition("age", max=10.0),), [YES, NO, YES, NO, NO]),
    ],
)
def test_implications(when, then, never, expected):
    rule = Constraint("implication", when=(when,), then=then, never=never)
    assert breaks(FRAME, rule, icd={"kind": "categorical"}) == expected


def test_a_predicate_sees_the_data_in_its_own_types():
    frame = pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2021-01-01"]), "x": [3, 4]})
    rule = Constraint("predicate", name="p", holds=lambda f: (f["day"].dt.year == 2020) & (f["x"] < 9))
    assert breaks(frame, rule) == [NO, YES]


@pytest.mark.parametrize(
    ("holds", "told"),
    [
        (None, "in the session that learned"),
        (lambda frame: frame["nothing"], "failed \\(KeyError\\)"),
        (lambda frame: frame["x"], "gave int64"),
        (lambda frame: np.array([True]), "shape \\(1,\\)"),
    ],
)
def test_a_predicate_that_cannot_be_asked_is_refused(holds, told):
    with pytest.raises(UsageError, match=told):
        breaks(pd.DataFrame({"x": [3, 4]}), Constraint("predicate", name="p", holds=holds))
