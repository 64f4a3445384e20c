"""A date comes back from its day, weekday, month and time; whatever is drawn, weekday and month are those drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semblance.core.rng import stream
from semblance.modalities.table.relations.calendar import MONTHS, WEEKDAYS, Calendar, place_in
from tests.modalities.table.relations.tables import round_trip, table, through_json

DAY = 86_400.0
PARTS = ("weekday", "month", "time")


def dates(n: int = 400) -> pd.DataFrame:
    rng = stream(2)
    stamps = pd.Timestamp("1965-01-01") + pd.to_timedelta(rng.integers(0, 30_000 * 1440, n), unit="m")
    return pd.DataFrame({"seen": stamps.strftime("%Y-%m-%d %H:%M")}).mask(rng.random((n, 1)) < 0.1)


@pytest.mark.parametrize("parts", [PARTS, ("weekday", "time"), ("month", "time"), ("time",)])
def test_reduced_and_restored_is_the_date_again(parts):
    made = table(dates())
    relation = Calendar.fit(made.schema, made.frame, "seen", parts)
    assert round_trip(relation, made) == []
    assert through_json([relation]) == (relation,)
    assert [field.name for field in relation.fields] == ["seen", *(f"seen ({part})" for part in parts)]


def test_the_parts_are_those_of_pandas():
    made = table(dates())
    stamps = pd.to_datetime(made.frame["seen"], unit="s")
    reduced = Calendar.fit(made.schema, made.frame, "seen", PARTS).reduce(made.frame)
    known = stamps.notna().to_numpy()
    assert (np.asarray(reduced["seen (weekday)"])[known] == stamps.dt.day_name()[known]).all()
    assert (np.asarray(reduced["seen (month)"])[known] == stamps.dt.month_name()[known]).all()
    assert (reduced["seen (time)"][known] == (stamps.dt.hour * 60 + stamps.dt.minute)[known]).all()


def calendar(parts: tuple[str, ...]) -> Calendar:
    made = table(dates())
    return Calendar.fit(made.schema, made.frame, "seen", parts)


@given(day=st.integers(-30_000, 40_000), weekday=st.sampled_from(WEEKDAYS), month=st.sampled_from(MONTHS))
@settings(max_examples=100, deadline=None)
def test_the_nearest_day_that_matches_is_chosen(day, weekday, month):
    drawn = {
        "seen": np.array([day * DAY]),
        "seen (weekday)": pd.Categorical([weekday]),
        "seen (month)": pd.Categorical([month]),
    }
    (made,) = CALENDAR.restore(drawn)["seen"] / DAY
    assert WEEKDAYS[place_in(np.array([made]), "weekday")[0]] == weekday
    assert MONTHS[place_in(np.array([made]), "month")[0]] == month
    around = np.arange(day - 200, day + 201)
    fits = around[
        (place_in(around, "weekday") == WEEKDAYS.index(weekday)) & (place_in(around, "month") == MONTHS.index(month))
    ]
    assert abs(made - day) <= np.abs(fits - day).min() + 7


CALENDAR = calendar(("weekday", "month"))


def test_a_weekday_moves_a_day_by_at_most_three():
    days = np.arange(0.0, 400.0)
    for weekday in WEEKDAYS:
        drawn = {"seen": days * DAY, "seen (weekday)": pd.Categorical([weekday] * 400)}
        moved = calendar(("weekday",)).restore(drawn)["seen"] / DAY
        assert np.abs(moved - days).max() == 3


def test_parts_that_are_missing_ask_for_nothing():
    drawn = {"seen": np.array([10 * DAY, np.nan]), "seen (weekday)": pd.Categorical([None, "Monday"], list(WEEKDAYS))}
    made = calendar(("weekday",)).restore(drawn)["seen"]
    assert made[0] == 10 * DAY
    assert np.isnan(made[1])


def test_a_time_stays_within_its_day():
    drawn = {"seen": np.array([10 * DAY] * 3), "seen (time)": np.array([-5.0, 2000.0, 61.0])}
    made = calendar(("time",)).restore(drawn)["seen"]
    assert made.tolist() == [10 * DAY, 11 * DAY - 60, 10 * DAY + 3660]


def test_one_patients_minute_is_not_that_of_what_is_drawn():
    rng = stream(4)
    stamps = pd.Timestamp("2001-01-01") + pd.to_timedelta(rng.integers(0, 5000 * 24, 400), unit="h")
    frame = pd.DataFrame({"seen": stamps.strftime("%Y-%m-%d %H:%M")})
    frame.loc[0, "seen"] = "2003-05-06 23:47"
    made = table(frame)
    relation = Calendar.fit(made.schema, made.frame, "seen", ("time",), rare=5)
    assert relation.unit == 3600
    back = relation.restore(relation.reduce(made.frame))["seen"]
    assert (back % 3600 == 0).all()
    assert np.flatnonzero(back != made.frame["seen"]).tolist() == [0]
    assert back[0] // DAY == made.frame["seen"][0] // DAY
