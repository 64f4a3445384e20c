from __future__ import annotations

from pathlib import Path

import pytest

from semblance.app.demo import cohort, run_demo
from semblance.app.events import Event, Started
from semblance.app.work import work_of

pytest.importorskip("sksurv", reason="the demonstration's cohort comes with scikit-survival")


def test_the_cohort_is_whole_and_its_cause_of_death_left_out() -> None:
    frame = cohort()
    assert len(frame) == 7874 and "chapter" not in frame
    assert {"death", "futime", "age", "kappa"} <= set(frame.columns)
    assert 0.2 < frame["death"].mean() < 0.4


def test_an_interrupted_demonstration_goes_on_by_itself(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Started) and event.name == "split":
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_demo(tmp_path / "DM", show=stop)
    assert (work_of(tmp_path / "DM") / "kind").read_text() == "demo"
