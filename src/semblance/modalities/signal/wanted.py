"""What recordings shall be like: conditions, quotas and shifts of what is known of a person, of the heart, of beats.

Beside the columns of a recording as a whole there are the label of its pieces (`beat` or `state`), `heart_rate` (beats
per minute between normal beats), `qt` (milliseconds), `st` (the leads' unit; `st NAME` for one lead), and `noise` (the
standard deviation of what is added, in the leads' unit).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from semblance.core.errors import Problem, UsageError
from semblance.core.model import BALANCED, Wanted
from semblance.core.shares import largest_remainder
from semblance.modalities.signal.data import Lead
from semblance.modalities.signal.knobs import NOISE, QT, ST, Knobs, farthest
from semblance.modalities.signal.person import Limits, Person, Scale, Spans

RATE = "heart_rate"
SLACK = 0.5
"""Beats per minute on either side of a heart rate that is asked for as one number."""


@dataclass(frozen=True, eq=False)
class Known:
    """What a model can be asked for: its `person`; `label`, the name of its pieces' kinds ('' where a column has them),
    and the `kinds`; `leads`, and the names of those that are `tied` to others; and where the log seconds between normal
    beats stand among the person's numbers, if it has a heart."""

    person: Person
    label: str
    kinds: tuple[str, ...]
    leads: tuple[Lead, ...]
    level: int | None
    tied: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Asked:
    """What was asked, in the terms of a model: `limits` of the person, the shares `mix` (kinds,) of pieces, closed
    range `rate` (beats per minute), `knobs`, and `quotas`: for each column shares of recordings by limits."""

    limits: Limits = field(default_factory=Limits)
    mix: np.ndarray | None = None
    rate: tuple[float, float] | None = None
    knobs: Knobs = field(default_factory=Knobs)
    quotas: tuple[tuple[tuple[float, Limits], ...], ...] = ()

    def of_each(self, n: int, *, rng: np.random.Generator) -> list[Limits]:
        """The limits of each of `n` recordings, the quotas kept to the recording."""
        each = [self.limits] * n
        for quota in self.quotas:
            which = np.repeat(np.arange(len(quota)), largest_remainder(np.array([share for share, _ in quota]), n))
            each = [limits.and_also(quota[i][1]) for limits, i in zip(each, rng.permutation(which), strict=True)]
        return each


ANY = Asked()


def asked(wanted: Wanted | None, known: Known) -> Asked:
    """What is wanted, in the terms of a model. Raises UsageError with all that it cannot draw."""
    if not wanted:
        return Asked()
    reading = _Reading(known)
    found = reading.all_of(wanted)
    if reading.problems:
        raise UsageError(*reading.problems)
    return found


