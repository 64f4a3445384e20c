from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from semblance.core.dataset import Evidence
from semblance.evaluate.utility.few import SHARES, few
from semblance.modalities.image import MANIFEST
from tests.modalities.image.evidences import evidence, parts
from tests.modalities.image.simulated import images, scanned


@cache
def found(spoilt: str = "", n: int = 150):
    return few(evidence(spoilt, n=n))[0]


def test_fresh_images_help_who_has_few_and_those_of_wrong_labels_harm():
    fine, bad = found(), found("unrelated")
    assert fine.status == bad.status == "measured" and fine.better == "higher"
    assert fine.estimate.value > 0 > bad.estimate.value and bad.estimate.value < fine.estimate.value - 0.05
    assert fine.control_is == "classical augmentation"
    assert fine.control == bad.control  # what classical augmentation does has nothing to do with the synthetic images


def test_five_shares_by_each_way_and_every_draw():
    told = few(evidence(n=220))[0].detail
    assert [row["share"] for row in told["shares"]] == list(SHARES)
    assert [row["patients"] for row in told["shares"]] == [11, 22, 55, 110, 220] and told["share"] == 0.1
    for row in told["shares"]:
        assert len(row["draws"]) == 3
        gain = row["synthetic"]["value"] - row["real"]["value"]
        assert np.mean(row["draws"]) == pytest.approx(gain)
    assert np.ptp(told["shares"][-1]["draws"]) < np.ptp(told["shares"][0]["draws"])  # all patients are no luck


def test_the_interval_covers_the_luck_of_who_is_few():
    (one,) = few(evidence(n=220))
    row = one.detail["shares"][1]
    spread = np.std(row["draws"], ddof=1)
    assert one.estimate.high - one.estimate.value > 4.3 * spread / np.sqrt(3) * 0.99  # Student's t of three draws


def test_groups_are_told_by_themselves():
    whole = Evidence(scanned(150, 1), scanned(150, 2), scanned(150, 3), MANIFEST, tier="fast")
    (one,) = few(whole)
    names = [row["group"] for row in one.detail["groups"]]
    assert {"sex = F", "sex = M"} <= set(names)
    assert all(row["low"] <= row["value"] <= row["high"] and row["patients"] < 150 for row in one.detail["groups"])


def test_a_smaller_share_stands_in_where_a_tenth_are_too_few():
    (one,) = few(Evidence(*(part.take(np.arange(60)) for part in parts()), MANIFEST, tier="fast"))
    assert one.detail["share"] == 0.25 and one.detail["shares"][0]["patients"] == 15


def test_what_cannot_be_asked():
    bare = images(60, 1)
    none = replace(MANIFEST, augmented=None)  # as of tables
    assert few(replace(evidence(), modality=none, _cache={}))[0].status == "not_applicable"
    nobody = replace(bare, subjects=np.arange(60) // 10)
    assert few(Evidence(nobody, images(60, 2), images(60, 3), MANIFEST, tier="fast"))[0].status == "insufficient"
    dull = bare.frame.assign(label=bare.frame["label"].cat.set_categories(["clear"]))
    assert few(Evidence(*(replace(bare, frame=dull),) * 3, MANIFEST))[0].status in ("not_applicable", "insufficient")
