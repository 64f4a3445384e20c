import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.scalars import KINDS, Kind
from semblance.modalities.table.generators.vae import Vae

SCHEMA = Schema((Column("group", "categorical"), Column("value", "numeric", decimals=2)))


def test_an_unknown_way_to_take_numbers_is_refused() -> None:
    with pytest.raises(UsageError, match="scores, modes"):
        Vae(numbers="ranks")


@pytest.mark.parametrize("numbers", KINDS)
def test_a_spike_is_exact_and_values_follow_their_group(numbers: Kind) -> None:
    rng = stream(0)
    group = rng.integers(0, 2, 3000)
    value = np.where(rng.random(3000) < 0.25, 0.0, group * 6 + 3 + rng.normal(0, 0.3, 3000)).round(2)
    frame = pd.DataFrame({"group": pd.Categorical(np.array(["a", "b"])[group]), "value": value})
    spec = Vae(latent=8, numbers=numbers)
    plan = {**spec.base.to_json(), "steps": 500, "batch": 128}
    model = spec.fit(Table(SCHEMA, frame, np.arange(3000)), rng=stream(1), plan=plan)
    drawn = concat(list(model.sample(3000, rng=stream(2)))).frame
    assert (drawn["value"] == 0).mean() == pytest.approx(0.25, abs=0.1)
    smooth = drawn[drawn["value"] != 0]
    medians = smooth.groupby(smooth["group"].astype(str))["value"].median()
    assert medians.loc[["a", "b"]].to_numpy() == pytest.approx([3, 9], abs=0.4)
