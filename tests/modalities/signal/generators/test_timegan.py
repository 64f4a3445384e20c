from __future__ import annotations

from semblance.learn.drawn import Sizes
from semblance.learn.network import drawing
from semblance.modalities.signal.generators.timegan import TimeGan


def test_generator_supervisor_and_recovery_are_kept_and_no_embedder():
    spec = TimeGan(units=4)
    game = spec.objective(spec.parts(Sizes(128, 3, 2, 2)), None)
    kept = {name.split(".")[0] for name in drawing(game).state_dict()}
    assert kept == {"told", "generator", "supervisor", "recovery"}
