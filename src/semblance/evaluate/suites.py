"""Which judges look at a modality: those that every modality shares, and its own."""

from __future__ import annotations

from semblance.core.modality import Modality

_HERE = "semblance.evaluate"

METRICS: tuple[str, ...] = (
    f"{_HERE}.fidelity.two_sample:c2st",
    f"{_HERE}.fidelity.two_sample:pmse",
    f"{_HERE}.fidelity.distances:distances",
    f"{_HERE}.fidelity.coverage:coverage",
    f"{_HERE}.fidelity.diversity:modes",
    f"{_HERE}.fidelity.diversity:diversity",
    f"{_HERE}.utility.transfer:transfer",
    f"{_HERE}.utility.transfer:augmentation",
    f"{_HERE}.utility.transfer:reverse",
    f"{_HERE}.utility.calibration:calibration",
    f"{_HERE}.utility.importance:importance",
    f"{_HERE}.utility.inference:inference",
    f"{_HERE}.utility.survival:survival",
    f"{_HERE}.utility.causal:causal",
    f"{_HERE}.fairness.decisions:decisions",
    f"{_HERE}.fairness.decisions:labels",
    f"{_HERE}.fairness.subgroups:subgroup_fidelity",
    f"{_HERE}.disclosure.singling_out:singling_out",
    f"{_HERE}.disclosure.linkability:linkability",
    f"{_HERE}.disclosure.attribute:attribute",
    f"{_HERE}.disclosure.inference:inference",
    f"{_HERE}.disclosure.uniques:uniques",
    f"{_HERE}.disclosure.identity:identity",
    f"{_HERE}.disclosure.authenticity:authenticity",
)
ATTACKS: tuple[str, ...] = (
    f"{_HERE}.attacks.distance:nearest_difference",
    f"{_HERE}.attacks.density:density_ratio",
    f"{_HERE}.attacks.likelihood:likelihood_ratio",
    f"{_HERE}.attacks.classifier:classifier",
    f"{_HERE}.attacks.ensemble:neighbour_ensemble",
    f"{_HERE}.attacks.shadow:shadow",
)
"""Membership attacks: each gives one score per patient of the same cast. `shadow` plays in the audit tier only."""


def metrics(modality: Modality) -> tuple[str, ...]:
    """The metrics of a modality as 'module:attr' strings: its own first."""
    return (*modality.metrics, *METRICS)


def attacks(modality: Modality) -> tuple[str, ...]:
    """The membership attacks on a modality."""
    return (*ATTACKS, *modality.attacks)
