"""Text that is burned into pixels: how much of it is found, and how often images without any are taken for some.

`python -m bench.burned` draws names and dates over phantoms, and looks at the real images beside the repository.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from bench.boards import DATA
from semblance.core.rng import stream
from semblance.modalities.image.burned import written
from tests.modalities.image.inscribed import TEXTS, inscribed, phantom

SIDES, SIZES, EACH = (128, 256, 512), (8, 10, 12, 16, 24), 24
"""Pixels a side, heights of letters, and images of each; letters are at most LARGEST of a side."""
LARGEST = 0.12
FILLS = (255, 235, 0)


def drawn(side: int, size: int) -> list[bool]:
    """Whether each text of this size is found, wherever it stands."""
    rng, found = stream(0, "places", side, size), []
    for i in range(EACH):
        low = side - size - 4
        at = int(rng.integers(1, max(2, side - size * 6))), (2, low, int(rng.integers(2, low)))[i % 3]
        text = inscribed(phantom(i, side), TEXTS[i % len(TEXTS)], size=size, fill=FILLS[i % 3], at=at)
        found.append(written(text))
    return found


def real() -> dict[str, np.ndarray]:
    """(n, channels, ...) real images, which show no text."""
    folder = DATA / "images"
    with (
        np.load(folder / "mednist" / "mednist_64.npz") as mednist,
        np.load(folder / "dsb2018" / "dsb2018_he_128.npz") as tiles,
        np.load(folder / "open_ms" / "open_ms_axial_128.npz") as slices,
    ):
        made = {"MedNIST, every fifth": mednist["images"][::5, None], "slices of open_ms": slices["images"]}
        return {**made, "stained tiles": np.moveaxis(tiles["images"], -1, 1)}


def main() -> None:
    """One line for each size of letters and for each set of images."""
    every: dict[bool, list[bool]] = {False: [], True: []}
    for side, size in product(SIDES, SIZES):
        if size <= LARGEST * side:
            found = drawn(side, size)
            every[size >= 12] += found
            print(f"{side} pixels a side, letters of {size}: {sum(found)} of {len(found)} found", flush=True)
    both = every[False] + every[True]
    print(f"all: {sum(both)} of {len(both)}; letters from 12: {sum(every[True])} of {len(every[True])}")
    for name, images in real().items():
        taken = sum(written(np.float32(one)) for one in images)
        print(f"{name}: {taken} of {len(images)} taken for text", flush=True)


if __name__ == "__main__":
    main()
