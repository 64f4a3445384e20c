from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.vitals.data import concat
from semblance.modalities.vitals.generators.floor import Floor
from semblance.modalities.vitals.summary import NUMBERS, summary
from tests.modalities.vitals.simulated import stays


@pytest.fixture(scope="module")
def made():
    return concat(list(Floor().fit(stays(400, 0), rng=stream(0, "fit")).sample(400, rng=stream(0, "sample"))))


def test_the_ill_die_and_are_measured_more(made):
    real = stays(400, 0)
    for stays_ in (real, made):
        died = (stays_.frame["died"] == "1").to_numpy()
        told = summary(stays_)
        counts, rates = told[:, 3, NUMBERS.index("count")], told[:, 2, NUMBERS.index("mean")]
        assert counts[died].mean() > 1.15 * counts[~died].mean()
        assert np.nanmean(rates[died]) > np.nanmean(rates[~died]) + 5


def test_channels_are_missing_in_as_many_stays(made):
    real = stays(400, 0)
    ever = [(summary(s)[..., NUMBERS.index("count")] > 0).mean(0) for s in (real, made)]
    assert np.abs(ever[0] - ever[1]).max() < 0.08


def test_rare_levels_missing_facts_and_rare_groups_do_not_vanish():
    real = stays(400, 0)
    rng = stream(3, "rare")
    ward = rng.choice(["cardiac", "general", "burns"], 400, p=[0.3, 0.65, 0.05])
    frame = real.frame.assign(
        ward=pd.Categorical(ward), age=np.where(rng.random(400) < 0.06, np.nan, real.frame["age"])
    )
    schema = real.schema.with_columns([*real.schema.columns, Column("ward", "categorical")])
    few = real.kept((real.channel != 3) | (real.stay % 16 == 0))
    train = replace(few, schema=schema, frame=frame)
    made = concat(list(Floor().fit(train, rng=stream(0, "fit")).sample(400, rng=stream(0, "sample"))))
    shares = [
        part.frame["ward"].value_counts(normalize=True).reindex(["burns", "cardiac", "general"])
        for part in (train, made)
    ]
    assert np.allclose(*shares, atol=0.03), shares
    assert 0.02 < made.frame["age"].isna().mean() < 0.12
    ever = [(summary(part)[:, 3, -1] > 0).mean() for part in (train, made)]
    assert abs(ever[0] - ever[1]) < 0.03, ever
