"""Heart rate variability by hand, against neurokit2 where it is installed, and its damage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.data import BEFORE
from semblance.modalities.signal.metrics.hrv import hrv, low_to_high, numbers, variability
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import collapsed, pieces


def swaying(n, hertz):
    """Intervals in ms of a heart that sways at a frequency."""
    when, gaps = 0.0, []
    for jitter in stream(0, "hrv").normal(0, 5, n):
        gaps.append(800 + 60 * np.sin(2 * np.pi * hertz * when) + jitter)
        when += gaps[-1] / 1000
    return np.array(gaps)


def test_the_formulas_by_hand():
    nn = np.array([800.0, 860.0, 800.0, 790.0])
    mean, sdnn, rmssd, pnn50, ratio = numbers(nn, np.diff(nn), np.cumsum(nn) / 1000)
    assert mean == pytest.approx(812.5)
    assert sdnn == pytest.approx(np.std([800, 860, 800, 790], ddof=1))
    assert rmssd == pytest.approx(np.sqrt((60**2 + 60**2 + 10**2) / 3))
    assert pnn50 == pytest.approx(2 / 3)
    assert np.isnan(ratio)


def test_the_formulas_are_neurokits():
    neurokit = pytest.importorskip("neurokit2")
    nn = swaying(400, 0.1)
    peaks = np.concatenate([[0], np.cumsum(nn)])
    oracle = neurokit.hrv_time(np.round(peaks).astype(int), sampling_rate=1000).iloc[0]
    mean, sdnn, rmssd, pnn50, _ = numbers(nn, np.diff(nn), np.cumsum(nn) / 1000)
    told = [mean, sdnn, rmssd, 100 * pnn50]
    assert told == pytest.approx([oracle[f"HRV_{k}"] for k in ("MeanNN", "SDNN", "RMSSD", "pNN50")], rel=0.02)


def test_slow_and_fast_swaying_are_told_apart():
    slow, fast = swaying(400, 0.1), swaying(400, 0.25)
    assert low_to_high(slow, np.cumsum(slow) / 1000) > 10
    assert low_to_high(fast, np.cumsum(fast) / 1000) < 0.1


def test_only_intervals_between_normal_beats_count():
    data = pieces(30, 0)
    made, who = variability(data)
    assert len(made) == len(who) <= 30
    ectopic = data.frame["label"].isin(["V", "S"]).to_numpy()
    wild = data.frame.assign(**{BEFORE: np.where(ectopic, 9.0, data.frame[BEFORE])})
    assert variability(replace(data, frame=wild))[0][:, 0] == pytest.approx(made[:, 0])


def jittery(data, rng):
    return replace(data, frame=data.frame.assign(**{BEFORE: data.frame[BEFORE] + rng.normal(0, 0.05, len(data))}))


def test_a_heart_that_jitters_is_seen():
    (good,), (bad,) = hrv(evidence()), hrv(evidence(jittery))
    assert good.estimate.value < 0.1
    assert bad.estimate.low > good.control.high
    rows = {row["name"]: row for row in bad.detail["numbers"]}
    assert rows["rmssd"]["median_synthetic"] > rows["rmssd"]["median_holdout"]
    assert "lf_hf" not in rows


def test_without_recordings_nothing_is_measured():
    assert hrv(plain())[0].status == "not_applicable"
    assert {hrv(one)[0].status for one in (few(), evidence(collapsed))} == {"insufficient"}
