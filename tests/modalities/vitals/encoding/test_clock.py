from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.clock import Clock
from tests.modalities.vitals.simulated import stays


def test_what_is_measured_every_hour_is_on_every_fourth_mark():
    whole = stays(40, 0)
    clock = Clock.of(whole, rare=5)
    assert clock.width == 15
    bins, on = clock.bins_of(whole, clock.phase_of(whole))
    rate = whole.channel == 2
    assert on[rate].mean() > 0.95
    assert (bins >= 0).all() and (bins < clock.bins).all()


def test_minutes_of_bins_on_the_mark_are_those_that_were_measured():
    whole = stays(40, 0)
    clock = Clock.of(whole, rare=5)
    phase = clock.phase_of(whole)
    bins, on = clock.bins_of(whole, phase)
    made = clock.minutes(bins, phase[whole.stay], np.zeros(len(bins)))
    inside = on & (bins < clock.bins - 1)
    assert np.allclose(made[inside], whole.minute[inside])


def test_long_stays_have_wider_bins():
    whole = stays(40, 0)
    clock = Clock.of(replace(whole, minute=whole.minute * 100), rare=5)
    assert clock.bins < 300


def test_no_rare_phase_is_drawn():
    clock = Clock(15, 600, np.where(np.arange(60) == 7, 9.0, 0.0))
    assert set(clock.draw(50, rng=stream(0, "x"))) == {7}
