from __future__ import annotations

import numpy as np

from semblance.core.arrays import under, within


def test_parts_go_in_and_come_out():
    one, other = {"x": np.ones(2)}, {"x.y": np.zeros(1)}
    joined = {**within("a", one), **within("b", other)}
    assert under(joined, "a") == one
    assert list(under(joined, "b")) == ["x.y"]
