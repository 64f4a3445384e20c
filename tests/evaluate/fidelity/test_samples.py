from __future__ import annotations

from dataclasses import replace

import numpy as np

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.evaluate.fidelity.samples import parts, rows, size, too_few, who
from tests.contracts.samples import cohort


def judged(train, holdout, synthetic, **more):
    return Evidence(train, holdout, synthetic, catalog.modality("table"), **more)


def test_all_sides_are_as_large_as_the_smallest():
    evidence = judged(cohort(90, 0), cohort(50, 1), cohort(70, 2), floor=cohort(60, 3))
    assert (size(evidence, 1000), size(evidence, 40)) == (50, 40)
    assert parts(evidence) == ("synthetic", "train", "floor")


def test_rows_are_drawn_once():
    evidence = judged(cohort(90, 0), cohort(50, 1), cohort(70, 2))
    assert rows(evidence, "train", 50) is rows(evidence, "train", 50)
    assert len(np.unique(rows(evidence, "train", 50))) == 50


def test_a_set_of_few_synthetic_patients_is_judged_and_not_excused():
    few = replace(cohort(60, 2), subjects=np.arange(60) % 3)
    evidence = judged(cohort(60, 0), cohort(60, 1), few)
    assert too_few(evidence) == ""
    assert who(evidence, "synthetic", np.arange(60)).tolist() == list(range(60))
    assert "holdout" in too_few(judged(cohort(60, 0), few, cohort(60, 1)))
    assert "synthetic" in too_few(judged(cohort(60, 0), cohort(60, 1), cohort(20, 2)))
