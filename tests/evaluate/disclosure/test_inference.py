from __future__ import annotations

import numpy as np
import pandas as pd

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.disclosure.inference import inference
from tests.contracts.samples import cohort, table


def people(n, seed):
    rng = stream(seed, "people")
    frame = pd.DataFrame({"age": rng.uniform(20, 90, n).round(2), "sex": rng.choice(["F", "M"], n)})
    frame["zip-code of home"] = rng.integers(0, 200, n)
    frame["balance"] = rng.normal(-1000, 200, n)
    frame["seen on"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 999, n), unit="D")
    frame["lab"] = np.where(rng.random(n) < 0.5, np.nan, rng.normal(size=n))
    frame["code"] = rng.choice(list("abcde"), n)
    return frame


def attacked(train, holdout, synthetic, **more):
    evidence = Evidence(*(table(x) for x in (train, holdout, synthetic)), catalog.modality("table"), **more)
    return inference(evidence)[0]


def test_a_copycat_betrays_every_secret():
    made = attacked(people(800, 0), people(400, 1), people(800, 0))
    assert made.estimate.value == 1
    assert made.estimate.low > 0.95
    assert {row["name"] for row in made.detail["secrets"] if row["leaks"]} == {"balance", "seen on", "lab", "code"}
    assert made.detail["known"] == ["age", "sex", "zip-code of home"]
    assert made.estimate.n == 400


def test_strangers_and_identical_sides_are_no_risk():
    """In a peer every negative guess succeeds and missing never equals missing; here balances are all negative."""
    made = attacked(people(800, 0), people(400, 1), people(800, 2))
    balance, lab = ({row["name"]: row for row in made.detail["secrets"]}[name] for name in ("balance", "lab"))
    assert abs(balance["value"]) < 0.1
    assert abs(lab["value"]) < 0.1
    assert made.estimate.low <= 0 <= made.estimate.high
    same = attacked(people(200, 0), people(200, 0), people(200, 0))
    assert same.estimate.low <= 0 <= same.estimate.high


def test_one_leaking_column_is_found_among_safe_ones():
    train, holdout, made = people(800, 0), people(400, 1), people(800, 2)
    made[["age", "sex", "zip-code of home", "code"]] = train[["age", "sex", "zip-code of home", "code"]]
    judged = attacked(train, holdout, made)
    assert [row["name"] for row in judged.detail["secrets"] if row["leaks"]] == ["code"]
    assert judged.estimate.low > 0.8


def test_no_risk_is_covered():
    covered, whole = [], cohort(40 * 600, 0)
    for seed in range(40):
        parts = [whole.take(600 * seed + 200 * i + np.arange(200)) for i in range(3)]
        (made,) = inference(Evidence(*parts, catalog.modality("table"), seed=seed))
        covered += [made.estimate.low <= 0 <= made.estimate.high, made.control.low <= 0 <= made.control.high]
    assert np.mean(covered) >= 0.88
