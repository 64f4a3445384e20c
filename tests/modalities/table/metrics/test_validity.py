from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.constraint import Condition, Constraint
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.table.metrics import joint, validity
from semblance.modalities.table.metrics.validity import constraints, duplicates
from tests.contracts.samples import WEIRD, table

MALE = Condition("sex", ("M",))


def stays(n: int, seed: int) -> pd.DataFrame:
    """Admissions that end after they begin, and pregnancies of women alone."""
    rng = stream(seed, "stays")
    sex = rng.choice(["F", "M"], n)
    begin = rng.integers(0, 1000, n)
    return pd.DataFrame(
        {
            "sex": sex,
            "pregnant": np.where((sex == "F") & (rng.random(n) < 0.3), "yes", "no"),
            "admitted": pd.Timestamp("2020-01-01") + pd.to_timedelta(begin, unit="D"),
            "discharged": pd.Timestamp("2020-01-01") + pd.to_timedelta(begin + rng.integers(0, 30, n), unit="D"),
            "weight": rng.normal(80, 10, n).round(1),
        }
    )


def judged(judge, synthetic: pd.DataFrame, n: int = 1500, **options):
    parts = (table(f, **options) for f in (stays(n, 0), stays(n, 1), synthetic))
    (finding,) = judge(Evidence(*parts, catalog.modality("table")))
    return finding


def test_real_records_break_no_rule():
    finding = judged(constraints, stays(1500, 2))
    assert finding.estimate.value == finding.control.value == 0


def test_an_order_of_dates_is_found_and_its_breaches_are_counted():
    wrong = stays(1500, 2)
    wrong.loc[:149, "discharged"] = wrong.loc[:149, "admitted"] - pd.Timedelta(days=1)
    finding = judged(constraints, wrong)
    assert finding.estimate.value == pytest.approx(0.1)
    assert finding.detail["rules"][0]["rule"] == "'admitted' not above 'discharged'"


def test_a_pregnant_man_is_impossible():
    wrong = stays(1500, 2)
    men = np.flatnonzero(wrong["sex"] == "M")[:75]
    wrong.loc[men, "pregnant"] = "yes"
    finding = judged(constraints, wrong)
    assert finding.estimate.value == pytest.approx(0.05)
    assert finding.detail["rules"][0] == {"rule": "'sex' with 'pregnant'", "synthetic": pytest.approx(0.05), "real": 0}


def test_a_wide_table_is_looked_at_in_part(monkeypatch):
    monkeypatch.setattr(joint, "WIDEST", 12)
    monkeypatch.setattr(validity, "ORDERED", 1)
    wrong = stays(1500, 2)
    wrong.loc[wrong["sex"] == "M", "pregnant"] = "yes"
    wrong["discharged"] = wrong["admitted"] - pd.Timedelta(days=1)
    finding = judged(constraints, wrong)
    assert finding.status == "not_applicable" or not finding.detail["orders"]
    monkeypatch.undo()
    assert judged(constraints, wrong).estimate.value == 1


def test_declared_bounds_are_rules():
    wrong = stays(1500, 2)
    wrong.loc[:29, "weight"] = 400.0
    declared = {"columns": {"weight": {"kind": "numeric", "min": 20, "max": 300}}}
    parts = [table(stays(1500, s), declared=declared) for s in range(2)]
    made = table(wrong, declared=declared)
    (finding,) = constraints(Evidence(*parts, made, catalog.modality("table")))
    assert finding.estimate.value == pytest.approx(0.02)


def test_declared_constraints_are_rules():
    rule = Constraint("implication", when=(Condition("weight", max=90.0),), then=(Condition("weight", max=95.0), MALE))
    frames = [stays(1500, seed).assign(sex="M") for seed in range(3)]
    frames[2].loc[frames[2].index[frames[2]["weight"] <= 90][:30], "sex"] = "F"
    parts = [table(frame) for frame in frames]
    lost = Constraint("predicate", name="lost with the saved model")
    parts = [replace(part, schema=replace(part.schema, constraints=(rule, lost))) for part in parts]
    (finding,) = constraints(Evidence(*parts, catalog.modality("table")))
    assert finding.estimate.value >= 0.02
    assert {"rule": str(rule), "synthetic": 0.02, "real": 0.0} in finding.detail["rules"]
    assert finding.detail["declared_rules"] == [str(rule)]


def test_numbers_of_other_units_have_no_order():
    frame = stays(1500, 0)[["weight"]].assign(height=170.0 + np.arange(1500) % 30)
    parts = [table(frame)] * 3
    (finding,) = constraints(Evidence(*parts, catalog.modality("table")))
    assert finding.status == "not_applicable"


def test_repeats_within_the_synthetic_records_are_counted_beside_those_of_train():
    fresh = stays(1500, 2)
    assert judged(duplicates, fresh).estimate.value == 0
    few = fresh.iloc[stream(0).integers(0, 5, 1500)]
    finding = judged(duplicates, few)
    assert finding.estimate.value == 1 and finding.control.value == 0


def test_the_interval_knows_that_copies_of_one_record_are_one():
    once = stays(1500, 2)
    pair = pd.concat([once.iloc[:1499], once.iloc[:1]])
    assert judged(duplicates, pair).estimate.value == pytest.approx(2 / 1500)


@pytest.mark.parametrize("judge", [constraints, duplicates])
@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_no_crash(judge, name):
    whole = WEIRD[name]()
    (finding,) = judge(Evidence(whole, whole, whole, catalog.modality("table")))
    assert finding.status in ("measured", "not_applicable", "insufficient")
