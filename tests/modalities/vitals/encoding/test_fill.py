"""Cells drawn given what was measured, beside the law by which stays are drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.fill import BLUR, Cells, filled, law
from semblance.modalities.vitals.encoding.what import What
from semblance.modalities.vitals.encoding.when import When
from tests.modalities.vitals.simulated import stays

HR, MAP, SYS, DIAS = 2, 4, 5, 0


@pytest.fixture(scope="module")
def coded() -> tuple[When, What]:
    whole = stays(200, 0)
    when, seen, _ = When.fit(whole, blocks=4, k=10, rare=5, rng=stream(0, "fit"))
    what, _ = What.fit(whole, seen.bins, when, k=10, rare=5, chains=(), rng=stream(0, "what"))
    return when, replace(what, unrest=1e-6)


def test_the_law_is_that_of_drawn_scores(coded):
    """Means and covariances of thousands of draws of the same cells."""
    _, what = coded
    bins, channel = np.array([10, 10, 12, 40, 40, 41]), np.array([HR, MAP, HR, HR, MAP, 6])
    n = 6000
    numbers = np.column_stack([stream(0, "z").standard_normal((n, what.width - 1)), np.zeros(n)])
    places = np.repeat(np.arange(n), 6), np.tile(bins, n), np.tile(channel, n)
    drawn = what._drawn(numbers, *places, rng=stream(0, "draw")).reshape(n, 6)
    mean, cover = law(what, bins, channel)
    scale = np.sqrt(np.diag(cover))
    assert np.allclose(drawn.mean(0), mean, atol=0.06 * scale)
    found = np.cov(drawn.T) + np.diag(BLUR * np.diag(np.cov(drawn.T)))
    assert np.allclose(found / np.outer(scale, scale), cover / np.outer(scale, scale), atol=0.12)


def test_cells_are_normal_given_the_others_as_by_hand(coded):
    _, what = coded
    cells = Cells(np.array([10, 11]), np.array([HR, HR]), np.array([2.0, np.nan]))
    mean, cover = law(what, cells.bins, cells.channel)
    drawn = np.array([cells.drawn(what, rng=stream(0, "x", i))[1] for i in range(3000)])
    assert drawn.mean() == pytest.approx(mean[1] + cover[0, 1] / cover[0, 0] * (2 - mean[0]), abs=0.05)
    assert drawn.var() == pytest.approx(cover[1, 1] - cover[0, 1] ** 2 / cover[0, 0], rel=0.1)


def test_what_is_drawn_is_nearer_to_the_truth_than_a_stays_usual_value(coded):
    when, what = coded
    whole = stays(120, 7)
    gap = stream(0, "gap").random(len(whole.value)) < 0.2
    given = replace(whole, value=np.where(gap, np.nan, whole.value))
    made = np.mean([filled(what, when.clock, given, seed=i) for i in range(5)], axis=0)
    for channel in (HR, MAP):
        at = gap & (whole.channel == channel)
        other = whole.channel == channel
        mean = np.array([np.mean(whole.value[other & (whole.stay == i) & ~gap]) for i in whole.stay[at]])
        right, usual = (np.sqrt(np.nanmean((x - whole.value[at]) ** 2)) for x in (made[at], mean))
        assert right < usual
        assert right < 0.75 * whole.value[other].std()


def test_measured_values_stay_pressures_keep_their_order_and_seeds_differ(coded):
    when, what = coded
    whole = stays(60, 9)
    gap = np.arange(len(whole.value)) % 3 == 0
    given = replace(whole, value=np.where(gap, np.nan, whole.value))
    made, same, other = (filled(what, when.clock, given, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(made[~gap], whole.value[~gap]) and np.isfinite(made).all()
    assert np.array_equal(made, same) and not np.array_equal(made, other)
    assert any({SYS, MAP, DIAS} <= set(chain) for chain in what.chains)
    at = {
        code: dict(zip(whole.moment[whole.channel == code], made[whole.channel == code], strict=True))
        for code in (SYS, MAP, DIAS)
    }
    for moment in at[SYS].keys() & at[MAP].keys() & at[DIAS].keys():
        assert at[SYS][moment] >= at[MAP][moment] >= at[DIAS][moment]


def test_a_stay_of_which_nothing_was_measured_is_drawn_as_one_of_all(coded):
    when, what = coded
    whole = stays(60, 9)
    made = filled(what, when.clock, replace(whole, value=np.full(len(whole.value), np.nan)), seed=0)
    for channel in (HR, MAP):
        at = whole.channel == channel
        assert abs(np.median(made[at]) - np.median(whole.value[at])) < 0.5 * whole.value[at].std()
