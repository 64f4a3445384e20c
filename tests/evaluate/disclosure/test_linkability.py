from __future__ import annotations

import numpy as np
import pandas as pd

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.disclosure.linkability import linkability, linked
from tests.contracts.samples import table


def people(n, seed):
    rng = stream(seed, "people")
    values = {f"x{i}": rng.normal(size=n).round(3) for i in range(8)}
    return pd.DataFrame({"age": rng.integers(20, 90, n), "sex": rng.choice(["F", "M"], n), **values})


def attacked(train, holdout, synthetic):
    evidence = Evidence(*(table(x) for x in (train, holdout, synthetic)), catalog.modality("table"))
    return linkability(evidence)[0]


def test_who_is_linked_by_hand():
    first, second = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[1, 9], [4, 7], [8, 8]])
    assert linked(first, second, 1).tolist() == [True, False, False]
    assert linked(first, second, 2).tolist() == [True, True, False]


def test_a_planted_leak_is_measured():
    train, holdout, fresh = people(600, 0), people(300, 1), people(600, 2)
    copies = pd.concat([train.iloc[::4], fresh.iloc[:450]], ignore_index=True)
    made = attacked(train, holdout, copies)
    assert made.estimate.low < 0.25 < made.estimate.high
    assert attacked(train, holdout, train).estimate.low > 0.9
    for safe in (attacked(train, holdout, fresh), attacked(train, train, train)):
        assert safe.estimate.low <= 0 <= safe.estimate.high
    assert made.control.high < 0.1
    assert len(made.detail["within"]) == 5
    assert not set(made.detail["halves"][0]) & set(made.detail["halves"][1])
    assert made.estimate.n == 300


def test_one_column_cannot_be_linked():
    one = pd.DataFrame({"x": np.arange(60) % 7 + 0.5})
    assert attacked(one, one, one).status == "not_applicable"
