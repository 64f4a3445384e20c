"""The sampling rate of a recording: what its file tells, held against what was declared."""

from __future__ import annotations

import math

from semblance.core.errors import Problem
from semblance.modalities.signal.declare import Said

RULE = "every recording has a sampling rate above 0 Hz"


def wrong_rate(told: float | None, said: Said, *, where: str, how: str) -> list[Problem]:
    """The problem of a rate that the file does not tell (None), that is none, or that is declared otherwise.

    `where` names the recording or the file, `how` says how the file can tell it.
    """
    if told is None:
        fix = f"{how}, or declare it in the file of --schema: [signal] rate = 250"
        return [Problem(f"{where} tells no sampling rate", RULE, fix)] if said.rate is said.assumed is None else []
    if not (math.isfinite(told) and told > 0):
        return [Problem(f"{where} has the sampling rate {told:g} Hz", RULE, how)]
    if said.rate is not None and not math.isclose(said.rate, told, rel_tol=1e-4):
        found = f"{where} has {told:g} Hz, where [signal] rate says {said.rate:g}"
        fix = f"correct either; [signal] resample = {said.rate:g} brings all recordings to that rate"
        return [Problem(found, "what is declared is true of the data", fix)]
    return []


def settled(told: float | None, said: Said) -> float:
    """The rate that the file tells, else the declared one, else the assumed one, once nothing is wrong with it."""
    return float(next(rate for rate in (told, said.rate, said.assumed) if rate is not None))
