"""Strips give recordings back, and the search finds what lies on them."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.strips import middles, nearest, strips
from tests.modalities.signal.simulated import HEAD, TAIL, cut, recordings, windows


def test_successive_beats_lie_as_in_the_recording():
    whole = recordings(1, 4)
    data = cut(whole)
    where, values = strips(data, np.ones(2)), whole.recordings[0].values()
    first = whole.recordings[0].beats.at
    first = first[first >= HEAD][0] if first[0] < HEAD else first[1]
    run = int((where.strip == 0).sum())
    assert run > 5 * (HEAD + TAIL) // 2
    assert where.values[:run] == pytest.approx(values[first - HEAD : first - HEAD + run], abs=1e-6)


def test_windows_lie_by_themselves():
    data = windows(4, 0)
    where = strips(data, np.ones(3))
    assert len(np.unique(where.strip)) == len(data)
    assert len(where.values) == len(data) * 256


def test_the_search_finds_the_best_place_of_all():
    data = windows(6, 0)
    where = strips(data, np.ones(3))
    copied, other = (middles(one, np.ones(3), where) for one in (data.take(np.arange(3)), windows(3, 1)))
    asked = np.concatenate([copied + 0.1 * stream(0, "x").normal(size=copied.shape), other])
    by_hand = []
    for wave in asked:
        flat = (wave - wave.mean(axis=0)).ravel()
        told = [-1.0]
        for start in range(len(where.values) - where.asked + 1):
            window = where.values[start : start + where.asked]
            if where.strip[start] == where.strip[start + where.asked - 1]:
                moved = (window - window.mean(axis=0)).ravel()
                told.append(flat @ moved / np.linalg.norm(flat) / np.linalg.norm(moved))
        by_hand.append(max(told))
    found = nearest(asked, where)
    assert found[:3] == pytest.approx(by_hand[:3], abs=1e-6)
    assert (found <= np.array(by_hand) + 1e-6).all()


def test_a_wave_finds_itself_but_for_its_own_place():
    data = windows(6, 0)
    where = strips(data, np.ones(3))
    asked = middles(data, np.ones(3), where)
    own = where.starts + (where.width - where.asked) // 2
    assert nearest(asked, where) == pytest.approx(np.ones(len(data)), abs=1e-5)
    assert (nearest(asked, where, own=own) < 0.999).all()


def test_scale_and_level_do_not_matter():
    data = windows(6, 0)
    where = strips(data, np.ones(3))
    asked = middles(data, np.ones(3), where)
    assert nearest(3 * asked + 7, where) == pytest.approx(nearest(asked, where), abs=1e-4)
    assert np.isfinite(nearest(0 * asked, where)).all()
