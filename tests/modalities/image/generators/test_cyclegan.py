from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.rng import stream
from semblance.modalities.image.data import Images, concat
from semblance.modalities.image.encode import Encoding
from semblance.modalities.image.generators.cyclegan import CycleGan
from semblance.modalities.image.generators.translator import Sides
from semblance.modalities.image.generators.unpaired import aimed
from tests.modalities.image import tissue

PLAN = {"steps": 12, "batch": 8, "rate": 2e-3, "look": 20, "beta1": 0.5, "ema": 0.98}
SMALL = CycleGan(channels=4, side=8)


def off(made: np.ndarray, real: np.ndarray) -> float:
    return float(np.abs(made - real).mean())


@pytest.mark.parametrize("fall", [False, True])
def test_both_ways_are_better_than_a_copy_and_the_mean_image(fall):
    train, fresh = tissue.paired(120, 1), tissue.paired(30, 2)
    if not fall:
        train, fresh = tissue.risen(train), tissue.risen(fresh)
    model = SMALL.fit(tissue.halved(train), rng=stream(0, "fit"), plan=PLAN)
    for source, target in ((0, 1), (1, 0)):
        pixels = fresh.pixels.copy()
        pixels[:, target] = np.nan
        made = model.impute(replace(fresh, pixels=pixels), rng=stream(0, "complete")).pixels
        assert (made[:, source] == fresh.pixels[:, source]).all()
        real, mean = fresh.pixels[:, target], train.pixels[:, target].mean(0)
        assert off(made[:, target], real) < 0.7 * min(off(fresh.pixels[:, source], real), off(mean, real))
    drawn = concat(list(model.sample(20, rng=stream(0, "sample"))))
    assert abs(np.corrcoef(drawn.pixels[:, 0].ravel(), drawn.pixels[:, 1].ravel())[0, 1]) > 0.9


def test_what_no_line_tells_is_learned_without_pairs():
    train, fresh = tissue.windowed(tissue.paired(120, 1)), tissue.windowed(tissue.paired(40, 2))
    real, errors = fresh.pixels[:, 1], []
    for steps in (1, 80):
        plan = {**PLAN, "steps": steps, "rate": 5e-3, "ema": 0.95}
        model = SMALL.fit(tissue.halved(train), rng=stream(0, "fit"), plan=plan)
        errors.append(off(model.impute(fresh.without("T2"), rng=stream(0, "complete")).pixels[:, 1], real))
    assert errors[1] < 0.75 * errors[0] and errors[1] < 0.9 * off(train.pixels[:, 1].mean(0), real)


