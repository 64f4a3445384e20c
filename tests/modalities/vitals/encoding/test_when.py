from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.when import When, between, places
from tests.modalities.vitals.simulated import stays


@pytest.fixture(scope="module")
def fitted():
    return When.fit(stays(200, 0), blocks=4, k=10, rare=5, rng=stream(0, "fit"))


def test_stays_are_measured_as_often_as_they_were(fitted):
    when, _, numbers = fitted
    whole = stays(200, 0)
    stay, _, channel, minute = when.draw(numbers, rng=stream(1, "draw"))
    real = np.bincount(whole.channel, minlength=8)
    assert np.allclose(np.bincount(channel, minlength=8), real, rtol=0.15, atol=30)
    assert numbers.shape == (200, when.width)
    assert (np.diff(stay) >= 0).all()
    assert minute.min() >= 0 and minute.max() <= when.clock.horizon


def test_one_time_of_a_stay_has_a_channel_once(fitted):
    when, _, numbers = fitted
    stay, _, channel, minute = when.draw(numbers, rng=stream(1, "draw"))
    rows = np.column_stack([stay, channel, minute])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_what_is_saved_draws_the_same(fitted):
    when, _, numbers = fitted
    again = When.restored(when.to_json(), when.arrays())
    for one, two in zip(when.draw(numbers, rng=stream(2, "x")), again.draw(numbers, rng=stream(2, "x")), strict=True):
        assert np.array_equal(one, two)


def test_between_blocks_lines_are_straight():
    made = between(np.array([0.0, 10.0]).reshape(1, 2, 1), 20)[0, :, 0]
    assert made[0] == 0 and made[-1] == 10
    assert np.allclose(np.diff(made)[6:13], 1)
    assert places(1, 5)[0].tolist() == [0] * 5


def test_a_group_of_one_patient_with_many_stays_is_never_drawn():
    whole = stays(80, 0)
    gases = np.isin(whole.channel, [3, 7]) & (whole.stay >= 12)
    few = whole.kept(~gases)
    made = When.fit(few, blocks=4, k=6, rare=5, rng=stream(0, "fit"))[0]
    single = replace(few, subjects=np.where(np.arange(80) < 12, 0, np.arange(80)))
    alone = When.fit(single, blocks=4, k=6, rare=5, rng=stream(0, "fit"))[0]
    lab = made.groups.of[3]
    assert made.shares[lab] > 0 and made.hazards.level[lab] != 0
    assert alone.shares[lab] == alone.again[lab] == 0
    assert not alone.hazards.lag[lab].any() and not alone.hazards.pull[lab].any()


def test_minutes_are_as_fine_as_files_tell_them_and_no_channel_has_one_twice():
    whole = stays(60, 0)
    short = whole.kept(whole.minute < 120)
    short = replace(short, minute=np.round(short.minute / 3))  # of 40 minutes, in bins of one minute
    for grain in (1.0, 10.0):
        train = replace(short, layout=replace(short.layout, grain=grain))
        when, _, numbers = When.fit(train, blocks=4, k=4, rare=5, rng=stream(0, "fit"))
        stay, _, channel, minute = when.draw(numbers, rng=stream(1, "draw"))
        assert when.clock.tick < grain
        assert np.array_equal(minute, np.round(minute / grain) * grain)
        assert len(np.unique(np.column_stack([stay, channel, minute]), axis=0)) == len(stay)


def test_what_most_stays_have_once_comes_once_in_as_many():
    whole = stays(200, 0)
    gases = np.flatnonzero(np.isin(whole.channel, [3, 7]))
    moment = np.full(200, np.iinfo(np.int64).max)
    np.minimum.at(moment, whole.stay[gases], whole.moment[gases])
    later = np.isin(whole.channel, [3, 7]) & (whole.moment > moment[whole.stay]) & (whole.stay < 150)
    train = whole.kept(~later)
    when, seen, numbers = When.fit(train, blocks=4, k=10, rare=5, rng=stream(0, "fit"))
    stay, _, channel, _ = when.draw(numbers, rng=stream(1, "draw"))
    real, made = (np.bincount(s[c == 3], minlength=200) for s, c in ((train.stay, train.channel), (stay, channel)))
    lab = when.groups.of[3]
    assert abs(when.again[lab] - (seen.there[..., lab].sum(1) > 1).sum() / seen.there[..., lab].any(1).sum()) < 1e-9
    assert abs((made == 1).sum() - (real == 1).sum()) <= 3
