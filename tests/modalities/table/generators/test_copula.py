import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.copula import Copula


def test_marginals_and_rank_correlation_are_kept() -> None:
    z = stream(0).multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 8000)
    schema = Schema((Column("a", "numeric", decimals=3), Column("b", "numeric", decimals=3)))
    table = Table(schema, pd.DataFrame({"a": z[:, 0], "b": np.exp(z[:, 1])}), np.arange(8000))
    model = Copula().fit(table, rng=stream(1))
    drawn = concat(list(model.sample(40_000, rng=stream(2)))).frame
    assert (
        abs(drawn["a"].corr(drawn["b"], method="spearman") - table.frame["a"].corr(table.frame["b"], method="spearman"))
        < 0.03
    )
    assert (
        np.abs(np.quantile(drawn["b"], [0.1, 0.5, 0.9]) / np.quantile(table.frame["b"], [0.1, 0.5, 0.9]) - 1).max()
        < 0.05
    )
