from __future__ import annotations

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.evaluate.disclosure.uniques import _repeated, disclosed, uniques
from tests.contracts.samples import WEIRD, cohort


def attacked(*parts, **more):
    return uniques(Evidence(*parts, catalog.modality("table"), **more))


def thirds(n):
    whole = cohort(3 * n, 0)
    return [whole.take(np.arange(n * i, n * (i + 1))) for i in range(3)]


def test_disco_by_hand():
    mine, truth = np.array([1, 2, 3, 9]), np.array([[5, 1], [5, 1], [5, 1], [5, 1]])
    theirs, values = np.array([1, 2, 1, 2, 3]), np.array([[5, 0], [5, 1], [5, 1], [4, 1], [5, 2]])
    assert disclosed(mine, truth, theirs, values).tolist() == [
        [True, False],  # always 5; 0 or 1
        [False, True],  # 5 or 4; always 1
        [True, False],  # 5; 2, which is wrong
        [False, False],  # not there
    ]


def test_repeated_uniques_by_hand():
    data = cohort(60, 0)
    found = Evidence(data, data, data, catalog.modality("table"))
    rows = np.arange(60)
    alone = _repeated(found, "train", rows, "synthetic", rows).value
    assert alone > 0.8
    assert _repeated(found, "train", np.repeat(rows, 2), "synthetic", rows).value == 0
    assert _repeated(found, "train", rows, "synthetic", np.repeat(rows, 2)).value == 0
    assert _repeated(found, "train", rows, "synthetic", rows[:30]).value < alone


def test_copies_are_excess_and_chance_is_not():
    """Chance repeats unique combinations of real strangers: an absolute rule would refuse them."""
    train, holdout, fresh = thirds(500)
    for made in attacked(train, holdout, train):
        assert made.estimate.low > 0.02, made.metric
    for safe in attacked(train, holdout, fresh):
        assert safe.estimate.low <= 0 <= safe.estimate.high
    assert attacked(train, holdout, fresh)[0].detail["holdout"] >= 0


def test_no_excess_is_covered():
    covered, whole = [], cohort(40 * 600, 0)
    for seed in range(40):
        parts = [whole.take(600 * seed + 200 * i + np.arange(200)) for i in range(3)]
        for made in attacked(*parts, seed=seed):
            covered += [e.low <= 0 <= e.high for e in (made.estimate, made.control)]
    assert np.mean(covered) >= 0.9


def test_one_column_is_not_applicable():
    one = WEIRD["one column"]()
    assert {f.status for f in attacked(one, one, one)} == {"not_applicable"}
