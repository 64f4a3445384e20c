"""The declared band: tones judge the filter, and a whole way from a file to what is made judges the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.signal.band import passed, words
from semblance.modalities.signal.data import Marks, Recordings
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.public import undeclared
from semblance.modalities.signal.read import further, prepared, read
from semblance.modalities.signal.write import write
from tests.modalities.signal.simulated import recordings

RATE, BAND = 250.0, (0.5, 40.0)
DECLARED = ReadOptions(declared={"signal": {"band": [0.5, 40]}})


def tone(hz, seconds=40, rate=RATE):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate + 0.4)[:, None].astype(np.float32)


def inner(values):
    """Without two periods of the lowest frequency at either end, where the filter is less exact."""
    return values[round(4 * RATE) : -round(4 * RATE)]


@pytest.mark.parametrize("hz", [1.0, 2.0, 8.0, 20.0])
def test_a_tone_inside_is_kept_within_a_hundredth_and_does_not_move(hz):
    assert np.abs(inner(passed(tone(hz), RATE, BAND) - tone(hz))).max() < 0.01


@pytest.mark.parametrize("hz", [0.05, 0.25, 80.0, 110.0])
def test_a_tone_an_octave_outside_is_gone(hz):
    assert np.abs(inner(passed(tone(hz), RATE, BAND))).max() < 0.01


@pytest.mark.parametrize("hz", BAND)
def test_at_its_ends_half_is_left(hz):
    left = inner(passed(tone(hz), RATE, BAND))
    assert left.std() / inner(tone(hz)).std() == pytest.approx(0.5, abs=0.01)


def test_the_level_stays_and_units_only_scale():
    held = tone(10) + 4300
    made = passed(held, RATE, BAND)
    assert made.mean() == pytest.approx(4300, abs=0.01)
    np.testing.assert_allclose(passed(held * 1000, RATE, BAND) / 1000, made, atol=2e-3)


def test_without_a_lowest_frequency_all_that_is_slow_stays():
    drift = np.linspace(0, 3, 10_000)[:, None].astype(np.float32)
    np.testing.assert_allclose(passed(drift, RATE, (0.0, 40.0)), drift, atol=1e-3)
    assert words((0.0, 40.0)) == "up to 40 Hz"


def test_missing_stretches_stay_missing_and_spoil_nothing_beside_them():
    held = np.concatenate([tone(5), tone(5)], 1)
    held[4000:4500, 0], held[:, 1] = np.nan, np.nan
    made = passed(held, RATE, BAND)
    assert np.array_equal(np.isnan(made), np.isnan(held))
    assert np.abs(made[1000:3500, 0] - held[1000:3500, 0]).max() < 0.01


def saved(folder, data, name="ecg.npz"):
    return write([data], folder / name)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Simulated hearts with a hum of 60 Hz, which the band leaves out."""
    data = recordings(8, 3)
    hum = tuple(replace(one, values=lambda one=one: _with_hum(one)) for one in data.recordings)
    return saved(tmp_path_factory.mktemp("band"), replace(data, recordings=hum))


def _with_hum(one):
    return one.values() + 0.2 * tone(60, len(one.values()) / RATE)


def power(data, low, high):
    """The mean power of recordings between two frequencies."""
    found = []
    for one in data.recordings:
        values = one.values()[:, 0]
        spectrum = np.abs(np.fft.rfft(values - values.mean())) ** 2 / len(values) ** 2
        hz = np.fft.rfftfreq(len(values), 1 / one.rate)
        found.append(spectrum[(hz >= low) & (hz < high)].sum())
    return float(np.mean(found))


def test_a_person_is_told_what_is_not_in_the_output(path):
    _, plain = read([path], ReadOptions())
    made, profile = read([path], DECLARED)
    (note,) = set(profile.notes) - set(plain.notes)
    assert note.startswith(
        "[signal] band: nothing slower than 0.5 Hz or faster than 40 Hz is learned or made, and nothing brings it back"
    )
    assert "II " in note and "%" in note
    assert profile.fields[0].kind == "lead, mV, 250 Hz, 0.5 to 40 Hz" and made.band == (0.5, 40.0)
    assert made.take(np.array([1])).band == made.band


def test_what_is_made_has_the_band_the_level_and_the_beats(path):
    made, _ = read([path], DECLARED)
    data, _ = read([path], ReadOptions())
    model = Floor().fit(made, rng=stream(0, "fit"))
    drawn = next(model.sample(8, rng=stream(0, "draw")))
    assert power(data, 55, 65) > 0.005 and power(drawn, 55, 65) < power(data, 55, 65) / 50
    assert power(drawn, 1, 30) == pytest.approx(power(data, 1, 30), rel=0.5)
    assert drawn.band == (0.5, 40.0) and [lead.unit for lead in drawn.recordings[0].leads] == ["mV", "mV"]


