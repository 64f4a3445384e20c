"""Named child streams of one seed.

Every stage draws from its own stream, so that adding a draw in one stage never shifts another.

>>> stream(0, "fit").integers(100) == stream(0, "fit").integers(100)
np.True_
>>> stream(0, "fit").integers(1 << 60) == stream(0, "sample").integers(1 << 60)
np.False_
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The generator of one seed and a path of names, independent of every other path."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    key = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def root_of(rng: np.random.Generator) -> int:
    """Draw one seed from `rng`, from which a caller may name further streams."""
    return int(rng.integers(0, 2**63 - 1))
