from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.learn.components import Components


def rows(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Two classes with means of their own, along two directions, with a little noise."""
    rng = stream(0, "rows")
    labels = rng.integers(0, 2, n)
    axes = np.linalg.qr(rng.standard_normal((12, 2)))[0].T
    along = rng.standard_normal((n, 2)) * np.where(labels[:, None] == 1, (6, 1), (2, 1))
    made = labels[:, None] * np.linspace(0, 3, 12) + along @ axes + 0.05 * rng.standard_normal((n, 12))
    return made.astype(np.float32), labels


def fitted(most: int = 2) -> Components:
    return Components.fit(*rows(), kinds=2, most=most, rng=stream(0, "fit"))


def test_directions_spreads_and_what_is_left_over_are_found():
    found = fitted()
    assert np.allclose(found.axes @ found.axes.T, np.eye(2), atol=1e-5)
    assert np.allclose(found.spreads[:, 0], [2, 6], rtol=0.15)
    assert np.isclose((found.rest**2).sum(), 10 * 0.05**2, rtol=0.1)


def test_there_and_back_loses_only_the_rest():
    x, labels = rows()
    found = fitted()
    again = found.rows(found.along(x, labels), labels, rng=stream(0, "rest"))
    assert np.abs(again - x).mean() < 0.1


def test_saved_and_restored_it_is_the_same():
    found = fitted()
    again = Components.restored(found.arrays())
    assert all(np.allclose(getattr(found, name), array) for name, array in again.arrays().items())


def test_a_class_without_rows_is_like_all_and_without_components_the_means_remain():
    x, _ = rows()
    found = Components.fit(x, np.zeros(len(x), dtype=int), kinds=2, most=0, rng=stream(0, "fit"))
    assert np.allclose(found.means[1], x.mean(0), atol=1e-4) and found.axes.shape == (0, 12)
    one = Components.fit(x[:1], np.zeros(1, dtype=int), kinds=1, most=3, rng=stream(0, "fit"))
    assert one.axes.shape == (0, 12) and not one.rest.any()
