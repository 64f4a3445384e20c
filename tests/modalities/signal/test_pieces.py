from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.signal.data import AFTER, BEFORE, Marks, Recording
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.pieces import Cut, pieces, resampled, wander, without_wander
from semblance.modalities.signal.read import read
from semblance.modalities.signal.write import write
from tests.modalities.signal.simulated import recordings


@pytest.fixture(scope="module")
def whole():
    return recordings(6, 3)


def test_beats_stand_around_their_peak_with_their_class_and_intervals(whole):
    made = pieces(whole, whole)
    one = whole.recordings[0]
    mine = made.take(made.source == 0)
    inner = [i for i in range(1, len(one.beats) - 1) if 100 <= one.beats.at[i] <= one.length - 156]
    assert len(mine) == len(inner)
    gaps = np.diff(one.beats.at) / one.rate
    assert np.allclose(mine.frame[BEFORE], gaps[[i - 1 for i in inner]])
    assert np.allclose(mine.frame[AFTER], gaps[inner])
    steady = without_wander(one.values(), one.rate)
    i = inner[2]
    assert np.allclose(mine.waves[2], steady[one.beats.at[i] - 100 : one.beats.at[i] + 156].T, atol=1e-6)
    assert set(made.labels) <= set("NSVF")
    assert made.schema.where("target").name == "beat"


def test_what_is_known_of_a_recording_stands_beside_each_of_its_pieces(whole):
    made = pieces(whole, whole)
    assert (made.frame["age"] == whole.frame["age"].to_numpy()[made.source]).all()
    assert (made.subjects == whole.subjects[made.source]).all()


def test_faster_recordings_come_down_to_the_rate_of_pieces(whole):
    one = whole.recordings[0]
    fast = Recording(one.name, 500.0, one.leads, 2 * one.length, lambda: resampled(one.values(), 250, 500),
                     Marks(2 * one.beats.at, one.beats.symbol))  # fmt: skip
    twice = replace(whole.take(np.array([0])), recordings=(fast,))
    cut = Cut.of(twice)
    assert (cut.rate, cut.size) == (250.0, 256)
    slow = pieces(whole.take(np.array([0])), whole)
    assert np.abs(cut.pieces(twice).waves - slow.waves).max() < 0.1


def test_recordings_without_beats_are_cut_into_windows_with_the_state_in_their_middle(whole):
    bare = tuple(
        replace(one, beats=Marks(), states=Marks(np.array([0, 1000]), np.array(["open", "shut"], dtype=object)))
        for one in whole.recordings
    )
    made = pieces(replace(whole, recordings=bare), replace(whole, recordings=bare))
    mine = made.take(made.source == 0)
    assert mine.waves.shape[1:] == (2, 256)
    assert mine.labels[:5].tolist() == ["open"] * 4 + ["shut"]
    assert np.array_equal(np.concatenate(mine.waves, 1).T, bare[0].values()[: len(mine) * 256])


def test_short_recordings_of_one_length_are_their_own_windows(whole):
    bare = tuple(
        replace(one, beats=Marks(), length=187, values=lambda v=one.values: v()[:187]) for one in whole.recordings
    )
    made = pieces(replace(whole, recordings=bare), replace(whole, recordings=bare))
    assert made.waves.shape == (6, 2, 187)
    assert made.source.tolist() == list(range(6))


def test_wander_is_what_is_slow_and_moves_nothing_in_time():
    t = np.arange(0, 60, 1 / 250)
    slow, fast = np.sin(2 * np.pi * 0.1 * t), np.sin(2 * np.pi * 5 * t)
    found = wander((slow + fast)[:, None].astype(np.float32), 250.0)[:, 0]
    inner = slice(2500, -2500)
    assert np.abs(found - slow)[inner].max() < 0.05


def test_a_missing_lead_stays_missing_at_another_rate():
    values = np.ones((360, 2), dtype=np.float32)
    values[:, 1] = np.nan
    made = resampled(values, 360, 250)
    assert made.shape == (250, 2)
    assert np.allclose(made[20:-20, 0], 1, atol=1e-3)
    assert np.isnan(made[:, 1]).all()


def test_no_recording_with_a_beat_gives_no_piece(whole):
    silent = replace(whole.recordings[0], beats=Marks(np.array([5, 9, 12]), np.array(list("NNN"), dtype=object)))
    made = Cut.of(whole).pieces(replace(whole.take(np.array([0])), recordings=(silent,)))
    assert len(made) == 0
    assert made.waves.shape == (0, 2, 256)


def test_beats_among_each_other_have_their_neighbours_again():
    whole = recordings(4, 2)
    cut = Cut.of(whole)
    pieces = cut.pieces(whole)
    again = cut.joined(cut.alone(pieces))
    goes_on = pieces.source[1:] == pieces.source[:-1]
    inner = np.append(goes_on, False) & np.insert(goes_on, 0, False)
    apart = np.abs(again.waves - pieces.waves)[inner]
    assert apart.mean() < 0.02 and np.quantile(apart, 0.99) < 0.2
    assert np.abs(cut.alone(pieces).waves - pieces.waves)[inner].mean() > 2 * apart.mean()


def test_recordings_whose_converters_differ_are_written_by_one_that_holds_all(whole, tmp_path):
    """The first one's cut the beats of all others off, and told how far its patient's went."""
    tight = [replace(lead, gain=60_000.0 + i, baseline=13_000) for i, lead in enumerate(whole.recordings[0].leads)]
    ones = (replace(whole.recordings[0], leads=tuple(tight)), *whole.recordings[1:])
    data = replace(whole, recordings=ones)
    assert Cut.of(whole).leads == whole.recordings[0].leads
    assert [lead.baseline for lead in Cut.of(data).leads] == [0, 0]
    bits = [replace(lead, bits=11, middle=1024) for lead in whole.recordings[0].leads]
    ones = tuple(replace(one, leads=tuple(bits)) for one in whole.recordings)
    assert [lead.bits for lead in Cut.of(replace(whole, recordings=ones)).leads] == [11, 11]
    ones = (*ones[:1], *whole.recordings[1:])
    assert [lead.bits for lead in Cut.of(replace(whole, recordings=ones)).leads] == [0, 0]
    made = next(Floor(rare=1).fit(data, rng=stream(0, "fit")).sample(3, rng=stream(0, "sample")))
    write([made], str(tmp_path / "synthetic"))
    again, _ = read([str(tmp_path / "synthetic")], ReadOptions())
    for one, other in zip(made.recordings, again.recordings, strict=True):
        assert np.abs(one.values() - other.values()).max() < 0.02
