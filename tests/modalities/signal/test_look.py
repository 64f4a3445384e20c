"""What a look at the samples finds: planted flat lines, clipped tops and gaps, and none where there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.signal.found import Found
from semblance.modalities.signal.look import look, runs, too_short
from tests.modalities.signal.made import recording, wave


def found(values, name="a", ends=()):
    return Found(recording(name, values=values), ends=ends)


def noise(length=400, leads=2):
    return stream(0).normal(size=(length, leads)).astype(np.float32)


def test_nothing_is_found_where_nothing_is():
    kept, plans, notes = look([found(noise())])
    assert notes == [] and [plan.suspicion for plan in plans] == ["", ""]
    assert [(plan.name, plan.kind, plan.role) for plan in plans] == [
        ("I", "lead, mV, 100 Hz", "lead"),
        ("II", "lead, mV, 100 Hz", "lead"),
    ]
    np.testing.assert_array_equal(kept[0].recording.values(), noise())


def test_a_lead_that_is_flat_throughout_counts_as_missing():
    values = noise()
    values[:, 1] = 0.25
    kept, plans, notes = look([found(values), found(noise(), "b")])
    assert np.isnan(kept[0].recording.values()[:, 1]).all() and not np.isnan(values).any()
    assert plans[1].missing == 0.5 and plans[1].suspicion == "flat throughout"
    assert notes == ["lead 'II': flat throughout in a, where it counts as missing"]


def test_a_recording_without_a_live_lead():
    with pytest.raises(DataError, match="record 'a' is flat or missing in all leads"):
        look([found(np.zeros((400, 2), np.float32)), found(noise(), "b")])
    with pytest.raises(DataError, match="record 'a'"):
        look([found(np.full((400, 2), np.nan, np.float32))])


def test_a_stretch_that_is_flat():
    values = noise()
    values[100:200, 0] = 0.0
    assert look([found(values)])[2] == ["lead 'I': flat stretches in a"]
    values[150, 0] = 1.0
    assert look([found(values)])[2] == []


def test_gaps():
    values = noise()
    values[100:200, 0] = np.nan
    _, plans, notes = look([found(values)])
    assert notes == ["lead 'I': gaps in a"] and plans[0].missing == 0.25


def test_infinite_values_count_as_missing():
    values = noise()
    values[7, 1], values[9, 1] = np.inf, -np.inf
    kept, plans, notes = look([found(values)])
    assert notes == ["lead 'II': infinite values in a, which count as missing"]
    assert plans[1].missing == pytest.approx(0.005)
    assert np.isnan(kept[0].recording.values()).sum() == 2 and np.isinf(values).sum() == 2


def test_gross_spikes_are_told():
    values = noise()
    values[7, 0] = 4000
    (note,) = look([found(values), found(noise(), "b")])[2]
    assert note.startswith("lead 'I': gross spikes in a, ")
    assert look([found(wave(1000, 2))])[2] == []
    marker = noise()
    marker[:, 1] = np.arange(400) == 9
    assert not any("spikes" in note for note in look([found(marker)])[2])


def test_gross_spikes_count_as_missing_where_a_person_says_so():
    values = noise()
    values[7, 0], values[9, 0] = 4000, np.nan
    kept, _, notes = look([found(values), found(noise(), "b")], without_spikes=True)
    assert "lead 'I': gross spikes in a, which count as missing" in notes
    made = kept[0].recording.values()
    assert np.flatnonzero(np.isnan(made[:, 0])).tolist() == [7, 9] and not np.isnan(made[:, 1]).any()
    assert values[7, 0] == 4000 and not np.isnan(kept[1].recording.values()).any()


def test_leads_of_which_the_same_is_told_share_a_note():
    values = noise()
    values[7] = 4000
    (note,) = look([found(values)])[2]
    assert note.startswith("leads 'I', 'II': gross spikes in a, ")


def test_clipped_tops():
    values = np.minimum(wave(400, 1), 0.95)
    assert look([found(values)])[2] == ["lead 'I': clipped in a"]
    two = noise(leads=1).clip(-9, 9)
    two[50:52] = 5.0
    assert look([found(two)])[2] == []
    assert look([found(two, ends=((-5.0, 5.0),))])[2] == ["lead 'I': clipped in a"]


def test_recordings_that_are_too_short():
    one = recording("a", values=wave(1))
    (problem,) = too_short([one, recording("b")])
    assert "record 'a' has 1 sample at 100 Hz" in problem.found
    assert len(too_short([replace(one, length=99), replace(one, length=100)])) == 1


def test_a_lead_on_another_scale_is_told():
    """Its unit or its gain is wrong: 100 times as large as elsewhere it once was learned without a word."""
    made = [found(noise() * scale, name) for scale, name in ((1, "a"), (2, "b"), (0.5, "c"), (1, "d"))]
    assert look(made)[2] == []
    large, small = noise(), noise()
    large[:, 1] *= 100
    small[:, 1] /= 1000
    _, plans, notes = look([*made, found(large, "e"), found(small, "f")])
    assert [note.partition(": its")[0] for note in notes] == [
        "lead 'II': another scale in e, f, 10 times as large or as small as in most recordings"
    ]
    assert plans[1].suspicion == "another scale" and look([found(noise()), found(large, "e")])[2] == []


def test_fewer_samples_than_the_header_says():
    one = found(noise())
    wrong = replace(one, recording=replace(one.recording, length=500))
    with pytest.raises(DataError, match="record 'a' holds 400 of the 500 samples"):
        look([wrong])


def test_runs_add_up():
    level, length = runs(np.array([1.0, 1, 2, 3, 3, 3]))
    assert level.tolist() == [1, 2, 3] and length.tolist() == [2, 1, 3]
