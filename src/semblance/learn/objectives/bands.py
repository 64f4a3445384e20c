"""How far two samples of images are apart at each fineness of detail.

Images are taken apart into bands (Laplacian pyramids; Burt & Adelson 1983), as Karras et al. (Progressive Growing of
GANs, ICLR 2018) compare them; samples of a band are compared by their energy distance. So a few images made again and
again are far from many different ones, and blurred ones from sharp ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import interpolate

from semblance.learn.objectives.conditional import energy

COARSEST = 4
"""Places a side, at most, of the last band."""


def apart(made: torch.Tensor, real: torch.Tensor, *, shape: Sequence[int]) -> float:
    """Of (n, numbers) rows of images of this shape (channels, ...): the mean over bands of the energy distance in units
    of how far real images are from each other; 0 for samples of one distribution."""
    found = []
    for one, other in zip(bands(made, shape), bands(real, shape), strict=True):
        unit = float(torch.cdist(other, other).mean())
        found.append(energy(one, other) / max(unit, 1e-6))
    return sum(found) / len(found)


def bands(rows: torch.Tensor, shape: Sequence[int]) -> list[torch.Tensor]:
    """(n, numbers) of each band, from the finest to the coarsest: what an image half as large does not tell."""
    x, found = rows.reshape(len(rows), *shape), []
    while max(x.shape[2:]) > COARSEST:
        small = interpolate(x, size=[-(-side // 2) for side in x.shape[2:]], mode="area")
        found.append((x - interpolate(small, size=x.shape[2:])).flatten(1))
        x = small
    return [*found, x.flatten(1)]
