"""The stays that metrics look at (see `core.sampled`), with the channels of train."""

from __future__ import annotations

from semblance.core.dataset import Evidence
from semblance.core.sampled import BLOCKS, LEAST, Samples
from semblance.modalities.vitals.data import Stays

__all__ = ["BLOCKS", "LEAST", "SAMPLES", "Measured"]
Measured = Evidence[Stays]


def _seen(evidence: Measured, stays: Stays) -> Stays:
    return stays.coded(evidence.train.channels)


SAMPLES = Samples[Stays]("stays", {"fast": 500, "standard": 2_000, "audit": 10_000}, _seen)
