"""Beats of recordings in which nobody has marked any: R peaks found by NeuroKit2, where a person asks for them.

They are found on all leads together, each of them brought to one strength, and are all taken to be normal: nothing here
knows an ectopic beat from another. A recording in which they come faster or more slowly than hearts beat keeps none.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semblance.core.need import need
from semblance.modalities.signal.align import listed
from semblance.modalities.signal.data import Marks, Recording
from semblance.modalities.signal.found import Found

NORMAL = "N"
HEART = (0.2, 3.0)
"""Seconds from beat to beat, in the median: a recording with others shows no heart."""
FEWEST = 3
MEASURED, TINY = 0.5, 1e-12
"""A lead that is missing for the other part of a recording tells no beats."""


def detected(found: Sequence[Found]) -> tuple[list[Found], list[str]]:
    """The recordings, with beats in those that had none, and notes. Raises UsageError where NeuroKit2 is missing."""
    neurokit = need("neurokit2", extra="signal", why='[signal] beats = "detect"')
    made = [one if len(one.recording.beats) else _with_beats(one, neurokit) for one in found]
    new = [one for one, old in zip(made, found, strict=True) if one is not old]
    none = [one.recording.name for one in made if not len(one.recording.beats)]
    count = sum(len(one.recording.beats) for one in new)
    notes = (
        [f"{count:,} beats of {len(new):,} recordings are found by NeuroKit2, and taken to be normal"] if new else []
    )
    notes += [f"no beats are found in {listed(none)}"] if none else []
    return made, notes


def _with_beats(one: Found, neurokit: Any) -> Found:
    at = peaks(one.recording, neurokit)
    seconds = np.median(np.diff(at)) / one.recording.rate if len(at) >= FEWEST else 0.0
    if not HEART[0] <= seconds <= HEART[1]:
        return one
    return replace(one, recording=replace(one.recording, beats=Marks(at, np.full(len(at), NORMAL, dtype=object))))


def peaks(one: Recording, neurokit: Any) -> np.ndarray:
    """(n,) int64 samples of the R peaks of a recording, by gradients (Makowski et al., NeuroKit2, Behavior Research
    Methods 2021), none of them where no lead was measured."""
    values, rate = one.values().astype(float), round(one.rate)
    known = np.isfinite(values)
    leads = [_bridged(lead) for lead in values[:, known.mean(0) > MEASURED].T]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of leads in which it finds nothing
            cleaned = [neurokit.ecg_clean(lead, sampling_rate=rate) for lead in leads]
            together = np.sqrt(sum(np.square(lead / max(float(lead.std()), TINY)) for lead in cleaned))
            found = neurokit.ecg_findpeaks(together, sampling_rate=rate)["ECG_R_Peaks"]
    except (ValueError, IndexError, TypeError, ZeroDivisionError):  # what it raises where there is nothing to be found
        return np.empty(0, dtype=np.int64)
    at = np.asarray(found, dtype=np.int64)
    return at[known[at].any(1)]


def _bridged(lead: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(np.isfinite(lead))
    return np.interp(np.arange(len(lead)), known, lead[known])