def test_a_saved_model_knows_its_band_and_completes_nothing_else(path, tmp_path):
    data, (whole, _) = read([path], ReadOptions())[0], read([path], DECLARED)
    Floor().fit(whole, rng=stream(0, "fit")).save(tmp_path / "model")
    model = Floor.load(tmp_path / "model")
    with pytest.raises(UsageError, match=r"with \[signal\] band = \[0.5, 40.0\]"):
        model.impute(data, rng=stream(0, "fill"))
    assert model.impute(whole, rng=stream(0, "fill")).band == (0.5, 40.0)
    with pytest.raises(UsageError, match=r"leave \[signal\] band out"):
        Floor().fit(data, rng=stream(0, "fit")).impute(whole, rng=stream(0, "fill"))


def test_further_real_recordings_are_prepared_alike_and_made_ones_left_alone(path):
    whole, _ = read([path], DECLARED)
    other = further([path], whole)
    assert power(other, 55, 65) > 0.005
    alike = prepared(other, whole)
    np.testing.assert_array_equal(alike.recordings[0].values(), whole.recordings[0].values())
    plain, _ = read([path], ReadOptions())
    assert prepared(other, plain) is other


def test_further_recordings_have_the_leads_of_the_first_in_its_order(tmp_path):
    """They once kept an order of their own, and one lead was judged against another."""
    data = recordings(3, 3)
    turned = tuple(
        replace(one, leads=one.leads[::-1], values=lambda one=one: one.values()[:, ::-1]) for one in data.recordings
    )
    train, _ = read([saved(tmp_path, data)], ReadOptions())
    other = further([saved(tmp_path, replace(data, recordings=turned), "other.npz")], train)
    assert [lead.name for lead in other.recordings[0].leads] == ["II", "V1"]
    np.testing.assert_array_equal(other.recordings[0].values(), train.recordings[0].values())


def test_what_the_samples_cannot_hold_or_a_heart_needs_is_refused_at_once(path):
    with pytest.raises(DataError) as told:
        read([path], ReadOptions(declared={"signal": {"band": [1, 125]}}))
    assert [problem.fix for problem in told.value.problems] == [
        "a highest frequency below 125",
        "a lowest frequency up to 0.67 and a highest from 40 on",
    ]
    with pytest.raises(DataError, match="changes ST and R"):
        read([path], ReadOptions(declared={"signal": {"band": [0, 30]}}))


def test_hearts_are_not_brought_to_fewer_samples_than_their_waves_need(path):
    """At 10 Hz beats were 100 ms of one sample each, where a band up to 5 Hz was refused."""
    for declared in ({"resample": 10}, {"resample": 10, "band": [0.5, 40]}, {"resample": 79, "beats": "detect"}):
        with pytest.raises(DataError, match="the waves of a heart need") as told:
            read([path], ReadOptions(declared={"signal": declared}))
        assert [problem.fix for problem in told.value.problems] == ["resample = 80 or more, or leave it out"]
    assert not slow_notes(read([path], ReadOptions(declared={"signal": {"resample": 80}}))[1])


def test_hearts_of_few_samples_are_told(path, tmp_path):
    held = dict(np.load(path))
    held["rate"] = 60
    np.savez(tmp_path / "slow.npz", **held)
    (note,) = slow_notes(read([tmp_path / "slow.npz"], ReadOptions())[1])
    assert note.startswith(
        "60 samples per second hold nothing above 30 Hz, and the waves of a heart need 0.67 to 40 Hz"
    )
    bare = {name: part for name, part in held.items() if not name.startswith("beats")}
    np.savez(tmp_path / "bare.npz", **bare)
    made, profile = read([tmp_path / "bare.npz"], ReadOptions(declared={"signal": {"resample": 30}}))
    assert made.recordings[0].rate == 30 and not slow_notes(profile)


def slow_notes(profile):
    return [note for note in profile.notes if "samples per second" in note]


def test_windows_may_have_any_band_that_they_are_long_enough_for(tmp_path):
    data = recordings(4, 3)
    bare = Recordings(
        data.schema, data.frame, tuple(replace(one, beats=Marks()) for one in data.recordings), data.subjects
    )
    path = saved(tmp_path, bare)
    made, _ = read([path], ReadOptions(declared={"signal": {"band": [8, 12]}}))
    assert power(made, 20, 100) < power(made, 8, 12) / 50
    with pytest.raises(DataError) as told:
        read([path], ReadOptions(declared={"signal": {"band": [0.1, 30]}}))
    assert len(told.value.problems) == 4 and "2 periods of the lowest frequency, 20 s" in str(told.value)


@pytest.mark.parametrize("band", [[1], [40, 1], [-1, 40], "0.5-40", [True, 40]])
def test_a_band_is_two_frequencies(band):
    with pytest.raises(UsageError, match="a lowest and a highest frequency in Hz"):
        read(["x"], ReadOptions(declared={"signal": {"band": band}}))


def test_under_differential_privacy_the_declared_rate_tells_whether_a_band_can_be():
    from semblance.modalities.signal.declare import Said

    def found(said):
        return [problem.found for problem in undeclared(said) if "band" in problem.found]

    assert found(Said(rate=250.0, band=(0.5, 40.0))) == []
    assert found(Said(rate=70.0, band=(0.5, 40.0))) == ["[signal] band = [0.5, 40]"]
