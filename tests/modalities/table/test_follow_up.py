from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.table.encode import EncodingOptions
from semblance.modalities.table.follow_up import Clock, Exits, FollowUp, is_censored
from tests.contracts.samples import table

ROLES = {"columns": {"days": {"role": "time"}, "died": {"role": "event"}}}


def frame(n=200):
    rng = stream(0, "frame")
    return pd.DataFrame(
        {"age": rng.normal(60, 9, n).round(), "days": rng.integers(1, 400, n), "died": rng.integers(0, 2, n)}
    )


def cohort(declared=ROLES, **columns):
    return table(frame().assign(**columns), declared=declared)


def problems(data, **options):
    with pytest.raises(DataError) as told:
        FollowUp.of(data, **options)
    return [(p.column, p.found) for p in told.value.problems]


def test_roles_that_are_missing_are_named():
    found = problems(cohort(None))
    assert found == [(None, "no column has the role time"), (None, "no column has the role event")]


def test_a_target_may_be_the_event():
    data = table(frame(), target="died", declared={"columns": {"days": {"role": "time"}}})
    assert FollowUp.of(data) == FollowUp("days", "died")


def test_two_times_are_one_too_many():
    declared = {"columns": {**ROLES["columns"], "age": {"role": "time"}}}
    assert (None, "several columns have the role time") in problems(cohort(declared))


def test_every_bad_time_and_event_is_told_at_once_with_its_row_and_without_its_value():
    days, died = frame()["days"].astype(float), frame()["died"].astype(float)
    days[3], days[7], died[5] = -12.5, np.nan, np.nan
    with pytest.raises(DataError) as told:
        FollowUp.of(cohort(days=days, died=died))
    rows = [(p.column, p.row) for p in told.value.problems]
    assert rows == [("days", 8), ("days", 4), ("died", 6)]
    assert "12.5" not in str(told.value)


@pytest.mark.parametrize(
    ("died", "found"),
    [
        (np.zeros(200, dtype=int), "no event at all"),
        (np.arange(200) % 2 + 1, "no value says that follow-up ended without the event"),
        (np.arange(200) / 7, "200 different values"),
        (np.where(np.arange(200) % 2, "alive", "dead"), "no value says that follow-up ended without the event"),
    ],
)
def test_an_event_that_is_no_event(died, found):
    assert ("died", found) in problems(cohort(died=died))


def test_the_censored_value_can_be_named():
    died = np.where(np.arange(200) % 2, "alive", "dead")
    assert FollowUp.of(cohort(died=died), censored="alive") == FollowUp("days", "died")
    assert ("died", "no event at all") in problems(cohort(died=["alive"] * 200), censored="alive")


@pytest.mark.parametrize("value", ["0", "False", "no", "No", "0.0"])
def test_usual_words_for_censored(value):
    assert is_censored(value, "")
    assert not is_censored(value, "2")


def test_an_entry_after_the_end_is_refused():
    entry = frame()["days"] - 1.0
    entry[4] += 5
    assert problems(cohort(entry=entry), entry="entry") == [("entry", "1 value(s) above 'days'")]


def test_a_rare_cause_joins_the_common_cause_and_never_the_censored():
    died = np.array([0] * 150 + [1] * 30 + [2] * 18 + [3] * 2)
    data = cohort(died=died)
    exits = Exits.fit(data, data.schema["died"], rare=5, censored="")
    assert exits.size == 3
    back = exits.decode(exits.encode(data.frame["died"]), stream(0))
    assert back.tolist() == [0] * 150 + [1] * 30 + [2] * 18 + [1] * 2
    assert Exits.from_json(exits.to_json()) == exits


def test_intervals_follow_time_and_a_spike_is_one_of_them():
    days = np.where(np.arange(200) < 60, 365, stream(1).integers(1, 365, 200))
    data = cohort(days=days)
    found = FollowUp.of(data)
    clock, _ = found.coders(data, EncodingOptions(), censored="")
    place = clock.encode(days.astype(float))
    order = np.argsort(days, kind="stable")
    assert (np.diff(place[order]) >= 0).all()
    spike = place[0]
    drawn = clock.decode(np.full(50, spike), after=np.zeros(50), draw=lambda i: stream(i))
    assert set(drawn) == {365.0}
    assert spike == clock.size - 1


def test_no_time_is_drawn_before_the_entry():
    data = cohort(days=stream(2).integers(1, 2000, 200))
    clock, _ = FollowUp.of(data).coders(data, EncodingOptions(bins=4), censored="")
    assert isinstance(clock, Clock)
    place = np.full(5000, 1)
    free = clock.decode(place, after=np.zeros(5000), draw=lambda i: stream(i))
    late = np.median(free)
    held = clock.decode(place, after=np.full(5000, late), draw=lambda i: stream(i))
    assert held.min() >= late
    assert np.mean(held == late) < 0.05
    assert held.max() == free.max()
