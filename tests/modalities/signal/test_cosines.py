"""Cosines in declared units: slow waves come back, and nothing leaves its range."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.modalities.signal.cosines import Cosines
from semblance.modalities.signal.data import Lead, Public
from tests.modalities.signal.simulated import pieces

PUBLIC = Public(250.0, (Lead("II"), Lead("V1")), ((-3.0, 3.0), (-3.0, 3.0)), 8.0, ("N",))


def test_beats_come_back_but_for_what_is_fast():
    some, code = pieces(10, 1), Cosines.of(PUBLIC, 256)
    again = code.decode(code.encode(some), some.labels, rng=np.random.default_rng(0))
    assert np.sqrt(np.square(again - some.waves).mean()) < 0.2 * some.waves.std()
    same = Cosines.from_arrays(code.labels, code.arrays())
    assert np.array_equal(same.encode(some), code.encode(some))


def test_nothing_leaves_the_declared_range():
    some, code = pieces(4, 1), Cosines.of(replace(PUBLIC, ranges=((-1.0, 1.0), (-0.5, 0.5))), 256)
    made = code.decode(np.full((3, code.width), 6.0), some.labels[:3], rng=np.random.default_rng(0))
    assert abs(made[:, 0]).max() <= 1 and abs(made[:, 1]).max() <= 0.5
