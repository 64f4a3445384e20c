"""The survival bench: what it says of records whose worth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench import survival
from bench.results import Row, Section, Try
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.table.data import from_frame

ORIGIN = {"command": "x", "commit": "y", "versions": "z", "machine": "m"}


def cohort(n, seed):
    rng = stream(seed, "bench")
    age = rng.normal(65, 10, n)
    life, end = rng.exponential(1000 * np.exp(-0.07 * (age - 65))), rng.uniform(200, 2500, n)
    frame = pd.DataFrame({"age": age, "time": np.minimum(life, end).round(), "event": life <= end})
    declared = {"columns": {"time": {"role": "time"}, "event": {"role": "event"}}}
    return from_frame(frame, ReadOptions(declared=declared))[0]


@pytest.fixture(scope="module")
def parts():
    return cohort(400, 0), cohort(200, 1)


def test_a_copy_differs_by_nothing_and_what_differs_is_seen(parts):
    train, holdout = parts
    court = survival.Court.of(train, holdout)
    same = court.scores(court.train, court.read(train, holdout, train))
    assert (same.area, same.followed, same.ratio, same.loss) == pytest.approx((0, 0, 1, 0))
    longer = replace(train, frame=train.frame.assign(time=train.frame["time"] * 2))
    assert court.scores(court.train, court.read(train, holdout, longer)).area > 0.1
    mixed = train.frame.assign(age=train.frame["age"].to_numpy()[stream(0).permutation(len(train))])
    found = court.scores(court.train, court.read(train, holdout, replace(train, frame=mixed)))
    assert found.ratio < 0.2 and found.area == pytest.approx(0)


def test_fresh_patients_are_within_what_chance_does(parts, monkeypatch):
    monkeypatch.setattr(survival, "PAIRS", 40)
    train, holdout = parts
    court = survival.Court.of(train, holdout)
    chance = court.chance(seed=0)
    found = [court.scores(court.train, court.read(train, holdout, cohort(400, 5 + k))) for k in range(10)]
    assert np.mean([f.area <= chance.area for f in found]) >= 0.7
    assert np.mean([f.distance <= chance.distance for f in found]) >= 0.7


def test_the_page_counts_what_is_within_and_says_who_did_not_finish():
    values = {"area": 0.01, "area_real": 0.02, "distance": 0.5, "distance_real": 0.4, "loss": -0.1, "loss_real": 0.01}
    rows = {
        "good": Row("good", (Try("finished", values=values),), ORIGIN),
        "late": Row("late", (Try("not finished", 99.0, said="too | slow"),), ORIGIN),
    }
    page = survival.told({"b 20": Section("A board: 10 patients, 20 s", "", rows)})
    assert "| good |" in page and "2 of 4 |" in page
    assert "| late | not finished: too / slow |" in page
    assert "python -m bench.survival" in page
