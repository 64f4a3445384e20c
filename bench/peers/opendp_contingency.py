"""OpenDP's contingency tables on private-pgm (MIT): MST (McKenna, Miklau & Sheldon, JPC 2021) and AIM (McKenna et al.,
VLDB 2022) with their defaults, under zero-concentrated differential privacy. Its noise is drawn by the system."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import opendp.prelude as dp
import pandas as pd
import polars as pl
from exchange import serve
from mbi_sampling import corrected
from opendp.extras.mbi import _mst

PARTS = {"mst": dp.mbi.MST, "aim": dp.mbi.AIM}
dp.enable_features("contrib")
_mst.prior = lambda x: x * (1 - 1e-9)  # its own step of one float is lost in the sum of many: "insufficient budget"


def fit(train: pd.DataFrame, job: dict[str, Any]) -> Callable[[int], pd.DataFrame]:
    """All keys are public; a missing value is the null that every column has anyway."""
    missing, rho = job["missing"], rho_of(job["epsilon"], job["delta"])
    frame = pl.from_pandas(train).with_columns(
        pl.when(pl.col(c) != code).then(pl.col(c)) for c, code in missing.items()
    )
    keys = {name: [code for code in range(size) if code != missing[name]] for name, size in job["sizes"].items()}
    context = dp.Context.compositor(
        data=frame.lazy(), privacy_unit=dp.unit_of(contributions=1), privacy_loss=dp.loss_of(rho=rho)
    )
    table = context.query(rho=rho).contingency_table(keys=keys, algorithm=PARTS[job["part"]]()).release()

    def sample(n: int) -> pd.DataFrame:
        made = table.synthesize(rows=n)
        return made.select(pl.col(c).fill_null(code).cast(pl.Int64) for c, code in missing.items()).to_pandas()

    return sample


def rho_of(epsilon: float, delta: float) -> float:
    """The zero-concentrated privacy that gives epsilon at delta (Canonne, Kamath & Steinke, NeurIPS 2020)."""
    low, high = 0.0, epsilon + 1
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _delta(middle, epsilon) <= delta else (low, middle)
    return low


def _delta(rho: float, epsilon: float) -> float:
    """The least over a fine grid of Renyi orders: each of them is a bound."""
    orders = (1 + 10 ** (k / 200) for k in range(-600, 1001))
    logs = ((a - 1) * (a * rho - epsilon) - math.log(a - 1) + a * math.log1p(-1 / a) for a in orders)
    return min(1.0, math.exp(min(0.0, min(logs))))


if __name__ == "__main__":
    corrected()
    serve(fit)
