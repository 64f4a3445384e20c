from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.estimate import Estimate
from semblance.core.judge import measures, owed, patient_blocks, patient_rows, patients, to_real
from semblance.core.rng import stream

subjects = st.lists(st.integers(0, 15), min_size=1, max_size=60).map(np.array)


@given(subjects, st.integers(0, 80), st.integers(0, 9))
def test_rows_are_taken_patient_by_patient(who, n, seed):
    rows = patient_rows(who, n, rng=stream(seed))
    assert len(rows) == min(n, len(who))
    assert (np.diff(rows) > 0).all()
    cut = [p for p in np.unique(who[rows]) if (who[rows] == p).sum() < (who == p).sum()]
    assert len(cut) <= 1


@given(subjects, st.integers(1, 10), st.integers(0, 9))
def test_blocks_never_split_a_patient_and_are_even(who, count, seed):
    block = patient_blocks(who, count, rng=stream(seed))
    assert all(len(np.unique(block[who == p])) == 1 for p in np.unique(who))
    dealt = np.bincount([block[who == p][0] for p in np.unique(who)], minlength=count)
    assert dealt.max() - dealt.min() <= 1


def test_patients_are_counted_once():
    assert patients(np.array([3, 3, 1])) == 2
    assert patients(np.array([], dtype=int)) == 0


def test_a_judge_owes_what_it_declares():
    @measures("fidelity.a", "fidelity.b")
    def both() -> None: ...

    def silent() -> None: ...

    assert owed(both, name="m:both") == ("fidelity.a", "fidelity.b")
    assert owed(silent, name="m:silent") == ("validity.silent",)


@pytest.mark.parametrize("n", [0, 1])
def test_a_declaration_keeps_the_function(n):
    assert measures("x")(lambda value: value + 1)(n) == n + 1


def test_a_distance_is_told_in_units_of_that_of_real_records():
    far, near, below = (Estimate(x, x, x) for x in (0.6, 0.2, -0.1))
    assert to_real({"estimate": far, "control": near}) == {"ratio": pytest.approx(3)}
    about = Estimate(0.075, -0.18, 0.33)  # of a distance that is about 0, a ratio is a number of chance
    assert to_real({"estimate": far, "control": about}) == {}
    assert to_real({"estimate": far, "control": below}) == to_real({"estimate": far, "control": None}) == {}