def test_same_seed_same_model_and_saved_and_loaded_the_same(tmp_path):
    plan, data = {**PLAN, "steps": 4}, tissue.unpaired(40, 1)
    one, two = (SMALL.fit(data, rng=stream(0, "fit"), plan=plan) for _ in range(2))
    one.save(tmp_path / "a")
    two.save(tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
    again = CycleGan.load(tmp_path / "a")
    for model in (one, again):
        made = model.impute(data, rng=stream(0, "complete"))
        (drawn,) = model.sample(9, rng=stream(0, "sample"))
        (few,) = model.sample(4, rng=stream(0, "sample"))
        assert (few.pixels == drawn.pixels[:4]).all() and np.isfinite(made.pixels).all()
    (same,) = one.sample(9, rng=stream(0, "sample"))
    assert (same.pixels == drawn.pixels).all()
    assert (one.impute(data, rng=stream(0, "complete")).pixels == made.pixels).all()


def test_of_nothing_both_sides_are_drawn():
    data = tissue.unpaired(40, 1)
    model = SMALL.fit(data, rng=stream(0, "fit"), plan={**PLAN, "steps": 2})
    few = data.take(np.arange(3))
    blank = replace(few, pixels=np.full_like(few.pixels, np.nan))
    assert np.isfinite(model.impute(blank, rng=stream(0, "complete")).pixels).all()


def test_domains_of_other_numbers_of_channels_are_translated():
    whole = tissue.paired(30, 1)
    pixels = np.concatenate([whole.pixels, whole.pixels[:, 1:]], 1)
    channels = (*whole.layout.channels, replace(whole.layout.channels[1], name="PD"))
    data = replace(whole, pixels=pixels, layout=replace(whole.layout, channels=channels))
    model = SMALL.fit(data, rng=stream(0, "fit"), plan={**PLAN, "steps": 2})
    (drawn,) = model.sample(3, rng=stream(0, "sample"))
    assert drawn.pixels.shape == (3, 3, 16, 16) and np.isfinite(drawn.pixels).all()


def test_each_side_of_an_image_is_learned_as_an_image_of_its_own():
    encoding, learned = Encoding.fit(tissue.paired(20, 1), rare=5)
    source, both = CycleGan().parted(learned, Sides.of(encoding))
    assert len(source.labels) == 20 and len(both.labels) == 40
    known = np.isfinite(both.coefficients).all(1), np.isfinite(both.given).all(1)
    assert (known[0] != known[1]).all() and known[0].sum() == 20
    encoding, learned = Encoding.fit(tissue.unpaired(60, 1), rare=5)
    source, both = CycleGan().parted(learned, Sides.of(encoding))
    assert (len(source.labels), len(both.labels)) == (30, 60) and np.isfinite(source.coefficients).all()


def test_the_first_domain_is_given_where_none_is_declared():
    data = tissue.unpaired(20, 1)
    free = replace(data, layout=replace(data.layout, given=()))
    assert aimed(free).layout.given == ("T1",) and aimed(data) is data
    assert aimed(tissue.masked(4, 1)).layout.given == ()


def test_a_translation_leads_from_a_domain_to_another():
    data = tissue.unpaired(20, 1)
    with pytest.raises(DataError, match="one domain to another"):
        CycleGan().refuse_unfit(replace(data, layout=replace(data.layout, given=("T1", "T2"))))
    with pytest.raises(DataError, match="one domain to another"):
        CycleGan().plan(three(), rng=stream(0, "plan"))


def three() -> Images:
    """Images of three contrasts, of each of which one is known."""
    data = tissue.unpaired(30, 1)
    pixels = np.concatenate([data.pixels, np.full_like(data.pixels[:, :1], np.nan)], 1)
    pixels[::5, 2], pixels[::5, :2] = 9.0, np.nan
    channels = (*data.layout.channels, replace(data.layout.channels[0], name="PD"))
    return replace(data, pixels=pixels, layout=replace(data.layout, channels=channels))


def test_masks_are_drawn_with_what_is_given_and_never_made(tmp_path):
    whole = tissue.beside(tissue.paired(60, 1))
    data = replace(whole, layout=replace(whole.layout, given=("0",), apart=True))
    model = SMALL.fit(tissue.halved(data), rng=stream(0, "fit"), plan={**PLAN, "steps": 4})
    drawn = concat(list(model.sample(40, rng=stream(0, "sample"))))
    inside = drawn.pixels[:, 2] > 0
    assert set(np.unique(drawn.pixels[:, 2])) == {0, 1} and 0.5 < inside.mean() / (data.pixels[:, 2] > 0).mean() < 2
    around = ~inside & (drawn.pixels[:, 0] > 60)
    assert drawn.pixels[:, 0][inside].mean() > drawn.pixels[:, 0][around].mean() + 15, "lesions are where masks say"
    few = data.take(np.arange(4))
    model.save(tmp_path)
    for one in (model, CycleGan.load(tmp_path)):
        there, back = (one.impute(few.without(name), rng=stream(0, "complete")) for name in ("1", "0"))
        assert (there.pixels[:, [0, 2]] == few.pixels[:, [0, 2]]).all() and np.isfinite(there.pixels).all()
        assert (back.pixels[:, 1:] == few.pixels[:, 1:]).all() and np.isfinite(back.pixels).all()
        alone = one.impute(few.without("1", "lesion"), rng=stream(0, "complete"))
        assert (alone.pixels[:, :2] == there.pixels[:, :2]).all() and np.isnan(alone.pixels[:, 2]).all()
    with pytest.raises(UsageError, match="in part"):
        model.impute(few.without("0", "1"), rng=stream(0, "complete"))
