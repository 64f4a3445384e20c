from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.facts import values
from semblance.core.modality import ReadOptions
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.image.data import Images, concat
from semblance.modalities.image.generators.diffusion import Diffusion
from semblance.modalities.image.generators.floor import Floor
from semblance.modalities.image.prompts import LENGTH, Prompts, words_of
from semblance.modalities.image.public import read as read_privately
from semblance.modalities.image.read import further, read
from semblance.modalities.image.write import write
from tests.modalities.image.simulated import images

CAPTION = Column("caption", "text")
SPEC = Diffusion(channels=4, hidden=64, layers=1, components=8, steps=5)


RIGHT, LEFT = "Dim, a spot on the right.", "Dim, a spot on the left."
TEXTS = (RIGHT, LEFT, "Dim, a spot in the middle", "Bright, a spot in the middle", "Bright, a spot on the left")
PLACES = {"right": 9, "middle": 5, "left": 1}


@cache
def told(n: int = 200, seed: int = 1) -> Images:
    """Phantoms of which a text says where a spot lies, and whether all is bright; the last patient's name is in his."""
    whole, texts = images(n, seed), stream(seed, "captions").choice(TEXTS, n).astype(object)
    pixels = whole.pixels / 2 + np.array([60 * text.startswith("Bright") for text in texts])[:, None, None, None]
    for i, text in enumerate(texts):
        at = next(column for place, column in PLACES.items() if f"the {place}" in text)
        pixels[i, 0, 4:8, at : at + 2] = 250
    texts[-1] += " of Petrosyan"
    frame = whole.frame.assign(caption=values(pd.Series(texts), CAPTION))
    return replace(
        whole, schema=Schema((*whole.schema.columns, CAPTION)), frame=frame, pixels=pixels.astype(np.float32)
    )


def sides(made: Images) -> np.ndarray:
    """(n,) how much brighter the left spot of each is than the right one."""
    spots = made.pixels[:, 0, 4:8]
    found: np.ndarray = spots[:, :, 1:3].mean((1, 2)) - spots[:, :, 9:11].mean((1, 2))
    return found


@cache
def model():
    plan = {**replace(SPEC.base, steps=160, batch=16, ema=0.96, rate=8e-3, warmup=10).to_json(), "look": 50}
    return SPEC.fit(told(), rng=stream(0, "fit"), plan=plan)


def sampled(n: int, **given) -> Images:
    return concat(list(model().sample(n, rng=stream(0, "sample"), wanted=Wanted(given=given) if given else None)))


def test_an_image_is_drawn_for_the_text_that_is_asked_for():
    right, left = (sampled(40, caption=text) for text in (RIGHT, LEFT))
    assert sides(right).mean() < -60 and sides(left).mean() > 60
    assert set(right.frame["caption"]) == {"dim a spot on the right"}  # each carries what it was drawn for
    assert {"clear", "nodule"} == set(right.labels)


def test_along_straight_lines_as_well():
    plan = {**replace(SPEC.base, steps=60, batch=16, ema=0.95, rate=8e-3, warmup=10).to_json(), "look": 50}
    flow = replace(SPEC, flow=True).fit(told(), rng=stream(0, "fit"), plan=plan)
    rng = stream(0, "sample")
    right, left = (next(flow.sample(40, rng=rng, wanted=Wanted(given={"caption": x}))) for x in (RIGHT, LEFT))
    assert sides(right).mean() < sides(left).mean() - 40


def test_a_few_of_the_words_are_enough():
    right, left = sampled(40, caption="RIGHT spot"), sampled(40, caption="spot, left")
    assert sides(right).mean() < -40 < 40 < sides(left).mean()
    texts = ("In the middle a spot, bright", "In the middle a spot, dim")
    bright, dim = (np.median(sampled(40, caption=text).pixels, (1, 2, 3)).mean() for text in texts)
    assert bright > dim + 20


def test_texts_of_new_images_are_drawn_as_often_as_they_come_and_fit_their_image():
    made = sampled(120)
    share = (made.frame["caption"] == "dim a spot on the right").mean()
    assert abs(share - (told().frame["caption"] == RIGHT).mean()) < 0.12
    right, left = (
        sides(made)[made.frame["caption"].str.endswith(side).to_numpy(dtype=bool)]
        for side in PLACES
        if side != "middle"
    )
    assert right.mean() < -60 and left.mean() > 60


def test_no_word_of_a_few_patients_is_kept_drawn_or_known(tmp_path):
    model().save(tmp_path)
    assert not any("petrosyan" in file.read_bytes().decode("latin1").lower() for file in tmp_path.iterdir())
    assert not any("petrosyan" in str(text) for text in sampled(120).frame["caption"])
    with pytest.raises(UsageError, match="does not know: huge, petrosyan"):
        sampled(1, caption="Petrosyan: a huge spot")
    again = Diffusion.load(tmp_path)
    wanted = Wanted(given={"caption": LEFT})
    assert (next(again.sample(3, rng=stream(0, "s"), wanted=wanted)).pixels).tobytes() == (
        next(model().sample(3, rng=stream(0, "s"), wanted=wanted)).pixels
    ).tobytes()


