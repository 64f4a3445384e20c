import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.autoregressive import Autoregressive

SCHEMA = Schema((Column("group", "categorical"), Column("value", "numeric", decimals=3), Column("twice", "integer")))
PLAN = {"steps": 300, "batch": 128, "look": 50}


def cohort(n: int) -> Table:
    rng = stream(0)
    group = rng.integers(0, 3, n)
    frame = pd.DataFrame(
        {
            "group": pd.Categorical(np.array(["a", "b", "c"])[group]),
            "value": group * 4 + rng.normal(0, 0.5, n),
            "twice": 2.0 * group,
        }
    )
    return Table(SCHEMA, frame, np.arange(n))


def test_dependence_is_learned_and_a_function_is_exact() -> None:
    model = Autoregressive().fit(cohort(3000), rng=stream(1), plan=PLAN)
    drawn = concat(list(model.sample(3000, rng=stream(2)))).frame
    means = drawn.groupby(drawn["group"].astype(str))["value"].mean()
    assert np.abs(means.loc[["a", "b", "c"]].to_numpy() - [0, 4, 8]).max() < 0.3
    assert (drawn["twice"] == 2 * drawn["group"].map({"a": 0, "b": 1, "c": 2}).astype(float)).all()


def test_the_plan_bounds_the_steps_and_repeats_the_bytes() -> None:
    spec, table = Autoregressive(width=16, blocks=1), cohort(400)
    steps: list[int] = []
    first = spec.fit(table, rng=stream(1), plan=PLAN, watch=lambda tick: steps.append(tick.step))
    second = spec.fit(table, rng=stream(1), plan=PLAN)
    assert steps[-1] <= 300
    assert all(np.array_equal(v, second.arrays()[k]) for k, v in first.arrays().items())


def test_a_larger_budget_plans_more_steps() -> None:
    spec, table = Autoregressive(width=16, blocks=1, epochs=10**6), cohort(400)
    small, large = (spec.plan(table, rng=stream(0), time_budget=s)["steps"] for s in (1.0, 20.0))
    assert large > 3 * small
