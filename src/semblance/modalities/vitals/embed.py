"""Stays as shared judges want them: `features` for classifiers, `embed` for distances, both coded on a reference."""

from __future__ import annotations

import numpy as np

from semblance.core import coded
from semblance.core.coded import kept, narrow, number, one_hot, unit
from semblance.core.dataset import Features
from semblance.modalities.vitals.data import Stays
from semblance.modalities.vitals.summary import NUMBERS, summary


def features(stays: Stays, reference: Stays) -> Features:
    """The columns of the frame, then 'HR first' .. 'HR count' of each of the reference's channels (see `summary`).

    Numbers as they are; categories as frequency ranks in the reference, its top 20, then one code for all others.
    Missing is NaN.
    """
    told = summary(stays.coded(reference.channels)).reshape(len(stays), -1)
    named = [f"{one} {what}" for one in reference.names for what in NUMBERS]
    return coded.features(stays.schema, stays.frame, reference.frame, told, named)


def embed(stays: Stays, reference: Stays) -> np.ndarray:
    """(n, d) float32, d at most 128: a Euclidean space in which another category, and a move from the 5th to the 95th
    percentile of the reference of a number or of a channel's last value, mean or log count, have length 1.

    Numbers are centred on the median and cut at 4 such ranges; what was not measured stands at the origin.
    """
    mine, theirs = _numbers(stays, reference), _of_reference(reference)
    parts = [unit(a, b)[:, None] for a, b in zip(mine.T, theirs.T, strict=True)]
    for column in stays.schema.learned:
        a, b = stays.frame[column.name], reference.frame[column.name]
        parts.append(unit(number(a), number(b))[:, None] if column.continuous else one_hot(a, b))
    made = np.concatenate(parts, axis=1, dtype=np.float32) if parts else np.zeros((len(stays), 1), np.float32)
    return narrow(made)


@kept
def _of_reference(reference: Stays) -> np.ndarray:
    return _numbers(reference, reference)


def _numbers(stays: Stays, reference: Stays) -> np.ndarray:
    """(n, 3 channels) last values, means and log counts."""
    told = summary(stays.coded(reference.channels))
    made = [told[..., NUMBERS.index("last")], told[..., NUMBERS.index("mean")]]
    return np.concatenate([*made, np.log1p(told[..., NUMBERS.index("count")])], axis=1)
