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
from semblance.modalities.image.halves import judged
from semblance.modalities.image.pictures import outlined, panel, pictures, png, seen
from tests.modalities.image.evidences import contrasts, evidence
from tests.modalities.image.simulated import images
from tests.modalities.image.tissue import masked, paired, unpaired
from tests.modalities.image.translations import apart

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
    told = panel("x", "real", [seen(row, 50, 150)])
    assert grey(told)[:4, 0].tolist() == [0, 0, 128, 255]
    assert (told["width"], told["height"]) == (16 * 5, 16 * 5)


def grey(told):
    """The pixels of a panel."""
    with image.open(io.BytesIO(base64.b64decode(told["png"]))) as held:
        return np.asarray(held)


@pytest.mark.parametrize("how", [lambda x: x, lambda x: np.roll(x[..., ::-1, :], (1, -1), (-2, -1))])
def test_a_suspect_is_shown_wherever_it_stands(how):
    ev, fresh = evidence(), images(400, 14)
    pixels = fresh.pixels.copy()
    pixels[350] = 1.1 * how(ev.train.pixels[7])
    suspects = pictures(replace(ev, synthetic=replace(fresh, pixels=pixels), _cache={}))[1]
    assert suspects["title"] == "Most suspicious" and "likeness 1.000" in suspects["panels"][0]["title"]


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


def test_without_pairs_what_was_made_stands_below_what_is_given():
    told = pictures(apart(lambda held: held.pixels[:, 1]))
    (shown,) = [one for one in told if one["title"] == "Translations"]
    (one,) = shown["panels"]
    assert one["title"] == "T1 to T2" and "No truth" in shown["note"]
    with image.open(io.BytesIO(base64.b64decode(one["png"]))) as held:
        rows = np.asarray(held)
    half = len(rows) // 2
    red = (rows == [255, 0, 0]).all(2)
    assert red[:half].any() and (red[:half] == red[half:]).all()
    assert np.corrcoef(rows[:half][~red[:half]].ravel(), rows[half:][~red[half:]].ravel())[0, 1] < 0.5


def test_an_outline_is_the_edge_of_a_mask():
    shown, masks = np.full((1, 160, 160, 1), 5, np.uint8), np.zeros((1, 160, 160))
    masks[0, 2:6, 2:6] = 1
    made = outlined(shown, masks)
    assert (made[0, 2, 2] == [255, 0, 0]).all() and (made[0, 3, 3] == 5).all() and (made[0, 1, 1] == 5).all()
    assert (made[0, ..., 0] == 255).sum() == 12


def test_an_outline_leaves_a_small_lesion_to_be_seen():
    shown, masks = np.full((1, 28, 28, 1), 5, np.uint8), np.zeros((1, 28, 28))
    masks[0, 9, 9] = 1
    made = outlined(shown, masks)
    assert made.shape == (1, 168, 168, 3) and (made[0, 54:60, 54:60, 0] == 5).sum() == 16


def test_how_many_images_show_a_mask_is_said():
    train, fresh = masked(30, 1), masked(30, 3)
    bare = replace(fresh, pixels=fresh.pixels * np.array([1, 0], np.float32).reshape(1, 2, 1, 1))
    (shown,) = [one for one in pictures(Evidence(train, masked(30, 2), bare, MANIFEST)) if one["title"] == "Masks"]
    assert shown["panels"][1]["title"] == "synthetic, 0 of 30 show a mask"


def test_every_contrast_has_a_window_of_its_own():
    sheets, suspects = pictures(contrasts(30))
    assert [one["title"] for one in sheets["panels"][:4]] == [
        "CT, clear, real",
        "CT, clear, synthetic",
        "ADC, clear, real",
        "ADC, clear, synthetic",
    ]
    assert all(grey(one).std() > 30 for one in sheets["panels"])
    assert [one["title"].partition(",")[0] for one in suspects["panels"]] == ["CT", "ADC"]


def test_every_domain_of_unpaired_images_is_shown_by_itself():
    whole = unpaired(30, 1)
    pixels = whole.pixels * np.array([1, 0.001], np.float32).reshape(1, 2, 1, 1)
    train = judged(replace(whole, pixels=pixels), replace(whole, pixels=pixels))
    sheets, suspects = pictures(Evidence(train, train, train, MANIFEST))
    titles = {one["title"].partition(",")[0] for one in (*sheets["panels"], *suspects["panels"])}
    assert titles == {"T1", "T2"} and all(grey(one).std() > 30 for one in sheets["panels"])


def test_what_a_translation_lost_stands_out_in_the_range_of_its_contrast():
    held = paired(30, 2)
    scale = np.array([10, 0.001], np.float32).reshape(1, 2, 1, 1)
    held = replace(held, pixels=held.pixels * scale)
    lost = held.pixels.copy()
    lost[:, 1, 5:8, 5:8] -= np.float32(0.1)
    ev = Evidence(held, held, held, MANIFEST, completed=replace(held, pixels=lost))
    (shown,) = [one for one in pictures(ev) if one["title"] == "Translations"]
    rows = grey(shown["panels"][0]).reshape(4, 17, -1)
    assert rows[1, :16, :16].std() > 30 and rows[3, 6, 6] < 50 and rows[3, 1, 1] == 128


def test_volumes_lie_as_they_are_looked_at():
    pixels = np.zeros((1, 1, 4, 6, 8), np.float32)
    pixels[0, 0, 3, 5, 7] = 1  # at the top, in front, at the patient's right: RAS
    volumes = replace(images(1, 1, (4, 6, 8)), pixels=pixels)
    layout = replace(volumes.layout, fmt="nifti", affine=(2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 6, 0), spacing=(6, 2, 2))
    front = replace(volumes, pixels=pixels, layout=layout)
    told = pictures(Evidence(front, front, front, MANIFEST))[-1]["panels"]
    assert [one["title"] for one in told[::2]] == [
        "real, axial, A at the top, R at the left",
        "real, coronal, S at the top, R at the left",
        "real, sagittal, S at the top, A at the left",
    ]
    assert [grey(one).shape for one in told[::2]] == [(7, 9), (13, 9), (13, 7)]
