from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.modalities.image.metrics.labels import label_mix
from tests.modalities.image.evidences import evidence


def test_the_share_that_would_need_another_label():
    ev = evidence()
    ill = (ev.holdout.labels == "nodule").mean()
    n = len(ev.synthetic)
    half = pd.DataFrame({"label": pd.Categorical(np.where(np.arange(n) % 2, "nodule", "clear"), ["clear", "nodule"])})
    (found,) = label_mix(replace(ev, synthetic=replace(ev.synthetic, frame=half), _cache={}))
    assert found.estimate.value == pytest.approx(abs(0.5 - ill), abs=0.02)
    assert {row["name"] for row in found.detail["labels"]} == {"clear", "nodule", "other"}
    other = pd.DataFrame({"label": pd.Categorical(["cyst"] * n)})
    (found,) = label_mix(replace(ev, synthetic=replace(ev.synthetic, frame=other), _cache={}))
    assert found.estimate.value == pytest.approx(1) and found.detail["labels"][0]["name"] in ("clear", "other")


def test_images_without_a_label_have_no_mix():
    ev = evidence()
    none = pd.DataFrame({"label": pd.Categorical([None] * len(ev.train), ["clear"])})
    (found,) = label_mix(replace(ev, train=replace(ev.train, frame=none), _cache={}))
    assert found.status == "not_applicable"
