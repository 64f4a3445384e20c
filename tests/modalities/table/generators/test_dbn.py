from __future__ import annotations

import numpy as np
import pandas as pd

from semblance.core.model import Tick
from semblance.core.rng import stream
from semblance.learn.trainer import TrainPlan
from semblance.modalities.table.data import concat
from semblance.modalities.table.generators.dbn import Dbn, DbnModel
from tests.contracts.samples import cohort, table

PLAN = TrainPlan(250, rate=0.03, weight_decay=0.01).to_json()


def test_relations_pass_through_two_machines() -> None:
    rng = stream(0, "pairs")
    a = rng.choice(["x", "y"], 1500, p=[0.6, 0.4])
    b = np.where(rng.random(1500) < 0.95, np.char.add("of ", a), "of x")
    model = Dbn(hidden=16).fit(table(pd.DataFrame({"a": a, "b": b})), rng=rng, plan=PLAN)
    frame = concat(list(model.sample(1500, rng=rng))).frame
    assert (("of " + frame["a"].astype(str)) == frame["b"].astype(str)).mean() > 0.8
    assert abs((frame["a"] == "x").mean() - 0.6) < 0.12


def test_every_machine_of_the_stack_learns_for_the_plan(tmp_path) -> None:
    ticks: list[Tick] = []
    plan = {**PLAN, "steps": 5}
    model = Dbn(depth=3, hidden=8).fit(cohort(200, 0), rng=stream(0, "fit"), plan=plan, watch=ticks.append)
    assert [tick.step for tick in ticks] == list(range(1, 16)) and {tick.steps for tick in ticks} == {15}
    assert [tuple(m.weight.shape) for m in model.machines[1:]] == [(16, 8), (16, 8)]
    model.save(tmp_path)
    again = Dbn.load(tmp_path)
    assert isinstance(again, DbnModel) and len(again.machines) == 3
