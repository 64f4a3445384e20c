"""Models that complete images: pixels that nobody knows (NaN) are drawn given all others.

A gap, a whole channel or all but a mask may be missing, so that one call inpaints, translates, paints a mask and finds
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semblance.core.errors import Problem, UsageError
from semblance.core.large import copied
from semblance.core.rng import root_of, stream
from semblance.modalities.image.data import Images
from semblance.modalities.image.generators.painter import ImageModel
from semblance.modalities.image.planes import channels_of


@dataclass(frozen=True, eq=False)
class CompletingModel(ImageModel):
    """A fitted generator that completes images: what it learned has `complete`."""

    def impute(self, images: Images, *, rng: np.random.Generator) -> Images:
        """The images with a draw for every pixel that is NaN; all that is known stays. Raises UsageError for images of
        other channels or of another size than those that were learned."""
        problems = list(self.unlike(images))
        if problems:
            raise UsageError(*problems)
        seed, pixels = root_of(rng), copied(images.pixels)
        learned: Any = self.learned
        for first in range(0, len(images), self.together):
            some = images.take(np.arange(first, min(first + self.together, len(images))))
            gone = np.isnan(some.pixels)
            if gone.any():
                rows, classes = self.encoding.rows(some)
                given = self.encoding.given(some.frame)
                made = learned.complete(rows, classes, given, rng=stream(seed, "complete", first))
                pixels[first : first + len(some)] = np.where(gone, self.encoding.pixels(made), some.pixels)
        return replace(images, pixels=pixels)

    def unlike(self, images: Images) -> Iterator[Problem]:
        """What of the images was not learned: their size, or their channels."""
        shape = (channels_of(self.encoding.layout, self.encoding.shape[0]), *self.encoding.shape[1:])
        if images.pixels.shape[1:] != shape:
            found = f"images of {'x'.join(map(str, images.pixels.shape[1:]))} numbers"
            fix = "crop or resample them; a channel that is not known is NaN"
            yield Problem(found, f"channels and pixels as they were learned: {'x'.join(map(str, shape))}", fix)
        elif images.layout.channels != self.encoding.layout.channels:
            rule, fix = "the channels and classes of masks that were learned", "read them as train was read"
            yield Problem("images of other channels", rule, fix)
