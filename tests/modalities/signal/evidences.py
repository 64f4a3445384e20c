"""Evidence of simulated patients for the tests of metrics: real against real, or with spoilt synthetic pieces."""

from __future__ import annotations

from functools import cache

from semblance.core.dataset import Evidence
from semblance.core.modality import Modality
from semblance.core.rng import stream
from semblance.modalities.signal.data import Pieces
from tests.modalities.signal.simulated import Spoil, noisy, pieces, windows

_HERE = "semblance.modalities.signal"
MODALITY = Modality(
    "signal", "", (), "", "", "", "", f"{_HERE}.embed:embed", f"{_HERE}.embed:features", {}, default="", floor=""
)
PATIENTS = 100


@cache
def evidence(spoil: Spoil | None = None, *, patients: int = PATIENTS, floor: bool = False) -> Evidence[Pieces]:
    """Beats of train, holdout and, as the synthetic set, a third group of patients; spoilt, if so wanted."""
    train, holdout, fresh = (pieces(patients, seed) for seed in (1, 2, 3))
    made = fresh if spoil is None else spoil(fresh, stream(0, "spoil"))
    return Evidence(
        train, holdout, made, MODALITY, tier="fast", floor=noisy(fresh, stream(0, "floor")) if floor else None
    )


@cache
def plain(spoil: Spoil | None = None) -> Evidence[Pieces]:
    """The same of windows of an EEG-like signal, without labels and intervals."""
    train, holdout, fresh = (windows(PATIENTS, seed) for seed in (1, 2, 3))
    return Evidence(train, holdout, fresh if spoil is None else spoil(fresh, stream(0, "spoil")), MODALITY, tier="fast")


def copied(patients: int = PATIENTS) -> Evidence[Pieces]:
    """The synthetic set is the train set."""
    known = evidence(patients=patients)
    return Evidence(known.train, known.holdout, known.train, MODALITY, tier="fast")


def few() -> Evidence[Pieces]:
    """Three pieces on a side."""
    known = evidence()
    return Evidence(*(part.take(known.train.source < 0) for part in (known.train,) * 3), MODALITY)
