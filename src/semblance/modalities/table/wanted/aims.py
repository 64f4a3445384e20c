"""From what was asked to what is drawn.

The joint of all asked-for codes is raked to the shifted marginals. Quotas and fairness lay axes over it: the levels of
an axis are bands of a column, or codes of the groups. Every combination of levels is a label, gets a whole number of
records that keeps every margin, and has cells of its own to draw from. Without axes there is one label for all.

Demographic parity is a quota whose combinations are the product of the margins of outcome and group. For equalised odds
(Hardt, Price and Srebro, NeurIPS 2016) a record is drawn with its own group, which is then drawn anew given the outcome
alone: all else is independent of the group given the outcome, so whatever is predicted from it is fair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.core.shares import largest_remainder
from semblance.modalities.table.codes import Numbers
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.wanted.asked import Asked, coders_of
from semblance.modalities.table.wanted.conditions import Condition
from semblance.modalities.table.wanted.joint import CELLS, Conditional, Joint, few, pick, possible, shares_given
from semblance.modalities.table.wanted.shifts import shifted
from semblance.modalities.table.wanted.weighing import rake, whole

PILOT = 8192
NEVER = 1e-6
"""A combination that the model gives less than this share of the records is one that does not exist."""
SAME = 0.999


@dataclass(frozen=True)
class Axis:
    """(levels, m) the share of each cell `inside` each level, the `share` of records that each level shall have, and
    what a record of a level satisfies."""

    column: str
    inside: np.ndarray
    share: np.ndarray
    limits: tuple[Mapping[str, Condition], ...]


@dataclass(frozen=True)
class Aim:
    """Draws records as they were asked for. `mass` (m,): the share of each cell of the joint, shifts included."""

    model: Conditional
    encoding: Encoding
    asked: Asked
    joint: Joint
    mass: np.ndarray
    axes: tuple[Axis, ...] = ()
    pilot: np.ndarray | None = None
    """The share of every combination where a column is restored and only seen in whole records."""
    allowed: tuple[np.ndarray, ...] = ()
    """Per column the weight of each code, where the model chooses by itself."""

    @classmethod
    def of(cls, model: Conditional, encoding: Encoding, wanted: Wanted, *, seed: int) -> Aim:
        """Read, find the joint, shift it, lay the axes. Raises UsageError for what no record of the model can be."""
        asked = Asked.of(wanted, encoding)
        weights = _weights(asked, encoding)
        if asked.given_only and not few(weights) and hasattr(model, "choose"):
            return cls._chosen(model, encoding, asked, weights)
        joint = Joint.of(model, weights, width=len(encoding.fields), rng=stream(seed, "joint"))
        free = cls(model, encoding, asked, joint, shifted(joint, asked.shift, encoding))
        aim = replace(free, axes=tuple(free._axes()))
        if np.prod([float(len(axis.share)) for axis in aim.axes]) > CELLS:
            raise UsageError.of(
                "too many combinations of quotas and groups", rule=f"at most {CELLS}", fix="fewer or wider bands"
            )
        if any(axis.column not in coders_of(encoding) for axis in aim.axes if axis.column):
            aim = replace(aim, pilot=aim._seen(free, rng=stream(seed, "pilot")))
        return aim

    @classmethod
    def _chosen(cls, model: Any, encoding: Encoding, asked: Asked, weights: Mapping[int, np.ndarray]) -> Aim:
        """Where the model itself draws records under the weights of their codes."""
        allowed = tuple(weights.get(j, np.ones(int(size))) for j, size in enumerate(encoding.sizes))
        joint = Joint.none(possible(model.probability(allowed)))
        return cls(model, encoding, asked, joint, joint.mass, allowed=allowed)

    # What a drawing needs

    def labels(self, n: int, *, rng: np.random.Generator) -> np.ndarray | None:
        """(n,) the combination of each record, with every margin kept; None where there is no axis."""
        return rng.permutation(np.repeat(np.arange(len(self.shares)), self.counts(n))) if self.axes else None

    def make(self, labels: np.ndarray, *, first_subject: int, rng: np.random.Generator) -> Table:
        """A record for each label; those below 0 satisfy what is given and nothing else."""
        codes = self.codes(labels, rng=rng)
        values: dict[str, Any] = {}
        for j, (field, coder) in enumerate(zip(self.encoding.fields, self.encoding.columns, strict=True)):
            values[field.name] = coder.decode(codes[:, j], rng)
            if isinstance(coder, Numbers):
                for rows, limit in self._limited(field.name, labels):
                    values[field.name][rows] = limit.decode(coder, codes[rows, j], rng)
        return self.encoding.assemble(values, first_subject=first_subject, rng=rng)

    def bad(self, table: Table, labels: np.ndarray) -> np.ndarray:
        """(n,) bool: the records that break a constraint, or are not as wanted."""
        found = self.encoding.broken(table).copy()
        for name in self.asked.given.keys() | {name for axis in self.axes for limit in axis.limits for name in limit}:
            for rows, limit in self._limited(name, labels):
                found[rows] |= ~limit.holds(table.frame[name].iloc[rows])
        return found

    def told(self) -> dict[str, Any]:
        """How exact the draws are: the probability of what is wanted, and (if drawn) the standard error of a share."""
        drawn = self.joint.effective
        error = {} if drawn is None else {"error": 0.5 / float(np.sqrt(drawn))}
        return {"probability": self.joint.total, **error}

    # Shares and counts

    @cached_property
    def shares(self) -> np.ndarray:
        """(combinations,) how the model shares them; for parity, how independent margins would. 0: does not exist."""
        found = self._held() if self.pilot is None else self.pilot
        found = np.where(found < NEVER * found.sum(), 0.0, found)
        if self.asked.groups and not self.asked.odds:
            product = np.ones(1)
            for axis in self.axes:
                product = np.multiply.outer(product, axis.share).ravel()
            found = np.where(found > 0, product, 0.0)
        return found

    def _held(self) -> np.ndarray:
        return np.array([float((self.mass * self._inside(label)).sum()) for label in range(self._combinations)])

    @property
    def _combinations(self) -> int:
        return int(np.prod([len(axis.share) for axis in self.axes]))

    def counts(self, n: int) -> np.ndarray:
        """(combinations,) whole numbers that sum to n; each level has its share by largest remainders, exactly."""
        levels = self._levels(np.arange(self._combinations))
        margins = [(level, largest_remainder(axis.share, n)) for level, axis in zip(levels, self.axes, strict=True)]
        expected = rake(self.shares * (n / max(self.shares.sum(), 1e-300)), margins)
        found = whole(expected, margins) if n else np.zeros(len(expected), dtype=np.int64)
        if found is None:
            raise UsageError.of(
                f"quotas of {', '.join(axis.column for axis in self.axes)} that exclude each other",
                rule="the model knows records for every combination that the shares need",
                fix="change the shares, or leave one quota out",
            )
        return found

    def _levels(self, labels: np.ndarray) -> tuple[np.ndarray, ...]:
        """The level of each label on each axis."""
        return np.unravel_index(labels, [len(axis.share) for axis in self.axes]) if self.axes else ()

    def _inside(self, label: int) -> np.ndarray:
        """(m,) the share of each cell that belongs to a label."""
        found = np.ones(len(self.mass))
        for axis, level in zip(self.axes, self._levels(np.array(label)), strict=True):
            found = found * axis.inside[level]
        return found

    # Axes

    def _axes(self) -> Iterator[Axis]:
        coders = coders_of(self.encoding)
        for name, bands in self.asked.quota.items():
            limits = [band.both(self.asked.given[name]) if name in self.asked.given else band for band, _ in bands]
            inside = np.ones((len(bands), len(self.mass)))
            if name in coders:
                codes = self.joint.codes(self._at(name))
                inside = np.array([limit.weight(coders[name])[codes] for limit in limits])
            yield Axis(name, inside, np.array([share for _, share in bands]), tuple({name: one} for one in limits))
        if self.asked.groups and not self.asked.odds:
            yield from (
                self._codes_axis(names)
                for names in (self.asked.groups, (self.asked.outcome,))
                if not {*names} & self.asked.quota.keys()
            )

    def _codes_axis(self, names: tuple[str, ...]) -> Axis:
        """An axis whose levels are the combinations of codes of columns, with the shares that they have."""
        held = np.column_stack([self.joint.codes(self._at(name)) for name in names])
        level = np.unique(held, axis=0, return_inverse=True)[1].ravel()
        inside = (level == np.arange(level.max() + 1)[:, None]).astype(float)
        share = inside @ self.mass
        return Axis("", inside, share / share.sum(), ({},) * len(share))

    def _seen(self, free: Aim, *, rng: np.random.Generator) -> np.ndarray:
        """The share of each combination among whole records of what is given."""
        table = free.make(np.full(PILOT, -1), first_subject=0, rng=rng)
        fine = ~free.bad(table, np.full(PILOT, -1))
        labels = range(self._combinations)
        return np.array([float((fine & self._satisfies(table, label)).mean()) for label in labels])

    def _satisfies(self, table: Table, label: int) -> np.ndarray:
        held = np.ones(len(table), dtype=bool)
        for axis, level in zip(self.axes, self._levels(np.array(label)), strict=True):
            for name, limit in axis.limits[level].items():
                held &= limit.holds(table.frame[name])
        return held

    # Draws

    def codes(self, labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, fields) codes: a cell of each label, completed by the model."""
        if self.allowed:
            chosen: np.ndarray = self.model.choose(self.allowed, len(labels), rng=rng)  # type: ignore[attr-defined]
            return chosen
        cells = np.empty(len(labels), dtype=np.int64)
        for label in np.unique(labels):
            rows = labels == label
            weights = self.mass * self._inside(label) if label >= 0 and self.axes else self.mass
            cells[rows] = pick(weights, int(rows.sum()), rng=rng)
        known = np.full((len(labels), len(self.encoding.fields)), -1, dtype=np.int64)
        known[:, list(self.joint.columns)] = self.joint.cells[cells]
        if not self.asked.odds or not self.asked.groups:
            return self.model.complete(known, rng=rng)
        known[:, self._groups] = -1
        return self._regrouped(self.model.complete(known, rng=rng), rng=rng)

    def _regrouped(self, codes: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Records with a group drawn given the outcome alone, and what merely repeats the group with it."""
        at, outcome = self._at(self.asked.outcome), self.joint.codes(self._at(self.asked.outcome))
        codes = codes.copy()
        for code in np.unique(codes[:, at]):
            rows = np.flatnonzero(codes[:, at] == code)
            cells = pick(np.where(outcome == code, self.mass, 0.0), len(rows), rng=rng)
            for j in self._groups:
                codes[rows, j] = self.joint.codes(j)[cells]
        if not self._followers:
            return codes
        codes[:, self._followers] = -1
        return self.model.complete(codes, rng=rng)

    @cached_property
    def _groups(self) -> list[int]:
        return [self._at(name) for name in self.asked.groups]

    @cached_property
    def _followers(self) -> list[int]:
        """The columns that say no more than the group: each group has one code there, and not all the same."""
        held = np.unique(np.column_stack([self.joint.codes(j) for j in self._groups]), axis=0)
        known = np.full((len(held), len(self.encoding.fields)), -1, dtype=np.int64)
        known[:, self._groups] = held
        found = []
        for j in sorted(set(range(known.shape[1])) - set(self.joint.columns)):
            share = shares_given(self.model, known, j)
            if share.max(1).min() > SAME and len(np.unique(share.argmax(1))) > 1:
                found.append(j)
        return found

    def _limited(self, name: str, labels: np.ndarray) -> Iterator[tuple[np.ndarray, Condition]]:
        """Positions of the records, and what they satisfy in a column."""
        left = np.ones(len(labels), dtype=bool)
        if self.axes:
            levels = self._levels(np.maximum(labels, 0))
            for axis, level in zip(self.axes, levels, strict=True):
                for k, limits in enumerate(axis.limits if axis.column == name else ()):
                    rows = (level == k) & (labels >= 0)
                    left &= ~rows
                    if rows.any():
                        yield np.flatnonzero(rows), limits[name]
        if name in self.asked.given and left.any():
            yield np.flatnonzero(left), self.asked.given[name]

    def _at(self, name: str) -> int:
        return next(j for j, field in enumerate(self.encoding.fields) if field.name == name)


def _weights(asked: Asked, encoding: Encoding) -> dict[int, np.ndarray]:
    """The wanted share of each code of each column that anything is asked of."""
    coders, found = coders_of(encoding), {}
    for j, field in enumerate(encoding.fields):
        name, coder = field.name, coders.get(field.name)
        if coder is None or name not in _named(asked):
            continue
        weight = asked.given[name].weight(coder) if name in asked.given else np.ones(coder.size)
        if name in asked.quota:  # the axis takes the share inside: here only what no band holds falls away
            weight = (weight > 0) & (sum(band.weight(coder) for band, _ in asked.quota[name]) > 0)
        found[j] = np.asarray(weight, dtype=float)
    return found


def _named(asked: Asked) -> set[str]:
    fair = {*asked.groups, asked.outcome} if asked.groups else set()
    return {*asked.given, *asked.quota, *asked.shift, *fair}
