"""Attacks on a private generator of stays: its network is trained on simulated patients whose stays are known.

A planted patient has many stays, all of them the same: whichever a step shows, the attack knows it, and a mechanism
that counts or clips stays instead of patients gives the patient away. Every channel is measured in every bin, so that
hardly anything of a vector is left open.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn import white_box
from semblance.modalities.vitals.data import Channel, Public, Stays
from semblance.modalities.vitals.generators.private import PrivateSpec
from semblance.privacy.audit import Audit

PATIENTS = 200
"""The number of patients that is public."""
CANARIES, TIMES = 60, 20
"""Patients of the one run with many of them, and stays of a planted one."""
CHANNELS = tuple(Channel(name, decimals=3) for name in ("A", "B", "C", "D"))
PUBLIC = Public(((0.0, 1.0),) * len(CHANNELS), tuple((i,) for i in range(len(CHANNELS))), 48 * 60.0, 60.0)
"""What is declared."""
AGES = (18, 99)


def audit(spec: PrivateSpec, *, seed: int, **how: Any) -> Audit:
    """Lower bounds of what `spec` leaks when it is refitted (see `learn.white_box.audit`)."""
    one = simulated(1, seed, public=PATIENTS).take(np.zeros(TIMES, dtype=np.int64))
    return white_box.audit(spec, one, simulated(CANARIES, seed, public=CANARIES), seed=seed, **how)


def simulated(n: int, seed: int, *, public: int) -> Stays:
    """A stay of each of `n` patients, of a level of its own in each channel."""
    age = Column("age", "integer", dtype="int64", min=AGES[0], max=AGES[1], bound="declared")
    ages = stream(seed, "audit", "ages").integers(AGES[0], AGES[1] + 1, n)
    schema = Schema((Column("stay", "identifier", "subject"), age), "audit", public, public=True)
    bins, c = PUBLIC.bins, len(CHANNELS)
    level = stream(seed, "audit", "levels").uniform(0.05, 0.95, (n, 1, c))
    value = np.broadcast_to(level, (n, bins, c)).ravel()
    minute = np.broadcast_to(np.repeat(np.arange(bins) * PUBLIC.step, c), (n, bins * c)).ravel()
    channel = np.tile(np.arange(c), n * bins)
    frame = pd.DataFrame({"age": ages.astype(float)})
    starts = np.arange(n + 1) * bins * c
    return Stays(schema, frame, CHANNELS, starts, minute, channel, value, np.arange(n), public=PUBLIC)
