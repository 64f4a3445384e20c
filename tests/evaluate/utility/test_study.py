from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.utility.records import records
from semblance.evaluate.utility.study import RISKS, Study, dealt, study_of
from semblance.evaluate.utility.task import NoTask
from tests.contracts.samples import table


def cohort(n, seed, **roles):
    rng = stream(seed, "study")
    age, arm = rng.normal(65, 10, n), rng.integers(0, 3, n)
    life, end = rng.exponential(1000 * np.exp(-0.07 * (age - 65))), rng.uniform(200, 2500, n)
    frame = pd.DataFrame({"age": age, "arm": arm, "days": np.minimum(life, end).round(), "dead": life <= end})
    columns = {"days": {"role": "time"}, **{name: {"role": role} for name, role in roles.items()}}
    return table(frame, target="dead", declared={"columns": columns})


def evidence(**roles):
    parts = [cohort(400, k, **roles) for k in range(3)]
    return Evidence(*parts, catalog.modality("table"))


def strata(given):
    study = study_of(given)
    assert isinstance(study, Study)
    train = study.known(records(given, "train"))
    names, deal = dealt(given, study, train)
    return names, deal(train.x), train


def test_the_strata_are_the_arms_of_a_treatment():
    names, places, train = strata(evidence(arm="treatment"))
    assert [name.split(" = ")[0] for name in names] == ["arm"] * 3
    position = evidence(arm="treatment").features("train").roles["treatment"]
    assert (places == train.x[:, position]).all()


def test_without_a_treatment_they_are_thirds_of_risk():
    names, places, train = strata(evidence())
    assert names == RISKS
    assert np.bincount(places) / len(places) == pytest.approx(1 / 3, abs=0.01)
    ages = [train.x[places == k, 0].mean() for k in range(3)]
    assert ages == sorted(ages)


def test_what_holds_no_follow_up_says_why():
    plain = table(pd.DataFrame({"x": np.arange(50.0), "y": np.arange(50) % 2}), target="y")
    found = study_of(Evidence(plain, plain, plain, catalog.modality("table")))
    assert isinstance(found, NoTask) and found.status == "not_applicable"
