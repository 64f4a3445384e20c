from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
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
    """Of label 0 the nearest ones are 1 apart on one side and 2 on the other; label 1 is hardly drawn; -1 is none."""
    made = np.column_stack([np.zeros(FEW), np.arange(FEW)])
    held = np.column_stack([np.zeros(FEW), 2.0 * np.arange(FEW)])
    hardly, often, none = (np.column_stack([np.full(n, k), np.arange(n)]) for n, k in ((2, 1), (FEW, 1), (FEW, -1)))
    found = dict(ratios(np.concatenate([made, hardly, none]), np.concatenate([held, often, none])))
    assert found == {0: pytest.approx(0.5), 1: 0}


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


def drawn(nodules: int) -> Images:
    """Fresh images of which so many have the rarer label."""
    fresh = parts()[2]
    ill = np.flatnonzero(fresh.labels == "nodule")
    return fresh.take(np.sort(np.concatenate([np.flatnonzero(fresh.labels == "clear"), ill[:nodules]])))


def test_a_label_that_is_hardly_ever_drawn_is_lost():
    for nodules in (0, 3):
        (found,) = variety(told(drawn(nodules)))
        assert found.estimate.value == 0 and found.detail["lost"] == ["nodule"]
        assert found.detail["labels"]["clear"] > 0.8
    (kept,) = variety(told(drawn(30)))
    assert kept.estimate.value > 0.8 and kept.detail["lost"] == []


def test_where_no_label_can_be_compared_nothing_is_said():
    """Of fifteen unseen images that have the label nine were drawn: neither lost nor enough."""
    train, holdout, fresh = parts()
    few = {part: one.take(np.arange(24)) for part, one in (("train", train), ("holdout", holdout), ("made", fresh))}
    names = {"train": "a" * 12 + "b" * 12, "holdout": "a" * 15 + "bcdefghij", "made": "a" * 9 + "b" * 15}
    told = {part: renamed(one, names[part]) for part, one in few.items()}
    (found,) = variety(Evidence(told["train"], told["holdout"], told["made"], MANIFEST))
    assert found.status == "insufficient" and found.estimate is None


def renamed(images: Images, names: str) -> Images:
    """The same under other labels."""
    return replace(images, frame=pd.DataFrame({"label": pd.Categorical(list(names), list("abcdefghij"))}))


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
    for bad in (again_and_again("nodule"), drawn(0)):
        assert outcomes(bad) == {(profile, True) for profile in profiles}
    assert outcomes(parts()[2]) == {(profile, False) for profile in profiles}
