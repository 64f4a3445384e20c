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


def test_the_horizon_and_phases_are_those_of_enough_patients():
    whole = stays(40, 0)
    one = np.where(np.arange(40) < 8, 0, np.arange(40))  # a patient of eight stays
    late = (whole.stay < 8) & (whole.minute > 120)
    made = Clock.of(replace(whole, subjects=one, minute=np.where(late, 7 + 60 * 24 * 9, whole.minute)), rare=5)
    assert made.horizon == Clock.of(whole.take(np.arange(8, 40)), rare=5).horizon
    same = replace(whole, minute=whole.minute // 60 * 60 + np.where(whole.stay < 8, 17, 31))
    assert Clock.of(replace(same, subjects=one), rare=5).phases[17] == 0
    assert Clock.of(same, rare=5).phases[17] == 8
