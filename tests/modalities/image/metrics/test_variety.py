from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.dataset import Evidence
from semblance.core.report import Report
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.data import Images
from semblance.modalities.image.metrics.variety import FEW, ratios, variety
from semblance.release.gate import decide
from semblance.release.policy import Policy
from tests.modalities.image.evidences import evidence, parts


def told(made: Images) -> Evidence[Images]:
    train, holdout, _ = parts()
    return Evidence(train, holdout, made, MANIFEST)


def again_and_again(label: str | None = None) -> Images:
    """The first image of each label, or of one label only, in the place of all others."""
    fresh = parts()[2]
    pixels = fresh.pixels.copy()
    for name in set(fresh.labels) if label is None else {label}:
        mine = fresh.labels == name
        pixels[mine] = pixels[mine][0]
    return replace(fresh, pixels=pixels)


def test_by_hand():
    """Of label 0 the nearest ones are 1 apart on one side and 2 on the other; label 1 has too few."""
    made = np.column_stack([np.zeros(FEW), np.arange(FEW)])
    held = np.column_stack([np.zeros(FEW), 2.0 * np.arange(FEW)])
    few = np.column_stack([np.ones(3), np.arange(3)])
    found = dict(ratios(np.concatenate([made, few]), np.concatenate([held, few])))
    assert found == {0: pytest.approx(0.5)}


def test_fresh_images_are_as_varied_and_one_image_again_and_again_is_not():
    (fresh,), (one,) = variety(evidence()), variety(told(again_and_again()))
    assert fresh.estimate.value == pytest.approx(1, abs=0.15)
    assert one.estimate.value < 1e-6 and one.detail["labels"].keys() == {"clear", "nodule"}


def test_a_few_images_again_and_again_are_seen():
    assert variety(evidence("collapsed"))[0].estimate.value < 0.1


def test_one_label_that_collapsed_is_seen_though_the_other_is_varied():
    (found,) = variety(told(again_and_again("nodule")))
    assert found.estimate.value < 1e-6
    assert found.detail["labels"]["nodule"] < 1e-6 and found.detail["labels"]["clear"] > 0.8


def outcomes(made: Images) -> set[tuple[str, bool]]:
    decision = decide(Report(variety(told(made)), {}), Policy.load())
    return {
        (profile, check.refuses)
        for profile, checks in decision.checks.items()
        for check in checks
        if check.metric == "fidelity.image_variety"
    }


def test_the_policy_refuses_a_generator_that_collapsed_and_no_other():
    profiles = ("public", "controlled", "internal")
    assert outcomes(again_and_again("nodule")) == {(profile, True) for profile in profiles}
    assert outcomes(parts()[2]) == {(profile, False) for profile in profiles}
