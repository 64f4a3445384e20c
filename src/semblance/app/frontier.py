"""What privacy costs: how much an attacker finds beside how much an analysis finds, of records that were released.

Between two ends: a naive generator gives nobody away and tells next to nothing, the train records themselves give
everybody away and are as good as real. Under differential privacy the guarantee says what no attacker can ever find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semblance.app.plane import Line, Mark, plane, spanning
from semblance.core.estimate import Estimate
from semblance.core.promise import Guarantee, rounded_up
from semblance.core.report import Finding, Report

LEAK, WORTH = "privacy.membership", "utility.tstr.boosting"
ACROSS, UP = "leak: membership advantage", "utility: prediction by boosted trees"
ENDS = {"floor": "a naive generator", "real": "train records, handed out"}


def promise_of(report: Report) -> Guarantee | None:
    """The guarantee as numbers; None where there is none."""
    told = report.subject.get("promise")
    return Guarantee(**told) if isinstance(told, Mapping) else None


def frontier(report: Report) -> dict[str, Any]:
    """The picture of a report and its numbers; empty where either was not measured, and where the page may leave."""
    made, ends = released(report, "these records"), tuple(between(report))
    if made is None or len(ends) < len(ENDS):
        return {}
    promise = promise_of(report)
    return {"plot": drawn([made, *ends], promise), "rows": (made, *ends), "promise": promise}


def released(report: Report, name: str) -> Mark | None:
    """The records that were judged; None where either number is missing."""
    leak, worth = _found(report, LEAK), _found(report, WORTH)
    if leak is None or worth is None or leak.estimate is None or worth.estimate is None:
        return None
    return Mark(name, "made", leak.estimate, worth.estimate)


def between(report: Report) -> Iterator[Mark]:
    """The two ends, as far as they were measured."""
    leak, worth = _found(report, LEAK), _found(report, WORTH)
    if leak is None or worth is None:
        return
    if leak.floor is not None and worth.floor is not None:
        yield Mark(ENDS["floor"], "floor", leak.floor, worth.floor)
    handed = leak.detail.get("handed")
    if handed and worth.control is not None:
        yield Mark(ENDS["real"], "real", Estimate(**handed), worth.control)


def drawn(marks: Sequence[Mark], promise: Guarantee | None = None) -> Any:
    """Marks with their leak across and their utility up, and how far a promise lets them get."""
    low = min(0.0, *(mark.x.low for mark in marks)) - 0.02
    ends = spanning([end for mark in marks for end in (mark.y.low, mark.y.high)])
    lines = [] if promise is None else [Line(_allowed(promise), "x", promise.advantage)]
    return plane(marks, across=(ACROSS, low, 1.0), up=(UP, ends[0], ends[1]), lines=lines)


def _allowed(promise: Guarantee) -> str:
    return f"most at epsilon {rounded_up(promise.epsilon or 0.0):g}: {rounded_up(promise.advantage, 2):g}"


@dataclass(frozen=True)
class Priced:
    """What a private run is worth at its epsilon."""

    name: str
    promise: Guarantee
    worth: Estimate


def by_epsilon(reports: Mapping[str, Report]) -> tuple[Priced, ...]:
    """The private runs of several, the least epsilon first."""
    found = []
    for name, report in reports.items():
        promise, worth = promise_of(report), _found(report, WORTH)
        if promise is not None and promise.epsilon and worth is not None and worth.estimate is not None:
            found.append(Priced(name, promise, worth.estimate))
    return tuple(sorted(found, key=lambda one: one.promise.epsilon or 0.0))


def drawn_by_epsilon(priced: Sequence[Priced], ends: Sequence[Mark]) -> Any:
    """Utility over epsilon, with that of a naive generator and of real records as lines."""
    marks = [Mark(one.name, "made", _exactly(one.promise.epsilon or 0.0), one.worth) for one in priced]
    lines = [Line("real records" if end.kind == "real" else end.name, "y", end.y.value) for end in ends]
    up = spanning([*(x for mark in marks for x in (mark.y.low, mark.y.high)), *(line.value for line in lines)])
    epsilons = [mark.x.value for mark in marks]
    across = ("epsilon", min(epsilons) / 2, max(epsilons) * 2)
    return plane(marks, across=across, up=(UP, *up), lines=lines, log=True)


def _exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def _found(report: Report, metric: str) -> Finding | None:
    return next((f for f in report.findings if f.metric == metric and f.status == "measured"), None)
