from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.learn.drawn import Fitting, Learned, Sizes
from semblance.learn.mixture import Mixtures
from semblance.modalities.signal.generators.floor import Floor


def two_kinds(n: int = 6000) -> Learned:
    """Of kind 0 a coefficient is twice what it is given, of kind 1 its negative, each with noise of its own."""
    rng = stream(0, "kinds")
    labels, given = np.arange(n) % 2, rng.normal(0, 1, (n, 1))
    noise = rng.normal(0, 1, (n, 2)) * np.where(labels, 0.5, 0.1)[:, None]
    slope = np.where(labels, -1.0, 2.0)[:, None]
    both = np.concatenate([slope * given, np.full((n, 1), 3.0)], 1) + noise
    return Learned(both.astype(np.float32), labels, given.astype(np.float32), np.arange(n), 2)


@pytest.fixture(scope="module")
def learned() -> Mixtures:
    return Floor().learn(two_kinds(), Fitting(stream(1, "fit"), {}, None, None))


@pytest.mark.parametrize(("kind", "slope", "spread"), [(0, 2.0, 0.1), (1, -1.0, 0.5)])
def test_what_is_drawn_follows_what_is_given(learned, kind, slope, spread):
    given = np.linspace(-1.5, 1.5, 4000)[:, None]
    drawn = learned.draw(np.full(4000, kind), given, rng=stream(2, "draw"))
    assert np.polyfit(given[:, 0], drawn[:, 0], 1)[0] == pytest.approx(slope, abs=0.1)
    assert (drawn[:, 0] - slope * given[:, 0]).std() == pytest.approx(spread, abs=0.08)
    assert drawn[:, 1].mean() == pytest.approx(3, abs=0.05)


def test_saved_and_loaded_it_draws_the_same(learned):
    again = Floor.waves({}, Sizes(2, 1, 2), learned.arrays())
    labels, given = np.arange(20) % 2, np.zeros((20, 1))
    one, two = (m.draw(labels, given, rng=stream(3, "draw")) for m in (learned, again))
    assert np.array_equal(one, two)


def test_a_kind_of_few_pieces_is_one_calm_gaussian():
    few = two_kinds(8)
    made = Floor().learn(few, Fitting(stream(1, "fit"), {}, None, None))
    assert all(len(kind.weights) == 1 for kind in made.kinds)
    assert np.isfinite(made.draw(np.arange(50) % 2, np.zeros((50, 1)), rng=stream(2, "draw"))).all()


def test_what_nobody_has_takes_nobody_far(learned):
    """A new style beyond all that was seen once drew beats of volts."""
    drawn = learned.draw(np.arange(100) % 2, np.full((100, 1), 1e4), rng=stream(2, "draw"))
    assert np.abs(drawn).max() < 12
