from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from semblance.learn.drawn import Fitting, Learned
from semblance.modalities.signal.generators.rgan import RcGan, RGan


def test_rgan_draws_the_same_whatever_is_told_and_rcgan_does_not():
    rng = stream(0, "pieces")
    given, labels = rng.normal(size=(40, 2)).astype(np.float32), np.arange(40) % 2
    learned = Learned(rng.normal(size=(40, 32)).astype(np.float32), labels, given, np.arange(40), 2, 2)
    for kind, follows in ((RGan, False), (RcGan, True)):
        spec = kind(units=4, frame=4)
        plan = {**spec.base.to_json(), "steps": 2}
        made = spec.learn(learned, Fitting(stream(1, "fit"), plan, None, None))
        one, two = (made.draw(codes, given, rng=stream(2, "draw")) for codes in (labels, 1 - labels))
        assert np.array_equal(one, two) is not follows
