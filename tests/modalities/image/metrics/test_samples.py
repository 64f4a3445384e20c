from __future__ import annotations

import numpy as np

from semblance.modalities.image.metrics.samples import pooled


def test_neighbours_are_averaged_until_sides_are_short():
    x = np.arange(2 * 40 * 10.0).reshape(1, 2, 40, 10)
    assert pooled(x, 16).shape == (1, 2, 13, 10)
    assert np.allclose(pooled(x, 16)[0, 0, 0], x[0, 0, :3].mean(0))
    assert pooled(np.zeros((1, 1, 33, 20, 8)), 16).shape == (1, 1, 11, 10, 8)