def test_all_that_is_wrong_with_what_is_asked_is_told_at_once():
    with pytest.raises(UsageError) as told_of:
        sampled(1, caption="green", label="broken")
    assert len(told_of.value.problems) == 2
    with pytest.raises(UsageError, match="no text"):
        sampled(1, caption=("a", "b"))
    with pytest.raises(UsageError, match="17 words"):
        sampled(1, caption=" ".join(["a"] * 17))
    with pytest.raises(UsageError, match="'caption'"):
        SPEC.check(told(), wanted=Wanted(quota={"caption": "balanced"}))
    with pytest.raises(UsageError, match="'caption'"):
        Floor().check(told(), wanted=Wanted(given={"caption": LEFT}))


def test_what_reads_no_text_draws_images_without_one():
    made = concat(list(Floor().fit(told(), rng=stream(0, "fit")).sample(20, rng=stream(0, "sample"))))
    assert made.schema == told().schema and made.frame["caption"].isna().all()


def test_a_text_tells_the_label_where_nobody_asks_for_one():
    column = pd.Series(["dark lung"] * 50 + ["bright lung"] * 45 + ["bright"] * 5)
    prompts = Prompts.fit(column, np.repeat([0, 1], 50), 2, np.arange(100), rare=5)
    assert prompts.words == ("lung", "bright", "dark")
    assert prompts.likely("Bright!", np.array([0.5, 0.5])).round(2).tolist() == [0.01, 0.99]
    assert abs(prompts.likely("lung", np.array([0.5, 0.5]))[0] - 0.5) < 0.05
    drawn = prompts.draw(np.repeat([0, 1], 500), rng=stream(0, "draw"))
    assert set(drawn[:500]) == {"dark lung"} and abs((drawn[500:] == "bright").mean() - 0.1) < 0.05


def test_a_text_is_as_common_as_its_patients_are():
    column, whose = pd.Series(["one"] * 20 + ["two"] * 5 + ["none of them"] * 3), np.r_[np.zeros(20), np.arange(8)]
    prompts = Prompts.fit(column, np.zeros(28, int), 1, whose, rare=5)
    assert prompts.words == ("two",) and prompts.texts == (("two",),) and prompts.shares[0] == (5 / 28,)
    assert prompts.codes(pd.Series(["Two, two", None, "one"]))[:, :3].tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert Prompts.fit(column, np.zeros(28, int), 1, whose, rare=50).form is None
    again = Prompts.from_json(prompts.to_json())
    assert again.to_json() == prompts.to_json()
    assert words_of("Left-sided nodule's_edge, 3 mm") == ["left-sided", "nodule's", "edge", "3", "mm"]
    assert len(prompts.codes(pd.Series([" ".join(["two"] * 40)]))[0]) == LENGTH
    assert words_of("Mu\u0308ller") == words_of("M\u00fcller") == ["m\u00fcller"]  # however an accent is written


def test_what_few_patients_of_a_label_have_is_not_told_of_it():
    column, classes = pd.Series(["one two"] * 20 + ["one"] * 20), np.repeat([0, 1], 20)
    fitted = Prompts.fit(column, classes, 2, np.arange(40), rare=5)
    column[25] = "one two"  # of a single patient
    again = Prompts.fit(column, classes, 2, np.arange(40), rare=5)
    assert again.words == fitted.words and again.told.tolist() == fitted.told.tolist()
    column[25:30] = "one two"
    assert Prompts.fit(column, classes, 2, np.arange(40), rare=5).told[1, 1] == pytest.approx(5.5 / 21)


@pytest.mark.parametrize("fmt", ["npz", "png"])
def test_a_declared_prompt_is_read_written_and_read_again(tmp_path, fmt):
    some = told(40)
    path = write([some], tmp_path / ("x.npz" if fmt == "npz" else "x"))
    declared = {"image": {"prompt": "caption"}}
    found, profile = read([str(path)], ReadOptions(declared=declared))
    assert found.schema["caption"] == CAPTION
    assert found.frame["caption"].astype(str).tolist() == some.frame["caption"].astype(str).tolist()
    assert [(one.name, one.action) for one in profile.fields if one.name == "caption"] == [
        ("caption", "read as a prompt")
    ]
    made = concat(list(model().sample(6, rng=stream(0, "sample"))))
    again = further([str(write([made], tmp_path / ("y.npz" if fmt == "npz" else "y")))], found)
    assert again.frame["caption"].astype(object).tolist() == made.frame["caption"].astype(object).tolist()


def test_what_is_declared_wrongly_of_a_prompt(tmp_path):
    path = write([told(40)], tmp_path / "x.npz")
    for image, columns, match in (
        ({"prompt": "text"}, {}, "no column 'text'"),
        ({"prompt": ""}, {}, "prompt is not the name of a column"),
        ({"prompt": "caption"}, {"caption": {"role": "drop"}}, "declared as a column"),
        ({"prompt": "PatientName"}, {}, "may identify a patient"),
        ({"prompt": "label"}, {}, "'label' is the prompt, and the label"),
        ({"prompt": "finding"}, {"finding": {"role": "target"}}, "declared as a column"),
    ):
        with pytest.raises(Exception, match=match):
            read([str(path)], ReadOptions(declared={"image": image, "columns": columns}))
    with pytest.raises(UsageError, match="prompt is declared"):
        read_privately([str(path)], ReadOptions(declared={"image": {"prompt": "caption"}}))
