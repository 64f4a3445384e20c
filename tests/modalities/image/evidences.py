"""Evidence about phantoms."""

from __future__ import annotations

from functools import cache

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Images
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
