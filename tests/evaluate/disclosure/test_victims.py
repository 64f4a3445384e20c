from __future__ import annotations

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.disclosure.victims import against, one_each, too_few, victims
from tests.contracts.samples import WEIRD, cohort


def evidence(train, holdout, synthetic=None):
    return Evidence(train, holdout, holdout if synthetic is None else synthetic, catalog.modality("table"))


def test_one_record_of_each_patient():
    subjects = np.array(list("aabbbcd"))
    for seed in range(10):
        made = one_each(subjects, np.arange(6), rng=stream(seed, "one"))
        assert sorted(subjects[made]) == ["a", "b", "c"]


def test_equal_sides_and_decoys_of_other_patients():
    repeated = WEIRD["repeated visits"]()
    patients = np.unique(repeated.subjects)
    train, holdout = (
        repeated.take(np.flatnonzero(np.isin(repeated.subjects, p))) for p in (patients[:90], patients[90:])
    )
    found = victims(evidence(train, holdout), 1000)
    assert len(found.member) == len(found.outsider) == 30
    assert len(np.unique(train.subjects[found.member])) == 30
    assert not set(train.subjects[found.member]) & set(train.subjects[found.decoy])


def test_a_smaller_sample_begins_a_larger_one():
    found = evidence(cohort(100, 0), cohort(50, 1))
    assert victims(found, 10).member.tolist() == victims(found, 30).member[:10].tolist()


def test_the_control_attacks_the_same_victims_from_other_records():
    found = evidence(cohort(100, 0), cohort(50, 1))
    (a, b), (c, d) = against(found, 20, lambda part, rows, held, among: (part, rows.tolist(), held, len(among)))
    assert (a[0], b[0], a[2], c[2]) == ("train", "holdout", "synthetic", "train")
    assert a[1] == c[1]
    assert b[1] == d[1]
    assert a[3] == 50


def test_a_handful_is_too_few():
    assert too_few(evidence(cohort(30, 0), cohort(30, 1)))
    assert too_few(evidence(cohort(1, 0), cohort(1, 0)))
    assert not too_few(evidence(cohort(40, 0), cohort(20, 1)))
