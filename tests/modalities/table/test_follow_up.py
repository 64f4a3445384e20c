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


@pytest.mark.parametrize("entry", ["days", "died", "left", "none"])
def test_an_entry_that_is_no_covariate_is_refused(entry):
    declared = {"columns": {**ROLES["columns"], "left": {"role": "drop"}}}
    told = problems(cohort(declared, left=np.zeros(200)), entry=entry)
    assert [column for column, _ in told] == [entry]


@pytest.mark.parametrize(
    ("died", "rare", "found"),
    [
        ([0] * 196 + [1] * 4, 5, ["4 patient(s) with the most common event"]),
        ([0] * 190 + [1] * 10, 11, ["10 patient(s) with the most common event"]),
        ([0] * 192 + [1] * 4 + [2] * 4, 5, ["4 patient(s) with the most common event"]),
        ([1] * 196 + [0] * 4, 5, ["4 patient(s) with a value that says: no event"]),
        ([1] * 100 + [2] * 96 + [0] * 4, 5, ["4 patient(s) with a value that says: no event"]),
        ([0] * 195 + [1] * 5, 5, []),
        ([1] * 195 + [0] * 5, 5, []),
        ([0] * 150 + [1] * 48 + [2] * 2, 5, []),
        ([1] * 200, 5, []),
    ],
)
def test_too_few_events_or_censored_are_refused_and_never_turned_over(died, rare, found):
    data = cohort(died=died)
    if found:
        assert problems(data, rare=rare) == [("died", one) for one in found]
    else:
        exits = Exits.fit(data, data.schema["died"], rare=rare, censored="")
        assert FollowUp.of(data, rare=rare)
        back = exits.decode(exits.encode(data.frame["died"]), stream(0))
        assert np.array_equal(np.asarray(back, dtype=float) > 0, np.array(died) > 0)


def test_events_are_counted_by_patients_and_not_by_visits():
    frame_ = frame().assign(pid=np.minimum(np.arange(200), 194), died=np.arange(200) >= 194)
    data = table(frame_, subject="pid", declared=ROLES)
    assert problems(data, rare=5) == [("died", "1 patient(s) with the most common event")]


def test_a_second_word_for_censored_that_few_have_does_not_become_an_event():
    died = ["no"] * 100 + ["yes"] * 97 + ["0"] * 3
    assert problems(cohort(died=died), rare=5) == [("died", "3 patient(s) with a value that says: no event")]


def test_fewer_patients_than_a_group_have_no_follow_up():
    data = cohort()
    assert problems(data.take(np.arange(4)), rare=5) == [(None, "4 patient(s)")]
    visits = table(frame().assign(pid=np.arange(200) % 4), subject="pid", declared=ROLES)
    assert problems(visits, rare=5) == [(None, "4 patient(s)")]


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
