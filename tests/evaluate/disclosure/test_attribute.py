from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.evaluate.disclosure.attribute import _scored, attribute
from tests.contracts.samples import cohort


def attacked(train, holdout, synthetic, **more):
    return attribute(Evidence(train, holdout, synthetic, catalog.modality("table"), **more))[0]


def test_the_guess_comes_from_the_nearest_in_the_other_columns():
    gap = np.array([[[0.0, 0.9], [0.6, 0.1]]])  # one victim, two candidates, two columns
    assert _scored(gap, [0, 1]).round(9).tolist() == [[0.4, 0.1]]


def test_a_copycat_discloses_and_a_fresh_sample_does_not():
    """A peer has no holdout, so that what is true of all patients counts as disclosed."""
    whole = cohort(1200, 0)
    train, holdout, fresh = (whole.take(np.arange(400 * i, 400 * (i + 1))) for i in range(3))
    made = attacked(train, holdout, train)
    assert made.estimate.low > 0.2
    assert sum(row["leaks"] for row in made.detail["secrets"]) >= 3
    safe = attacked(train, holdout, fresh)
    assert safe.estimate.low <= 0 <= safe.estimate.high
    assert not any(row["leaks"] for row in safe.detail["secrets"])
    assert {"name", "value", "low", "high", "control", "p", "leaks"} == set(made.detail["secrets"][0])


def test_a_number_need_not_be_hit_exactly():
    """A peer counts a guessed number only where it equals the truth to the last digit."""
    whole = cohort(800, 0)
    train, holdout = whole.take(np.arange(400)), whole.take(np.arange(400, 800))
    near = train.frame.assign(creatinine=train.frame["creatinine"] + 0.003)
    made = attacked(train, holdout, replace(train, frame=near))
    found = {row["name"]: row for row in made.detail["secrets"]}
    assert found["creatinine"]["leaks"] and found["creatinine"]["low"] > 0.05


def test_no_excess_is_covered():
    covered, whole = [], cohort(40 * 450, 0)
    for seed in range(40):
        parts = (whole.take(450 * seed + 150 * i + np.arange(150)) for i in range(3))
        made = attacked(*parts, seed=seed)
        covered += [made.estimate.low <= 0 <= made.estimate.high, made.control.low <= 0 <= made.control.high]
    assert np.mean(covered) >= 0.88
