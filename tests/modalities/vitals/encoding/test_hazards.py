from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.hazards import Hazards, buckets


@pytest.fixture(scope="module")
def seen() -> np.ndarray:
    """(stays, bins, 2): one group every fourth bin with some left out, one always beside it or never."""
    rng = stream(0, "seen")
    there = np.zeros((300, 80, 2), dtype=bool)
    there[:, ::4, 0] = rng.random((300, 20)) < 0.9
    there[:, :, 1] = there[:, :, 0] & (rng.random((300, 80)) < 0.5)
    return there


def test_rounds_and_company_come_again(seen):
    ever, inside = np.ones((300, 2), dtype=bool), np.ones((300, 80), dtype=bool)
    hazards = Hazards.fit(seen, np.zeros((300, 80, 2)), inside, ever, rng=stream(0, "fit"))
    made = hazards.draw(np.zeros((300, 80, 2)), inside, ever, ever, rng=stream(1, "draw"))
    assert np.allclose(made.mean((0, 1)), seen.mean((0, 1)), atol=0.02)
    assert made[:, 1:, 0].reshape(300, -1)[:, 3::4].mean() > 0.8
    alone = made[..., 1] & ~made[..., 0]
    assert alone.sum() < 0.05 * made[..., 1].sum()


def test_nothing_comes_outside_the_stay_or_of_a_group_that_there_is_not(seen):
    ever, inside = np.ones((300, 2), dtype=bool), np.arange(80) < 40
    ever[:150, 1] = False
    inside = np.broadcast_to(inside, (300, 80))
    hazards = Hazards.fit(seen, np.zeros((300, 80, 2)), inside, ever, rng=stream(0, "fit"))
    made = hazards.draw(np.zeros((300, 80, 2)), inside, ever, ever, rng=stream(1, "draw"))
    assert not made[:, 40:].any()
    assert not made[:150, :, 1].any()
    assert made[150:].any(1).all()


def test_buckets_count_from_the_last_measurement():
    there = np.zeros((1, 7, 1), dtype=bool)
    there[0, 2] = True
    made = buckets(there)[0, :, 0]
    assert made[2] == made[0] == 20
    assert made[3:].tolist() == [1, 2, 3, 4]


def test_each_stay_keeps_to_its_own_time():
    """Every bin in one half of the stays, every eighth in the other: no odds of all stays together know both."""
    there, rates = np.zeros((200, 96, 1), dtype=bool), np.zeros((200, 96, 1))
    there[:100, :, 0], there[100:, ::8, 0] = True, True
    rates[:100], rates[100:] = 2.0, -2.0
    ever, inside = np.ones((200, 1), dtype=bool), np.ones((200, 96), dtype=bool)
    hazards = Hazards.fit(there, rates, inside, ever, rng=stream(0, "fit"))
    made = hazards.draw(rates, inside, ever, ever, rng=stream(1, "draw"))[..., 0]
    gaps = np.concatenate([np.diff(np.flatnonzero(stay)) for stay in made[100:]])
    assert made[:100].mean() > 0.95
    assert np.mean(gaps == 8) > 0.9


def test_what_there_is_but_not_often_comes_once(seen):
    ever, inside = np.ones((300, 2), dtype=bool), np.ones((300, 80), dtype=bool)
    often = ever & (np.arange(300) < 200)[:, None]
    hazards = Hazards.fit(seen, np.zeros((300, 80, 2)), inside, often, rng=stream(0, "fit"))
    made = hazards.draw(np.zeros((300, 80, 2)), inside, ever, often, rng=stream(1, "draw"))
    assert (made[200:].sum(1) == 1).all()
    assert (made[:200].sum(1) > 1).all()
