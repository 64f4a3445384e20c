"""Randomised answers: the bound holds exactly for the realised probabilities, and estimates are unbiased."""

from __future__ import annotations

import math
import random
from decimal import Context, Decimal
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.privacy import local
from semblance.privacy.audit import from_rates
from semblance.privacy.local import NOBODY, Randomiser, Response, Unary, randomiser

EPSILONS = (1e-6, 0.1, 0.5, 1.0, math.log(3), 4.0, 8.0, 20.0, 44.3, 50.0, 1e4)
KINDS = (Unary, Response)


def above(epsilon: float) -> Fraction:
    """e^epsilon in rational arithmetic, exact to 80 digits: far below what 64 bits can tell apart."""
    return Fraction(Context(prec=80).exp(Decimal(epsilon)))


def chances(kind: Randomiser, code: int) -> dict[tuple[bool, ...], Fraction]:
    """The exact probability of every answer to a code, from the probabilities that are realised."""
    own, other = kind.own, kind.other
    if isinstance(kind, Response):
        told = {tuple(i == said for i in range(kind.size)): other for said in (*range(kind.size), NOBODY)}
        return told | {tuple(i == code for i in range(kind.size)): own}
    bits = [own if i == code else other for i in range(kind.size)]
    return {
        answer: math.prod(p if on else 1 - p for p, on in zip(bits, answer, strict=True))
        for answer in product((False, True), repeat=kind.size)
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("epsilon", EPSILONS)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_no_answer_is_more_than_e_to_the_epsilon_times_as_likely(kind, epsilon, size) -> None:
    made, most = kind(size, epsilon), above(min(epsilon, 1000.0))
    every = [chances(made, code) for code in (*range(size), NOBODY)]
    assert all(sum(one.values()) == 1 for one in every)
    assert all(one[answer] <= most * two[answer] for one, two in product(every, every) for answer in one)


@given(size=st.integers(1, 1 << 20), epsilon=st.floats(1e-6, 60))
def test_probabilities_are_rounded_to_the_safe_side_and_hardly_at_all(size: int, epsilon: float) -> None:
    unary, response = Unary(size, epsilon), Response(size, epsilon)
    e = above(epsilon)
    assert (1 - unary.other) / unary.other <= e and unary.other - 1 / (1 + e) < Fraction(2, 2**64)
    assert response.own <= e * response.other and response.other <= e * response.own
    assert e / (e + size) - response.own < Fraction(2, 2**64)
    assert response.own + size * response.other == 1


@pytest.mark.parametrize("kind", KINDS)
def test_answers_come_as_often_as_they_should(kind) -> None:
    made, n = kind(3, 1.0), 40_000
    for code in (0, 2, NOBODY):
        answers, counts = np.unique(made.answers(np.full(n, code)), axis=0, return_counts=True)
        found = {tuple(map(bool, answer)): count / n for answer, count in zip(answers, counts, strict=True)}
        for answer, chance in chances(made, code).items():
            assert found.get(answer, 0) == pytest.approx(float(chance), abs=6 * math.sqrt(float(chance) / n))
            assert made.likelihood(np.array(answer, dtype=int), code) == pytest.approx(math.log(chance))


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_are_unbiased_and_spread_as_the_closed_form_says(kind) -> None:
    made, codes, runs = kind(4, 1.5), np.repeat([0, 1, 2, NOBODY], [300, 150, 40, 110]), 400
    found = np.array([made.estimates(made.tally(codes), len(codes)) for _ in range(runs)])
    for code, count in enumerate((300, 150, 40, 0)):
        spread = math.sqrt(made.variance(len(codes), count))
        assert found[:, code].mean() == pytest.approx(count, abs=5 * spread / math.sqrt(runs))
        assert found[:, code].std() == pytest.approx(spread, rel=0.2)


@given(size=st.integers(1, 500), epsilon=st.floats(0.05, 12))
def test_variances_are_the_published_ones_and_the_smaller_one_is_chosen(size: int, epsilon: float) -> None:
    unary, response, e = Unary(size, epsilon), Response(size, epsilon), math.exp(epsilon)
    # Wang et al. 2017, equations 5 and 9 (of one patient; `size` codes and nobody).
    assert unary.variance(1) == pytest.approx(4 * e / (e - 1) ** 2)
    assert response.variance(1) == pytest.approx((size + 1 - 2 + e) / (e - 1) ** 2)
    chosen = randomiser(size, epsilon).variance(1)
    assert chosen == pytest.approx(min(unary.variance(1), response.variance(1)))


@pytest.mark.parametrize("kind", KINDS)
def test_no_seed_repeats_an_answer(kind) -> None:
    seen = []
    for _ in range(2):
        random.seed(0), np.random.seed(0)
        seen.append(kind(8, 0.5).answers(np.zeros(200, dtype=np.int64)))
    assert not np.array_equal(*seen)


def told(kind: Randomiser, truth: Randomiser, n: int = 80_000) -> float:
    """A lower bound of what `truth` leaks, by the likelihood ratio that `kind` has between two codes."""
    sides = [truth.answers(np.full(n, code)) for code in (0, 1)]
    ratio = np.array([kind.likelihood(a, 0) - kind.likelihood(a, 1) for a in np.eye(kind.size)])
    return from_rates(*(side @ ratio for side in sides), delta=0.0, confidence=0.999)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("epsilon", [0.5, 1.0, 4.0])
def test_an_attack_on_the_answers_comes_near_to_epsilon_and_never_above(kind, epsilon) -> None:
    made = kind(2, epsilon)
    assert 0.8 * epsilon < told(made, made) <= epsilon
    assert told(made, kind(2, 2 * epsilon)) > epsilon  # a keep-probability of twice the epsilon is caught


def test_all_numbers_below_a_limit_come_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.bincount(local._below(3, 30_000), minlength=3)
    assert counts == pytest.approx(10_000, abs=500)
    # The last of 2^64 numbers would favour 0: it is drawn again.
    drawn = iter([np.array([2**64 - 1, 5], dtype=np.uint64), np.array([7], dtype=np.uint64)])
    monkeypatch.setattr(local, "_coins", lambda shape: next(drawn))
    assert local._below(3, 2).tolist() == [1, 2]


def test_large_tallies_are_made_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "BLOCK", 10)
    codes = stream(0, "codes").integers(0, 4, 101)
    assert Response(4, 60.0).tally(codes).tolist() == np.bincount(codes, minlength=4).tolist()
    assert Response(4, 60.0).tally(codes[:0]).tolist() == [0] * 4


@pytest.mark.parametrize(("size", "epsilon"), [(0, 1.0), (3, 0.0), (3, math.inf), (3, math.nan), (3, -1.0)])
def test_what_no_answer_can_be_is_refused(size: int, epsilon: float) -> None:
    with pytest.raises(UsageError, match="an answer of"):
        randomiser(size, epsilon)
