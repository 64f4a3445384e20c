"""Which judges look at a modality: those that every modality shares, and its own."""

from __future__ import annotations

from semblance.core.modality import Modality

_SHARED = "semblance.evaluate.shared"
_ATTACKS = "semblance.evaluate.attacks"

METRICS: tuple[str, ...] = (
    f"{_SHARED}.two_sample:c2st",
    f"{_SHARED}.two_sample:pmse",
    f"{_SHARED}.distances:distances",
    f"{_SHARED}.coverage:coverage",
    f"{_SHARED}.diversity:modes",
    f"{_SHARED}.diversity:diversity",
    f"{_SHARED}.utility:transfer",
    f"{_SHARED}.utility:augmentation",
    f"{_SHARED}.utility:reverse",
    f"{_SHARED}.calibration:calibration",
    f"{_SHARED}.importance:importance",
    f"{_SHARED}.inference:inference",
    f"{_SHARED}.survival:survival",
    f"{_SHARED}.causal:causal",
    f"{_SHARED}.fairness:decisions",
    f"{_SHARED}.fairness:labels",
    f"{_SHARED}.subgroups:subgroup_fidelity",
    f"{_SHARED}.authenticity:authenticity",
)
ATTACKS: tuple[str, ...] = (
    f"{_ATTACKS}.distance:nearest_difference",
    f"{_ATTACKS}.density:density_ratio",
    f"{_ATTACKS}.likelihood:likelihood_ratio",
    f"{_ATTACKS}.classifier:classifier",
    f"{_ATTACKS}.ensemble:neighbour_ensemble",
    f"{_ATTACKS}.shadow:shadow",
)
"""Membership attacks: each gives one score per patient of the same cast. `shadow` plays in the audit tier only."""


def metrics(modality: Modality) -> tuple[str, ...]:
    """The metrics of a modality as 'module:attr' strings: its own first."""
    return (*modality.metrics, *METRICS)


def attacks(modality: Modality) -> tuple[str, ...]:
    """The membership attacks on a modality."""
    return (*ATTACKS, *modality.attacks)
