import numpy as np

from semblance.core.rng import stream
from semblance.modalities.table.generators.marginals import pick, shares_of, split_by_sizes


def test_shares_are_the_counted_frequencies() -> None:
    shares = shares_of(np.array([[0, 1], [0, 2], [1, 2], [0, 2]]), np.array([2, 3]))
    assert [s.tolist() for s in shares] == [[0.75, 0.25], [0.0, 0.25, 0.75]]


def test_pick_inverts_the_distribution_function() -> None:
    drawn = pick((np.array([0.2, 0.0, 0.8]),), stream(0).random((50_000, 1)))
    assert np.abs(np.bincount(drawn[:, 0], minlength=3) / 50_000 - [0.2, 0.0, 0.8]).max() < 0.01


def test_columns_are_independent() -> None:
    drawn = pick((np.array([0.5, 0.5]), np.array([0.5, 0.5])), stream(0).random((50_000, 2)))
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.02


def test_split_undoes_concatenation() -> None:
    assert [p.tolist() for p in split_by_sizes(np.arange(5), np.array([2, 3]))] == [[0, 1], [2, 3, 4]]
