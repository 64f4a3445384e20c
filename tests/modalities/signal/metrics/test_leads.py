"""How leads go together, by hand and against scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import coherence as oracle

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.leads import bands, coherence, coherent, cross_correlation, pairs, together
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import swapped, unrelated, windows


def test_correlation_at_no_shift_is_pearsons():
    data = windows(3, 0)
    made = together(data)
    assert made[0, 1, 2] == pytest.approx(np.corrcoef(data.waves[0, 0], data.waves[0, 2])[0, 1], abs=1e-5)


def test_coherence_is_scipys():
    data = windows(3, 0)
    width = 2 * 256 // 8
    hertz, shares = oracle(*data.waves[0, :2].astype(float), 128, window=np.hanning(width), nperseg=width)
    alpha = list(bands(data)).index("alpha")
    assert coherent(data)[0, 0, alpha] == pytest.approx(shares[(hertz >= 8) & (hertz < 13)].mean(), abs=1e-6)


def test_pairs_are_all_of_a_few_leads_and_some_of_many():
    assert len(pairs(14)[0]) == 91
    assert len(pairs(64)[0]) == 91
    assert len(pairs(1)[0]) == 0


def test_unrelated_leads_are_seen():
    for metric in (cross_correlation, coherence):
        for make in (evidence, plain):
            (good,), (bad,) = metric(make()), metric(make(unrelated))
            assert bad.estimate.value > 2 * good.estimate.value
            assert bad.estimate.low > good.control.value


def test_swapped_leads_are_seen_by_the_shifted_correlations():
    (good,), (bad,) = cross_correlation(evidence()), cross_correlation(evidence(swapped))
    assert bad.estimate.low > good.control.high


def test_one_lead_has_nothing_to_go_with():
    known = plain()
    lone = {part: replace(getattr(known, part), waves=getattr(known, part).waves[:, :1], leads=known.train.leads[:1])
            for part in ("train", "holdout", "synthetic")}  # fmt: skip
    for metric in (cross_correlation, coherence):
        assert metric(replace(known, **lone, _cache={}))[0].status == "not_applicable"
        assert metric(few())[0].status == "insufficient"


def test_coherence_is_a_share():
    made = coherent(windows(4, stream(0, "w").integers(100)))
    assert (made >= 0).all()
    assert (made <= 1 + 1e-9).all()
