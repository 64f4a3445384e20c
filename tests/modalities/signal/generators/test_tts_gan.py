from __future__ import annotations

import pytest

from semblance.core.errors import UsageError
from semblance.learn.drawn import Sizes
from semblance.learn.objectives.gan import LeastSquares
from semblance.modalities.signal.generators.tts_gan import TtsGan


def test_both_sides_lose_by_least_squares():
    spec = TtsGan(units=4)
    game = spec.objective(spec.parts(Sizes(128, 3, 2, 2)), None)
    assert game.contest == LeastSquares()
    assert [turn.name for turn in game.turns] == ["critic", "generator"]


def test_heads_that_do_not_divide_the_units_are_refused():
    with pytest.raises(UsageError, match="heads divide"):
        TtsGan(units=10, heads=4)
