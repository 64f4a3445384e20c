from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.learn.trainer import TrainPlan
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.rbm import Rbm, RbmModel
from tests.contracts.samples import cohort, table

SHORT = TrainPlan(250, rate=0.03, weight_decay=0.01).to_json()


def drawn(model: RbmModel, n: int) -> pd.DataFrame:
    return concat(list(model.sample(n, rng=stream(0, "sample")))).frame


def test_relations_are_learned_that_independent_columns_lack() -> None:
    rng = stream(0, "pairs")
    a = rng.choice(["x", "y", "z"], 1500, p=[0.5, 0.3, 0.2])
    b = np.where(rng.random(1500) < 0.95, np.char.add("of ", a), "of x")
    train = table(pd.DataFrame({"a": a, "b": b}))
    frame = drawn(Rbm(hidden=16).fit(train, rng=stream(0, "fit"), plan=SHORT), 1500)
    assert (("of " + frame["a"].astype(str)) == frame["b"].astype(str)).mean() > 0.85
    assert abs((frame["a"] == "x").mean() - 0.5) < 0.15


def test_chains_begin_at_shares_and_never_at_records() -> None:
    model = Rbm(burn=1).fit(cohort(300, 0), rng=stream(0, "fit"), plan={**SHORT, "steps": 1})
    assert set(model.arrays()) == {"shares", "0.weight", "0.visible_bias", "0.hidden_bias"}
    assert len(model.arrays()["shares"]) == model.encoding.sizes.sum()


def test_no_column_is_no_trouble() -> None:
    nothing = Table(table(pd.DataFrame({"a": [1.0] * 5})).schema, pd.DataFrame({"a": np.ones(5)}), np.arange(5)).take(
        np.zeros(0, dtype=np.int64)
    )
    model = Rbm().fit(nothing, rng=stream(0, "fit"))
    assert len(drawn(model, 3)) == 3


def test_a_longer_budget_is_more_steps_up_to_the_passes_that_help() -> None:
    train = cohort(300, 0)
    short, long = (Rbm().plan(train, rng=stream(0, "plan"), time_budget=s)["steps"] for s in (0.3, 1e6))
    assert 20 <= short < long == 600
