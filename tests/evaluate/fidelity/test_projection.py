from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fidelity.projection import CELLS, principal, projection, round_edges
from tests.contracts.samples import cohort, table


def test_directions_are_sklearns():
    points = stream(0).normal(size=(200, 5)) * [5, 3, 1, 1, 1]
    centre, axes = principal(points)
    theirs = PCA(2).fit(points)
    assert np.abs(np.sum(axes * theirs.components_.T, axis=0)) == pytest.approx(1)
    assert centre == pytest.approx(theirs.mean_)


@given(st.floats(-100, 100), st.floats(1e-3, 1e6))
def test_edges_are_round_and_hold_the_middle(place, span):
    values = place * span + span * np.linspace(0, 1, 500)
    edges = round_edges(values)
    assert len(edges) == CELLS + 1
    assert edges[0] <= np.quantile(values, 0.01) + span * 1e-3
    assert edges[-1] >= np.quantile(values, 0.99) - span * 1e-3
    assert edges[-1] - edges[0] <= 2 * span
    step = (edges[-1] - edges[0]) / CELLS
    assert edges[0] / step == pytest.approx(round(edges[0] / step), abs=0.05)


def test_cells_tell_their_patients_and_shares_add_up():
    train, synthetic = cohort(2000, 0), cohort(1500, 1)
    made = projection(Evidence(train, synthetic, synthetic, catalog.modality("table")))
    cells = np.array(made["cells"])
    assert np.array_equal(cells[:, 4], np.round(cells[:, 2] * 2000))
    assert cells[:, 2].sum() == pytest.approx(1, abs=0.01) and cells[:, 3].sum() == pytest.approx(1, abs=0.01)
    assert (cells[:, 2] + cells[:, 3] > 0).all() and (cells[:, 2] == 0).any()


def test_a_patient_of_many_records_is_one_patient_of_a_cell():
    import pandas as pd

    frame = pd.DataFrame({"pid": ["p"] * 300 + [f"q{i}" for i in range(300)], "x": [9.5] * 300 + [1.5, 2.5] * 150})
    train = table(frame.assign(y=np.r_[np.zeros(300), stream(0).normal(size=300)]), subject="pid")
    made = projection(Evidence(train, train, train, catalog.modality("table")))
    assert max(cell[2] for cell in made["cells"]) == 0.5
    assert next(cell[4] for cell in made["cells"] if cell[2] == 0.5) == 1
