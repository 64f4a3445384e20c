import numpy as np
import pandas as pd
import pytest
import torch

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.adsgan import AdsGan, apart, feature_weights
from semblance.modalities.table.generators.adversarial import Records
from semblance.modalities.table.generators.dense import Dense, Vectors


def cohort(n: int) -> Table:
    rng = stream(0, "cohort")
    schema = Schema((Column("even", "boolean"), Column("rare", "boolean"), Column("x", "numeric", decimals=2)))
    frame = pd.DataFrame(
        {
            "even": pd.Categorical(np.where(rng.random(n) < 0.5, "y", "n")),
            "rare": pd.Categorical(np.where(rng.random(n) < 0.05, "y", "n")),
            "x": rng.normal(size=n),
        }
    )
    return Table(schema, frame, np.arange(n))


def records(table: Table, spec: AdsGan) -> Records:
    encoding = Encoding.fit(table, spec)
    dense = Dense.fit(encoding, table, numbers="scores")
    source = Vectors(dense, dense.pack(table, rng=stream(0)), table.subjects)
    return Records(dense, encoding.encode(table), source)


def test_a_column_weighs_one_over_its_entropy() -> None:
    held = records(cohort(4000), AdsGan())
    weights = feature_weights(held)
    share = np.mean(held.codes[:, 1] == 0)
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert float(weights[2] / weights[0]) == pytest.approx(np.log(2) / entropy, rel=0.01)
    assert float(weights.mean()) == pytest.approx(1)


def test_the_distance_is_weighted_and_one_per_record() -> None:
    x, made = torch.zeros(2, 2), torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    found = apart(x, made, torch.tensor([1.0, 2.0]))
    assert found.tolist() == pytest.approx([np.sqrt((9 + 64) / 2), 0], abs=1e-5)


def trained(weight: float) -> float:
    """How far a generator keeps from what it reads."""
    table, spec = cohort(1000), AdsGan(identifiability=weight, width=32, latent=8, batch=64, turns=1, rate=3e-3)
    held = records(table, spec)
    model = spec.fit(table, rng=stream(1), plan=spec._plan_of(150, 10**9).to_json())
    x, noise = held.source.batch(np.arange(1000)), torch.Generator().manual_seed(0)
    with torch.no_grad():
        return float(apart(x, model.maker.make(x, noise), feature_weights(held)).mean())


def test_more_identifiability_keeps_records_further_from_what_they_are_made_of() -> None:
    assert trained(2.0) > trained(0.0) + 0.05


def test_sampling_needs_no_record() -> None:
    spec = AdsGan(width=8, latent=4, batch=32)
    model = spec.fit(cohort(200), rng=stream(1), plan=spec._plan_of(20, 10**9).to_json())
    small = sum(v.size for v in model.arrays().values())
    model = spec.fit(cohort(800), rng=stream(1), plan=spec._plan_of(20, 10**9).to_json())
    assert sum(v.size for v in model.arrays().values()) == small
