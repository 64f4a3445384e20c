from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.learn.drawn import Fitting, Learned
from semblance.modalities.signal import MANIFEST


def learned() -> Learned:
    """Pieces of two kinds, each around a shape of its own."""
    rng, labels = stream(0, "pieces"), np.arange(40) % 2
    given, numbers = rng.normal(size=(40, 2)), rng.normal(size=(40, 32)) + 3 * labels[:, None]
    return Learned(numbers.astype(np.float32), labels, given.astype(np.float32), np.arange(40), 2, 2)


@pytest.mark.parametrize("name", MANIFEST.generators)
def test_what_takes_conditions_draws_others_of_another_kind_and_rgan_is_told_nothing(name):
    """`rgan` once took conditions: what it made of them had the labels that were asked for, and other waves."""
    kind, known = MANIFEST.generator(name), learned()
    plan = {**kind.base.to_json(), "steps": 3} if hasattr(kind, "base") else {}
    made = kind().learn(known, Fitting(stream(1, "fit"), plan, None, None))
    one, two = (made.draw(codes, known.given, rng=stream(2, "draw")) for codes in (known.labels, 1 - known.labels))
    assert np.array_equal(one, two) is not kind.card.conditional
