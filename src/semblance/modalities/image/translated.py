"""Images of the holdout with contrasts that a model made from those that are given: what translations are judged by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semblance.core.judge import patient_rows
from semblance.core.large import copied
from semblance.modalities.image.data import Images, Layout
from semblance.modalities.image.halves import known, known_in_part

MOST = 300
"""Images that are translated, at most."""


def completed(model: Any, holdout: Images, *, rng: np.random.Generator) -> Images | None:
    """The images, of which a model made all but what is given; those beyond MOST stay NaN, and where nothing is paired
    those that do not show what is given. Masks that a model does not make stay the real ones. None where nothing is
    given, or where the model completes no images."""
    apart = known_in_part(holdout)
    layout = model.encoding.layout if apart else holdout.layout  # where nothing is paired, a model knows what is given
    if not layout.given or not hasattr(model, "impute"):
        return None
    named = [i for i, channel in enumerate(layout.channels) if channel.name in layout.given]
    rows = np.flatnonzero(known(holdout)[:, named].all(1)) if apart else np.arange(len(holdout))
    pixels = copied(holdout.pixels)
    pixels[:, painted(layout)] = np.nan
    blank = replace(holdout, pixels=pixels, layout=replace(holdout.layout, given=layout.given))
    some = rows[patient_rows(holdout.subjects[rows], MOST, rng=rng)]
    made = model.impute(blank.take(some), rng=rng).pixels
    pixels[some] = np.where(np.isnan(made), holdout.pixels[some], made)
    return blank


def painted(layout: Layout) -> list[int]:
    """The channels that are not given."""
    return [i for i, channel in enumerate(layout.channels) if channel.name not in layout.given]
