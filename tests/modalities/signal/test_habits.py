from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal import habits
from semblance.modalities.signal.data import Marks
from semblance.modalities.signal.encode import Encoding
from semblance.modalities.signal.habits import Habits
from semblance.modalities.signal.pieces import Cut
from semblance.modalities.signal.style import Styles
from semblance.modalities.signal.wanted import Asked
from tests.modalities.signal.simulated import recordings


@pytest.fixture(scope="module")
def fitted():
    whole = recordings(60, 4)
    cut = Cut.of(whole)
    pieces = cut.pieces(whole)
    kinds = habits.kinds_of(whole, rare=5)
    pieces = pieces.take(np.isin(pieces.labels, kinds))
    encoding = Encoding.fit(pieces, components=24, rng=stream(0, "encoding"))
    made, learned = Habits.fit(whole, cut, pieces, encoding.encode(pieces), kinds=kinds, rare=5)
    return whole, cut, made, learned


def test_kinds_that_few_patients_have_are_not_learned():
    whole = recordings(8, 1)
    one = whole.recordings[0]
    symbols = np.array(["F", *one.beats.symbol[1:]], dtype=object)
    whole = replace(whole, recordings=(replace(one, beats=Marks(one.beats.at, symbols)), *whole.recordings[1:]))
    assert habits.kinds_of(whole, rare=1)[0] == "N"
    assert habits.kinds_of(whole, rare=8) == ("N",)


def test_the_interval_after_a_beat_of_another_kind_is_none():
    marks = Marks(np.array([100, 300, 500, 750]), np.array(list("NFNN"), dtype=object))
    one = replace(recordings(1, 0).recordings[0], beats=marks)
    found = habits.beats(one, ("N",))
    assert found.kinds.tolist() == [0, 0, 0]
    assert np.isnan(found.intervals[:2]).all()
    assert found.intervals[2] == pytest.approx(1.0)


def test_what_is_learned_is_relative_to_the_style(fitted):
    _, _, made, learned = fitted
    assert learned.sizes.given == made.given
    assert abs(learned.coefficients.mean()) < 0.05
    assert learned.coefficients.std() == pytest.approx(1, abs=0.25)


def test_beats_at_the_conditions_of_real_ones_are_given_what_was_learned(fitted):
    whole, cut, made, learned = fitted
    pieces = cut.pieces(whole)
    pieces = pieces.take(np.isin(pieces.labels, made.kinds))
    numbers = Encoding.fit(pieces, components=24, rng=stream(0, "encoding")).encode(pieces)
    known = made.conditions(whole, pieces, numbers)
    np.testing.assert_array_equal(known.labels, learned.labels)
    np.testing.assert_allclose(known.given, learned.given, atol=1e-5)
    np.testing.assert_allclose(known.relative(numbers), learned.coefficients, atol=1e-4)
    np.testing.assert_allclose(known.absolute(learned.coefficients), numbers, atol=1e-4)


def test_a_new_recording_has_beats_all_along_in_the_cohorts_mix(fitted):
    whole, cut, made, _ = fitted
    parts = [made.draw(cut, rng=stream(i, "draw")) for i in range(80)]
    mix = np.mean([np.bincount(p.kinds, minlength=len(made.kinds)) / len(p.kinds) for p in parts], 0)
    real = [habits.beats(one, made.kinds).kinds for one in whole.recordings]
    share = np.mean([np.bincount(k, minlength=len(made.kinds)) / len(k) for k in real], 0)
    assert mix == pytest.approx(share, abs=0.05)
    for part in parts[:10]:
        assert (np.diff(part.at) > 0).all()
        assert part.at[-1] < part.length
        assert part.at[-1] > part.length - 3.1 * cut.rate
        assert part.given.shape == (len(part.kinds), made.given)


def test_beats_that_are_all_ectopic_have_the_rate_that_was_asked_for(fitted):
    """Without two normal beats in a row the rate once was not kept."""
    _, cut, made, _ = fitted
    asked = Asked(mix=np.eye(len(made.kinds))[made.kinds.index("V")], rate=(80.0, 84.0))
    part = made.draw(cut, rng=stream(2, "draw"), asked=asked)
    assert set(part.kinds) == {made.kinds.index("V")}
    assert 60 / np.median(np.diff(part.at) / cut.rate) == pytest.approx(82, abs=5)


def test_a_lead_that_was_not_measured_says_nothing_of_the_baseline():
    whole = recordings(10, 4)
    ones = [replace(one, values=lambda v=one.values: v() * (1, np.nan)) for one in whole.recordings[:3]]
    part = replace(whole, recordings=(*ones, *whole.recordings[3:]))
    cut, styles = Cut.of(whole), Styles(np.zeros((10, 1, 4)), np.zeros((10, 1)))
    power = []
    for data in (whole, part):
        made = Habits._of(data, cut, ("N",), styles, rare=5)
        power.append(np.mean([made.draw(cut, rng=stream(i, "d")).slow.std(0) for i in range(40)], 0))
    assert power[1] == pytest.approx(power[0], rel=0.5)


def test_joined_to_a_recording_the_marks_stand_at_the_peaks(fitted):
    _, cut, made, _ = fitted
    part = made.draw(cut, rng=stream(3, "draw"))
    bell = np.exp(-0.5 * ((np.arange(cut.size) - cut.before) / 4) ** 2)
    strip = made.join(cut, np.tile(bell, (len(part.kinds), 2, 1)).astype(np.float32), replace(part, slow=0 * part.slow))
    assert strip.values.shape == (part.length, 2)
    assert np.allclose(strip.values[strip.beats.at[1:-1]], 1, atol=0.05)
    assert set(strip.beats.symbol) <= set(made.kinds)


def test_saved_and_restored_it_draws_the_same(fitted):
    _, cut, made, _ = fitted
    again = Habits.restored(made.to_json(), {**made.arrays(), "other": np.zeros(3)})
    one, two = (habit.draw(cut, rng=stream(5, "draw")) for habit in (made, again))
    assert np.array_equal(one.at, two.at)
    assert np.array_equal(one.given, two.given)
    assert np.array_equal(one.slow, two.slow)
