"""Writes `phantoms.npz`: simulated slices of 400 patients, two lungs in a body and, where the label says so, a nodule.

No real patient stands behind any of it.
"""

from __future__ import annotations

import numpy as np

PATIENTS, SIDE = 400, 28


def slice_of(rng: np.random.Generator, ill: bool) -> np.ndarray:
    """A slice in Hounsfield units: air around, soft tissue, lungs of air, and perhaps a nodule in one of them."""
    y, x = np.meshgrid(*2 * [np.linspace(-1, 1, SIDE)], indexing="ij")
    wide, tall, gap = rng.uniform(0.85, 0.95), rng.uniform(0.65, 0.8), rng.uniform(0.35, 0.45)
    made = np.full((SIDE, SIDE), -1000.0)
    made[(x / wide) ** 2 + (y / tall) ** 2 < 1] = rng.normal(40, 8)
    sides = [((x - side * gap) / 0.26) ** 2 + (y / (0.65 * tall)) ** 2 < 1 for side in (-1, 1)]
    made[sides[0] | sides[1]] = rng.normal(-820, 30)
    if ill:
        place = rng.choice([-1, 1]) * gap + rng.uniform(-0.1, 0.1), rng.uniform(-0.3, 0.3)
        made[(x - place[0]) ** 2 + (y - place[1]) ** 2 < rng.uniform(0.09, 0.14) ** 2] = rng.normal(30, 20)
    return made + rng.normal(0, 25, made.shape)


def main() -> None:
    """Write the archive."""
    rng = np.random.default_rng(0)
    ill = rng.random(PATIENTS) < 0.4
    images = np.stack([slice_of(rng, bool(one)) for one in ill]).round().astype(np.int16)
    told = {
        "class_names": np.array(["clear", "nodule"]),
        "patient": np.arange(PATIENTS),
        "spacing": np.array([12.0, 12.0]),
    }
    np.savez_compressed("phantoms.npz", images=images, labels=ill.astype(np.uint8), **told)


if __name__ == "__main__":
    main()
