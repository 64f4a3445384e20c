from __future__ import annotations

import numpy as np
import pytest

from semblance.core.estimate import basic
from semblance.core.rng import stream
from semblance.evaluate.fairness.rates import Resampled, gap


def test_a_group_without_a_rate_is_left_out_and_one_alone_has_no_gap():
    rate = np.array([[0.2, np.nan, 0.5], [np.nan, np.nan, 0.4]])
    assert gap(rate) == pytest.approx([0.3, np.nan], nan_ok=True)
    assert np.isnan(gap(rate[:, :0])).all()


def test_rates_are_shares_and_patients_are_counted_not_records():
    rng = stream(0)
    subjects = np.concatenate([np.arange(40), np.full(40, 99)])  # forty patients, and one with forty records
    member = (np.arange(80)[:, None] >= 40) == np.array([False, True])
    hits = (rng.random(80) < 0.5).astype(float)
    rate = Resampled.of(subjects, rng=rng).rate(hits, np.ones(80), member.astype(float))
    assert rate[0, 0] == pytest.approx(hits[:40].mean())
    assert np.isfinite(rate[:, 0]).all() and np.isnan(rate[:, 1]).all()


def test_the_bootstrap_covers_the_true_gap():
    hits = []
    for seed in range(60):
        rng = stream(seed, "cover")
        group = rng.integers(0, 2, 1500)
        chosen = (rng.random(1500) < np.where(group == 0, 0.3, 0.5)).astype(float)
        drawn = Resampled.of(np.arange(1500), rng=rng)
        member = (group[:, None] == np.arange(2)).astype(float)
        gaps = gap(drawn.rate(chosen, np.ones(1500), member))
        made = basic(gaps, n=1500, within=(0.0, 1.0))
        hits.append(made.low <= 0.2 <= made.high)
    assert np.mean(hits) >= 0.88
