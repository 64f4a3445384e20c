from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.vitals.encoding.residuals import firsts
from semblance.modalities.vitals.encoding.what import What, _repeated
from semblance.modalities.vitals.encoding.when import When
from tests.modalities.vitals.simulated import stays


@pytest.fixture(scope="module")
def fitted():
    whole = stays(200, 0)
    when, seen, times = When.fit(whole, blocks=4, k=10, rare=5, rng=stream(0, "fit"))
    what, numbers = What.fit(whole, seen.bins, when, k=10, rare=5, chains=(), rng=stream(0, "what"))
    return what, numbers, when.draw(times, rng=stream(1, "when"))


def test_values_are_distributed_and_written_as_they_were(fitted):
    what, numbers, places = fitted
    value, whole = what.draw(numbers, *places, rng=stream(1, "what")), stays(200, 0)
    for code, channel in enumerate(whole.channels):
        made, real = value[places[2] == code], whole.value[whole.channel == code]
        spread = np.quantile(real, 0.95) - np.quantile(real, 0.05)
        assert abs(np.median(made) - np.median(real)) < 0.1 * spread
        assert np.allclose(made, np.round(made, channel.decimals))
        assert real.min() <= made.min() and made.max() <= real.max()


def test_stays_keep_their_level_and_pressures_their_order(fitted):
    what, numbers, places = fitted
    value, whole = what.draw(numbers, *places, rng=stream(1, "what")), stays(200, 0)
    stay, _, channel, minute = places
    mine = [value[(stay == i) & (channel == 2)].mean() for i in range(200)]
    theirs = [whole.value[(whole.stay == i) & (whole.channel == 2)].mean() for i in range(200)]
    assert np.corrcoef(mine, theirs)[0, 1] > 0.9
    key = stay * 10_000 + minute
    high, low = (dict(zip(key[channel == c], value[channel == c], strict=True)) for c in (5, 0))
    assert all(high[k] >= low[k] for k in high.keys() & low.keys())


def test_what_is_saved_draws_the_same(fitted):
    what, numbers, places = fitted
    again = What.restored(what.to_json(), what.arrays())
    one, two = (w.draw(numbers, *places, rng=stream(2, "x")) for w in (what, again))
    assert np.array_equal(one, two)


def test_a_value_is_that_before_it_only_within_a_stay():
    value, stay = np.array([1.0, 2, 3, 4]), np.array([0, 0, 0, 1])
    assert _repeated(value, stay, np.array([False, True, True, True])).tolist() == [1, 1, 1, 4]


def test_the_trajectory_of_a_part_that_only_one_patient_has_is_not_kept():
    whole = stays(80, 0)
    who = np.where(np.arange(80) < 12, 0, np.arange(80))  # twelve stays of one patient
    last = whole.minute > whole.minute.max() * 3 / 4
    odd = replace(whole.kept(~((whole.channel == 3) & last & (whole.stay >= 12))), subjects=who)
    value = np.where((odd.channel == 3) & (odd.stay < 12), 19.0, odd.value)
    when, seen, _ = When.fit(odd, blocks=4, k=4, rare=5, rng=stream(0, "when"))
    what, _ = What.fit(replace(odd, value=value), seen.bins, when, k=4, rare=5, chains=(), rng=stream(0, "what"))
    there = (odd.channel == 3) & (seen.bins * 4 // when.clock.bins == 3)
    assert there.any() and odd.stay[there].max() < 12
    assert what.factors.centre.reshape(4, 8)[3, 3] == 0
    assert np.abs(what.factors.axes.reshape(4, 8, -1)[3, 3]).max() < 1e-6


def test_first_values_are_those_of_patients_who_have_just_come():
    whole = stays(200, 0)
    first = firsts(whole.stay, whole.channel, 8)
    value = np.where((whole.channel == 2) & first, whole.value + 500, whole.value)
    train = replace(whole, value=value)
    when, seen, times = When.fit(train, blocks=4, k=10, rare=5, rng=stream(0, "fit"))
    what, numbers = What.fit(train, seen.bins, when, k=10, rare=5, chains=(), rng=stream(0, "what"))
    stay, _, channel, _ = places = when.draw(times, rng=stream(1, "when"))
    made, begin = what.draw(numbers, *places, rng=stream(1, "what")), firsts(stay, channel, 8)
    assert made[(channel == 2) & begin].min() > 400
    assert np.quantile(made[(channel == 2) & ~begin], 0.9) < 400
