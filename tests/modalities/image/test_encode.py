from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.image.encode import Encoding
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked, paired, unpaired


@pytest.mark.parametrize("shape", [(12, 12), (8, 9, 10)])
def test_there_and_back(shape):
    data = images(40, 1, shape)
    encoding, learned = Encoding.fit(data, rare=1)
    assert abs(learned.coefficients.mean()) < 1e-4 and abs(learned.coefficients.std() - 1) < 1e-3
    again = encoding.images(learned.coefficients, encoding.labelled(learned.labels), first=0)
    assert np.abs(again.pixels - data.pixels).max() <= np.abs(data.pixels - encoding.high[0]).min() + 1
    assert again.labels.tolist() == data.labels.tolist()
    assert (again.pixels % 1 == 0).all()


def test_rare_labels_and_rare_brightnesses_are_not_learned():
    data = images(60, 1)
    label = data.frame["label"].astype(object).where(np.arange(60) > 2, "rare").astype("category")
    pixels = data.pixels.copy()
    pixels[:3] = 9_000
    encoding, learned = Encoding.fit(replace(data, pixels=pixels, frame=pd.DataFrame({"label": label})), rare=5)
    assert encoding.labels == ("clear", "nodule") and len(learned.labels) == 57
    pixels[20, 0, 0, 0] = 9_000
    encoding, _ = Encoding.fit(replace(data, pixels=pixels), rare=5)
    assert encoding.high[0] < 300


def test_of_a_handful_of_patients_no_pixel_is_learned():
    data = images(30, 1)
    few = replace(data, subjects=np.arange(30) % 4)
    assert not Encoding.fit(few, rare=5)[1].coefficients.any()
    assert Encoding.fit(replace(data, subjects=np.arange(30) % 5), rare=5)[1].coefficients.any()


def test_new_labels_are_as_frequent_as_those_that_were_learned():
    encoding, learned = Encoding.fit(images(200, 1), rare=5)
    drawn = encoding.known.usual(5_000, rng=stream(0, "classes"))
    assert drawn.mean() == pytest.approx(learned.labels.mean(), abs=0.03)


def test_saved_and_restored_it_is_the_same():
    encoding, learned = Encoding.fit(replace(images(40, 1), anonymous=True), rare=5)
    again = Encoding.from_json(encoding.to_json())
    one, two = (e.images(learned.coefficients, e.labelled(learned.labels), first=3) for e in (encoding, again))
    assert (one.pixels == two.pixels).all() and one.schema == two.schema and two.anonymous
    assert two.subjects[0] == 3


@pytest.mark.parametrize("shape", [(16, 16), (8, 9, 10)])
def test_masks_are_the_same_again_and_those_of_few_patients_are_around(shape):
    data = masked(40, 1, shape)
    encoding, learned = Encoding.fit(data, rare=5)
    frame = encoding.labelled(learned.labels)
    again = Encoding.from_json(encoding.to_json()).images(learned.coefficients, frame, first=0)
    assert (again.pixels[:, 1] == data.pixels[:, 1]).all() and again.layout == data.layout
    pixels = data.pixels.copy()
    pixels[4:, 1] = 0
    few, learned = Encoding.fit(replace(data, pixels=pixels), rare=5)
    assert not few.images(learned.coefficients, few.labelled(learned.labels), first=0).pixels[:, 1].any()


def test_rows_of_further_images_are_as_they_were_learned_and_unknown_where_pixels_are():
    data = masked(40, 1)
    encoding, learned = Encoding.fit(data, rare=5)
    rows, classes = encoding.rows(data)
    assert (rows == learned.coefficients).all() and (classes == learned.labels).all()
    pixels = data.pixels.copy()
    pixels[:, 0, 3, 4] = np.nan
    strange = replace(data, pixels=pixels, frame=pd.DataFrame({"label": pd.Categorical(["new"] * 40)}))
    rows, classes = encoding.rows(strange)
    assert (np.isnan(rows).sum(1) == 1).all() and (classes == 2).all()


def test_of_unpaired_images_each_contrast_is_learned_by_those_that_have_it():
    encoding, learned = Encoding.fit(unpaired(60, 1), rare=5)
    whole, _ = Encoding.fit(paired(60, 1), rare=5)
    assert np.abs(encoding.center - whole.center).max() < 10 and np.isfinite(encoding.scale).all()
    assert np.isnan(learned.coefficients).mean() == 0.5
    few = unpaired(20, 1)
    labels = np.where(np.arange(20) % 2 == 0, "clear", "nodule")
    labels[1:9:2] = "clear"  # four of the other contrast
    encoding, learned = Encoding.fit(replace(few, frame=pd.DataFrame({"label": pd.Categorical(labels)})), rare=5)
    assert encoding.labels == () and len(learned.labels) == 20
