from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.metrics import pairs as module
from semblance.modalities.table.metrics.pairs import pairs, triples
from semblance.modalities.table.metrics.places import coarse
from tests.contracts.samples import WEIRD, shuffled, table
from tests.modalities.table.metrics.drawn import evidence, framed, thirds


def test_pairs_average_the_matrix():
    (finding,) = pairs(evidence(*thirds(150)))
    matrix = np.array(finding.detail["matrix"])
    assert matrix[np.triu_indices(len(matrix), 1)].mean() == pytest.approx(finding.estimate.value, abs=1e-3)
    assert finding.detail["worst"][0]["value"] == pytest.approx(matrix.max(), abs=1e-4)


def test_triples_are_the_long_way_round():
    found = evidence(*thirds(150))
    (finding,) = triples(found)
    codes = {part: pd.DataFrame(grid.codes) for part, grid in coarse(found, bins=4, top=4).items()}
    columns = len(found.train.schema.learned)
    gaps = []
    for chosen in module._chosen(columns, 500, rng=stream(0)):
        p, q = (codes[part].groupby(list(chosen)).size() / 150 for part in ("synthetic", "holdout"))
        gaps.append(p.sub(q, fill_value=0).abs().sum() / 2)
    assert finding.detail["triples"] == len(gaps) == 56
    assert finding.estimate.value == pytest.approx(np.mean(gaps))


def test_some_triples_of_many_are_chosen_once_each():
    chosen = module._chosen(40, 100, rng=stream(0))
    assert len(set(chosen)) == 100
    assert all(a < b < c < 40 for a, b, c in chosen)


def test_moved_numbers_are_seen_because_edges_are_shared():
    rng = stream(0)
    real = table(pd.DataFrame({name: rng.normal(size=400) for name in "xyz"}))
    ideal = evidence(real, real, replace(real, frame=real.frame * 100 + 5000))
    assert pairs(ideal)[0].estimate.value > 0.89
    assert triples(ideal)[0].estimate.value > 0.85


def test_shuffling_hurts():
    train, holdout, made = thirds()
    floor = shuffled(made, stream(1))
    good, bad = evidence(train, holdout, made, floor=floor), evidence(train, holdout, floor)
    for metric in (pairs, triples):
        assert metric(bad)[0].estimate.low > metric(good)[0].estimate.value
        assert metric(good)[0].floor.value == pytest.approx(metric(bad)[0].estimate.value, abs=1e-6)


def test_only_triples_see_a_relation_of_three():
    """The parity of two coins is independent of each of them."""
    rng = stream(4)

    def coins(broken: bool) -> pd.DataFrame:
        a, b = rng.integers(0, 2, (2, 500))
        c = rng.integers(0, 2, 500) if broken else (a + b) % 2
        return pd.DataFrame({name: np.array(["n", "y"])[v] for name, v in zip("abc", (a, b, c), strict=True)})

    found = framed(coins(False), coins(False), coins(True))
    assert triples(found)[0].estimate.low > 0.4
    assert pairs(found)[0].estimate.value < 0.1


def test_the_interval_of_a_distance_covers_its_expectation():
    found = [triples(evidence(*thirds(150, seed)))[0].estimate for seed in range(25)]
    middle = np.mean([e.value for e in found])
    assert np.mean([e.low <= middle <= e.high for e in found]) >= 0.88


@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_judged(name):
    whole = WEIRD[name]()
    for metric in (pairs, triples):
        (finding,) = metric(evidence(whole, whole, whole))
        assert finding.status in ("measured", "insufficient", "not_applicable")
        assert finding.estimate is None or finding.estimate.value == 0
