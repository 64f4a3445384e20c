"""Writes `phantoms.npz`: simulated slices of 400 patients, two lungs in a body and, where the label says so, a nodule;
`scans.npz`: of 160 patients such a slice (CT), the uptake of a tracer (PET) on the same grid, and a mask of the
nodule; and `unpaired.npz`: of 400 patients a slice of CT or of MR, never both, with the mask.

No real patient stands behind any of it.
"""

from __future__ import annotations

import numpy as np

PATIENTS, SIDE = 400, 28
SCANNED = 160
APART = 400


def slice_of(rng: np.random.Generator, ill: bool) -> np.ndarray:
    """A slice in Hounsfield units: air around, soft tissue, lungs of air, and perhaps a nodule in one of them."""
    return scan_of(rng, ill)[0]


def scan_of(rng: np.random.Generator, ill: bool) -> tuple[np.ndarray, np.ndarray]:
    """Such a slice, and where its nodule is."""
    y, x = np.meshgrid(*2 * [np.linspace(-1, 1, SIDE)], indexing="ij")
    wide, tall, gap = rng.uniform(0.85, 0.95), rng.uniform(0.65, 0.8), rng.uniform(0.35, 0.45)
    made = np.full((SIDE, SIDE), -1000.0)
    made[(x / wide) ** 2 + (y / tall) ** 2 < 1] = rng.normal(40, 8)
    sides = [((x - side * gap) / 0.26) ** 2 + (y / (0.65 * tall)) ** 2 < 1 for side in (-1, 1)]
    made[sides[0] | sides[1]] = rng.normal(-820, 30)
    nodule = np.zeros(made.shape, dtype=bool)
    if ill:
        place = rng.choice([-1, 1]) * gap + rng.uniform(-0.1, 0.1), rng.uniform(-0.3, 0.3)
        bright = rng.normal(30, 20)
        nodule = (x - place[0]) ** 2 + (y - place[1]) ** 2 < rng.uniform(0.09, 0.14) ** 2
        made[nodule] = bright
    return made + rng.normal(0, 25, made.shape), nodule


def uptake_of(rng: np.random.Generator, slice_: np.ndarray, nodule: np.ndarray) -> np.ndarray:
    """What a tracer shows of a slice: little in air, some in tissue, most in a nodule."""
    made: np.ndarray = 20 + 120 / (1 + np.exp(-(slice_ + 400) / 60)) + 500 * nodule + rng.normal(0, 6, slice_.shape)
    return made


def resonance_of(rng: np.random.Generator, slice_: np.ndarray, nodule: np.ndarray) -> np.ndarray:
    """What MR shows of a slice: nothing in air, little in lungs, more in tissue, most in a nodule, which CT shows as
    bright as tissue; and one side brighter than the other, as the coil lies."""
    tissue = 1 / (1 + np.exp(-(slice_ + 400) / 60))
    side = 1 + rng.uniform(-0.15, 0.15) * np.linspace(-1, 1, SIDE)
    signal = (30 * (slice_ > -920) + 270 * tissue + 200 * nodule) * side
    made: np.ndarray = np.hypot(signal + rng.normal(0, 8, slice_.shape), rng.normal(0, 8, slice_.shape))
    return made


def write_unpaired(rng: np.random.Generator) -> None:
    """Write the third archive."""
    ill = rng.random(APART) < 0.7
    scans = [scan_of(rng, bool(one)) for one in ill]
    images = [resonance_of(rng, *scan) if i % 2 else scan[0] for i, scan in enumerate(scans)]
    told = {
        "domain": np.where(np.arange(APART) % 2, "MR", "CT"),
        "labels": ill.astype(np.uint8),
        "class_names": np.array(["clear", "nodule"]),
        "patient": np.arange(APART),
    }
    nodules = np.stack([nodule for _, nodule in scans]).astype(np.uint8)
    np.savez_compressed("unpaired.npz", images=np.stack(images).round().astype(np.int16), nodule=nodules, **told)


def write_scans(rng: np.random.Generator) -> None:
    """Write the second archive."""
    scans = [scan_of(rng, bool(rng.random() < 0.7)) for _ in range(SCANNED)]
    both = [np.stack([slice_, uptake_of(rng, slice_, nodule)]) for slice_, nodule in scans]
    told = {"channels": np.array(["CT", "PET"]), "patient": np.arange(SCANNED)}
    nodules = np.stack([nodule for _, nodule in scans]).astype(np.uint8)
    np.savez_compressed("scans.npz", images=np.stack(both).round().astype(np.int16), nodule=nodules, **told)


def main() -> None:
    """Write the archives."""
    rng = np.random.default_rng(0)
    ill = rng.random(PATIENTS) < 0.4
    images = np.stack([slice_of(rng, bool(one)) for one in ill]).round().astype(np.int16)
    told = {
        "class_names": np.array(["clear", "nodule"]),
        "patient": np.arange(PATIENTS),
        "spacing": np.array([12.0, 12.0]),
    }
    np.savez_compressed("phantoms.npz", images=images, labels=ill.astype(np.uint8), **told)
    write_scans(np.random.default_rng(1))
    write_unpaired(np.random.default_rng(2))


if __name__ == "__main__":
    main()
