import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.wgan_gp import WganGp


def test_a_correlation_is_learned() -> None:
    z = stream(0).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2000)
    schema = Schema((Column("a", "numeric", decimals=3), Column("b", "numeric", decimals=3)))
    table = Table(schema, pd.DataFrame({"a": z[:, 0], "b": np.exp(z[:, 1])}), np.arange(2000))
    spec = WganGp(width=32, batch=64, latent=8, turns=3, rate=3e-3)
    model = spec.fit(table, rng=stream(1), plan=spec._plan_of(300, 10**9).to_json())
    drawn = concat(list(model.sample(2000, rng=stream(2)))).frame
    assert abs(drawn["a"].corr(drawn["b"], method="spearman") - 0.78) < 0.2
