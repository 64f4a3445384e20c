"""Evidence about phantoms."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Channel, Images, Layout
from tests.modalities.image.simulated import CORRUPTIONS, images


@cache
def parts(n: int = 150) -> tuple[Images, Images, Images]:
    """Train, holdout and a third sample, all drawn alike."""
    return images(n, 11), images(n, 12), images(n, 13)


def evidence(spoilt: str = "", *, n: int = 150, tier: str = "fast", **more) -> Evidence[Images]:
    """About a fresh sample, a spoilt one, or train itself ('copied')."""
    train, holdout, fresh = parts(n)
    made = train if spoilt == "copied" else CORRUPTIONS[spoilt](fresh, stream(0, "spoil")) if spoilt else fresh
    return Evidence(train, holdout, made, MANIFEST, tier=tier, **more)


UNITS = Layout("npz", "float32", axes="first", channels=(Channel("CT"), Channel("ADC")))


def contrasts(n: int = 150) -> Evidence[Images]:
    """The same in two contrasts of one patient, the second of another anatomy and of numbers 600 times smaller."""
    train, holdout, fresh = (beside(part, images(n, 20 + i)) for i, part in enumerate(parts(n)))
    return Evidence(train, holdout, fresh, MANIFEST, tier="fast")


def beside(first: Images, second: Images, scale: float = 1 / 600) -> Images:
    """The images of one set with those of another as a second contrast."""
    pixels = np.concatenate([first.pixels, second.pixels * np.float32(scale)], 1)
    return replace(first, pixels=pixels, layout=UNITS)


def noise_in_the_second(ev: Evidence[Images]) -> Evidence[Images]:
    """Of its second contrast nothing is left but noise."""
    pixels = ev.synthetic.pixels.copy()
    pixels[:, 1] = stream(0, "noise").random(pixels[:, 1].shape, dtype=np.float32) * np.float32(255 / 600)
    return replace(ev, synthetic=replace(ev.synthetic, pixels=pixels), _cache={})
