"""Leads by name, one unit and one rate; scipy and the sine itself judge the resampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.errors import DataError
from semblance.modalities.signal.align import alike, factor, resampled
from semblance.modalities.signal.data import Lead
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.found import Found
from tests.modalities.signal.made import recording, wave


def found(name, leads, *, rate=100.0, units=None, values=None):
    held = wave(400, len(leads)) if values is None else values
    made = tuple(Lead(n, (units or {}).get(n, "mV")) for n in leads)
    one = recording(name, values=np.resize(held, (400, len(leads))))
    return Found(replace(one, leads=made, rate=rate))


def names(one):
    return [lead.name for lead in one.recording.leads]


def test_leads_in_another_order_are_put_in_that_of_the_first():
    (first, second), notes = alike([found("a", ["I", "II"]), found("b", ["II", "I"])], Said())
    assert names(second) == names(first) == ["I", "II"]
    assert notes == ["leads stand in another order in b, and are reordered"]
    np.testing.assert_array_equal(second.recording.values()[:, 0], wave(400, 2)[:, 1])


def test_a_lead_that_one_recording_lacks_is_missing_there():
    made, notes = alike([found("a", ["I", "II"]), found("b", ["I"]), found("c", ["I", "II"])], Said())
    held = made[1].recording.values()
    assert held.shape == (400, 2) and np.isnan(held[:, 1]).all() and not np.isnan(held[:, 0]).any()
    assert notes == ["lead 'II' is missing throughout in b"]


def test_leads_in_order_with_others_missing_or_left_out_are_not_reordered():
    made = [found("a", ["I", "II"]), found("b", ["II"]), found("c", ["V9", "I", "II"]), found("d", ["I", "II"])]
    assert not any("order" in note for note in alike(made, Said())[1])
    assert not any("order" in note for note in alike(made, Said(leads=("II", "I")))[1])


def test_a_lead_that_few_recordings_have_is_left_out():
    made, notes = alike([found("a", ["I", "V9"]), found("b", ["I"]), found("c", ["I"])], Said())
    assert names(made[0]) == ["I"]
    assert notes == ["leads left out, as less than half of the recordings have them: 'V9' (1 of 3)"]


def test_declared_leads_are_the_leads():
    made, notes = alike([found("a", ["I", "II", "V1"])], Said(leads=("V1", "I")))
    assert names(made[0]) == ["V1", "I"] and "[signal] leads does not list them: 'II'" in notes[0]
    with pytest.raises(DataError, match="no recording has the lead 'V2'"):
        alike([found("a", ["I"])], Said(leads=("V2",)))


def test_recordings_share_leads():
    with pytest.raises(DataError, match="record 'c' has none of the set's leads"):
        alike([found("a", ["I"]), found("b", ["I"]), found("c", ["X"])], Said())
    with pytest.raises(DataError, match="no lead is in at least half of the recordings"):
        alike([found("a", ["I"]), found("b", ["X"]), found("c", ["Y"])], Said())


def test_leads_of_one_name_are_numbered():
    made, notes = alike([found("a", ["ECG", "ECG"])], Said())
    assert names(made[0]) == ["ECG", "ECG 2"] and notes == ["leads of one name are numbered in a"]


def test_units_of_voltage_are_converted():
    made, _ = alike([found("a", ["I"]), found("b", ["I"], units={"I": "uV"})], Said())
    lead = made[1].recording.leads[0]
    np.testing.assert_allclose(made[1].recording.values() * 1000, wave(400, 1), rtol=1e-6)
    assert (lead.unit, lead.gain) == ("mV", 200_000)


def test_units_that_nobody_can_convert():
    with pytest.raises(DataError, match="record 'b': lead 'I' is in mmHg, elsewhere in mV"):
        alike([found("a", ["I"]), found("b", ["I"], units={"I": "mmHg"})], Said())


@given(st.sampled_from(["V", "mV", "uV", "nV"]), st.sampled_from(["V", "mV", "uV", "nV"]))
def test_factors_are_inverse(own, other):
    assert factor(own, other) * factor(other, own) == pytest.approx(1)


def test_mixed_rates_come_to_the_one_that_most_have():
    made, notes = alike([found("a", ["I"]), found("b", ["I"]), found("c", ["I"], rate=200.0)], Said())
    one = made[2].recording
    assert (one.rate, one.length, one.values().shape) == (100, 200, (200, 1))
    assert one.beats.at.tolist() == [25, 75, 125, 175] and one.states.at.tolist() == [0, 100]
    assert notes == ["resampled to 100 Hz: c (200 Hz); declare another rate with [signal] resample"]


def test_a_declared_rate_is_that_of_all():
    made, notes = alike([found("a", ["I"]), found("b", ["I"])], Said(resample=250))
    assert [one.recording.length for one in made] == [1000, 1000] and notes == [
        "resampled to 250 Hz: a (100 Hz), b (100 Hz)"
    ]


@pytest.mark.parametrize("rate", [50.0, 128.0, 250.0, 360.0])
def test_a_sine_stays_one(rate):
    time, moved = np.arange(1000) / 100, np.arange(round(10 * rate)) / rate
    held = np.sin(2 * np.pi * 3 * time)[:, None].astype(np.float32)
    made = resampled(held, 100, rate)
    assert len(made) == round(10 * rate)
    inner = slice(round(rate), -round(rate))
    np.testing.assert_allclose(made[inner, 0], np.sin(2 * np.pi * 3 * moved)[inner], atol=0.02)


def test_missing_stretches_stay_missing():
    held = wave(400, 2)
    held[100:200, 0] = np.nan
    held[:, 1] = np.nan
    made = resampled(held, 100, 50)
    assert np.isnan(made[50:99, 0]).all() and np.isnan(made[:, 1]).all()
    assert not np.isnan(made[:49, 0]).any() and not np.isnan(made[101:, 0]).any()
