from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.modalities.vitals.data import Channel
from semblance.modalities.vitals.embed import embed, features
from tests.modalities.vitals.simulated import stays


def test_features_are_facts_and_numbers_of_channels():
    whole = stays(30, 0)
    made = features(whole, whole)
    assert made.names[:4] == ("age", "sex", "died", "DiasABP first")
    assert made.roles == {"target": 2}
    assert made.levels[1] == ("F", "M") or made.levels[1] == ("M", "F")


def test_channels_are_those_of_the_reference():
    whole = stays(30, 0)
    other = replace(whole, channels=tuple(Channel(f"x{c.name}") for c in whole.channels))
    made = features(other, whole)
    counts = [j for j, name in enumerate(made.names) if name.endswith(" count")]
    assert (made.x[:, counts] == 0).all()


def test_alike_stays_are_near_and_others_far():
    whole = stays(60, 0)
    made = embed(whole, whole)
    again = embed(replace(whole, value=whole.value + 1e-6), whole)
    apart = np.linalg.norm(made[:, None] - made[None], axis=2)
    assert np.linalg.norm(made - again, axis=1).max() < 1e-3
    assert np.median(apart[~np.eye(60, dtype=bool)]) > 1
