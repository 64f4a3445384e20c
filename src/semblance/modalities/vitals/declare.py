"""What the person declared about stays: the schema file as parsed, checked as far as no data is needed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, TypeVar

from semblance.core import declared
from semblance.core.declared import Common, is_number, is_text, is_texts
from semblance.core.errors import Problem
from semblance.core.modality import ReadOptions
from semblance.modalities.vitals.digits import MOST

T = TypeVar("T")
CLOCKS = ("minutes", "hours", "HH:MM", "timestamps")


@dataclass(frozen=True)
class Said(Common):
    """The declarations that hold.

    `record`, `time`, `channel`, `value` and `unit` name columns of the long file; `clock` says how it tells times.
    `order` lists channels from the highest to the lowest, `limits` the plausible values of a channel, `missing`
    numbers that stand for a missing value, and `statics` channels that are facts of a stay.

    Under differential privacy besides: so many `hours` of a stay are learned, in bins of `step` minutes; values have
    `digits` decimals and `units`, and `panels` are channels that are measured together.
    """

    record: str | None = None
    time: str | None = None
    channel: str | None = None
    value: str | None = None
    unit: str | None = None
    clock: str | None = None
    order: tuple[tuple[str, ...], ...] = ()
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    missing: tuple[float, ...] = ()
    statics: tuple[str, ...] = ()
    hours: float | None = None
    step: float | None = None
    digits: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    panels: tuple[tuple[str, ...], ...] = ()


SILENT = Said()
"""Nothing declared."""


def check(options: ReadOptions) -> tuple[Said, list[Problem]]:
    """The declarations of `options`, with every problem that they have."""
    common, own, problems = declared.check(options, own="vitals", rules=_VITALS)
    if problems:
        return Said(), problems
    limits = {name: (float(low), float(high)) for name, (low, high) in own.get("limits", {}).items()}
    lists = {
        "order": tuple(map(tuple, own.get("order", ()))),
        "missing": tuple(map(float, own.get("missing", ()))),
        "statics": tuple(own.get("statics", ())),
        "panels": tuple(map(tuple, own.get("panels", ()))),
    }
    return Said(**{**own, **lists, "limits": limits, **common}), []


def joined(chains: Iterable[Sequence[T]]) -> tuple[tuple[T, ...], ...]:
    """All that follows from chains: those from a channel that is below none, down to one that is above none.

    Raises CycleError where a channel is above itself.

    >>> joined([["Sys", "MAP"], ["MAP", "Dias"], ["Sys", "Pulse"]])
    (('Sys', 'MAP', 'Dias'), ('Sys', 'Pulse'))
    """
    below: dict[T, dict[T, None]] = {}
    for high, low in (pair for chain in chains for pair in pairwise(chain)):
        below.setdefault(high, {})[low] = None
    TopologicalSorter(below).prepare()  # raises CycleError

    def down(path: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
        if path[-1] not in below:
            yield path
        for low in below.get(path[-1], ()):
            yield from down((*path, low))

    lower = {low for lows in below.values() for low in lows}
    return tuple(path for top in below if top not in lower for path in down((top,)))


def _is_orders(value: Any) -> bool:
    if not isinstance(value, list | tuple) or not all(is_texts(one) and len(one) > 1 for one in value):
        return False
    try:
        joined(value)
    except CycleError:
        return False
    return True


def _is_limits(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(ends, list | tuple) and len(ends) == 2 and all(map(is_number, ends)) and ends[0] < ends[1]
        for ends in value.values()
    )


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(is_number, value))


def _is_panels(value: Any) -> bool:
    fine = isinstance(value, list | tuple) and all(is_texts(one) and len(one) > 1 for one in value)
    return fine and is_texts([name for one in value for name in one])


def _is_of(value: Any, fine: Callable[[Any], bool]) -> bool:
    return isinstance(value, Mapping) and all(map(fine, value.values()))


def _is_above_zero(value: Any) -> bool:
    return is_number(value) and 0 < value < float("inf")


def _is_decimals(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST


_VITALS: declared.Rules = {
    **{key: (is_text, "the name of a column") for key in ("record", "time", "channel", "value", "unit")},
    "clock": (lambda value: value in CLOCKS, f"one of {', '.join(CLOCKS)}"),
    "order": (
        _is_orders,
        'a list of lists of channels, the highest first and none above itself: [["SysABP", "MAP", "DiasABP"]]',
    ),
    "limits": (_is_limits, "a table such as { HR = [0, 300] }"),
    "missing": (_is_numbers, "a list of numbers"),
    "statics": (is_texts, "a list of different channels"),
    "hours": (_is_above_zero, "a number of hours, above 0"),
    "step": (_is_above_zero, "a number of minutes, above 0"),
    "digits": (lambda value: _is_of(value, _is_decimals), "a table of decimals such as { Temp = 1 }"),
    "units": (lambda value: _is_of(value, is_text), 'a table such as { HR = "bpm" }'),
    "panels": (_is_panels, 'a list of lists of channels, each in one of them: [["SysABP", "MAP", "DiasABP"]]'),
}
