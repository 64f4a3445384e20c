"""Phantoms with a line of text in their pixels."""

from __future__ import annotations

import numpy as np

from semblance.core.rng import stream
from tests.modalities.image.simulated import one

TEXTS = ("DOE JOHN 1961", "Mueller, Anna", "ID 4711-0815", "12.03.1958 M")


def phantom(i: int, side: int = 128) -> np.ndarray:
    return one(stream(i, "phantom"), bool(i % 2), (side, side))[None]


def inscribed(
    image: np.ndarray, text: str, *, size: int = 14, fill: int = 255, at: tuple[int, int] = (4, 4)
) -> np.ndarray:
    """An image with a text as `pillow` draws it."""
    from PIL import Image, ImageDraw, ImageFont

    made = Image.fromarray(image[0].astype(np.uint8))
    ImageDraw.Draw(made).text(at, text, fill=fill, font=ImageFont.load_default(size))
    return np.asarray(made, dtype=np.float32)[None]
