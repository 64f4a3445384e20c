from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.learn.components import Components
from tests.learn.learned import learned


def rows(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Two classes with means of their own, along two directions, with a little noise."""
    rng = stream(0, "rows")
    labels = rng.integers(0, 2, n)
    axes = np.linalg.qr(rng.standard_normal((12, 2)))[0].T
    along = rng.standard_normal((n, 2)) * np.where(labels[:, None] == 1, (6, 1), (2, 1))
    made = labels[:, None] * np.linspace(0, 3, 12) + along @ axes + 0.05 * rng.standard_normal((n, 12))
    return made.astype(np.float32), labels


def fitted(most: int = 2) -> Components:
    return Components.fit(learned(*rows(), kinds=2), most=most, rare=1, rng=stream(0, "fit"))


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
    found = Components.fit(learned(x, kinds=2), most=0, rare=1, rng=stream(0, "fit"))
    assert np.allclose(found.means[1], x.mean(0), atol=1e-4) and found.axes.shape == (0, 12)
    one = Components.fit(learned(x[:1]), most=3, rare=1, rng=stream(0, "fit"))
    assert one.axes.shape == (0, 12) and not one.rest.any()


def marked(n: int = 200, side: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Smooth images, of which one has a mark in a corner; and the mark."""
    rng = stream(0, "marked")
    y, x = np.mgrid[0:side, 0:side] / side
    waves = np.stack([np.cos(np.pi * (i * x + j * y)) for i in range(5) for j in range(5)]).reshape(25, -1)
    made = rng.standard_normal((n, 25)) / (1 + np.arange(25)) @ waves + 0.1 * rng.standard_normal((n, side * side))
    mark = np.zeros((side, side))
    mark[1:6, 1], mark[5, 1:5] = 4.0, 4.0
    made[7] += mark.ravel()
    return made.astype(np.float32), (mark / np.linalg.norm(mark)).ravel()


def test_what_one_patient_alone_has_becomes_no_direction_no_spread_and_no_rest():
    x, mark = marked()
    alike = np.zeros(len(x), dtype=int)
    found, open_ = (Components.fit(learned(x), most=40, rare=rare, rng=stream(0, "fit")) for rare in (5, 1))
    without = Components.fit(learned(np.delete(x, 7, 0)), most=40, rare=5, rng=stream(0, "fit"))
    assert np.abs(open_.axes @ mark).max() > 0.35  # it would
    assert np.linalg.norm(found.axes @ mark) < np.linalg.norm(without.axes @ mark) + 0.15
    place = mark > 0
    assert found.rest[place].mean() < 1.2 * without.rest[place].mean()
    along = found.along(x, alike)
    assert (np.abs(along[7]) <= found.limits + 1e-6).all()
    assert (found.limits < 1.2 * np.sort(np.abs(found.along(x, alike)), axis=0)[-5]).all()


def test_a_patient_of_many_records_counts_as_one():
    x, mark = marked()
    many = np.concatenate([x, np.repeat(x[7:8], 30, 0)])
    whose = np.concatenate([np.arange(200), np.full(30, 7)])
    found = Components.fit(learned(many, whose=whose), most=20, rare=5, rng=stream(0, "fit"))
    assert np.linalg.norm(found.axes @ mark) < 0.6


def test_a_class_of_few_patients_has_the_spread_of_all():
    x, _ = rows()
    labels = np.zeros(len(x), dtype=int)
    labels[:3] = 1
    found = Components.fit(learned(x, labels, kinds=2), most=2, rare=5, rng=stream(0, "fit"))
    assert np.allclose(found.spreads[1], found.spreads.max(0), rtol=0.5)
    pooled = Components.fit(learned(x), most=2, rare=5, rng=stream(0, "fit"))
    assert np.allclose(found.spreads[1], pooled.spreads[0], rtol=0.1)
