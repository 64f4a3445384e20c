from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Channel, Images
from semblance.modalities.image.metrics.translation import lesions, translation
from semblance.modalities.image.translated import completed
from tests.modalities.image.evidences import evidence
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import MASK, beside, contrasts


def pair(n: int, seed: int) -> Images:
    """A flat contrast and one that shows lesions, with their mask."""
    whole = beside(images(n, seed, (16, 16)), seed)
    first = contrasts(images(n, seed, (16, 16))).pixels[:, 1:]
    layout = replace(whole.layout, channels=(Channel("T1"), Channel("T2"), MASK), given=("T1",), apart=True)
    return replace(whole, pixels=np.concatenate([first, whole.pixels], 1), layout=layout)


TRAIN, HELD = pair(60, 1), pair(60, 2)


def judged(change) -> Evidence[Images]:
    """Evidence about a translator that makes this of the second contrast."""
    pixels = HELD.pixels.copy()
    pixels[:, 1] = change(HELD)
    made = replace(HELD, pixels=pixels.astype(np.float32))
    return Evidence(TRAIN, HELD, TRAIN, MANIFEST, completed=made)


def without_lesions(held: Images) -> np.ndarray:
    return images(60, 2, (16, 16)).pixels[:, 0]


def test_the_real_target_is_perfect_and_the_mean_is_the_floor():
    likeness, decibels = translation(judged(lambda held: held.pixels[:, 1]))
    assert likeness.estimate.value == pytest.approx(1) and decibels.estimate.value == pytest.approx(60)
    assert likeness.floor.value < 0.9 and decibels.floor.value < 30
    ends = [np.quantile(TRAIN.pixels[:, c], [0.001, 0.999]) for c in (0, 1)]
    copied = translation(judged(lambda held: np.interp(held.pixels[:, 0], ends[0], ends[1])))
    assert copied[0].detail["copy"]["value"] == pytest.approx(copied[0].estimate.value, abs=0.01)
    mean = translation(judged(lambda held: TRAIN.pixels[:, 1].mean(0)[None]))
    assert mean[1].estimate.value == pytest.approx(mean[1].floor.value)


