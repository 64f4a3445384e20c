from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import coherence, welch

from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.signal import scenes
from semblance.modalities.signal.data import Marks, Recordings
from semblance.modalities.signal.generators.floor import Floor
from semblance.modalities.signal.pieces import Cut
from semblance.modalities.signal.read import read
from semblance.modalities.signal.scenes import Scenes
from tests.modalities.signal.simulated import recordings


def labelled(n: int, length: int = 200) -> Recordings:
    """Recordings of one window each, whose label is a column of their frame."""
    whole = recordings(n, 2)
    ones = tuple(
        replace(o, beats=Marks(), length=length, values=lambda v=o.values: v()[:length]) for o in whole.recordings
    )
    label = pd.Categorical(np.where(np.arange(n) % 4 == 0, "seizure", "rest"))
    schema = whole.schema.with_columns((*whole.schema, Column("label", "categorical", "target")))
    return Recordings(schema, whole.frame.assign(label=label), ones, whole.subjects)


def stateful(n: int) -> Recordings:
    """Long recordings in which eyes open and close every two windows."""
    whole = recordings(n, 2)
    at = np.arange(0, 5000, 512)
    states = Marks(at, np.array(["open", "closed"], dtype=object)[np.arange(len(at)) % 2])
    return replace(whole, recordings=tuple(replace(o, beats=Marks(), states=states) for o in whole.recordings))


def fitted(whole: Recordings):
    cut = Cut.of(whole)
    pieces = cut.pieces(whole)
    kinds = scenes.kinds_of(pieces, rare=5)
    return cut, *Scenes.fit(whole, cut, pieces, np.zeros((len(pieces), 3), np.float32), kinds=kinds, rare=5)


def test_a_recording_of_one_window_has_its_label_from_the_frame():
    cut, made, learned = fitted(labelled(40))
    assert made.kinds == ("rest", "seizure")
    assert learned.sizes.given == 2
    parts = [made.draw(cut, rng=stream(i, "draw")) for i in range(200)]
    assert all(len(part.kinds) == 1 and made.kinds[part.kinds[0]] == part.frame["label"][0] for part in parts)
    assert np.mean([part.kinds[0] for part in parts]) == pytest.approx(0.25, abs=0.1)
    strip = made.join(cut, np.ones((1, 2, cut.size), np.float32), parts[0])
    assert strip.values.shape == (200, 2)
    assert len(strip.states) == 0


def test_a_long_recording_is_a_chain_of_states():
    whole = stateful(12)
    cut, made, _ = fitted(whole)
    assert set(made.kinds) == {"open", "closed"}
    assert np.diag(made.chain) == pytest.approx(0.5, abs=0.15)
    part = made.draw(cut, rng=stream(0, "draw"))
    strip = made.join(cut, np.ones((len(part.kinds), 2, cut.size), np.float32), part)
    assert len(strip.values) == part.length
    assert strip.states.state_at(part.at).tolist() == [made.kinds[k] for k in part.kinds]


def test_windows_are_told_the_age_of_the_one_person_who_is_drawn():
    """It was told by its rank among those who are drawn together: of one person alone, always the middle."""
    _, made, _ = fitted(stateful(12))
    ages = made.person.draw(40, rng=stream(0, "people"))[0]
    alone = np.concatenate([made.given_of(ages.iloc[[i]]) for i in range(len(ages))])
    place = [scale.name for scale in made.person.scales if scale.name != made.target].index("age")
    assert np.corrcoef(alone[:, place], ages["age"])[0, 1] > 0.9
    assert np.array_equal(alone, made.given_of(ages))


def test_saved_and_restored_it_draws_the_same():
    cut, made, _ = fitted(stateful(12))
    again = Scenes.restored(made.to_json(), made.arrays())
    one, two = (scene.draw(cut, rng=stream(5, "draw")) for scene in (made, again))
    assert np.array_equal(one.kinds, two.kinds)


def test_without_any_label_there_is_one_kind():
    whole = recordings(6, 2)
    bare = replace(whole, recordings=tuple(replace(o, beats=Marks()) for o in whole.recordings))
    cut, made, _ = fitted(bare)
    assert made.kinds == ("",)
    assert len(made.join(cut, np.ones((60, 2, cut.size), np.float32), made.draw(cut, rng=stream(0, "d"))).states) == 0


def test_windows_keep_the_rhythms_of_an_electroencephalogram(shared_data):
    """Its level is 4200: at every seam it was half as high again, and hid the rest. Four of its samples are spikes."""
    path = shared_data / "signals" / "eeg_eye_state" / "EEG_Eye_State.arff.gz"
    spiky, profile = read([path], ReadOptions(declared={"signal": {"rate": 128, "state": "eyeDetection"}}))
    (note,) = [note for note in profile.notes if "gross spikes" in note]
    assert note.startswith("leads 'AF3', 'F7', ") and note.count("'") == 28
    one = spiky.recordings[0]
    values = one.values()
    far = (np.abs(values - np.median(values, 0)) > 1000).any(1)
    assert far.sum() == 4
    values = values[~far]
    marks = Marks(np.maximum(one.states.at - np.searchsorted(np.flatnonzero(far), one.states.at), 0), one.states.symbol)
    whole = replace(spiky, recordings=(replace(one, length=len(values), values=lambda: values, states=marks),))
    made = next(Floor().fit(whole, rng=stream(0, "floor")).sample(1, rng=stream(0, "draw"))).recordings[0].values()
    for lead in ("O1", "O2", "F3"):
        at = [other.name for other in one.leads].index(lead)
        assert _alpha(made[:, at]) == pytest.approx(_alpha(values[:, at]), abs=0.06)
    span = [np.subtract(*np.percentile(some, [95, 5], axis=0)) for some in (made, values)]
    assert span[0] == pytest.approx(span[1], rel=0.25)
    assert np.abs(_coherence(made) - _coherence(values)).mean() < 0.05


def _alpha(lead: np.ndarray) -> float:
    """The part of the power of 1 to 40 Hz that 8 to 13 Hz has."""
    frequency, power = welch(lead - lead.mean(), 128, nperseg=256)
    found = [power[(frequency >= low) & (frequency < high)].sum() for low, high in ((8, 13), (1, 40))]
    return float(found[0] / found[1])


def _coherence(values: np.ndarray) -> np.ndarray:
    """Of 8 to 13 Hz, between the first lead and each of the others."""
    frequency, found = coherence(values[:, :1], values[:, 1:], 128, nperseg=256, axis=0)
    return np.asarray(found[(frequency >= 8) & (frequency < 13)].mean(0))
