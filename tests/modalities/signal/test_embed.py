"""The components of waves, and what shared judges are given of pieces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.data import BEFORE
from semblance.modalities.signal.embed import WIDTH, basis, embed, features
from tests.modalities.signal.simulated import cut, pieces, recordings, windows


@pytest.mark.parametrize("make", [pieces, windows])
def test_a_piece_lies_where_it_lies_in_any_company(make):
    data = make(30, 0)
    few = data.take(np.arange(10))
    whole, part = embed(data, data), embed(few, data)
    assert whole.dtype == np.float32
    assert whole.shape == (len(data), whole.shape[1])
    assert whole.shape[1] <= WIDTH
    assert np.isfinite(whole).all()
    assert np.allclose(part, whole[:10], atol=1e-5)
    assert np.array_equal(features(few, data).x, features(data, data).x[:10], equal_nan=True)


def test_components_give_the_wave_back():
    data = pieces(30, 0)
    found = basis(data.waves)
    again = (found.of(data.waves) @ found.axes.T).reshape(data.waves.shape) * found.spread[:, None] + found.centre
    lost = ((again - data.waves) ** 2).mean(axis=(0, 2)) / data.waves.var(axis=(0, 2))
    assert (lost < 0.02).all()


def test_axes_are_orthonormal_whichever_square_is_smaller():
    x = stream(0, "x").standard_normal((40, 2, 5))
    for waves in (x, x[:6]):
        axes = basis(waves, 4).axes
        assert np.allclose(axes.T @ axes, np.eye(4), atol=1e-9)


def test_a_category_and_a_range_have_length_one():
    data = pieces(30, 0)
    low, high = np.quantile(data.frame["age"], [0.05, 0.95])
    a, b = (replace(data, frame=data.frame.assign(age=age)).take(np.arange(1)) for age in (low, high))
    one, other = embed(a, data), embed(b, data)
    assert np.linalg.norm(one - other) == pytest.approx(1, abs=1e-5)
    there = a.frame.assign(sex=np.array(["M" if a.frame["sex"].iloc[0] == "F" else "F"]))
    there["sex"] = there["sex"].astype("category")
    assert np.linalg.norm(embed(replace(a, frame=there), data) - one) == pytest.approx(1, abs=1e-5)


def test_missing_samples_and_numbers_are_no_crash():
    data = pieces(30, 0)
    waves, frame = data.waves.copy(), data.frame.copy()
    waves[3, 0, 10:60] = np.nan
    frame.loc[2, BEFORE] = np.nan
    torn = replace(data, waves=waves, frame=frame)
    assert np.isfinite(embed(torn, torn)).all()
    made = features(torn, torn)
    assert np.isnan(made.x[2, made.names.index(BEFORE)])
    assert np.isfinite(made.x[3]).all()


def test_features_name_the_target_and_the_waves():
    data = pieces(30, 0)
    made = features(data, data)
    assert made.target == made.names.index("label")
    assert made.levels[made.target][0] == "N"
    assert made.names[-1] == "wave 64"
    assert {made.names[j] for j in made.quasi} == {"age", "sex"}
    assert {made.names[j] for j in made.protected} == {"sex"}


def test_flat_and_single_pieces_are_no_crash():
    data = pieces(30, 0).take(np.arange(1))
    assert np.isfinite(embed(data, data)).all()
    flat = replace(data, waves=np.zeros_like(data.waves))
    assert np.isfinite(embed(flat, flat)).all()


def test_the_simulator_repeats_itself_and_knows_four_classes():
    data = cut(recordings(40, 3))
    assert np.array_equal(data.waves, cut(recordings(40, 3)).waves)
    assert set(data.labels) == set("NSVF")
    before = data.frame[BEFORE].to_numpy()
    assert np.median(before[data.labels == "V"]) < 0.85 * np.median(before[data.labels == "N"])
