from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.table.wanted import joint as module
from semblance.modalities.table.wanted.joint import Joint, pick, pick_each
from tests.modalities.table.wanted.exact import exact


def wanted(model, *columns: int) -> dict[int, np.ndarray]:
    rng = stream(0, "weights")
    return {j: np.where(rng.random(model.joint.shape[j]) < 0.8, rng.random(model.joint.shape[j]), 0) for j in columns}


def truth(model, weights: dict[int, np.ndarray], columns: tuple[int, ...]) -> np.ndarray:
    """The weighted marginal of `columns`, in their order."""
    left = model.joint.sum(tuple(j for j in range(model.joint.ndim) if j not in columns))
    left = np.transpose(left, [sorted(columns).index(j) for j in columns])
    for k, j in enumerate(columns):
        left = left * weights[j].reshape([-1 if i == k else 1 for i in range(len(columns))])
    return left


def test_the_joint_is_that_of_the_model_exactly():
    model = exact()
    weights = wanted(model, 0, 1, 3)
    found = Joint.of(model, weights, width=5, rng=stream(0))
    expected = truth(model, weights, found.columns)
    assert found.effective is None
    assert found.total == pytest.approx(expected.sum())
    cells = np.zeros_like(expected)
    cells[tuple(found.cells.T)] = found.mass * found.total
    assert np.allclose(cells, expected)


def test_drawn_combinations_are_within_the_error_that_they_tell(monkeypatch):
    monkeypatch.setattr(module, "CELLS", 1)
    model = exact()
    weights = wanted(model, 0, 1, 3)
    found = Joint.of(model, weights, width=5, rng=stream(0))
    expected = truth(model, weights, found.columns)
    assert found.effective is not None and 1000 < found.effective <= module.DRAWS
    assert found.total == pytest.approx(expected.sum(), rel=0.02)
    cells = np.zeros_like(expected)
    np.add.at(cells, tuple(found.cells.T), found.mass)
    assert np.abs(cells - expected / expected.sum()).max() < 4 * 0.5 / np.sqrt(found.effective)


def test_what_cannot_be_is_refused():
    model = exact()
    with pytest.raises(UsageError, match="no record"):
        Joint.of(model, {0: np.zeros(model.joint.shape[0])}, width=5, rng=stream(0))


def test_picking_is_proportional_and_never_takes_what_has_no_weight():
    weights = np.array([0.0, 1, 0, 3, 0])
    found = np.bincount(pick(weights, 20_000, rng=stream(0)), minlength=5) / 20_000
    assert found[[0, 2, 4]].tolist() == [0, 0, 0] and found[1] == pytest.approx(0.25, abs=0.02)
    each = np.bincount(pick_each(np.tile(weights, (20_000, 1)), rng=stream(1)), minlength=5) / 20_000
    assert each[[0, 2, 4]].tolist() == [0, 0, 0] and each[1] == pytest.approx(0.25, abs=0.02)
