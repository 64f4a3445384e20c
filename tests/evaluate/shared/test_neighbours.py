from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.shared.neighbours import nearest, neighbours
from tests.contracts.samples import cohort


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(4, 60), st.integers(1, 6), st.integers(0, 99))
def test_nearest_is_scipys(n, m, d, seed):
    rng = stream(seed)
    queries, points = (rng.normal(size=(k, d)).astype(np.float32) for k in (n, m))
    assert nearest(queries, points, k=3).distance == pytest.approx(cKDTree(points).query(queries, k=3)[0], abs=1e-5)


def test_a_copy_is_at_distance_zero_however_far_from_the_origin():
    points = stream(0).normal(size=(100, 5)).astype(np.float32) + 1000
    assert (nearest(points[::-1], points, k=1).distance == 0).all()


def test_a_record_is_not_its_own_neighbour():
    points = stream(0).normal(size=(50, 3)).astype(np.float32)
    found = nearest(points, points, k=5, same=True)
    assert (found.where != np.arange(50)[:, None]).all()
    assert (found.distance[:, 0] > 0).all()


def test_fewer_points_than_neighbours():
    points = np.zeros((2, 3), dtype=np.float32)
    assert nearest(points, points, k=5).where.shape == (2, 2)
    assert nearest(points[:1], points[:1], k=5, same=True).where.shape == (1, 0)


def test_evidence_is_searched_once_and_names_rows_of_the_part():
    one = cohort(60, 0)
    evidence = Evidence(one, one, one, catalog.modality("table"))
    rows = np.arange(30, 60)
    found = neighbours(evidence, ("train", None), ("holdout", rows), k=1)
    assert found.where.min() >= 30
    assert (found.distance[rows, 0] == 0).all()
    again = neighbours(evidence, ("train", None), ("holdout", rows), k=1)
    assert again.where.base is found.where.base