def test_the_control_is_the_next_image_of_the_same_patient():
    assert all(found.control is None for found in translation(judged(lambda held: held.pixels[:, 1])))  # one of each
    rows = np.repeat(np.arange(30), 2)
    twice = replace(HELD.take(rows), subjects=np.concatenate([np.arange(59) // 2, [99]]))
    seen = replace(judged(lambda held: held.pixels[:, 1]), holdout=twice, completed=twice, _cache={})
    likeness, decibels = translation(seen)
    assert likeness.control.value == pytest.approx(1) and decibels.control.value == pytest.approx(60)
    assert likeness.control.n == 29, "the last two are of different patients"
    mixed = replace(twice, subjects=np.tile(np.arange(30), 2))  # now the next one shows somebody else
    seen = replace(seen, holdout=mixed, completed=mixed, _cache={})
    assert translation(seen)[0].control.high < 0.9


def test_a_known_error_has_its_decibels():
    found = translation(judged(lambda held: held.pixels[:, 1] + 10))[1]
    reach = np.diff(np.quantile(TRAIN.pixels[:, 1], [0.001, 0.999]))[0]
    assert found.estimate.value == pytest.approx(20 * np.log10(reach / 10), abs=1e-3)
    assert found.estimate.high - found.estimate.low < 1e-6


def hounsfield(images: Images) -> Images:
    """The same, of which what is given is in units of its own, far below 0."""
    pixels = images.pixels.copy()
    pixels[:, 0] = 10 * pixels[:, 0] - 1000
    return replace(images, pixels=pixels)


@pytest.mark.parametrize("metric", [translation, lesions])
def test_units_of_what_is_given_change_nothing(metric):
    usual = judged(lambda held: 0.8 * held.pixels[:, 1])
    other = Evidence(hounsfield(TRAIN), hounsfield(HELD), TRAIN, MANIFEST, completed=hounsfield(usual.completed))
    for one, two in zip(metric(usual), metric(other), strict=True):
        assert two.estimate.value == pytest.approx(one.estimate.value, rel=1e-3)
        if metric is translation:
            assert two.detail["copy"]["value"] == pytest.approx(one.detail["copy"]["value"], rel=1e-3)


def given(names: tuple[str, ...], evidence: Evidence[Images]) -> Evidence[Images]:
    """The same, where other channels are given."""
    parts = {part: getattr(evidence, part) for part in ("train", "holdout", "synthetic", "completed")}
    told = {part: replace(one, layout=replace(one.layout, given=names)) for part, one in parts.items()}
    return Evidence(modality=MANIFEST, **told)


def test_a_mask_is_no_source_to_compare_with():
    usual = judged(lambda held: 0.8 * held.pixels[:, 1])
    alone, both = (translation(given(names, usual)) for names in (("lesion",), ("lesion", "T1")))
    assert all("copy" not in found.detail for found in alone)
    assert [found.estimate for found in both] == [found.estimate for found in translation(usual)]
    assert [found.detail for found in both] == [found.detail for found in translation(usual)]


def test_lesions_that_are_gone_are_seen():
    kept, found = lesions(judged(lambda held: held.pixels[:, 1]))
    assert kept.estimate.value == pytest.approx(0, abs=1e-6) and kept.better == "lower"
    assert found.estimate.value == found.control.value > 0.5
    half = lesions(judged(lambda held: (held.pixels[:, 1] + without_lesions(held)) / 2))[0]
    assert 0.3 < half.estimate.value < 0.7
    gone, lost = lesions(judged(without_lesions))
    assert gone.estimate.value > 0.6 and lost.estimate.value < 0.7 * lost.control.value


def test_lesions_that_stand_out_too_far_are_no_better_than_those_that_do_too_little():
    def standing(share: float):
        drawn = judged(lambda held: share * held.pixels[:, 1] + (1 - share) * without_lesions(held))
        return lesions(drawn)[0]

    less, more = standing(0.5), standing(1.5)
    assert less.estimate.value == pytest.approx(more.estimate.value) and less.detail["ratio"]["value"] < 1
    assert more.detail["ratio"]["value"] == pytest.approx(1 + more.estimate.value)
    assert less.control == more.control and 0 <= less.control.value < 0.3 < less.estimate.value


def test_two_patients_are_no_halves():
    usual = judged(lambda held: held.pixels[:, 1])
    who = np.arange(len(HELD)) % 2
    two = {part: replace(getattr(usual, part), subjects=who) for part in ("holdout", "completed")}
    assert lesions(replace(usual, **two, _cache={}))[0].control is None


def test_where_nothing_is_translated_nothing_is_said():
    for metric in (translation, lesions):
        assert {found.status for found in metric(evidence())} == {"not_applicable"}
    few = judged(lambda held: held.pixels[:, 1])
    few = replace(few, holdout=HELD.take(np.arange(5)), completed=few.completed.take(np.arange(5)), _cache={})
    assert {found.status for metric in (translation, lesions) for found in metric(few)} == {"insufficient"}


class Echo:
    """A model that fills every gap with a number."""

    def impute(self, data: Images, *, rng: np.random.Generator) -> Images:
        assert np.isnan(data.pixels[:, 1:]).all() and np.isfinite(data.pixels[:, 0]).all()
        return replace(data, pixels=np.where(np.isnan(data.pixels), 1.0, data.pixels).astype(np.float32))


def test_all_but_the_given_is_made_by_the_model():
    made = completed(Echo(), HELD, rng=stream(0, "completed"))
    assert (made.pixels[:, 0] == HELD.pixels[:, 0]).all() and (made.pixels[:, 1:] == 1).all()
    assert completed(Echo(), images(9, 1), rng=stream(0, "completed")) is None
    assert completed(object(), HELD, rng=stream(0, "completed")) is None
