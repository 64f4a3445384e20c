from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.style import SHOWN, Fashion, Styles


def numbers(n: int = 40, each: int = 200, d: int = 20) -> tuple[np.ndarray, ...]:
    """Pieces of `n` recordings, of two kinds, around a centre of each recording and kind, of a spread of its own."""
    rng = stream(0, "styles")
    centre = rng.normal(0, 2, (n, 1, d)) * np.linspace(2, 0.2, d) + np.stack([np.zeros(d), np.ones(d)])
    spread = rng.lognormal(0, 0.5, (n, 1)) * (1.0, 1.5)
    source, labels = np.repeat(np.arange(n), each), np.tile(np.arange(each) % 2, n)
    moved = rng.standard_normal((n * each, d)) * spread[source, labels, None]
    return centre[source, labels] + moved, labels, source, centre, spread


def test_a_style_is_what_the_pieces_of_a_recording_have_in_common():
    values, labels, source, centre, spread = numbers()
    styles = Styles.of(values, labels, source, 40, 2)
    assert np.abs(styles.centre - centre).max() < 1.2
    assert np.corrcoef(styles.centre.ravel(), centre.ravel())[0, 1] > 0.995
    assert np.corrcoef(styles.spread.ravel(), np.log(spread).ravel())[0, 1] > 0.98


def test_a_single_beat_is_nobodys_style():
    values, labels, source, _, _ = numbers()
    labels[(source == 3) & (labels == 1)] = 0
    lone = np.flatnonzero(source == 3)[0]
    labels[lone], values[lone] = 1, 50.0
    styles = Styles.of(values, labels, source, 40, 2)
    assert np.abs(styles.centre[3, 1]).max() < 15


def test_styles_are_drawn_as_they_vary():
    values, labels, source, centre, _ = numbers(n=200, each=40)
    styles = Styles.of(values, labels, source, 200, 2)
    fashion = Fashion.of(styles)
    told = fashion.told(styles)
    assert told.shape == (200, SHOWN + 1)
    rng = stream(1, "draw")
    drawn = np.array([fashion.draw(told[i], rng=rng)[0] for i in range(200)])
    assert drawn.std(0) == pytest.approx(centre.std(0), rel=0.35)
    assert (drawn[:, 1] - drawn[:, 0]).mean(0) == pytest.approx(np.ones(20), abs=0.15)
    close = np.corrcoef(drawn[:, 0, 0], styles.centre[:, 0, 0])[0, 1]
    assert close > 0.95


@pytest.mark.parametrize("n", [1, 2, 30])
def test_saved_and_restored_it_draws_the_same(n):
    values, labels, source, _, _ = numbers(n=n, each=20)
    styles = Styles.of(values, labels, source, n, 2)
    fashion = Fashion.of(styles)
    again = Fashion.restored(fashion.arrays())
    told = fashion.told(styles)[0]
    for one, two in zip(fashion.draw(told, rng=stream(2, "d")), again.draw(told, rng=stream(2, "d")), strict=True):
        assert np.array_equal(one, two)
        assert np.isfinite(one).all()


def test_what_is_shown_of_a_drawn_style_is_what_it_was_drawn_with():
    values, labels, source, _, _ = numbers()
    styles = Styles.of(values, labels, source, 40, 2)
    fashion = Fashion.of(styles)
    assert np.allclose(fashion.shown(styles.centre, styles.spread)[:, 0], fashion.told(styles))
