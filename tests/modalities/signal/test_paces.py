"""A sampling rate that beats show to be wrong is refused or told, and a right one is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from semblance.modalities.signal.paces import odd_paces, odd_rates, wrong_rates
from semblance.modalities.signal.pieces import resampled
from tests.modalities.signal.made import recording, wave
from tests.modalities.signal.simulated import recordings


def test_beats_that_tell_of_a_wrong_rate():
    one = recording("a", values=wave(2000))
    assert wrong_rates([one, replace(one, rate=1000.0)]) == []
    (fast, slow) = wrong_rates([replace(one, rate=3600.0), replace(one, rate=3.6)])
    assert "record 'a' has a beat every 0.0278 s at 3600 Hz" in fast.found and "every 27.8 s" in slow.found


def test_a_rate_at_which_nobody_can_tell_a_flat_lead():
    """Times in milliseconds that were taken for seconds once were told as a lead that is flat."""
    one = replace(recording("a", values=wave(400, 1)), rate=0.25)
    (problem,) = wrong_rates([one, replace(one, rate=4.0)])
    assert "record 'a' has 0.25 samples per second" in problem.found and "time_ms" in problem.fix


def test_hearts_as_fast_or_slow_as_no_other_are_told():
    """A header with 1000 for 250 Hz once made a heart four times as fast, and nobody was told."""
    one = recording("a", values=wave(2000))
    others = [replace(one, name=name) for name in "bcd"]
    assert odd_paces([one, *others]) == [] and odd_paces([replace(one, rate=150.0), *others[:2]]) == []
    assert odd_paces([replace(one, rate=170.0), *others[:2]]) != []
    (note,) = odd_paces([replace(one, rate=400.0), *others, replace(one, name="e", rate=45.0)])
    assert note.startswith("beats are oddly near each other or far apart in a (0.25 s), e (2.22 s): ")
    assert "in a (3.33 s): " in odd_paces([replace(one, rate=30.0)])[0]
    assert odd_paces([recording("a")]) == []


@pytest.mark.parametrize("times", [0.5, 1.44, 2.0])
def test_a_rate_that_no_other_has_is_told_where_it_makes_a_heart_unlike_the_others(times: float) -> None:
    """A header that told twice the rate made a heart twice as fast, which is no more than some are."""
    hearts, told = recordings(12, 4).recordings, f"r00000 ({250 * times:g} Hz)"
    (note,) = odd_rates([replace(hearts[0], rate=250 * times), *hearts[1:]])
    assert note == f"beats at 250 Hz, as in most recordings, would be more like the others' in {told}: a wrong rate?"
    values = resampled(hearts[0].values(), 250, 250 * times)
    marks = replace(hearts[0].beats, at=(hearts[0].beats.at * times).round().astype(int))
    right = replace(hearts[0], rate=250 * times, values=lambda: values, length=len(values), beats=marks)
    assert list(odd_rates([right, *hearts[1:]])) == [] == list(odd_rates(hearts))
