"""Attacks on a private generator of recordings: its network is trained on simulated patients whose beats are known.

All beats of a planted patient are the same one, of a shape that nobody else has, so whichever of them a step shows, the
attack knows it. There are many of them: a mechanism that counts or clips beats instead of patients gives the patient
away.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn import white_box
from semblance.modalities.signal.data import Lead, Marks, Public, Recording, Recordings
from semblance.modalities.signal.generators.private import PrivateSpec
from semblance.privacy.audit import Audit

PATIENTS = 200
"""The number of patients that is public."""
CANARIES = 60
PUBLIC = Public(250.0, (Lead("II"),), ((-3.0, 3.0),), 7.0, ("N", "V"))
"""What is declared. A recording is short, so that its baseline is a level and all beats stay the same."""
EVERY = 200
"""Samples from beat to beat."""
AGES = (18, 99)


def audit(spec: PrivateSpec, *, seed: int, **how: Any) -> Audit:
    """Lower bounds of what `spec` leaks when it is refitted (see `learn.white_box.audit`)."""
    one, many = (simulated(n, seed, public=public) for n, public in ((1, PATIENTS), (CANARIES, CANARIES)))
    return white_box.audit(spec, one, many, seed=seed, **how)


def simulated(n: int, seed: int, *, public: int) -> Recordings:
    """A recording of each of `n` patients, of beats of the usual kind."""
    age = Column("age", "integer", dtype="int64", min=AGES[0], max=AGES[1], bound="declared")
    ages = stream(seed, "audit", "ages").integers(AGES[0], AGES[1] + 1, n)
    frame = pd.DataFrame({"age": ages.astype(float)})
    schema = Schema((age,), "audit", public, public=True)
    return Recordings(schema, frame, tuple(_recording(i, seed) for i in range(n)), np.arange(n), PUBLIC)


def _recording(i: int, seed: int) -> Recording:
    shape = stream(seed, "audit", "beat", i).uniform(-1, 1, (EVERY, 1)).astype(np.float32)
    length = round(PUBLIC.seconds * PUBLIC.rate)
    at = np.arange(EVERY // 2, length, EVERY)
    marks = Marks(at, np.full(len(at), "N", dtype=object))
    return Recording(f"canary{i}", PUBLIC.rate, PUBLIC.leads, length, partial(np.resize, shape, (length, 1)), marks)
