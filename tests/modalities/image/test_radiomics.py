from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.radiomics import LEVELS, NAMES, cooccurrence, radiomics


def named(pixels: np.ndarray, low: float = 0, high: float = 16) -> dict[str, float]:
    return dict(zip(NAMES, radiomics(pixels[None, None].astype(np.float32), low=low, high=high)[0], strict=True))


def test_a_chequerboard_by_hand():
    board = np.indices((8, 8)).sum(0) % 2 * 8.0
    told = named(board)
    assert told["brightness"] == 4 and told["spread"] == 4 and told["entropy"] == 1
    assert told["contrast"] == 64 and told["dissimilarity"] == 8
    assert told["homogeneity"] == pytest.approx(1 / 65)
    assert told["energy"] == 0.5 and told["correlation"] == -1 and told["joint entropy"] == 1
    assert told["gradient"] == 8


def test_a_flat_image_has_no_texture():
    told = named(np.full((8, 8), 3.0))
    assert told["contrast"] == 0 and told["energy"] == 1 and told["correlation"] == 1 and told["spread"] == 0
    assert all(map(np.isfinite, told.values()))


def test_pairs_are_counted_both_ways_along_all_axes():
    x = stream(0, "x").uniform(0, 16, (3, 5, 6, 7))
    shares = cooccurrence(x, 0, 16)
    assert shares.shape == (3, LEVELS, LEVELS)
    assert np.allclose(shares.sum((1, 2)), 1) and np.allclose(shares, shares.transpose(0, 2, 1))


def test_many_images_have_the_numbers_of_each():
    x = stream(0, "x").uniform(0, 255, (1_100, 1, 8, 8)).astype(np.float32)
    whole = radiomics(x, low=0, high=255)
    assert np.allclose(whole[700:705], radiomics(x[700:705], low=0, high=255))
