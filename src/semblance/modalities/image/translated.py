"""Images of the holdout with contrasts that a model made from those that are given: what translations are judged by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semblance.core.judge import patient_rows
from semblance.core.large import copied
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.halves import known_in_part

MOST = 300
"""Images that are translated, at most."""


def completed(model: Any, holdout: Images, *, rng: np.random.Generator) -> Images | None:
    """The images, of which a model made all but what is declared as given; those beyond MOST stay NaN. None where
    nothing is declared so, where some of it is unknown, or where the model completes no images."""
    layout = holdout.layout
    if not layout.given or not hasattr(model, "impute") or known_in_part(holdout):
        return None
    pixels = copied(holdout.pixels)
    pixels[:, painted(layout)] = np.nan
    blank = replace(holdout, pixels=pixels)
    rows = patient_rows(holdout.subjects, MOST, rng=rng)
    pixels[rows] = model.impute(blank.take(rows), rng=rng).pixels
    return blank


def painted(layout: Layout) -> list[int]:
    """The channels that are not given."""
    return [i for i, channel in enumerate(layout.channels) if channel.name not in layout.given]
