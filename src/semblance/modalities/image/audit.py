"""Attacks on a private generator of images: its network is trained on simulated patients whose images are known.

Every pixel of a planted image is at one end of the declared range, by a coin, so that no two are alike. The patient has
the same image several times: a mechanism that counts or clips images instead of patients gives the patient away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn import white_box
from semblance.modalities.image.data import Images
from semblance.modalities.image.generators.private import PrivateSpec
from semblance.modalities.image.public import PIXELS
from semblance.privacy.audit import Audit

PATIENTS = 200
"""The number of patients that is public."""
CANARIES = 60
RECORDS = 3
"""Images of a planted patient."""
SIDE = 12
"""Pixels of an image on a side."""


def audit(spec: PrivateSpec, *, seed: int, **how: Any) -> Audit:
    """Lower bounds of what `spec` leaks when it is refitted (see `learn.white_box.audit`)."""
    return white_box.audit(spec, planted(seed), canaries(seed), seed=seed, **how)


def planted(seed: int) -> Images:
    """The images of one patient."""
    pixels = _pixels(1, stream(seed, "audit", "planted"))
    return _images(np.repeat(pixels, RECORDS, axis=0), np.ones(RECORDS, int), np.zeros(RECORDS, np.int64), PATIENTS)


def canaries(seed: int) -> Images:
    """An image of each of many patients."""
    pixels, labels = _pixels(CANARIES, stream(seed, "audit", "pixels")), np.arange(CANARIES) % 2
    return _images(pixels, labels, np.arange(CANARIES), CANARIES)


def _pixels(n: int, rng: np.random.Generator) -> np.ndarray:
    return (255 * rng.integers(0, 2, (n, 1, SIDE, SIDE))).astype(np.float32)


def _images(pixels: np.ndarray, labels: np.ndarray, subjects: np.ndarray, public: int) -> Images:
    columns = (
        Column(PIXELS, "numeric", "drop", dtype="float32", min=0.0, max=255.0, bound="declared"),
        Column("patient", "identifier", "subject"),
        Column("label", "categorical", "target", categories=("no", "yes"), bound="declared"),
    )
    frame = pd.DataFrame({"label": pd.Categorical.from_codes(labels, ["no", "yes"])})
    return Images(Schema(columns, "audit", public, public=True), frame, pixels, subjects)
