from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.metrics import joint as module
from semblance.modalities.table.metrics.association import cramers_v
from semblance.modalities.table.metrics.joint import joint
from semblance.modalities.table.metrics.places import coarse
from semblance.modalities.table.metrics.samples import samples
from tests.contracts.samples import table
from tests.modalities.table.metrics.drawn import evidence, thirds


def gap(a: np.ndarray, b: np.ndarray, i: int, j: int) -> float:
    """Total variation of a joint table, the long way."""
    p, q = (pd.DataFrame(codes).groupby([i, j]).size() / len(codes) for codes in (a, b))
    return float(p.sub(q, fill_value=0).abs().sum() / 2)


def test_distances_of_everything_and_without_a_block_are_the_long_way_round():
    found = evidence(*thirds(120))
    made, grids, drawn = joint(found), coarse(found), samples(found)
    for part in ("synthetic", "train"):
        for i, j in ((0, 1), (2, 5), (4, 7)):
            whole = gap(grids[part].codes, grids["holdout"].codes, i, j)
            assert made.distance[part][0, i, j] == pytest.approx(whole, abs=1e-6)
            left = (grids[p].codes[drawn[p].block != 3] for p in (part, "holdout"))
            assert made.distance[part][4, i, j] == pytest.approx(gap(*left, i, j), abs=1e-6)


def test_associations_do_not_depend_on_codes_that_nobody_has():
    found = evidence(*thirds(120))
    grid = coarse(found)["holdout"]
    hot = grid.one_hot(np.arange(120)).astype(float)
    assert joint(found).cramer["holdout"][0] == pytest.approx(cramers_v(hot.T @ hot, grid.starts), abs=1e-5)


def test_wide_tables_are_judged_on_some_columns(monkeypatch):
    monkeypatch.setattr(module, "WIDEST", 100)
    rng = stream(0)
    wide = table(pd.DataFrame({f"x{i:03d}": rng.normal(size=24) for i in range(30)}))
    made = joint(evidence(wide, wide, wide))
    assert len(made.chosen) == 100 // 11
    assert made.distance["synthetic"][0].max() == 0
