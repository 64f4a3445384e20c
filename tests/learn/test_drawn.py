from __future__ import annotations

import numpy as np

from semblance.learn.drawn import Learned, Sizes


def test_what_is_learned_tells_its_sizes():
    one = Learned(np.zeros((5, 3)), np.zeros(5, dtype=int), np.zeros((5, 2)), np.arange(5), 4)
    assert one.sizes == Sizes(numbers=3, given=2, kinds=4)
