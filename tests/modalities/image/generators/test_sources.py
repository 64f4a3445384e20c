from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.sources import Sources
from semblance.modalities.image.generators.translator import Sides
from tests.modalities.image.tissue import masked

NONE = np.zeros((200, 0), dtype=np.float32)


def edges(masks: np.ndarray) -> float:
    """The share of neighbours along a row that differ."""
    return float((np.diff(masks, axis=-1) != 0).mean())


def learned(n: int = 300):
    encoding, found = Encoding.fit(masked(n, 1), rare=5)
    return Sides.of(encoding).parted(found, told=False)[0]


def test_new_masks_are_as_large_as_real_ones_and_as_smooth():
    source = learned()
    sources = Sources.fit(source, (1, 16, 16), np.array([zero()]), most=30, mixture=4, rare=5, seed=0)
    drawn = sources.draw(source.labels[:200], NONE, rng=stream(0, "draw")).reshape(200, 16, 16)
    real, threshold = source.coefficients.reshape(-1, 16, 16), zero()
    assert abs((drawn > threshold).mean() - (real > threshold).mean()) < 0.02
    sizes = [np.sort((x > threshold).mean((1, 2))) for x in (drawn, real)]
    for share in (0.1, 0.5, 0.9):  # each image by itself, and not only all of them together
        assert abs(np.quantile(sizes[0], share) - np.quantile(sizes[1], share)) < 0.03
    assert edges(drawn > threshold) < 2 * edges(real > threshold)


def test_as_many_images_as_real_ones_show_nothing():
    """A nodule in three of ten images, all small: mixtures alone drew large ones in a few, or none."""
    source, threshold = learned(), zero()
    rows, n = source.coefficients.copy(), len(source.labels)
    rows[:] = threshold - 1.0
    at = np.arange(n) % 7
    for i in np.flatnonzero(np.arange(n) % 10 < 3):
        rows[i].reshape(16, 16)[4 + at[i] : 6 + at[i], 5:7] = threshold + 2.0
    few = replace(source, coefficients=rows)
    sources = Sources.fit(few, (1, 16, 16), np.array([threshold]), most=30, mixture=4, rare=5, seed=0)
    sizes = (sources.draw(few.labels[:200], NONE, rng=stream(0, "draw")) > threshold).sum(1)
    assert abs((sizes == 0).mean() - 0.7) < 0.08
    assert set(sizes[sizes > 0]) <= {3, 4, 5}


def test_large_masks_have_the_place_of_large_ones():
    """Large squares on the left and small ones on the right: sizes drawn without regard to the mixture's draw made
    small shapes cover much, and large ones little."""
    source, threshold, rng = learned(), zero(), stream(0, "places")
    rows = np.full((len(source.labels), 16, 16), threshold - 1.0, dtype=np.float32)
    for i, (up, along) in enumerate(rng.integers(0, [8, 3], (len(rows), 2))):
        if i % 2:
            rows[i, up : up + 8, along : along + 5] = threshold + 1.0
        else:
            rows[i, up : up + 3, 10 + along : 13 + along] = threshold + 1.0
    placed = replace(source, coefficients=rows.reshape(len(rows), -1))
    sources = Sources.fit(placed, (1, 16, 16), np.array([threshold]), most=30, mixture=4, rare=5, seed=0)
    drawn = sources.draw(placed.labels[:200], NONE, rng=stream(0, "draw")).reshape(-1, 16, 16) > threshold
    large = drawn[drawn.sum((1, 2)) > 20]
    assert 0.35 < len(large) / len(drawn) < 0.65
    assert large[:, :, :8].sum() / large.sum() > 0.9


def zero() -> float:
    """Where the edge of masks lies in rows."""
    encoding, _ = Encoding.fit(masked(300, 1), rare=5)
    return float(-encoding.center[1] / encoding.scale[1])


def test_what_components_leave_over_keeps_its_texture_and_spread():
    source = learned()
    sources = Sources.fit(source, (1, 16, 16), np.array([np.nan]), most=0, mixture=4, rare=5, seed=0)
    drawn = sources.draw(source.labels[:200], NONE, rng=stream(0, "draw"))
    assert np.corrcoef(drawn.std(0), source.coefficients.std(0))[0, 1] > 0.9
    steps = [np.diff(x.reshape(-1, 16, 16), axis=2).std() / x.std() for x in (drawn, source.coefficients)]
    assert steps[0] < 1.5 * steps[1]


def test_saved_and_restored_they_draw_the_same():
    source = learned(60)
    sources = Sources.fit(source, (1, 16, 16), np.array([zero()]), most=5, mixture=2, rare=5, seed=0)
    again = Sources.restored(source.sizes, sources.arrays())
    one, other = (s.draw(source.labels[:9], NONE[:9], rng=stream(0, "draw")) for s in (sources, again))
    assert (one == other).all()
