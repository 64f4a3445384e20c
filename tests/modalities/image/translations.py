"""Evidence about translators of phantoms: what they make of the second contrast is told by a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from semblance.core.dataset import Evidence
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Channel, Images
from semblance.modalities.image.halves import judged as seen
from semblance.modalities.image.halves import known
from tests.modalities.image import tissue
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import MASK, beside, contrasts

Change = Callable[[Images], np.ndarray]


def pair(n: int, seed: int) -> Images:
    """A flat contrast and one that shows lesions, with their mask."""
    whole = beside(images(n, seed, (16, 16)), seed)
    first = contrasts(images(n, seed, (16, 16))).pixels[:, 1:]
    layout = replace(whole.layout, channels=(Channel("T1"), Channel("T2"), MASK), given=("T1",), apart=True)
    return replace(whole, pixels=np.concatenate([first, whole.pixels], 1), layout=layout)


TRAIN, HELD = pair(60, 1), pair(60, 2)


def judged(change: Change) -> Evidence[Images]:
    """Evidence about a translator that makes this of the second contrast."""
    pixels = HELD.pixels.copy()
    pixels[:, 1] = change(HELD)
    made = replace(HELD, pixels=pixels.astype(np.float32))
    return Evidence(TRAIN, HELD, TRAIN, MANIFEST, completed=made)


def hounsfield(images: Images) -> Images:
    """The same, of which what is given is in units of its own, far below 0."""
    pixels = images.pixels.copy()
    pixels[:, 0] = 10 * pixels[:, 0] - 1000
    return replace(images, pixels=pixels)


def apart(change: Change) -> Evidence[Images]:
    """The same of a translator that learned from images of which nothing is paired, as judges see them."""
    train, held = tissue.halved(TRAIN), tissue.halved(HELD)
    pixels = held.pixels.copy()
    pixels[:, 1] = np.where(known(held)[:, 0, None, None], change(HELD), np.nan)
    made = replace(held, pixels=pixels.astype(np.float32))
    parts = (seen(part, reference=train) for part in (train, held, TRAIN))
    return Evidence(*parts, MANIFEST, completed=made)
