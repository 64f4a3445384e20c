import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.diffusion import Diffusion

SCHEMA = Schema((Column("group", "categorical"), Column("value", "numeric", decimals=3), Column("score", "integer")))


def cohort(n: int) -> Table:
    """`value` follows the group and is 0 in a third of all records; `score` is missing in group a."""
    rng = stream(0)
    group = rng.integers(0, 3, n)
    value = group * 4 + 1 + rng.normal(0, 0.3, n)
    value[rng.random(n) < 1 / 3] = 0.0
    frame = pd.DataFrame(
        {
            "group": pd.Categorical(np.array(["a", "b", "c"])[group]),
            "value": value.round(3),
            "score": np.where(group == 0, np.nan, group * 10.0 + rng.integers(0, 3, n)),
        }
    )
    return Table(SCHEMA, frame, np.arange(n))


def test_groups_spikes_and_missing_values_are_learned() -> None:
    spec = Diffusion(width=64, blocks=2)
    plan = {**spec.base.to_json(), "steps": 500, "batch": 128, "weight_decay": 0.0}
    model = spec.fit(cohort(3000), rng=stream(1), plan=plan)
    drawn = concat(list(model.sample(3000, rng=stream(2)))).frame
    smooth = drawn[drawn["value"] != 0]
    assert (drawn["value"] == 0).mean() == pytest.approx(1 / 3, abs=0.05)
    medians = smooth.groupby(smooth["group"].astype(str))["value"].median()
    assert medians.loc[["a", "b", "c"]].to_numpy() == pytest.approx([1, 5, 9], abs=0.25)
    nearest = ((smooth["value"] - 1) / 4).round().clip(0, 2).astype(int)
    assert (np.array(["a", "b", "c"])[nearest] == smooth["group"].astype(str)).mean() > 0.85
    missing = drawn["score"].isna().groupby(drawn["group"].astype(str)).mean()
    assert missing["a"] > 0.93
    assert missing[["b", "c"]].max() < 0.07
    assert set(drawn["score"].dropna()) <= {10.0, 11.0, 12.0, 20.0, 21.0, 22.0}
