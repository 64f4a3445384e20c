from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.learn.asked import Asked, Columns
from semblance.learn.person import Limits, Person


def person() -> Person:
    rng = stream(0, "people")
    frame = pd.DataFrame({"age": rng.normal(50, 12, 300).round(), "site": pd.Categorical(rng.choice(list("AB"), 300))})
    return Person.fit(frame, np.zeros((300, 0)), np.arange(300), rare=5)


@pytest.mark.parametrize(
    ("bands", "unit"),
    [
        ({(20, 50): 0.5, (50, 80): 0.5}, 1.0),
        ({(30.5, 45.5): 0.25, (45.6, 70): 0.75}, 0.1),
        ({(40, None): 1.0}, 10.0),
        ({("20", "50"): 0.5, (50.0, 80): 0.5}, 1.0),
    ],
)
def test_what_is_rounded_lies_in_its_band_and_the_upper_one_has_the_number_where_two_meet(bands, unit):
    people, reading = person(), Columns(person(), {"age": unit})
    for (low, high), (_, limits) in zip(bands, reading.quota("age", bands), strict=True):
        ages = people.draw(400, rng=stream(1, "draw"), limits=limits)[0]["age"]
        rounded = np.round(np.round(ages / unit) * unit, 6)
        inside = (rounded >= float(low)) & (rounded < 50 if str(high) == "50" else rounded <= (high or np.inf))
        assert inside.all() and not reading.problems


def test_a_range_without_a_number_and_unknown_columns_are_told():
    reading = Columns(person(), {"age": 1.0})
    assert reading.limits("age", (50.2, 50.4)) == Limits({}, {0: False})
    assert reading.quota("sight", "balanced") == () and reading.quota("age", "balanced") == ()
    assert [problem.column for problem in reading.problems] == ["age", "sight", "age"]


def test_quotas_of_several_columns_are_each_kept_to_the_record():
    people, reading = person(), Columns(person())
    asked = Asked(quotas=(reading.quota("site", "balanced"), reading.quota("age", {(20, 50): 0.3, (50, 80): 0.7})))
    each = asked.of_each(10, rng=stream(2, "quotas"))
    frames = pd.concat([people.draw(1, rng=stream(3, i), limits=one)[0] for i, one in enumerate(each)])
    assert (frames["site"] == "A").sum() == 5 and (frames["age"] < 50).sum() == 3


def test_a_single_number_of_many_decimals_is_drawn_itself():
    """Of what rounds to it so little is in reach that nobody had it by chance."""
    people, reading = person(), Columns(person(), {"age": 1e-6})
    ages = people.draw(5, rng=stream(1, "draw"), limits=reading.limits("age", 50.123456))[0]["age"]
    assert ages.round(9).eq(50.123456).all() and not reading.problems
