from __future__ import annotations

from semblance.core.modality import ReadOptions
from semblance.modalities.vitals.declare import check


def told(**vitals):
    return check(ReadOptions(declared={"vitals": vitals}, target="died"))


def test_what_is_declared_holds():
    said, problems = told(
        record="icu", order=[["Sys", "MAP"]], limits={"HR": [0, 300]}, missing=[-1], statics=["Age"], clock="hours"
    )
    assert problems == []
    assert (said.record, said.order, said.limits) == ("icu", (("Sys", "MAP"),), {"HR": (0.0, 300.0)})
    assert (said.missing, said.statics, said.clock, said.target) == ((-1.0,), ("Age",), "hours", "died")


def test_all_problems_are_told_at_once():
    _, problems = told(clock="days", order=["Sys"], limits={"HR": [3]}, missing="x", chanel="c")
    assert len(problems) == 5
    assert "did you mean 'channel'?" in problems[0].fix


def test_a_channel_above_itself_is_refused():
    assert told(order=[["Sys", "MAP"], ["MAP", "Dias"]])[1] == []
    for order in ([["Sys", "MAP"], ["MAP", "Sys"]], [["A", "B"], ["Sys", "MAP"], ["MAP", "Dias"], ["Dias", "Sys"]]):
        _, (problem,) = told(order=order)
        assert "none above itself" in problem.rule
