from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Images
from semblance.modalities.image.generators.cyclegan import CycleGan
from semblance.modalities.image.metrics.translation import translation
from semblance.modalities.image.translated import completed
from tests.modalities.image import tissue
from tests.modalities.image.evidences import evidence
from tests.modalities.image.simulated import images
from tests.modalities.image.translations import HELD, TRAIN, apart, hounsfield, judged


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
    assert decibels.control_is == "the patient's next image" and decibels.floor_is == "the mean image"
    mixed = replace(twice, subjects=np.tile(np.arange(30), 2))  # now the next one shows somebody else
    seen = replace(seen, holdout=mixed, completed=mixed, _cache={})
    assert translation(seen)[0].control.high < 0.9


def test_a_known_error_has_its_decibels():
    found = translation(judged(lambda held: held.pixels[:, 1] + 10))[1]
    reach = np.diff(np.quantile(TRAIN.pixels[:, 1], [0.001, 0.999]))[0]
    assert found.estimate.value == pytest.approx(20 * np.log10(reach / 10), abs=1e-3)
    assert found.estimate.high - found.estimate.low < 1e-6


def test_units_of_what_is_given_change_nothing():
    usual = judged(lambda held: 0.8 * held.pixels[:, 1])
    other = Evidence(hounsfield(TRAIN), hounsfield(HELD), TRAIN, MANIFEST, completed=hounsfield(usual.completed))
    for one, two in zip(translation(usual), translation(other), strict=True):
        assert two.estimate.value == pytest.approx(one.estimate.value, rel=1e-3)
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


def test_what_learned_without_pairs_is_judged_by_pairs_where_the_holdout_has_them():
    usual = judged(lambda held: 0.8 * held.pixels[:, 1])
    half = translation(replace(usual, train=tissue.halved(TRAIN), _cache={}))
    for one, two in zip(translation(usual), half, strict=True):
        assert two.estimate.value == pytest.approx(one.estimate.value, rel=0.02)
        assert two.floor.value == pytest.approx(one.floor.value, rel=0.02)


def test_where_nothing_is_translated_nothing_is_said():
    assert {found.status for found in translation(evidence())} == {"not_applicable"}
    assert {found.reason for found in translation(apart(lambda held: held.pixels[:, 1]))} == {"nothing is paired"}
    few = judged(lambda held: held.pixels[:, 1])
    few = replace(few, holdout=HELD.take(np.arange(5)), completed=few.completed.take(np.arange(5)), _cache={})
    assert {found.status for found in translation(few)} == {"insufficient"}


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


def test_where_nothing_is_paired_what_is_given_leads_to_the_other_domain():
    train, held = tissue.halved(TRAIN), tissue.halved(HELD)
    plan = {"steps": 2, "batch": 8, "rate": 2e-3, "look": 20, "beta1": 0.5, "ema": 0.98}
    free = replace(train, layout=replace(train.layout, given=()))  # nothing declared: the first domain is given
    model = CycleGan(channels=4, side=8).fit(free, rng=stream(0, "fit"), plan=plan)
    made = completed(model, replace(held, layout=free.layout), rng=stream(0, "completed"))
    shows = np.isfinite(held.pixels[:, 0]).all((1, 2))
    assert 0 < shows.sum() < len(held) and (np.isfinite(made.pixels[:, 1]).all((1, 2)) == shows).all()
    assert (made.pixels[shows, 0] == held.pixels[shows, 0]).all() and made.layout.given == ("T1",)
    assert (made.pixels[shows, 2] == held.pixels[shows, 2]).all(), "masks are no translator's to make"
