from __future__ import annotations

import numpy as np
import pytest

from semblance.modalities.image.metrics.overlap import alarms, dice, hd95, over_shown


def square(at: int, size: int = 4) -> np.ndarray:
    made = np.zeros((20, 20), dtype=bool)
    made[at : at + size, 5 : 5 + size] = True
    return made


def test_overlap_by_hand():
    a, b, none = square(4), square(6), np.zeros((20, 20), dtype=bool)
    assert dice(np.stack([a, a, a, none]), np.stack([a, b, none, none])).tolist() == [1, 0.5, 0, 1]


def test_distance_by_hand():
    a, b, none = square(4), square(7), np.zeros((20, 20), dtype=bool)
    found = hd95(np.stack([a, a, none, none]), np.stack([a, b, none, a]), (1.0, 1.0))
    assert found == pytest.approx([0, 3, 0, np.hypot(20, 20)])
    assert hd95(a[None], b[None], (2.0, 1.0))[0] == pytest.approx(6)
    assert hd95(a[None], b[None], (2.0, 1.0)) == hd95(b[None], a[None], (2.0, 1.0))


def test_classes_count_where_an_image_shows_them_and_are_false_alarms_elsewhere():
    """Of two images and three classes: the first shows the first class, half of which is found, and not the second,
    which is marked; the second one shows nothing and nothing is marked."""
    real, found = np.zeros((2, 4), dtype=int), np.zeros((2, 4), dtype=int)
    real[0, :2], found[0, 1:3], found[0, 3] = 1, 1, 2
    overlap = over_shown(dice, found, real, 3)
    assert overlap[0] == 0.5 and np.isnan(overlap[1])
    assert alarms(found, real, 3).tolist() == [1, 0]
    assert np.isnan(alarms(found[:1, :2], real[:1, :2], 2)).all()


def test_a_twentieth_of_the_edge_does_not_count():
    a = square(4, 10)
    b = a.copy()
    b[14:18, 14] = True
    assert hd95(a[None], b[None], (1.0, 1.0))[0] < 4
