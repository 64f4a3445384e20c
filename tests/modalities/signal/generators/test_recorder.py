from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.facts import stacked, told_texts
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.pieces import Cut, pieces
from tests.modalities.signal.simulated import recordings


@pytest.fixture(scope="module")
def model():
    return Floor(components=32).fit(recordings(60, 1), rng=stream(0, "fit"))


def test_a_recording_is_of_the_cohorts_rate_leads_and_length(model):
    whole, (made, *_) = recordings(60, 1), list(model.sample(30, rng=stream(0, "sample")))
    for one in made.recordings:
        assert one.rate == whole.recordings[0].rate
        assert one.leads == whole.recordings[0].leads
        assert one.length == len(one.values()) == pytest.approx(np.median([o.length for o in whole.recordings]), abs=2)
        assert np.isfinite(one.values()).all()


def test_beats_look_like_the_cohorts_at_their_marks(model):
    whole = recordings(60, 1)
    real = pieces(whole, whole)
    made = Cut.of(whole).pieces(next(iter(model.sample(30, rng=stream(0, "sample")))))
    usual, drawn = (part.take(part.labels == "N").waves for part in (real, made))
    assert np.corrcoef(usual.mean(0).ravel(), drawn.mean(0).ravel())[0, 1] > 0.97
    assert drawn.std(0).mean() == pytest.approx(usual.std(0).mean(), rel=0.4)


def test_one_recording_has_one_heart(model):
    """Beats of one recording are nearer to each other than to those of others, as they are in the cohort."""
    whole = recordings(60, 1)
    made = Cut.of(whole).pieces(next(iter(model.sample(40, rng=stream(0, "sample")))))
    within = [_apart(part.take(part.labels == "N")) for part in (pieces(whole, whole), made)]
    assert within[1] == pytest.approx(within[0], abs=0.25)
    assert within[1] < 0.75


def _apart(part) -> float:
    """The share of the variance of beats that lies within recordings."""
    flat = part.waves.reshape(len(part), -1)
    means = {one: flat[part.source == one].mean(0) for one in np.unique(part.source)}
    inner = np.concatenate([flat[part.source == one] - mean for one, mean in means.items()])
    return float(inner.var(0).sum() / flat.var(0).sum())


def test_recordings_of_which_no_lead_was_whole_are_refused():
    whole = recordings(6, 1)
    gone = tuple(replace(one, values=lambda v=one.values: v() * (1, np.nan)) for one in whole.recordings)
    with pytest.raises(DataError, match="no piece"):
        Floor().fit(replace(whole, recordings=gone), rng=stream(0, "fit"))


@pytest.mark.parametrize("marked", [0, 2])
def test_a_recording_without_beats_teaches_nothing(marked):
    """Without any it ended the run, and of one beat the heart was taken to beat once a second."""
    whole = recordings(8, 1)
    first, *others = whole.recordings
    bare = replace(whole, recordings=(replace(first, beats=first.beats.take(np.arange(marked))), *others))
    some, without = (Floor(rare=1).fit(data, rng=stream(0, "fit")) for data in (bare, whole.take(np.arange(1, 8))))
    drawn = [next(model.sample(2, rng=stream(0, "draw"))).recordings[0].values() for model in (some, without)]
    np.testing.assert_array_equal(*drawn)


def test_an_empty_folder_is_no_model(tmp_path):
    with pytest.raises(UsageError, match="no model"):
        Floor.load(tmp_path)


def test_conditions_that_nobody_meets_together_are_told_before_anything_is_learned():
    """They once were told after the training."""
    spec, data = Floor(components=8), recordings(30, 0)
    spec.check(data, wanted=Wanted(given={"age": 60, "sex": "F"}))
    with pytest.raises(UsageError, match="people that were tried"):
        spec.check(data, wanted=Wanted(given={"age": (50, 55)}, quota={"age": {(70, 75): 1.0}}))


def test_a_quota_of_whole_years_is_exact_as_it_is_written(model):
    """Years once were rounded when they were written, some of them into the next band."""
    wanted = Wanted(quota={"age": {(35, 60): 0.5, (60, 85): 0.5}})
    made = stacked([part.frame for part in model.sample(100, rng=stream(0, "sample"), wanted=wanted)])
    years = [int(text) for text in told_texts(made, model.recorder.schema)["age"]]
    assert sum(35 <= one < 60 for one in years) == sum(60 <= one <= 85 for one in years) == 50
    assert made["age"].tolist() == years
