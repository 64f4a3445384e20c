from __future__ import annotations

import numpy as np
import pytest

from semblance.core.dataset import Features
from semblance.core.rng import stream
from semblance.evaluate.utility.terms import PATIENTS, choose, design

N = 2_000


def known(columns, levels=None):
    levels = {} if levels is None else levels
    names = tuple(columns)
    return Features(
        np.stack([np.asarray(columns[name], dtype=float) for name in names], axis=1),
        np.array([name in levels for name in names]),
        names,
        levels=tuple(levels.get(name, ()) for name in names),
    )


def names(terms):
    return [term.name for term in terms]


@pytest.fixture
def data():
    rng = stream(0)
    x, group = rng.normal(size=N), rng.choice(8, N, p=[0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]).astype(float)
    gap = np.where(rng.random(N) < 0.3, np.nan, rng.normal(size=N))
    features = known({"x": x, "copy": 2 * x + 1, "group": group, "gap": gap}, {"group": tuple("ABCDEFGH")})
    return features, x + (group == 2) + np.isnan(gap) + rng.normal(size=N)


def test_terms_come_by_association_and_no_copy_is_taken(data):
    features, y = data
    made = names(choose(features, y, np.arange(N)))
    assert made[0] in ("x", "copy")
    assert len({"x", "copy"} & set(made)) == 1
    assert {"group = C", "gap missing"} <= set(made[:3])
    assert not {"group = A", "group = F"} & set(made)  # the reference, and beyond the four largest others
    assert names(choose(features, y, np.arange(N), most=2)) == made[:2]


def test_what_shall_be_first_or_absent_is(data):
    features, y = data
    assert names(choose(features, y, np.arange(N), first=[3]))[:2] == ["gap missing", "gap"]
    assert not {"x", "gap"} & set(names(choose(features, y, np.arange(N), without=[0, 3])))


def test_the_design_is_standardised_on_train_and_bounds_what_lies_outside(data):
    features, y = data
    terms = choose(features, y, np.arange(N))
    x = design(terms, features.x)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(x.std(axis=0), 1)
    far = design(terms, np.array([[1e300, -1e300, 99.0, np.nan]]))
    assert np.abs(far).max() < 10


def test_a_level_of_a_handful_of_patients_is_never_named():
    held = np.zeros(N)
    held[: 3 * (PATIENTS - 1)] = 1
    features, patient = known({"c": held}, {"c": ("a", "b")}), np.arange(N) // 3
    assert choose(features, held, patient) == ()
    assert names(choose(features, held, np.arange(N))) == ["c = b"]


def test_nothing_to_choose_from_is_nothing():
    empty = known({"gone": np.full(N, np.nan), "same": np.ones(N)})
    assert choose(empty, np.arange(float(N)), np.arange(N)) == ()
    assert design((), empty.x).shape == (N, 0)
