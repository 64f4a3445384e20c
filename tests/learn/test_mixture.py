from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.rng import stream
from semblance.learn.mixture import Mixtures
from tests.learn.learned import learned


def apart(whose: np.ndarray) -> Mixtures:
    """Of records in two heaps."""
    rng = stream(0, "heaps")
    heaps = rng.normal(size=(400, 1)) + 20 * (np.arange(400) % 2)[:, None]
    return Mixtures.fit(replace(learned(heaps.astype(np.float32)), subjects=whose), most=4, rng=stream(0, "fit"))


def test_records_of_few_patients_are_no_reason_for_a_gaussian_of_their_own():
    assert len(apart(np.arange(400)).kinds[0].weights) == 4
    assert len(apart(np.arange(400) % 25).kinds[0].weights) == 2
    assert len(apart(np.arange(400) % 19).kinds[0].weights) == 1
