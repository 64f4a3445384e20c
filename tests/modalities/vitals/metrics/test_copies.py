from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance.core.dataset import Evidence
from semblance.modalities.vitals import MANIFEST
from semblance.modalities.vitals.data import concat
from semblance.modalities.vitals.metrics.copies import RUN, copies, runs
from tests.modalities.vitals.evidences import evidence, few
from tests.modalities.vitals.simulated import stays


def test_runs_are_within_a_stay():
    whole = stays(12, 0)
    assert len(runs(whole)) <= (np.diff(whole.starts) - RUN + 1).sum()
    assert set(runs(whole)["stay"]) == set(range(12))


def test_independent_stays_repeat_nothing():
    for finding in copies(evidence()):
        assert abs(finding.estimate.value) < 0.02
        assert finding.estimate.low <= 0 <= finding.estimate.high


def test_a_copy_is_found_though_only_some_hours_are_copied():
    whole = evidence()
    part = whole.train.kept(whole.train.minute < 600)
    for finding in copies(Evidence(whole.train, whole.holdout, part, MANIFEST)):
        assert finding.estimate.value > 0.9


def test_few_stays_are_said():
    assert {finding.status for finding in copies(few())} == {"insufficient"}


def test_train_is_all_copies_however_small_the_holdout_is_and_holdout_is_none():
    train, holdout = stays(300, 1), stays(60, 2)
    for finding in copies(Evidence(train, holdout, train, MANIFEST)):
        assert finding.estimate.value > 0.95
    for finding in copies(Evidence(train, holdout, holdout, MANIFEST)):
        assert abs(finding.estimate.value - finding.control.value) < 0.02
        assert finding.estimate.low <= 0 <= finding.estimate.high


def test_a_share_of_copies_is_told_as_it_is():
    train, holdout = stays(300, 1), stays(60, 2)
    mixed = concat([train.take(np.arange(30)), stays(70, 5)])
    for finding in copies(Evidence(train, holdout, mixed, MANIFEST)):
        assert abs(finding.estimate.value - 0.3) < 0.03


def test_runs_that_all_stays_have_are_no_unique_copies():
    train, holdout = (replace(part, value=np.zeros(len(part.value))) for part in (stays(60, 1), stays(60, 2)))
    _, unique = copies(Evidence(train, holdout, holdout, MANIFEST))
    assert abs(unique.estimate.value) < 0.05
