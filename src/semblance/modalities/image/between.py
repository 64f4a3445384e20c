"""Images on the way from one that a model draws to another: whether there are only some, or all between them too.

A model that makes an image of normal numbers makes one of every mixture of two such draws. Weighted by the cosine and
the sine of an angle, two draws of variance 1 have variance 1 again: each image on the way is as likely as any that is
sampled, which those on a straight line are not (White, Sampling Generative Networks, 2016).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semblance.core.model import Wanted
from semblance.core.rng import root_of, stream
from semblance.modalities.image.data import Images, concat

STOPS = 8
"""Images of a way, both ends among them."""
WAYS, NUMBERS = 6, 2**21
"""Ways, at most, each of another label, and the numbers that their images have together: what is drawn costs time."""


def between(model: Any, *, rng: np.random.Generator) -> Images | None:
    """A way of STOPS images for each of the most frequent labels, one after the other; all that is known is the same
    along a way, which is one of `subjects`. None where images are not made of normal numbers that can be given."""
    learned, encoding = model.learned, model.encoding
    if not hasattr(learned, "noise"):
        return None
    seed, known = root_of(rng), encoding.known
    order = np.argsort(-known.shares, kind="stable")
    asked = [Wanted(given={known.name: known.kinds[i]}) for i in order] if known.name else [None] * WAYS
    ways = max(1, min(WAYS, NUMBERS // (STOPS * encoding.sizes.numbers)))
    return concat(_way(model, one, number=i, rng=stream(seed, "way", i)) for i, one in enumerate(asked[:ways]))


def _way(model: Any, wanted: Wanted | None, *, number: int, rng: np.random.Generator) -> Images:
    """The images of a way, all of which are told the same."""
    encoding = model.encoding
    asked = encoding.asked(wanted)
    _, classes, frame = next(iter(encoding.each(1, asked, together=1, seed=root_of(rng))))
    classes, frame = np.repeat(classes, STOPS), frame.iloc[np.zeros(STOPS, dtype=int)].reset_index(drop=True)
    start = mixed(*rng.standard_normal((2, model.learned.noise)))
    made = encoding.images(model.learned.draw_from(start, classes, encoding.given(frame)), frame, first=number)
    return replace(made, subjects=np.full(STOPS, number))


def mixed(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """(STOPS, d) from one draw (d,) of normal numbers to another, in even steps of an angle."""
    turn = np.linspace(0, np.pi / 2, STOPS)[:, None]
    made: np.ndarray = np.cos(turn) * first + np.sin(turn) * last
    return made
