from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.dataset import Evidence
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.lesions import lesions
from tests.modalities.image import tissue
from tests.modalities.image.evidences import evidence
from tests.modalities.image.simulated import images
from tests.modalities.image.translations import HELD, TRAIN, apart, hounsfield, judged


def without_lesions(held: Images) -> np.ndarray:
    return images(60, 2, (16, 16)).pixels[:, 0]


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


@pytest.mark.parametrize("evidence", [judged, apart])
def test_of_one_patient_there_is_a_number_that_certifies_nothing(evidence):
    usual = evidence(lambda held: 0.8 * held.pixels[:, 1])
    parts = {part: getattr(usual, part) for part in ("holdout", "completed")}
    alone = {part: replace(one, subjects=np.zeros(len(one), dtype=np.int64)) for part, one in parts.items()}
    for of_many, of_one in zip(lesions(usual), lesions(replace(usual, **alone, _cache={})), strict=True):
        assert of_one.status == "insufficient" and "one patient" in of_one.reason
        assert of_one.estimate.n == 1 and of_one.estimate.value == pytest.approx(of_many.estimate.value)
        assert of_one.estimate.low == of_one.estimate.value == of_one.estimate.high, "no interval is known"
    contrast = lesions(replace(usual, **alone, _cache={}))[0]
    assert contrast.detail["ratio"].keys() == {"value"} and contrast.control is None


def test_units_of_what_is_given_change_nothing():
    usual = judged(lambda held: 0.8 * held.pixels[:, 1])
    other = Evidence(hounsfield(TRAIN), hounsfield(HELD), TRAIN, MANIFEST, completed=hounsfield(usual.completed))
    for one, two in zip(lesions(usual), lesions(other), strict=True):
        assert two.estimate.value == pytest.approx(one.estimate.value, rel=1e-3)


def test_what_learned_without_pairs_is_judged_by_pairs_where_the_holdout_has_them():
    usual = judged(lambda held: 0.8 * held.pixels[:, 1])
    for one, two in zip(lesions(usual), lesions(replace(usual, train=tissue.halved(TRAIN), _cache={})), strict=True):
        assert two.estimate.value == pytest.approx(one.estimate.value, abs=0.05) and two.status == "measured"


def test_where_nothing_is_translated_nothing_is_said():
    assert {found.status for found in lesions(evidence())} == {"not_applicable"}
    few = judged(lambda held: held.pixels[:, 1])
    few = replace(few, holdout=HELD.take(np.arange(5)), completed=few.completed.take(np.arange(5)), _cache={})
    assert {found.status for found in lesions(few)} == {"insufficient"}


def test_without_pairs_lesions_are_compared_with_those_of_other_patients():
    kept, found = lesions(apart(lambda held: held.pixels[:, 1]))
    assert kept.estimate.low == 0 and kept.estimate.value < 0.25, "as far as those of others do, but for who they are"
    assert kept.detail["images"] + kept.detail["real_images"] <= len(HELD) and kept.detail["channel"] == "T2"
    assert abs(found.estimate.value - found.control.value) < 0.15 and found.control.value > 0.5
    gone, lost = lesions(apart(without_lesions))
    assert gone.estimate.low > 0.3 and lost.estimate.value < 0.7 * lost.control.value
    more = lesions(apart(lambda held: 2 * held.pixels[:, 1] - without_lesions(held)))[0]
    assert more.detail["ratio"]["value"] > 1.4 and more.control == kept.control
    assert lesions(apart(lambda held: held.pixels[:, 1]))[0] == kept


def test_the_interval_without_pairs_is_that_of_two_independent_means():
    kept = lesions(apart(lambda held: held.pixels[:, 1]))[0]
    twice = apart(lambda held: held.pixels[:, 1])
    rows = np.tile(np.arange(len(HELD)), 4)
    many = replace(twice, holdout=twice.holdout.take(rows), completed=twice.completed.take(rows), _cache={})
    unlike = replace(
        many,
        holdout=replace(many.holdout, subjects=np.arange(len(rows))),
        completed=replace(many.completed, subjects=np.arange(len(rows))),
    )
    width, narrow, same = ((one := lesions(e)[0].detail["ratio"])["high"] - one["low"] for e in (twice, unlike, many))
    assert narrow == pytest.approx(width / 2, rel=0.05) and same == pytest.approx(width, rel=0.05)
    assert kept.detail["ratio"]["low"] < 1 < kept.detail["ratio"]["high"]
