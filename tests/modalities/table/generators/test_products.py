import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from semblance.core.rng import stream
from semblance.modalities.table.generators.products import Evidence, Products

SIZES = np.array([2, 3, 4])
CELLS = np.array(list(itertools.product(*map(range, SIZES))))


@pytest.fixture(scope="module")
def mixture() -> Products:
    rng = stream(0, "products")
    shares = np.concatenate([rng.dirichlet(np.ones(size), 5).T for size in SIZES])
    return Products(rng.dirichlet(np.ones(5)), shares.astype(np.float32), SIZES)


@pytest.fixture(scope="module")
def joint(mixture: Products) -> np.ndarray:
    """The probability of every cell, by enumeration."""
    each = [np.prod([mixture.column(j)[c] for j, c in enumerate(cell)], axis=0) @ mixture.weights for cell in CELLS]
    return np.array(each) / np.sum(each)


def evidence(*patterns: list[list[float]]) -> Evidence:
    return Evidence(tuple(np.array(p, dtype=float) for p in patterns), np.zeros((1, 3), dtype=np.int64))


def accepted(allowed: list[np.ndarray], joint: np.ndarray) -> np.ndarray:
    return joint * np.prod([a[CELLS[:, j]] for j, a in enumerate(allowed)], axis=0)


def test_likelihood_and_marginals_are_those_of_the_enumeration(mixture: Products, joint: np.ndarray) -> None:
    assert np.allclose(np.exp(mixture.log_prob(CELLS)), joint, rtol=1e-4)
    for j, marginal in enumerate(mixture.marginals):
        assert np.allclose(marginal, np.bincount(CELLS[:, j], weights=joint), atol=1e-6)


def test_a_conditional_is_that_of_the_enumeration(mixture: Products, joint: np.ndarray) -> None:
    known = evidence([[0, 1]], [[1, 1, 0]], [[1, 1, 1, 1]])  # the first is 1, the second 0 or 1
    held = joint * (CELLS[:, 0] == 1) * (CELLS[:, 1] < 2)
    found = mixture.conditional(known, 2)[0]
    assert np.allclose(found, np.bincount(CELLS[:, 2], weights=held) / held.sum(), atol=1e-5)
    narrowed = mixture.conditional(known, 1)[0]
    assert np.allclose(narrowed, np.bincount(CELLS[:, 1], weights=held, minlength=3) / held.sum(), atol=1e-5)


@pytest.mark.parametrize(
    "allowed",
    [
        [np.ones(2), np.ones(3), np.ones(4)],
        [np.array([0.0, 1]), np.array([1.0, 0, 1]), np.array([0.0, 1, 1, 0.5])],
        [np.array([0.2, 1]), np.ones(3), np.array([0.0, 0, 1, 0])],
    ],
)
def test_chosen_records_are_exact(mixture: Products, joint: np.ndarray, allowed: list[np.ndarray]) -> None:
    want = accepted(allowed, joint)
    assert mixture.probability(tuple(allowed)) == pytest.approx(want.sum(), rel=1e-4)
    codes = mixture.choose(tuple(allowed), 50_000, rng=stream(1, "choose"))
    counts = np.bincount(np.ravel_multi_index(tuple(codes.T), tuple(SIZES)), minlength=len(CELLS))
    assert not counts[want == 0].any()
    held = want > 0
    assert chisquare(counts[held], 50_000 * want[held] / want.sum()).pvalue > 1e-3


def test_completed_records_follow_the_conditional(mixture: Products, joint: np.ndarray) -> None:
    n = 40_000
    known = Evidence((np.array([[1.0, 0], [1, 1]]), np.ones((1, 3)), np.array([[0.0, 1, 1, 0]])), np.zeros((n, 3), int))
    codes = mixture.complete(known, rng=stream(2, "complete"))
    want = joint * (CELLS[:, 0] == 0) * np.isin(CELLS[:, 2], [1, 2])
    counts = np.bincount(np.ravel_multi_index(tuple(codes.T), tuple(SIZES)), minlength=len(CELLS))
    assert chisquare(counts[want > 0], n * want[want > 0] / want.sum()).pvalue > 1e-3


def test_draws_have_the_shares_of_the_cells(mixture: Products, joint: np.ndarray) -> None:
    codes = mixture.draw(50_000, rng=stream(3, "draw"))
    counts = np.bincount(np.ravel_multi_index(tuple(codes.T), tuple(SIZES)), minlength=len(CELLS))
    assert chisquare(counts, 50_000 * joint).pvalue > 1e-3


def test_no_columns_and_no_records_are_fine() -> None:
    empty = Products(np.ones(1), np.zeros((0, 1), dtype=np.float32), np.zeros(0, dtype=np.int64))
    assert empty.draw(3, rng=stream(0)).shape == (3, 0)
    assert empty.choose((), 3, rng=stream(0)).shape == (3, 0)
    assert len(empty.log_prob(np.zeros((0, 0), dtype=np.int64))) == 0
