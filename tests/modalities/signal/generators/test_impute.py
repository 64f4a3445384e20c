from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.signal.data import Marks, Recording, Recordings
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.generators.recorder import RecorderModel
from tests.modalities.signal import simulated


@pytest.fixture(scope="module")
def model() -> RecorderModel:
    return Floor(components=24).fit(simulated.recordings(60, 0), rng=stream(0, "fit"))


def with_gap(one: Recording, gap: tuple[slice, slice]) -> Recording:
    values = one.values().copy()
    values[gap] = np.nan
    return replace(one, values=lambda: values)


def only(whole: Recordings, one: Recording) -> Recordings:
    return replace(whole.take(np.array([0])), recordings=(one,))


BOTH = slice(None)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.square(values).mean()))


def test_a_short_gap_is_filled_nearer_to_the_truth_than_the_mean_is(model: RecorderModel) -> None:
    other = simulated.recordings(8, 7)
    errors, flat = [], []
    for i, one in enumerate(other.recordings):
        gap = (slice(1000, 1150), slice(0, 1))
        made = model.impute(only(other, with_gap(one, gap)), rng=stream(1, i)).recordings[0]
        errors.append(rms(made.values()[gap] - one.values()[gap]))
        flat.append(rms(one.values()[gap] - one.values()[:, :1].mean()))
    assert np.median(errors) < 0.6 * np.median(flat)  # of one the gap hides a premature beat, which nobody can know


def test_a_lead_is_reconstructed_from_the_other(model: RecorderModel) -> None:
    other = simulated.recordings(8, 9)
    alike = []
    for i, one in enumerate(other.recordings):
        gap = (BOTH, slice(1, 2))
        made = model.impute(only(other, with_gap(one, gap)), rng=stream(2, i)).recordings[0]
        alike.append(np.corrcoef(made.values()[:, 1], one.values()[:, 1])[0, 1])
    assert np.median(alike) > 0.5


def test_a_recording_goes_on_at_its_own_pace(model: RecorderModel) -> None:
    whole = simulated.recordings(6, 11)
    for i, one in enumerate(whole.recordings):
        begun = replace(with_gap(one, (slice(1800, None), BOTH)), beats=one.beats.take(one.beats.at < 1800))
        made = model.impute(only(whole, begun), rng=stream(3, i)).recordings[0]
        before, after = (np.diff(part) for part in np.split(made.beats.at, [len(begun.beats)]))
        assert np.median(after) == pytest.approx(np.median(before), rel=0.25)
        assert np.array_equal(made.beats.at[: len(begun.beats)], begun.beats.at)


def test_a_recording_without_marks_where_nothing_was_measured_gets_a_new_rhythm(model: RecorderModel) -> None:
    whole = simulated.recordings(1, 11)
    nothing = replace(with_gap(whole.recordings[0], (BOTH, BOTH)), beats=Marks())
    made = model.impute(replace(whole, recordings=(nothing,)), rng=stream(4)).recordings[0]
    assert np.isfinite(made.values()).all() and len(made.beats) > 5


def test_a_recording_that_has_begun_without_marks_is_refused(model: RecorderModel) -> None:
    """It once ended in an error of numpy."""
    one = replace(with_gap(simulated.recordings(1, 3).recordings[0], (slice(1000, 1100), BOTH)), beats=Marks())
    with pytest.raises(UsageError, match=r"without marks of beats[^$]*\.atr"):
        model.impute(only(simulated.recordings(1, 3), one), rng=stream(1))


def test_a_recording_too_short_for_a_beat_is_filled(model: RecorderModel) -> None:
    values = np.full((40, 2), np.nan, dtype=np.float32)
    one = replace(simulated.recordings(1, 3).recordings[0], beats=Marks(), length=40, values=lambda: values)
    assert np.isfinite(model.impute(only(simulated.recordings(1, 3), one), rng=stream(1)).recordings[0].values()).all()


def test_the_same_seed_fills_alike_and_whole_recordings_stay(model: RecorderModel) -> None:
    whole = simulated.recordings(2, 11)
    gappy = replace(whole, recordings=(whole.recordings[0], with_gap(whole.recordings[1], (slice(500, 900), BOTH))))
    one, two = (model.impute(gappy, rng=stream(5)).recordings for _ in range(2))
    assert one[0] is whole.recordings[0]
    assert np.array_equal(one[1].values(), two[1].values())


def test_other_leads_and_rates_are_refused_together(model: RecorderModel) -> None:
    whole = simulated.recordings(2, 11)
    first, second = whole.recordings
    swapped = replace(first, leads=first.leads[::-1])
    with pytest.raises(UsageError) as told:
        model.impute(replace(whole, recordings=(swapped, replace(second, rate=500.0))), rng=stream(6))
    assert len(told.value.problems) == 2
