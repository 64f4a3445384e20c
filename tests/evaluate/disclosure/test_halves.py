from __future__ import annotations

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.evaluate.disclosure import halves
from semblance.evaluate.disclosure.halves import split, spreads, strips, traces
from semblance.evaluate.disclosure.space import gaps
from tests.contracts.samples import cohort


def evidence():
    train = cohort(200, 0)
    return Evidence(train, cohort(100, 1), train, catalog.modality("table"))


def test_halves_are_disjoint_and_whole():
    one, two = split(evidence())
    assert sorted((*one, *two)) == list(range(8))
    assert abs(len(one) - len(two)) <= 1


def test_the_nearest_under_a_half_is_the_nearest_by_its_own_distance():
    found = evidence()
    (train, _), _ = traces(found)
    half = split(found)[0]
    x, columns = found.features("train"), list(half)
    apart = gaps(
        x.x[train.search.rows][:, None, columns],
        x.x[None][:, :, columns],
        x.categorical[columns],
        spreads(found)[columns],
    ).sum(axis=2)
    reached = np.take_along_axis(apart, train.first[:, :1], axis=1)[:, 0]
    assert (reached == 0).all()
    assert (np.diff(np.take_along_axis(apart, train.first, axis=1), axis=1) >= 0).all()


def test_strips_are_the_whole(monkeypatch):
    found = evidence()
    (train, _), _ = traces(found)
    whole = np.concatenate(list(strips(found, train.search, train.first, (0, 3, 4))))
    monkeypatch.setattr(halves, "STRIP", 200)
    assert np.array_equal(whole, np.concatenate(list(strips(found, train.search, train.first, (0, 3, 4)))))
