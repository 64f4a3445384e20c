"""Flags of records, such as "misses this column" or "lies in that tail": which of them go together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from semblance.core.dataset import Part
from semblance.modalities.table.metrics.association import phi
from semblance.modalities.table.metrics.samples import Measured, Sample, estimate, leaving_out, told

Counted = tuple[np.ndarray, np.ndarray]
"""(c, c, 1 + blocks) records that have both flags, (1 + blocks,) records."""


def counted(sample: Sample, flags: np.ndarray) -> Counted:
    """From the flags (n, c) of a sample's records."""
    flags = flags.astype(np.float32)
    both = np.stack([flags[rows].T @ flags[rows] for rows in sample.slices()], axis=-1)
    return leaving_out(both), leaving_out(np.bincount(sample.block, minlength=sample.blocks))


def together(evidence: Measured, both: Mapping[Part, Counted]) -> dict[str, float]:
    """The mean difference of phi from holdout's over pairs of flags, with its interval and its control."""
    related = {part: phi(*one) for part, one in both.items()}
    above = np.triu_indices(len(related["holdout"]), k=1)
    value, control = (
        estimate(evidence, part, np.abs(related[part] - related["holdout"])[above].mean(axis=0), within=(0.0, 2.0))
        for part in ("synthetic", "train")
    )
    return told(value, control)
