from __future__ import annotations

import numpy as np
import pytest

from semblance.modalities.table.metrics import samples as module
from semblance.modalities.table.metrics.samples import leaving_out, samples, too_few
from tests.contracts.samples import WEIRD, cohort
from tests.modalities.table.metrics.drawn import evidence


def test_train_is_cut_to_as_many_records_as_synthetic():
    drawn = samples(evidence(cohort(900, 1), cohort(300, 2), cohort(100, 3)))
    assert {part: len(sample.table) for part, sample in drawn.items()} == {
        "synthetic": 100,
        "train": 100,
        "holdout": 300,
    }


def test_the_fast_tier_cuts_every_part(monkeypatch):
    monkeypatch.setitem(module.RECORDS, "fast", 50)
    drawn = samples(evidence(*(cohort(200, seed) for seed in range(3)), floor=cohort(200, 4), tier="fast"))
    assert {len(sample.table) for sample in drawn.values()} == {50}


def test_blocks_are_slices_and_no_patient_is_split():
    visits = WEIRD["repeated visits"]()
    sample = samples(evidence(visits, visits, visits))["holdout"]
    assert np.concatenate([np.arange(len(visits))[s] for s in sample.slices()]).tolist() == list(range(len(visits)))
    for subject in np.unique(sample.table.subjects):
        assert len(np.unique(sample.block[sample.table.subjects == subject])) == 1


def test_counts_leave_out_each_block():
    whole = cohort(60, 0)
    sample = samples(evidence(whole, whole, whole))["train"]
    code = np.arange(60) % 3
    count = sample.count(code, 3)
    for k in range(sample.blocks):
        assert count[:, 1 + k].tolist() == np.bincount(code[sample.block != k], minlength=3).tolist()
    assert leaving_out(np.array([1, 2, 3])).tolist() == [6, 5, 4, 3]


@pytest.mark.parametrize(("rows", "said"), [(1, True), (2, False)])
def test_an_interval_needs_two_patients(rows, said):
    assert bool(too_few(evidence(cohort(50, 0), cohort(rows, 1), cohort(50, 2)))) == said


def test_a_floor_of_one_patient_is_none():
    assert "floor" not in samples(evidence(*(cohort(30, s) for s in range(3)), floor=cohort(1, 4)))
