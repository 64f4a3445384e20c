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

from semblance.core.errors import UsageError
from semblance.core.model import BALANCED, Wanted
from semblance.learn.asked import Asked as People
from semblance.learn.asked import Columns, Quota
from semblance.learn.person import Limits, Person
from semblance.modalities.signal.data import Lead
from semblance.modalities.signal.knobs import NOISE, QT, ST, Knobs, farthest

RATE = "heart_rate"
SLACK = 0.5
"""Beats per minute on either side of a heart rate that is asked for as one number."""


@dataclass(frozen=True, eq=False)
class Known:
    """What a model can be asked for: its `person`; `label`, the name of its pieces' kinds ('' where a column has them),
    and the `kinds`; `leads`, and the names of those that are `tied` to others; where the log seconds between normal
    beats stand among the person's numbers, if it has a heart; and the `units` to which columns are rounded."""

    person: Person
    label: str
    kinds: tuple[str, ...]
    leads: tuple[Lead, ...]
    level: int | None
    tied: tuple[str, ...] = ()
    units: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Asked(People):
    """What was asked, in the terms of a model: of the people, and the shares `mix` (kinds,) of pieces, closed range
    `rate` (beats per minute), and `knobs`."""

    mix: np.ndarray | None = None
    rate: tuple[float, float] | None = None
    knobs: Knobs = field(default_factory=Knobs)


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


class _Reading(Columns):
    """Conditions being read, and what is wrong with them."""

    rule = "a column, or what a heart does"

    def __init__(self, known: Known) -> None:
        super().__init__(known.person, known.units)
        self.known = known

    def all_of(self, wanted: Wanted) -> Asked:
        for part in ("fair_on", "do"):
            if getattr(wanted, part):
                self.say(f"{part} of recordings", "recordings can be given, have quotas and be shifted", "leave it out")
        limits, mix, rate, quotas = Limits(), None, None, []
        for name, condition in wanted.given.items():
            if self._does(name, RATE):
                rate = self._rate(condition) if self._heart(name) else None
                limits = limits.and_also(self._slowness(rate))
            elif name == self.known.label:
                mix = self._mix({condition: 1.0} if not isinstance(condition, set | frozenset | list) else {})
            else:
                limits = limits.and_also(self.limits(name, condition))
        for name, quota in wanted.quota.items():
            if name == self.known.label:
                mix = self._mix(quota)
            else:
                quotas.append(self._quota(name, quota))
        knobs, moved = self._shifts(wanted.shift)
        return Asked(limits.and_also(Limits(moved=moved)), tuple(quotas), mix, rate, knobs)

    @property
    def names(self) -> list[str]:
        """All that can be asked for."""
        heart = [RATE, QT, ST] if self.known.level is not None else []
        return [*self.scales, *([self.known.label] if self.known.label else []), *heart, NOISE]

    def _does(self, name: str, *does: str) -> bool:
        """Whether something is asked of what a heart does, of noise, and not of a column of that name."""
        return name not in self.scales and (name in does or (ST in does and name.split(" ")[0] == ST))

    def _heart(self, name: str) -> bool:
        if self.known.level is None:
            self.say("recordings without heart beats", "only a rhythm of marked beats has a rate", "leave it out", name)
        return self.known.level is not None

    def _rate(self, condition: Any) -> tuple[float, float] | None:
        one = condition if isinstance(condition, tuple) else (condition, condition)
        try:
            low, high = (None if end in (None, "") else float(end) for end in one)
            if low is None and high is None:
                raise TypeError
        except (TypeError, ValueError):
            self.say("a rate that is none", "beats per minute, or a range", "--given heart_rate=60..80", RATE)
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
            self.say("a heart rate that the model does not reach", "what it learned of patients", fix, RATE)
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
            self.say(found, "shares of kinds that enough patients have", f"of {', '.join(kinds)}", name)
            return mix
        for kind, share in quota.items():
            mix[kinds.index(str(kind))] += share
        return mix

    def _quota(self, name: str, quota: Any) -> Quota:
        if self._does(name, RATE) and quota != BALANCED:
            bands = quota.items() if self._heart(name) else ()
            return tuple((share, self._slowness(self._rate(condition))) for condition, share in bands)
        if self._does(name, RATE):
            self.say("equal shares of a rate", "bands have shares", f"--quota {RATE}=50..70:.5,70..90:.5", name)
            return ()
        return self.quota(name, quota)

    def _shifts(self, shifts: Mapping[str, Any]) -> tuple[Knobs, dict[int, float]]:
        knobs: dict[str, float] = {}
        moved: dict[int, float] = {}
        for name, shift in shifts.items():
            heart = self._does(name, RATE, QT, ST)
            if isinstance(shift, Mapping):
                number = heart or self._does(name, NOISE)
                fix = f"--shift {name}=NUMBER" if number else f"--quota {name}=balanced"
                self.say("odds of values", "recordings have quotas instead, and a knob takes a number", fix, name)
            elif heart and not self._heart(name):
                continue
            elif self._does(name, RATE):
                moved |= self._faster(shift)
            elif heart or self._does(name, NOISE):
                knobs[name] = float(shift)
            elif (place := self.place(name)) is not None:
                moved |= self.moved(place, shift)
        return self._knobs(knobs), moved

    def _faster(self, shift: float) -> dict[int, float]:
        at = self.known.level
        assert at is not None
        usual = self.known.person.mean[at]
        rate = 60 / np.exp(usual) + shift
        if rate <= 0 or abs(np.log(60 / rate) - usual) > 2 * self.known.person.spread[at]:
            self.say(
                "a heart rate that the model does not reach", "what it learned of patients", "a smaller shift", RATE
            )
            return {}
        return {at: float(np.log(60 / rate) - usual)}

    def _knobs(self, numbers: dict[str, float]) -> Knobs:
        for name, shift in numbers.items():
            most = farthest(name, self.known.leads)
            if abs(shift) > most:
                self.say(f"moved by {shift:g}", f"at most {most:g} either way", "a smaller shift", name)
        noise = numbers.pop(NOISE, 0.0)
        if noise < 0:
            self.say("noise that is taken away", "noise is added", f"--shift {NOISE}=0.02", NOISE)
        return Knobs(numbers.pop(QT, 0.0) / 1000, self._leads(numbers), noise)

    def _leads(self, numbers: Mapping[str, float]) -> tuple[float, ...]:
        leads, tied = [lead.name for lead in self.known.leads], self.known.tied
        free = ", ".join(lead for lead in leads if lead not in tied)
        named = {name.removeprefix(f"{ST} "): shift for name, shift in numbers.items() if name != ST}
        for name in named:
            if name not in leads:
                self.say(f"no lead '{name}'", "a lead is named as in the data", f"one of: {free}", f"{ST} {name}")
            elif name in tied:
                found, rule = f"lead '{name}' moved by itself", "two limb leads say the others (Einthoven, Goldberger)"
                self.say(found, rule, f"one of: {free}", f"{ST} {name}")
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
