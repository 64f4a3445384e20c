from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.encode import Encoding, EncodingOptions
from semblance.modalities.table.generators.ctgan_smote import CtganSmote, _place
from tests.contracts.samples import table

pytest.importorskip("imblearn")


def rare_outcome() -> Table:
    rng = stream(0, "rare")
    ill = np.arange(400) % 10 == 0
    return table(
        pd.DataFrame({"x": (rng.normal(size=400) + 3 * ill).round(2), "ill": np.where(ill, "yes", "no")}), target="ill"
    )


@pytest.mark.parametrize(("balanced", "share"), [(False, 0.1), (True, 0.5)])
def test_records_have_the_real_shares_of_the_classes_or_equal_ones(balanced: bool, share: float) -> None:
    train, rng = rare_outcome(), stream(0, "fit")
    spec = CtganSmote(width=32, pack=2, batch=100, balanced=balanced)
    model = spec.fit(train, rng=rng, plan={**spec.plan(train, rng=rng, time_budget=0.2), "steps": 100})
    frame = concat(list(model.sample(1000, rng=rng))).frame
    assert abs((frame["ill"] == "yes").mean() - share) < 0.05
    assert np.allclose(model.options["classes"], [1 - share, share])


def test_made_records_lift_no_value_over_the_limit_of_rare_ones() -> None:
    frame = rare_outcome().frame.assign(word=["common"] * 390 + ["held by two"] * 2 + ["other"] * 8)
    frame.loc[[0, 10], "word"] = "held by two"
    frame.loc[390:391, "word"] = "common"
    train, rng = table(frame, target="ill"), stream(0, "fit")
    spec = CtganSmote(width=16, pack=2, batch=100)
    model = spec.fit(train, rng=rng, plan={**spec.plan(train, rng=rng, time_budget=0.2), "steps": 2})
    alone = Encoding.fit(train, EncodingOptions())
    assert model.encoding.to_json() == alone.to_json()
    assert "held by two" not in str(model.encoding.to_json())


def test_places_count_within_each_class() -> None:
    assert _place(np.array([2, 0, 2, 2, 0, 1])).tolist() == [0, 0, 1, 2, 1, 0]
