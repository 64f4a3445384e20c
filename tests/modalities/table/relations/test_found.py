"""What nobody declared is found where all records keep it, and never where chance would make it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.relations.found import find
from semblance.modalities.table.relations.kept import Relations
from tests.modalities.table.relations.tables import same, table

N = 800


def search(made) -> Relations:
    return find(made, Relations(), rare=5, bins=64, tokens=128)


def found(frame: pd.DataFrame, **columns) -> dict[str, tuple[str, ...]]:
    """By owned column the kind of relation and what it needs; and the law of the round trip."""
    made = table(frame, **columns)
    relations = search(made)
    reduced = relations.reduce(made.frame, made.schema)
    back = relations.restore({name: reduced[name] for name in reduced}, made.schema)
    assert [name for name in made.frame if not same(made.frame[name], back[name])] == []
    assert Relations.from_json(json.loads(json.dumps(relations.to_json()))) == relations
    return {part.owns[0]: (type(part).__name__, *part.needs) for part in relations.parts}


def numbers(n: int = N) -> pd.DataFrame:
    rng = stream(0)
    return pd.DataFrame({"kg": rng.normal(80, 12, n).round(1), "a": rng.integers(0, 6, n), "b": rng.integers(0, 5, n)})


def test_units_sums_and_lookups():
    frame = numbers()
    frame["lb"] = (frame["kg"] * 2.20462).round(1)
    frame["total"] = frame["a"] + frame["b"]
    ward = stream(1).integers(0, 200, N) % 90
    frame["ward"] = [f"W{w}" for w in ward]
    frame["beds"] = stream(2).integers(5, 900, 90)[ward]
    kept = frame["ward"].isin(frame["ward"].value_counts()[lambda c: c >= 5].index)
    assert found(frame[kept], ward={"kind": "categorical"}) == {
        "lb": ("Linear", "kg"),
        "total": ("Sum", "a", "b"),
        "beds": ("Lookup", "ward"),
    }


def test_a_total_before_its_parts_and_a_sum_of_many():
    frame = numbers()
    frame["c"], frame["d"] = stream(3).integers(0, 9, N), stream(4).exponential(3, N).round(2)
    frame.insert(0, "sum", (frame["a"] + frame["b"] + frame["c"] + frame["d"]).round(2))
    ((owned, (kind, *needs)),) = found(frame).items()
    assert (owned, kind, sorted(needs)) == ("sum", "Sum", ["a", "b", "c", "d"])


def test_sums_of_sums():
    frame = numbers()
    frame["c"] = stream(3).integers(0, 9, N)
    frame["two"] = frame["a"] + frame["b"]
    frame["three"] = frame["two"] + frame["c"]
    assert set(found(frame)) == {"two", "three"}


def test_gaps_that_go_together_are_no_hindrance():
    frame = numbers()
    frame.loc[stream(5).random(N) < 0.4, "kg"] = np.nan
    frame["lb"] = (frame["kg"] * 2.20462).round(1)
    frame["total"] = frame["a"] + frame["b"]
    assert set(found(frame)) == {"lb", "total"}


def test_one_record_off_is_enough_to_learn_the_column():
    frame = numbers()
    frame["lb"] = (frame["kg"] * 2.20462).round(1)
    frame["total"] = frame["a"] + frame["b"]
    frame.loc[417, "lb"] += 0.1
    frame.loc[418, "total"] += 1
    assert found(frame) == {}


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_among_independent_columns(seed):
    rng = stream(seed, "noise")
    frame = pd.DataFrame({f"x{j}": rng.normal(size=60).round(2) for j in range(6)})
    frame = frame.assign(**{f"i{j}": rng.integers(0, 2 + j, 60) for j in range(6)}, label=rng.choice(list("abc"), 60))
    assert found(frame) == {}


def test_few_patients_make_no_relation():
    frame = numbers(20)
    frame["lb"] = (frame["kg"] * 2.20462).round(1)
    assert found(frame) == {}
    many = pd.concat([frame] * 20, ignore_index=True).assign(pid=[f"p{i % 20}" for i in range(400)])
    assert found(many, pid={"role": "subject"}) == {}


def test_a_column_with_a_role_is_always_learned():
    frame = numbers()
    frame["lb"] = (frame["kg"] * 2.20462).round(1)
    frame["total"] = frame["a"] + frame["b"]
    assert found(frame, total={"role": "target"}, lb={"role": "time"}) == {"kg": ("Linear", "lb")}


def stays(n: int = 3000) -> pd.DataFrame:
    rng = stream(6)
    day = pd.Timestamp("2010-01-01") + pd.to_timedelta(rng.integers(0, 3650, n), unit="D")
    day = day.where((day.day_of_week < 5) | (rng.random(n) < 0.2), day - pd.Timedelta(days=2))
    frame = pd.DataFrame({"admitted": day + pd.to_timedelta(rng.integers(0, 1440, n), unit="m")})
    frame["discharged"] = frame["admitted"] + pd.to_timedelta(rng.exponential(5 * 1440, n).round(), unit="m")
    frame["billed"] = frame["discharged"] + pd.Timedelta(days=30)
    return frame.assign(x=rng.normal(size=n).round(2))


def test_stays_become_durations_and_rhythms():
    made = table(stays())
    assert found(stays()) == {
        "admitted": ("Calendar",),
        "discharged": ("Above", "admitted"),
        "billed": ("Linear", "discharged"),
    }
    assert [field.name for field in search(made).fields(made.schema)] == [
        "admitted",
        "admitted (weekday)",
        "admitted (time)",
        "discharged (after admitted)",
        "x",
    ]


def test_one_patients_minute_is_no_precision_of_dates_that_are_drawn():
    frame = stays()
    for name in ("admitted", "discharged"):
        days = pd.to_datetime(frame[name]).dt.floor("D")
        frame[name] = days.dt.strftime("%Y-%m-%d 00:00")
    frame.loc[0, "discharged"] = frame.loc[0, "discharged"][:10] + " 17:31"
    relations = {part.owns[0]: part for part in search(table(frame)).parts}
    assert relations["discharged"].unit == relations["admitted"].unit == 86_400
    assert "time" not in relations["admitted"].parts


def test_dates_without_a_rhythm_stay_dates():
    n = 20_000
    days = stream(7).integers(0, 365 * 40 + 10, n)
    frame = pd.DataFrame({"born": pd.Timestamp("1930-01-01") + pd.to_timedelta(days, unit="D"), "x": np.arange(n) % 7})
    assert found(frame) == {}


def test_dates_that_could_not_meet_are_left_alone():
    rng = stream(8)
    frame = pd.DataFrame(
        {
            "born": pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 3000, N), unit="D"),
            "seen": pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, N), unit="D"),
        }
    )
    assert found(frame) == {}


WEIRD = {
    "all missing": {"a": [np.nan] * 60, "b": [None] * 60, "c": np.arange(60)},
    "constants": {"a": [1.5] * 60, "b": ["x"] * 60, "c": [0] * 60},
    "infinite": {"a": [np.inf, -np.inf] * 30, "b": [np.inf, -np.inf] * 30, "c": np.arange(60)},
    "huge": {"a": np.arange(60) * 1e300, "b": np.arange(60) * 1e300, "c": np.arange(60) * 1e-300},
    "equal": {"a": np.arange(60) % 29, "b": np.arange(60) % 29, "c": np.arange(60) % 29},
    "sparse": {"a": [1.0] + [np.nan] * 59, "b": [np.nan] * 59 + [1.0], "c": np.arange(60)},
    "odd names": {"a b": np.arange(60), "größe (µ)": np.arange(60) * 2.5, "x.y/z": ["p", "q"] * 30},
}


@pytest.mark.parametrize("case", WEIRD)
def test_weird_data_is_searched_without_a_crash(case):
    found(pd.DataFrame(WEIRD[case]))


def test_no_value_of_a_single_patient_stands_in_what_is_saved():
    frame = numbers()
    frame["lb"] = (frame["kg"] * 2.20462).round(1)
    ward = np.arange(N) % 40
    frame["ward"], frame["beds"] = [f"W{w}" for w in ward], ward * 7 + 13
    frame.loc[3, ["ward", "beds"]] = "Zanzibar", 68_327
    frame.loc[4, ["kg", "lb"]] = 312.7, 689.4
    relations = search(table(frame, ward={"kind": "categorical"}))
    assert {part.owns[0] for part in relations.parts} == {"lb", "beds"}
    saved = json.dumps(relations.to_json())
    assert [canary for canary in ("Zanzibar", "68327", "312.7", "689.4") if canary in saved] == []
