from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.constraint import Constraint
from semblance.core.errors import DataError, UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.evaluate.utility.censored import kaplan_meier
from semblance.evaluate.utility.cox import cox
from semblance.modalities.table.generators.hazards import Hazards
from tests.contracts.samples import table

CLOSED = 1000
EFFECTS = {"age": 0.5, "arm": -1.0}
PLAN = {"steps": 120, "hazards": 250}
DECLARED = {
    "columns": {
        "days": {"role": "time"},
        "cause": {"role": "event", "kind": "categorical"},
        "arm": {"role": "treatment"},
    }
}


def life(z, arm, rng):
    """Days to the event of cause 1, a Weibull with proportional hazards, and to that of cause 2, the same for all."""
    risk = np.exp(EFFECTS["age"] * z + EFFECTS["arm"] * arm)
    return 900 * (rng.exponential(size=len(z)) / risk) ** (1 / 1.3), rng.exponential(3000, len(z))


def trial(n, seed):
    """Older patients are in arm 1 more often; the study closes at day 1000, and patients leave before."""
    rng = stream(seed, "trial")
    z = rng.normal(size=n)
    arm = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    first, second = life(z, arm, rng)
    end = np.minimum(np.where(rng.random(n) < 0.6, CLOSED, rng.uniform(1, CLOSED, n)), CLOSED)
    days = np.minimum(np.minimum(first, second), end)
    cause = np.select([days == first, days == second], [1, 2], 0)
    frame = pd.DataFrame({"age": (60 + 10 * z).round(1), "arm": arm, "days": np.ceil(days).astype(int)})
    return frame.assign(cause=cause.astype(str))


@pytest.fixture(scope="module")
def real():
    return trial(1500, 0)


@pytest.fixture(scope="module")
def model(real):
    return Hazards().fit(table(real, declared=DECLARED), rng=stream(0, "fit"), plan=PLAN)


@pytest.fixture(scope="module")
def made(model):
    return next(model.sample(4000, rng=stream(0, "sample"))).frame


def terms(frame):
    return np.column_stack([(frame["age"] - 60) / 10, frame["arm"]]).astype(float)


def ended(frame, *causes):
    return frame["cause"].astype(str).isin(causes).to_numpy(float)


def days(frame):
    return frame["days"].to_numpy(float)


def test_hazard_ratios_of_the_truth_come_back(made):
    found = cox(terms(made), days(made), ended(made, "1")).fit.beta
    assert found == pytest.approx(list(EFFECTS.values()), abs=0.2)
    none = cox(terms(made), days(made), ended(made, "2")).fit.beta
    assert np.abs(none).max() < 0.35


def test_cumulative_incidences_of_both_causes_are_the_real_ones(real, made):
    nonparametric = pytest.importorskip("sksurv.nonparametric")
    grid = np.arange(50, CLOSED, 50)
    curves = []
    for frame in (real, made):
        times, share = nonparametric.cumulative_incidence_competing_risks(frame["cause"].astype(int), days(frame))
        place = np.searchsorted(times, grid, side="right") - 1
        curves.append(share[1:, place])
    assert np.abs(curves[0] - curves[1]).max() < 0.05


def test_follow_up_is_the_real_one_and_its_end_is_a_spike(real, made):
    grid = np.arange(0, CLOSED, 10)
    real_end, made_end = (kaplan_meier(days(f), ended(f, "0")).at(grid) for f in (real, made))
    assert np.abs(real_end - made_end).mean() < 0.03
    spikes = [float((ended(f, "0") * (days(f) == CLOSED)).mean()) for f in (real, made)]
    assert spikes[0] == pytest.approx(spikes[1], abs=0.03) and spikes[0] > 0.1
    assert days(made).max() == CLOSED
    assert (days(made) % 1 == 0).all()


def test_a_time_is_drawn_and_not_predicted(real, made):
    """Patients who are alike die at times as different as the real ones."""
    spread = []
    for frame in (real, made):
        alike = frame[(frame["arm"] == 0) & frame["age"].between(58, 62) & (ended(frame, "1") > 0)]
        spread.append(days(alike).std())
    assert spread[1] == pytest.approx(spread[0], rel=0.25)


def test_an_arm_that_is_set_lives_as_planted_and_its_patients_are_the_same(model):
    arms = [next(model.sample(4000, rng=stream(1), wanted=Wanted(do={"arm": arm}))).frame for arm in (0, 1)]
    assert arms[0]["age"].equals(arms[1]["age"])
    assert [set(frame["arm"]) for frame in arms] == [{0.0}, {1.0}]
    z, rng = stream(2).normal(size=200_000), stream(3)
    truth = [float(np.mean(np.minimum(*life(z, np.full(len(z), arm), rng)) > 500)) for arm in (0, 1)]
    found = [float(kaplan_meier(days(f), ended(f, "1", "2")).at(np.array([500.0]))[0]) for f in arms]
    assert found[1] - found[0] == pytest.approx(truth[1] - truth[0], abs=0.07)


