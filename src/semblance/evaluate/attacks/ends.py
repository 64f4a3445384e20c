"""The two ends between which a membership attack finds a generator: one that knows nobody, and one that keeps nothing.

Columns drawn apart from each other are next to nobody; the train records themselves, handed out, are everybody. Both
are attacked as the synthetic records are, by the same patients, with the attacks that only look at neighbours.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.estimate import Estimate
from semblance.core.rng import stream
from semblance.evaluate.attacks.cast import Game, Rule, by_patient, cast, games
from semblance.evaluate.attacks.density import denser
from semblance.evaluate.attacks.distance import closer
from semblance.evaluate.attacks.scores import LEAST, Sides, advantage, best_threshold, crossed

RULES: tuple[Rule, ...] = (closer, denser)

End = Literal["floor", "train"]


def ends(evidence: Evidence[Any]) -> dict[End, Estimate]:
    """True less false positive rate of the better of two attacks on each end, chosen on one half of the patients and
    scored on the other, as for the synthetic records. Empty with fewer than 20 patients on a side; no "floor" where the
    evidence has none."""
    sides, every = cast(evidence), tuple[End, ...](("floor", "train") if evidence.floor is not None else ("train",))
    if not min(len(sides.member), len(sides.outsider), len(sides.first)):
        return {}
    return {end: found for end in every if (found := _attacked(evidence, end)) is not None}


def _attacked(evidence: Evidence[Any], end: End) -> Estimate | None:
    own = games(evidence)[0]
    game = Game(own.players, (end, None), own.real)
    member, outsider = zip(*(by_patient(evidence, rule(evidence, game)) for rule in RULES), strict=True)
    sides = Sides(np.stack(member), np.stack(outsider))
    if sides.n < LEAST:
        return None
    return crossed(sides, best_threshold, advantage, rng=stream(evidence.seed, "halves", end))[0]
