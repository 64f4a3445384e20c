import numpy as np

from semblance.core.rng import stream
from semblance.modalities.table.generators.expectation import (
    Counts,
    Records,
    crossed,
    expected,
    kept,
    passes,
    products,
    started,
    together,
)
from semblance.modalities.table.generators.leaves import smoothers

SIZES = np.array([3, 4, 2])


def planted(n: int, seed: int) -> np.ndarray:
    """Two kinds of records that differ in every column."""
    rng = stream(seed, "planted")
    kind = rng.random(n) < 0.3
    first = np.where(kind, 0, rng.integers(1, 3, n))
    return np.column_stack([first, np.where(kind, rng.integers(0, 2, n), rng.integers(2, 4, n)), kind.astype(int)])


def records(codes: np.ndarray, *, subjects: np.ndarray | None = None, folds: int = 1) -> Records:
    patients = np.arange(len(codes)) if subjects is None else subjects
    return Records.of(codes, SIZES, patients, folds=folds, rng=stream(0, "folds"))


def plain(codes: np.ndarray, weight: float = 0.0) -> tuple:
    return smoothers(codes, SIZES, [np.full(size, np.nan) for size in SIZES], weight=weight, width=0)


def test_without_smoothing_no_pass_lowers_the_likelihood_of_its_own_data() -> None:
    codes = stream(1).integers(0, SIZES, (400, 3))
    data, smooth = records(codes), plain(codes)
    rng = stream(2)
    counts = Counts(*(x.astype(np.float32) for x in (rng.random((9, 4)), np.ones(4), np.ones(4))))
    model, seen = products(expected(products(counts, SIZES, plain(codes, 50.0)), data)[0], SIZES, smooth), []
    for _ in range(25):
        held, total = expected(model, data)
        seen.append(total)
        model = products(held, SIZES, smooth)
    assert (np.diff(seen) > -1e-2).all()
    assert seen[-1] > seen[0]


def test_what_components_hold_adds_up_to_the_records() -> None:
    codes = planted(500, 3)
    data = records(codes, folds=4)
    parts = data.folds()
    counts, _ = crossed(started(data, parts, 30, stream(4)), parts, plain(codes, 0.5))
    whole = together(counts)
    assert np.isclose(whole.size.sum(), 500, rtol=1e-4)
    assert np.allclose(whole.codes[:3].sum(1), np.bincount(codes[:, 0], minlength=3), rtol=1e-3)
    model = products(whole, SIZES, plain(codes, 0.5))
    assert np.abs(model.marginals[0] - np.bincount(codes[:, 0], minlength=3) / 500).max() < 0.01


def test_passes_find_planted_groups_and_predict_other_patients() -> None:
    codes = planted(800, 5)
    data, smooth = records(codes, folds=4), plain(codes, 0.5)
    parts = data.folds()
    steps = list(passes(started(data, parts, 60, stream(6)), parts, smooth, most=25, least=20))
    model = products(together(steps[-1][0]), SIZES, smooth)
    truth = 0.3 * np.log(0.3 / 2) + 0.7 * np.log(0.7 / 4)
    assert model.log_prob(planted(4000, 7)).mean() > truth - 0.05
    assert together(steps[-1][0]).patients.min() >= 20 - 0.01


def test_components_of_too_few_patients_are_dropped_the_smallest_first() -> None:
    counts = [Counts(np.ones((9, 4), np.float32), np.ones(4, np.float32), np.array([9, 1, 6, 2], np.float32))]
    assert kept(counts, least=5)[0].patients.tolist() == [9, 6]
    assert kept(counts, least=5, at_once=0.5)[0].patients.tolist() == [9, 6, 2]
    assert kept(counts, least=50)[0].patients.tolist() == [18]


def test_a_patient_of_many_records_is_one_patient() -> None:
    codes = np.tile([[0, 0, 0]], (12, 1))
    data = records(codes, subjects=np.repeat([1, 2, 3], 4))
    held, _ = expected(products(started(data, [data], 1, stream(0))[0], SIZES, plain(codes, 0.5)), data)
    assert np.isclose(held.patients.sum(), 3)
    assert np.isclose(held.size.sum(), 12)


def test_a_patient_lies_in_one_fold() -> None:
    subjects = stream(0).integers(0, 30, 200)
    data = records(planted(200, 8), subjects=subjects, folds=4)
    assert all(len(set(data.fold[subjects == s])) == 1 for s in np.unique(subjects))
    assert sum(len(part.codes) for part in data.folds()) == 200
