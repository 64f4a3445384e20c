"""Evidence of simulated stays for the tests of metrics: real against real, or with spoilt synthetic stays."""

from __future__ import annotations

from functools import cache

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.vitals import MANIFEST
from semblance.modalities.vitals.data import Stays
from tests.modalities.vitals.simulated import Spoil, stays

STAYS = 300


@cache
def evidence(spoil: Spoil | None = None) -> Evidence[Stays]:
    """Train, holdout and, as the synthetic set, a third group of stays; spoilt, if so wanted."""
    train, holdout, fresh = (stays(STAYS, seed) for seed in (1, 2, 3))
    return Evidence(train, holdout, fresh if spoil is None else spoil(fresh, stream(0, "spoil")), MANIFEST, tier="fast")


def few() -> Evidence[Stays]:
    """Three stays on a side."""
    part = stays(3, 1)
    return Evidence(part, part, part, MANIFEST)
