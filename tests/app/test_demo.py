from __future__ import annotations

import pytest

from semblance.app.demo import cohort

pytest.importorskip("sksurv", reason="the demonstration's cohort comes with scikit-survival")


def test_the_cohort_is_whole_and_its_cause_of_death_left_out() -> None:
    frame = cohort()
    assert len(frame) == 7874 and "chapter" not in frame
    assert {"death", "futime", "age", "kappa"} <= set(frame.columns)
    assert 0.2 < frame["death"].mean() < 0.4
