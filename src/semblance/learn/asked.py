"""What is asked of the columns of new people: conditions, quotas and shifts, in the terms of a Person."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semblance.core.errors import Problem
from semblance.core.model import BALANCED
from semblance.core.shares import largest_remainder
from semblance.learn.person import FREE, Limits, Person, Scale, Spans

Quota = tuple[tuple[float, Limits], ...]
"""Shares of people by their limits."""
NEARLY = 0.49
"""Of a column's unit: what rounds to a number that was asked for."""
TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Asked:
    """The `limits` of everybody, and `quotas`, one for each column that has some."""

    limits: Limits = FREE
    quotas: tuple[Quota, ...] = ()

    def of_each(self, n: int, *, rng: np.random.Generator) -> list[Limits]:
        """The limits of each of `n` records, the quotas kept to the record."""
        each = [self.limits] * n
        for quota in self.quotas:
            which = np.repeat(np.arange(len(quota)), largest_remainder(np.array([share for share, _ in quota]), n))
            each = [limits.and_also(quota[i][1]) for limits, i in zip(each, rng.permutation(which), strict=True)]
        return each


class Columns:
    """Conditions on the columns of a person being read, and what is wrong with them (`problems`).

    `units` has the unit to which the numbers of a column are rounded after they are drawn, by its name: a range holds
    what is rounded into it, and of two bands that meet the upper one has the number where they do.
    """

    rule = "a column that the model knows"

    def __init__(self, person: Person, units: Mapping[str, float] | None = None) -> None:
        self.person, self.units, self.problems = person, {} if units is None else units, list[Problem]()
        self.scales = {scale.name: i for i, scale in enumerate(person.scales)}

    @property
    def names(self) -> list[str]:
        """All that can be asked for."""
        return list(self.scales)

    def say(self, found: str, rule: str, fix: str, name: str | None = None) -> None:
        """Something cannot be had."""
        self.problems.append(Problem(found, rule, fix, name))

    def place(self, name: str) -> int | None:
        """Where a column stands; of none a problem."""
        if name not in self.scales:
            self.say(f"no column '{name}'", self.rule, f"one of: {', '.join(self.names)}", name)
        return self.scales.get(name)

    def limits(self, name: str, condition: Any, *, short: bool = False) -> Limits:
        """The limits of a column under a condition: a value, a range, none, or a set of these. A range that is `short`
        does not hold the number at its end."""
        place = self.place(name)
        if place is None:
            return Limits()
        each = list(condition) if isinstance(condition, set | frozenset | list) else [condition]
        scale, gone = self.person.scales[place], None in each
        spans = [span for one in each if one is not None for span in self._spans(scale, one, short)]
        if gone and not scale.missing:
            self.say("the missing value", "nobody lacks it", "leave it out", name)
        return Limits({place: tuple(spans)} if spans else {}, {place: gone} if not (gone and spans) else {})

    def _spans(self, scale: Scale, one: Any, short: bool) -> Spans:
        if scale.levels:
            if str(one) in scale.levels:
                return (scale.span_of_level(str(one)),)
            fix = f"one of: {', '.join(scale.levels)}"
            self.say("a value that the model does not know", "values that enough patients have", fix, scale.name)
            return ()
        low, high = one if isinstance(one, tuple) else (one, one)
        try:
            ends = [None if end in (None, "") else float(end) for end in (low, high)]
        except (TypeError, ValueError):
            self.say("a value that is no number", "a number or a range", f"--given {scale.name}=60..80", scale.name)
            return ()
        span = self._span(scale, ends[0], ends[1], short)
        if span is None:
            fix = f"between {scale.knots[0]:g} and {scale.knots[-1]:g}" if scale.knots else "leave it out"
            self.say("a range that the model does not reach", "what it learned of enough patients", fix, scale.name)
        return () if span is None else (span,)

    def _span(self, scale: Scale, low: float | None, high: float | None, short: bool) -> tuple[float, float] | None:
        """The scores of what is rounded into a range; None where there are none."""
        first, last = self._rounded(scale.name, low, high, short)
        if first is not None and last is not None and first > last:
            return None
        # A single number is drawn itself: where its unit is small nobody would be near it by chance.
        itself = scale.span_of_range(low, high) if low == high else None
        return scale.span_of_range(first, last) if itself is None else itself

    def _rounded(
        self, name: str, low: float | None, high: float | None, short: bool
    ) -> tuple[float | None, float | None]:
        """The numbers that are rounded into a range."""
        unit = self.units.get(name)
        if unit is None:
            return low, high
        # A number of decimals such as 0.3 is no multiple of its unit to the last bit.
        first = None if low is None else math.ceil(low / unit - TINY)
        last = None if high is None else math.floor(high / unit + TINY)
        if short and last is not None and high is not None and abs(last - high / unit) < TINY:
            last -= 1
        least = None if first is None else (first - NEARLY) * unit
        return least, None if last is None else (last + NEARLY) * unit

    def quota(self, name: str, quota: Any) -> Quota:
        """The limits of each share of a column."""
        place = self.place(name)
        if place is None:
            return ()
        if quota == BALANCED:
            levels = self.person.scales[place].levels
            if not levels:
                fix = f"--quota {name}=18..60:.5,..."
                self.say("equal shares of a number", "only categories are balanced", fix, name)
            return tuple((1 / len(levels), self.limits(name, level)) for level in levels)
        begins = {_number(one[0]) for one in quota if isinstance(one, tuple)} - {None}
        short = {one: isinstance(one, tuple) and _number(one[1]) in begins for one in quota}
        return tuple((share, self.limits(name, one, short=short[one])) for one, share in quota.items())

    def moved(self, place: int, shift: float) -> dict[int, float]:
        """By how much the mean of a column moves, in standard deviations."""
        scale = self.person.scales[place]
        if scale.levels:
            fix = f"--quota {scale.name}=balanced"
            self.say("a category that is shifted", "the mean of a number is shifted", fix, scale.name)
            return {}
        score = scale.score_of_shift(shift)
        if score is None:
            self.say(
                "a mean that the model does not reach", "what it learned of patients", "a smaller shift", scale.name
            )
            return {}
        return {place: score}


def _number(end: Any) -> float | None:
    """The end of a range, which may be a text; None where it is open, or no number."""
    try:
        return float(end)
    except (TypeError, ValueError):
        return None