def test_what_is_looked_for_is_another_thing_than_what_is_set(real, model):
    """Arm 1 as observed is older than arm 1 as set."""
    observed = real[real["arm"] == 1]["age"].mean()
    put = next(model.sample(4000, rng=stream(1), wanted=Wanted(do={"arm": "1"}))).frame["age"].mean()
    assert observed - put > 2


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(do={"arm": 7}), "no arm of that name"),
        (Wanted(do={"age": 70}), "only the treatment can be set"),
        (Wanted(given={"age": (60, 70)}), "hazards"),
    ],
)
def test_what_cannot_be_set_is_refused_before_anything_is_drawn(real, model, wanted, found):
    for ask in (
        lambda: model.sample(5, rng=stream(0), wanted=wanted),
        lambda: Hazards().check(table(real, declared=DECLARED), wanted=wanted),
    ):
        with pytest.raises(UsageError, match=found):
            ask()


def test_without_a_treatment_nothing_can_be_set(real):
    data = table(real, declared={"columns": {k: v for k, v in DECLARED["columns"].items() if k != "arm"}})
    with pytest.raises(UsageError, match="none was declared"):
        Hazards().check(data, wanted=Wanted(do={"arm": 1}))


def test_saved_and_loaded_an_arm_is_the_same(model, tmp_path):
    model.save(tmp_path)
    one, two = (m.sample(50, rng=stream(4), wanted=Wanted(do={"arm": 1})) for m in (model, Hazards.load(tmp_path)))
    assert next(one).frame.equals(next(two).frame)


def test_late_entries_neither_bias_the_hazard_nor_end_before_they_begin():
    """Half of the patients come at a time of their own; those who die before are never seen."""
    rng = stream(5, "late")
    n = 6000
    x, death = rng.normal(size=n).round(1), rng.exponential(400, n)
    entry = np.where(rng.random(n) < 0.5, 0.0, rng.uniform(0, 800, n)).round()
    end = np.minimum(death, 1200.0)
    seen = end.round() > entry
    frame = pd.DataFrame({"x": x, "entry": entry, "days": end.round(), "died": death <= 1200})[seen]
    declared = {"columns": {"days": {"role": "time"}, "died": {"role": "event"}}}
    data = table(frame.reset_index(drop=True), declared=declared)
    fitted = Hazards(entry="entry").fit(data, rng=stream(0), plan={"steps": 30, "hazards": 60})
    drawn = next(fitted.sample(3000, rng=stream(1))).frame
    assert (drawn["days"] >= drawn["entry"]).all()
    followed = (drawn["days"] - drawn["entry"]).sum()
    died = (drawn["died"].astype(str) == "True").sum()
    assert died / followed == pytest.approx(1 / 400, rel=0.12)


def test_bad_input_is_refused_before_training(real):
    spec = Hazards()
    for wrong, match in (
        (real.drop(columns="days"), "role time"),
        (real.assign(days=-1), "below 0"),
        (real[["days", "cause"]], "no column besides"),
    ):
        data = table(wrong, declared={"columns": {k: v for k, v in DECLARED["columns"].items() if k in wrong}})
        for call in (spec.plan, spec.fit):
            with pytest.raises(DataError, match=match):
                call(data, rng=stream(0))


def test_too_few_are_refused_before_training(real):
    rare = real.assign(cause=["1"] * 4 + ["0"] * (len(real) - 4))
    for data, spec, match in (
        (real.head(4), Hazards(), "4 patient"),
        (rare, Hazards(), "most common event"),
        (real.head(10), Hazards(rare=11), "10 patient"),
        (real, Hazards(entry="days"), "no covariate"),
    ):
        made = table(data, declared=DECLARED)
        for call in (spec.plan, spec.fit):
            with pytest.raises(DataError, match=match):
                call(made, rng=stream(0))
        with pytest.raises(DataError, match=match):
            spec.check(made, wanted=Wanted())


def test_a_constraint_on_the_time_is_not_silently_broken(real):
    data = table(real.assign(start=0), declared=DECLARED)
    rule = Constraint("inequality", ("start", "days"))
    with pytest.raises(DataError, match="names the time"):
        Hazards().plan(replace(data, schema=replace(data.schema, constraints=(rule,))), rng=stream(0))


def test_the_plan_shares_the_seconds(real):
    plan = Hazards().plan(table(real.head(300), declared=DECLARED), rng=stream(0), time_budget=0.2)
    assert plan["steps"] >= 20 and plan["hazards"] >= 20
    assert set(plan) <= set(Hazards.planned.__dataclass_fields__)
