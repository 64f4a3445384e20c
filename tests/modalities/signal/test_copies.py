"""Copies are caught wherever they were cut, and real patients are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.copies import copies
from semblance.modalities.signal.strips import strips
from tests.modalities.signal.evidences import evidence, few, plain
from tests.modalities.signal.simulated import noisy, shifted


def judged(synthetic):
    found, unique = copies(replace(evidence(), synthetic=synthetic, _cache={}))
    assert unique.status == "not_applicable"
    return found


def test_other_patients_are_no_copies():
    found = judged(evidence().synthetic)
    assert found.estimate.value <= 0.02
    assert found.control.value <= 0.1
    assert 0.9 < found.detail["limit"] < 1


@pytest.mark.parametrize("change", [lambda data: data, lambda data: replace(data, waves=1.3 * data.waves)])
def test_copies_are_caught_larger_or_smaller(change):
    assert judged(change(evidence().train)).estimate.value > 0.7


def test_shifted_copies_are_caught():
    found = judged(shifted(evidence().train, stream(0, "shift")))
    assert found.estimate.value > 0.7
    assert found.estimate.low > found.control.high


def test_pieces_cut_between_two_train_beats_are_caught():
    train = evidence().train
    where = strips(train, np.ones(2))
    place = where.starts[:-1] + 110
    whole = where.strip[place] == where.strip[np.minimum(place + 255, len(where.strip) - 1)]
    rows = np.flatnonzero(whole & (place + 256 <= len(where.values)))
    waves = where.values[place[rows][:, None] + np.arange(256)].transpose(0, 2, 1)
    assert judged(replace(train.take(rows), waves=np.ascontiguousarray(waves))).estimate.value > 0.7


def test_noise_is_no_copy():
    assert judged(noisy(evidence().train, stream(0, "noise"))).estimate.value <= 0.02


def test_windows_are_searched_and_few_are_not():
    known = plain()
    assert copies(known)[0].estimate.value <= 0.03
    assert copies(replace(known, synthetic=known.train, _cache={}))[0].estimate.value > 0.9
    assert copies(few())[0].status == "insufficient"
