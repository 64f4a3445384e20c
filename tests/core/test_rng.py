from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.rng import root_of, stream


def test_the_same_seed_and_names_give_the_same_numbers_for_ever():
    # These two numbers are part of the promise "same seed, same bytes": they may change only with a version.
    assert stream(0, "fit").integers(1 << 60) == 211224374560598035
    assert stream(7, "sample", 3).integers(1 << 60) == 741985164749046186


@given(st.integers(0, 2**63), st.text(max_size=5), st.text(max_size=5))
def test_other_names_give_other_numbers(seed, a, b):
    same = stream(seed, a).integers(1 << 62, size=4) == stream(seed, b).integers(1 << 62, size=4)
    assert same.all() == (a == b)


def test_streams_are_uncorrelated():
    x, y = stream(0, "fit").normal(size=20_000), stream(0, "sample").normal(size=20_000)
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.03


def test_a_stream_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()
    stream(0, "fit").normal(size=10)
    assert (np.random.get_state()[1] == before).all()


def test_root_of_draws_a_seed_that_a_stream_accepts():
    root = root_of(stream(0, "fit"))
    assert 0 <= root < 2**63
    assert root == root_of(stream(0, "fit"))
    stream(root, "child")
