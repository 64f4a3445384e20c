import numpy as np

from semblance.core.rng import stream
from semblance.modalities.table.generators.leaves import Groups, Smoother, kernel, smoothers

MARGINAL = np.array([0.1, 0.4, 0.05, 0.25, 0.2])
PLACES = np.array([np.nan, 0, 1 / 3, 2 / 3, 1])


def test_a_kernel_moves_every_record_somewhere_and_keeps_the_marginal() -> None:
    moved = kernel(MARGINAL, PLACES, width=0.1)
    assert moved is not None
    assert np.allclose(moved.sum(0), 1, atol=1e-6)
    assert np.allclose(moved @ MARGINAL, MARGINAL, atol=1e-5)
    assert moved[0, 0] == 1  # the missing value stays missing
    assert moved[2, 1] > moved[3, 1] > moved[4, 1]


def test_codes_without_an_order_have_no_kernel() -> None:
    assert kernel(MARGINAL, np.full(5, np.nan), width=0.1) is None


def test_shares_are_counts_and_a_dirichlet_prior() -> None:
    smooth = Smoother(np.array([0.5, 0.3, 0.2]), None, weight=2.0)
    shares = smooth.shares(np.array([[3], [1], [0]], dtype=np.float32), np.array([4], dtype=np.float32))
    assert np.allclose(shares[:, 0], [(3 + 1) / 6, (1 + 0.6) / 6, 0.4 / 6])


def test_no_code_is_impossible_and_an_empty_table_is_uniform() -> None:
    codes = np.zeros((10, 1), dtype=np.int64)
    (seen,) = smoothers(codes, np.array([3]), [np.full(3, np.nan)], weight=1.0, width=0.1)
    (none,) = smoothers(codes[:0], np.array([3]), [np.full(3, np.nan)], weight=1.0, width=0.1)
    assert (seen.marginal > 0).all()
    assert np.allclose(none.marginal, 1 / 3)


def test_draws_from_many_groups_have_the_shares_of_each() -> None:
    rng = stream(0)
    shares = rng.dirichlet(np.ones(6), 40)
    group = rng.integers(40, size=200_000)
    codes = Groups(shares).draw(group, rng.random(200_000))
    found = np.zeros((40, 6))
    np.add.at(found, (group, codes), 1)
    assert np.abs(found / found.sum(1, keepdims=True) - shares).max() < 0.035


def test_a_code_of_no_share_is_never_drawn() -> None:
    shares = np.array([[0.0, 1, 0], [0.5, 0, 0.5]])
    group = np.repeat([0, 1], 5000)
    codes = Groups(shares).draw(group, stream(1).random(10_000))
    assert set(codes[:5000]) == {1}
    assert set(codes[5000:]) == {0, 2}
