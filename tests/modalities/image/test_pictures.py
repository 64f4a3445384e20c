from __future__ import annotations

import base64
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from semblance.app.plots import pictures as drawn
from semblance.core.dataset import Evidence
from semblance.modalities.image import MANIFEST
from semblance.modalities.image.pictures import outlined, panel, pictures, png
from tests.modalities.image.evidences import evidence
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked, paired

image = pytest.importorskip("PIL.Image")


def test_sheets_and_suspects_are_shown():
    told = pictures(evidence())
    assert json.loads(json.dumps(told, allow_nan=False))
    assert [one["title"] for one in told] == ["Images", "Most suspicious"]
    assert [p["title"] for p in told[0]["panels"]] == [
        f"{label}, {role}" for label in ("clear", "nodule") for role in ("real", "synthetic")
    ]
    assert all("data:image/png;base64," in plot for picture in drawn(told) for plot in picture["plots"])


def test_volumes_are_shown_across_each_axis():
    parts = (images(n, n, (8, 9, 10)) for n in (30, 20, 25))
    assert [one["title"] for one in pictures(Evidence(*parts, MANIFEST))] == [
        "Images",
        "Most suspicious",
        "Across each axis",
    ]


def test_a_way_between_two_images_is_a_row_by_its_label():
    some = images(40, 1)
    ways = replace(
        some.take(np.r_[np.flatnonzero(some.labels == "nodule")[:3], 0:2]), subjects=np.array([4, 4, 4, 7, 7])
    )
    told = pictures(evidence(between=ways))
    (shown,) = [one for one in told if one["title"] == "In between"]
    assert [one["title"] for one in shown["panels"]] == ["nodule", some.labels[0]]
    assert shown["panels"][0]["width"] > shown["panels"][1]["width"]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_is_read_by_others(channels):
    pixels = (np.arange(5 * 7 * channels).reshape(5, 7, channels) * 3).astype(np.uint8)
    with image.open(io.BytesIO(png(pixels))) as held:
        assert (np.asarray(held).reshape(pixels.shape) == pixels).all()


def test_a_window_is_kept():
    row = np.array([0, 50, 100, 200.0]).repeat(4).reshape(1, 1, 4, 4).astype(np.float32)
    told = panel("x", "real", [row], 50, 150)
    with image.open(io.BytesIO(base64.b64decode(told["png"]))) as held:
        assert np.asarray(held)[:4, 0].tolist() == [0, 0, 128, 255]
    assert (told["width"], told["height"]) == (16 * 5, 16 * 5)


def test_where_there_is_nothing_there_is_nothing_to_see():
    ev = evidence()
    assert pictures(replace(ev, synthetic=ev.synthetic.take(np.arange(0)))) == []


def test_masks_are_outlines_and_translations_stand_beside_the_truth():
    train, held = masked(30, 1), paired(30, 2)
    titles = [one["title"] for one in pictures(Evidence(train, masked(30, 2), masked(30, 3), MANIFEST))]
    assert "Masks" in titles and "Translations" not in titles
    told = pictures(Evidence(paired(30, 1), held, paired(30, 3), MANIFEST, completed=held))
    (shown,) = [one for one in told if one["title"] == "Translations"]
    assert [one["title"] for one in shown["panels"]] == ["T1 to T2"]
    assert shown["panels"][0]["png"]


def test_an_outline_is_the_edge_of_a_mask():
    pixels, masks = np.full((1, 1, 8, 8), 5.0), np.zeros((1, 8, 8))
    masks[0, 2:6, 2:6] = 1
    made = outlined(pixels, masks, 0.0, 10.0)
    assert (made[0, :, 2, 2] == [10, 0, 0]).all() and (made[0, :, 3, 3] == 5).all() and (made[0, :, 1, 1] == 5).all()
    assert (made[0, 0] == 10).sum() == 12
