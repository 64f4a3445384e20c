from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from semblance.core.estimate import wilson
from semblance.core.rng import stream
from semblance.evaluate.disclosure.risk import excess, greater, holm, residual, residual_risk, table, worst


def hits(count, n):
    return np.arange(n) < count


def test_residual_risk_by_hand():
    made = residual_risk(hits(60, 100), hits(20, 100))
    assert made.value == pytest.approx((0.6 - 0.2) / (1 - 0.2))
    assert made.low < made.value < made.high
    assert made.n == 100
    assert residual_risk(hits(50, 50), hits(0, 50)).value == 1


def test_equal_sides_are_no_risk_and_worse_ones_negative():
    assert residual(wilson(30, 100), wilson(30, 100)).value == 0
    assert residual_risk(hits(10, 100), hits(20, 100)).value < 0
    assert residual_risk(hits(20, 20), hits(20, 20)).value == 0  # a division by zero in a peer


@pytest.mark.parametrize("share", [0.02, 0.3, 0.8, 0.95])
def test_the_interval_covers_no_risk(share):
    rng = stream(0, "residual", str(share))
    made = [residual_risk(*(rng.random((2, 500)) < share)) for _ in range(400)]
    assert np.mean([m.low <= 0 <= m.high for m in made]) >= 0.93


def test_the_interval_covers_a_risk():
    rng = stream(0, "risk")
    made = [residual_risk(rng.random(500) < 0.2 + 0.1 * 0.8, rng.random(500) < 0.2) for _ in range(400)]
    assert np.mean([m.low <= 0.1 <= m.high for m in made]) >= 0.93


def test_holm_by_hand():
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1, 1])
    assert len(holm(np.array([]))) == 0


def test_p_is_fishers():
    a, c = hits(9, 40), hits(3, 50)
    expected = fisher_exact([[9, 31], [3, 47]], alternative="greater").pvalue
    assert greater(a, c) == pytest.approx(expected)
    assert greater(np.full(9, 0.5), np.full(9, 0.5)) == 1
    assert greater(np.full(9, 0.6), np.full(9, 0.5)) == 0


def test_the_worst_of_many_safe_secrets_is_no_leak():
    """The largest of 40 would be called a leak nearly always."""
    covered, largest = [], []
    for seed in range(100):
        rng = stream(seed, "safe")
        share = rng.uniform(0.05, 0.995, 40)
        scores = (rng.random((400, 40)) < share, rng.random((400, 40)) < share)
        made = worst(scores, residual_risk)
        covered.append(made.low <= 0 <= made.high)
        largest.append(max(residual_risk(a, c).value for a, c in zip(scores[0].T, scores[1].T, strict=True)))
        assert made.n == 400
    assert np.mean(covered) >= 0.9
    assert np.mean(largest) > 0.2


def test_the_worst_secret_is_found_and_named_first():
    rng = stream(0, "leak")
    train, stranger = rng.random((600, 9)) < 0.5, rng.random((600, 9)) < 0.5
    train[:, 4] |= rng.random(600) < 0.4
    assert worst((train, stranger), residual_risk).value == pytest.approx(0.4, abs=0.12)
    rows = table(list("abcdefghi"), (train, stranger), (stranger, stranger), residual_risk)
    assert rows[0]["name"] == "e"
    assert [row["name"] for row in rows if row["leaks"]] == ["e"]
    assert rows[0]["control"] == 0


def test_excess_of_scores_and_of_shares():
    assert excess(np.array([0.5, 0.7]), np.array([0.1, 0.3])).value == pytest.approx(0.4)
    made = excess(hits(40, 40), hits(0, 40))
    assert made.value == 1
    assert made.low < 1