class _Reading:
    """Conditions being read, and what is wrong with them."""

    def __init__(self, known: Known) -> None:
        self.known, self.problems = known, list[Problem]()
        self.scales = {scale.name: i for i, scale in enumerate(known.person.scales)}

    def all_of(self, wanted: Wanted) -> Asked:
        for part in ("fair_on", "do"):
            if getattr(wanted, part):
                self._say(
                    f"{part} of recordings", "recordings can be given, have quotas and be shifted", "leave it out"
                )
        limits, mix, rate, quotas = Limits(), None, None, []
        for name, condition in wanted.given.items():
            if self._does(name, RATE):
                rate = self._rate(condition) if self._heart(name) else None
                limits = limits.and_also(self._slowness(rate))
            elif name == self.known.label:
                mix = self._mix({condition: 1.0} if not isinstance(condition, set | frozenset | list) else {})
            else:
                limits = limits.and_also(self._limits(name, condition))
        for name, quota in wanted.quota.items():
            if name == self.known.label:
                mix = self._mix(quota)
            else:
                quotas.append(self._quota(name, quota))
        knobs, moved = self._shifts(wanted.shift)
        return Asked(limits.and_also(Limits(moved=moved)), mix, rate, knobs, tuple(quotas))

    def _say(self, found: str, rule: str, fix: str, name: str | None = None) -> None:
        self.problems.append(Problem(found, rule, fix, name))

    @property
    def names(self) -> list[str]:
        """All that can be asked for."""
        heart = [RATE, QT, ST] if self.known.level is not None else []
        return [*self.scales, *([self.known.label] if self.known.label else []), *heart, NOISE]

    def _does(self, name: str, *does: str) -> bool:
        """Whether something is asked of what a heart does, of noise, and not of a column of that name."""
        return name not in self.scales and (name in does or (ST in does and name.split(" ")[0] == ST))

    def _place(self, name: str) -> int | None:
        if name not in self.scales:
            self._say(f"no column '{name}'", "a column, or what a heart does", f"one of: {', '.join(self.names)}", name)
        return self.scales.get(name)

    def _heart(self, name: str) -> bool:
        if self.known.level is None:
            self._say(
                "recordings without heart beats", "only a rhythm of marked beats has a rate", "leave it out", name
            )
        return self.known.level is not None

    def _limits(self, name: str, condition: Any) -> Limits:
        """The limits of a column under a condition: a value, a range, none, or a set of these."""
        place = self._place(name)
        if place is None:
            return Limits()
        each = list(condition) if isinstance(condition, set | frozenset | list) else [condition]
        scale, gone = self.known.person.scales[place], None in each
        spans = [span for one in each if one is not None for span in self._spans(scale, one)]
        if gone and not scale.missing:
            self._say("the missing value", "nobody lacks it", "leave it out", name)
        return Limits({place: tuple(spans)} if spans else {}, {place: gone} if not (gone and spans) else {})

    def _spans(self, scale: Scale, one: Any) -> Spans:
        if scale.levels:
            if str(one) in scale.levels:
                return (scale.span_of_level(str(one)),)
            fix = f"one of: {', '.join(scale.levels)}"
            self._say("a value that the model does not know", "values that enough patients have", fix, scale.name)
            return ()
        low, high = one if isinstance(one, tuple) else (one, one)
        try:
            ends = tuple(None if end in (None, "") else float(end) for end in (low, high))
        except (TypeError, ValueError):
            self._say("a value that is no number", "a number or a range", f"--given {scale.name}=60..80", scale.name)
            return ()
        span = scale.span_of_range(*ends)
        if span is None:
            fix = f"between {scale.knots[0]:g} and {scale.knots[-1]:g}" if scale.knots else "leave it out"
            self._say("a range that the model does not reach", "what it learned of enough patients", fix, scale.name)
        return () if span is None else (span,)

    def _rate(self, condition: Any) -> tuple[float, float] | None:
        one = condition if isinstance(condition, tuple) else (condition, condition)
        try:
            low, high = (None if end in (None, "") else float(end) for end in one)
            if low is None and high is None:
                raise TypeError
        except (TypeError, ValueError):
            self._say("a rate that is none", "beats per minute, or a range", "--given heart_rate=60..80", RATE)
            return None
        if low is not None and low == high:
            low, high = low - SLACK, high + SLACK
        return (0.0 if low is None else low, np.inf if high is None else high)

    def _slowness(self, rate: tuple[float, float] | None) -> Limits:
        """The limits of the log seconds between beats."""
        at = self.known.level
        if rate is None or at is None:
            return Limits()
        low, high = (np.log(60 / max(end, 1e-9)) if np.isfinite(end) else -np.inf for end in (rate[1], rate[0]))
        least, most = self.known.person.reach(at)
        if high < least or low > most:
            fix = f"between {60 / np.exp(most):.0f} and {60 / np.exp(least):.0f}"
            self._say("a heart rate that the model does not reach", "what it learned of patients", fix, RATE)
        return Limits({at: ((low, high),)})

    def _mix(self, quota: Any) -> np.ndarray:
        """(kinds,) shares of pieces."""
        kinds, name = self.known.kinds, self.known.label
        if quota == BALANCED:
            return np.full(len(kinds), 1 / len(kinds))
        mix = np.zeros(len(kinds))
        strange = [kind for kind in quota if str(kind) not in kinds]
        if strange or not quota:
            found = f"{len(strange)} kinds that the model does not know" if quota else "a set of kinds"
            self._say(found, "shares of kinds that enough patients have", f"of {', '.join(kinds)}", name)
            return mix
        for kind, share in quota.items():
            mix[kinds.index(str(kind))] += share
        return mix

    def _quota(self, name: str, quota: Any) -> tuple[tuple[float, Limits], ...]:
        if self._does(name, RATE) and quota != BALANCED:
            bands = quota.items() if self._heart(name) else ()
            return tuple((share, self._slowness(self._rate(condition))) for condition, share in bands)
        if self._does(name, RATE):
            self._say("equal shares of a rate", "bands have shares", f"--quota {RATE}=50..70:.5,70..90:.5", name)
            return ()
        place = self._place(name)
        if place is None:
            return ()
        if quota == BALANCED:
            levels = self.known.person.scales[place].levels
            if not levels:
                self._say("equal shares of a number", "only categories are balanced", f"--quota {name}=18..60:.5,...")
            return tuple((1 / len(levels), self._limits(name, level)) for level in levels)
        return tuple((share, self._limits(name, condition)) for condition, share in quota.items())

    def _shifts(self, shifts: Mapping[str, Any]) -> tuple[Knobs, dict[int, float]]:
        knobs: dict[str, float] = {}
        moved: dict[int, float] = {}
        for name, shift in shifts.items():
            heart = self._does(name, RATE, QT, ST)
            if isinstance(shift, Mapping):
                number = heart or self._does(name, NOISE)
                fix = f"--shift {name}=NUMBER" if number else f"--quota {name}=balanced"
                self._say("odds of values", "recordings have quotas instead, and a knob takes a number", fix, name)
            elif heart and not self._heart(name):
                continue
            elif self._does(name, RATE):
                moved |= self._faster(shift)
            elif heart or self._does(name, NOISE):
                knobs[name] = float(shift)
            elif (place := self._place(name)) is not None:
                moved |= self._moved(place, shift)
        return self._knobs(knobs), moved

    def _faster(self, shift: float) -> dict[int, float]:
        at = self.known.level
        assert at is not None
        usual = self.known.person.mean[at]
        rate = 60 / np.exp(usual) + shift
        if rate <= 0 or abs(np.log(60 / rate) - usual) > 2 * self.known.person.spread[at]:
            self._say(
                "a heart rate that the model does not reach", "what it learned of patients", "a smaller shift", RATE
            )
            return {}
        return {at: float(np.log(60 / rate) - usual)}

    def _moved(self, place: int, shift: float) -> dict[int, float]:
        scale = self.known.person.scales[place]
        if scale.levels:
            fix = f"--quota {scale.name}=balanced"
            self._say("a category that is shifted", "the mean of a number is shifted", fix, scale.name)
            return {}
        score = scale.score_of_shift(shift)
        if score is None:
            self._say(
                "a mean that the model does not reach", "what it learned of patients", "a smaller shift", scale.name
            )
            return {}
        return {place: score}

    def _knobs(self, numbers: dict[str, float]) -> Knobs:
        for name, shift in numbers.items():
            most = farthest(name, self.known.leads)
            if abs(shift) > most:
                self._say(f"moved by {shift:g}", f"at most {most:g} either way", "a smaller shift", name)
        noise = numbers.pop(NOISE, 0.0)
        if noise < 0:
            self._say("noise that is taken away", "noise is added", f"--shift {NOISE}=0.02", NOISE)
        return Knobs(numbers.pop(QT, 0.0) / 1000, self._leads(numbers), noise)

    def _leads(self, numbers: Mapping[str, float]) -> tuple[float, ...]:
        leads, tied = [lead.name for lead in self.known.leads], self.known.tied
        free = ", ".join(lead for lead in leads if lead not in tied)
        named = {name.removeprefix(f"{ST} "): shift for name, shift in numbers.items() if name != ST}
        for name in named:
            if name not in leads:
                self._say(f"no lead '{name}'", "a lead is named as in the data", f"one of: {free}", f"{ST} {name}")
            elif name in tied:
                found, rule = f"lead '{name}' moved by itself", "two limb leads say the others (Einthoven, Goldberger)"
                self._say(found, rule, f"one of: {free}", f"{ST} {name}")
        return tuple(numbers.get(ST, 0.0) + named.get(lead, 0.0) for lead in leads) if numbers else ()


def exactly(counts: np.ndarray, after: Any, usual: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """(n,) kinds in an order of which each comes `counts` (k,) times: a chain whose next kind is drawn from
    `after(a, b)` (k,), the shares after the last two kinds, times what is left of each over what is `usual` (k,)."""
    left, made, a, b = counts.astype(float), [], 0, 0
    worth = 1 / np.maximum(usual, 1e-6)
    for u in rng.random(int(counts.sum())).tolist():
        weight = after(a, b) * left * worth
        weight = left if not weight.sum() else weight
        k = int(np.searchsorted(weight.cumsum(), u * weight.sum(), side="right"))
        k = min(k, int(np.flatnonzero(left)[-1]))
        left[k] -= 1
        a, b = b, k
        made.append(k)
    return np.array(made, dtype=np.int64)
