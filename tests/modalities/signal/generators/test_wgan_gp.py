from __future__ import annotations

from semblance.learn.drawn import Sizes
from semblance.learn.objectives.gan import Wasserstein
from semblance.modalities.signal.generators.wgan_gp import WganGp


def test_the_critic_has_five_turns_and_its_penalty():
    spec = WganGp(channels=2)
    game = spec.objective(spec.parts(Sizes(128, 3, 2, 2)), None)
    assert [turn.name for turn in game.turns] == ["critic"] * 5 + ["generator"]
    assert game.contest == Wasserstein(10.0)
