"""What privacy costs, as the report and a comparison show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from semblance.app.frontier import LEAK, WORTH, between, by_epsilon, drawn_by_epsilon, frontier, promise_of
from semblance.app.html import render
from semblance.app.redact import redact
from semblance.core.estimate import Estimate
from semblance.core.promise import Guarantee
from semblance.core.report import Finding, Report
from tests.app.rich import estimate

PROMISE = Guarantee(1.0, 1e-6)


def report(*, leak: float = 0.013, worth: float = 0.86, promise: Guarantee | None = None, **handed: Any) -> Report:
    """A report with both numbers and their ends."""
    told = handed or {"handed": estimate(0.993).plain()}
    leaked = Finding(LEAK, "Membership", "privacy", estimate=estimate(leak), floor=estimate(0.001), detail=told)
    learned = Finding(
        WORTH, "Prediction", "utility", estimate=estimate(worth), control=estimate(0.92), floor=estimate(0.5)
    )
    said = {} if promise is None else {"promise": promise.to_json()}
    return Report((leaked, learned), said)


def test_the_release_stands_between_its_two_ends() -> None:
    shown = frontier(report())
    assert [(row.kind, row.x.value, row.y.value) for row in shown["rows"]] == [
        ("made", 0.013, 0.86), ("floor", 0.001, 0.5), ("real", 0.993, 0.92)
    ]  # fmt: skip
    assert "most at epsilon" not in shown["plot"] and shown["promise"] is None


def test_a_guarantee_is_a_line_that_no_attack_passes() -> None:
    shown = frontier(report(promise=PROMISE))
    assert "most at epsilon 1: 0.47" in shown["plot"]  # tanh(1/2) = 0.4621, rounded up
    assert shown["promise"] == PROMISE


def test_what_was_not_measured_is_not_drawn() -> None:
    whole = report()
    for gone in (LEAK, WORTH):
        lost = {"estimate": None, "status": "insufficient", "reason": "few patients"}
        left = tuple(replace(f, **lost) if f.metric == gone else f for f in whole.findings)
        assert frontier(replace(whole, findings=left)) == {}
    assert frontier(report(chosen=["density"])) == {}  # a report from before the ends were attacked


def test_the_picture_stays_inside(full: Report) -> None:
    whole = replace(full, subject={**full.subject, "promise": PROMISE.to_json()})
    assert 'id="frontier"' in render(whole, public=False)
    assert 'id="frontier"' not in render(whole, public=True)
    left = redact(whole)
    assert "handed" not in left[LEAK].detail and frontier(left) == {}
    assert promise_of(left) == PROMISE  # which its sentence tells as well


def test_private_runs_are_ordered_by_epsilon() -> None:
    runs = {
        "large": report(promise=Guarantee(10.0, 1e-6), worth=0.9),
        "small": report(promise=PROMISE),
        "none": report(),
    }
    priced = by_epsilon(runs)
    assert [one.name for one in priced] == ["small", "large"]
    drawn = drawn_by_epsilon(priced, tuple(between(runs["none"])))
    assert "real records (0.920)" in drawn and "a naive generator (0.500)" in drawn
    assert "small: epsilon 1.000" in drawn and drawn.count('class="point made"') == 2


def test_an_exact_number_is_an_estimate_of_no_width() -> None:
    assert by_epsilon({"a": report(promise=PROMISE)})[0].worth == Estimate(0.86, 0.856, 0.864, n=5123)
