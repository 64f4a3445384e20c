"""Which judges look at a modality: those that every modality shares, and its own."""

from __future__ import annotations

from semblance.core.modality import Modality

_SHARED = "semblance.evaluate.shared"
_ATTACKS = "semblance.evaluate.attacks"

METRICS: tuple[str, ...] = (
    f"{_SHARED}.two_sample:c2st",
    f"{_SHARED}.utility:transfer",
)
ATTACKS: tuple[str, ...] = (f"{_ATTACKS}.distance:nearest_difference",)
"""Membership attacks: each gives one score per patient of the same cast."""


def metrics(modality: Modality) -> tuple[str, ...]:
    """The metrics of a modality as 'module:attr' strings: its own first."""
    return (*modality.metrics, *METRICS)


def attacks(modality: Modality) -> tuple[str, ...]:
    """The membership attacks on a modality."""
    return (*ATTACKS, *modality.attacks)
