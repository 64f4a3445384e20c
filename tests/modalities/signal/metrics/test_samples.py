"""The pieces that metrics look at, and the intervals that come of blocks of patients."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.metrics.samples import classes, compared, estimates, samples, spread, too_few
from tests.modalities.signal.evidences import PATIENTS, evidence, few, plain
from tests.modalities.signal.simulated import collapsed, noisy


def test_rows_are_spread_over_the_recordings():
    source = np.repeat([0, 1, 2], [100, 5, 20])
    chosen = spread(source, 30, rng=stream(0, "x"))
    count = np.bincount(source[chosen])
    assert len(chosen) == 30
    assert count[1] == 5
    assert abs(count[0] - count[2]) <= 1
    assert (np.diff(chosen) > 0).all()
    assert (spread(source, 500, rng=stream(0, "x")) == np.arange(125)).all()


def test_all_parts_are_equally_large_and_no_patient_stands_in_two_blocks():
    drawn = samples(evidence(floor=True))
    assert len({len(sample) for sample in drawn.values()}) == 1
    for sample in drawn.values():
        pairs = np.unique(np.stack([sample.who, sample.block]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1]


def test_a_floor_that_differs_is_measured_and_equal_sets_are_no_distance_apart():
    known = evidence(noisy, floor=True)
    made = compared(
        known, lambda p: np.diff(p.waves, axis=2).std(axis=2), lambda a, b: np.abs(a.mean(axis=0) - b.mean(axis=0))
    )
    told = estimates(known, made)
    assert told["floor"].value > told["control"].value
    assert told["estimate"].low <= told["estimate"].value <= told["estimate"].high
    same = compared(known, lambda p: np.diff(p.waves, axis=2).std(axis=2), lambda a, b: 0.0)
    assert estimates(known, same)["estimate"].value == 0


def test_classes_are_those_that_every_part_has_enough_of():
    assert classes(evidence())[0] == "N"
    assert classes(plain()) == ()


def test_too_few_pieces_or_patients_are_said():
    assert "two patients" in too_few(few())
    assert not too_few(evidence(collapsed))
    assert too_few(evidence(), "Q")


@pytest.mark.parametrize("label", [None, "N"])
def test_the_interval_counts_patients(label):
    known = evidence()
    drawn = samples(known, label)
    assert len(np.unique(drawn["train"].who)) <= PATIENTS
