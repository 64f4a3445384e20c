"""What was asked of a column, in terms of the data: which of its values are wanted, and how much of each code is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.schema import Column
from semblance.modalities.table.codes import DAY, Categories, Numbers
from semblance.modalities.table.wanted.inside import between, draw_inside, share_inside

Coder = Categories | Numbers
TRUE, FALSE = ("True", "true", "TRUE", "1", "yes", "Yes", "Y"), ("False", "false", "FALSE", "0", "no", "No", "N")
SHOWN = 8
STEPS = {DAY: "days", 3600.0: "hours", 60.0: "minutes", 1.0: "seconds"}


class Unfit(Exception):
    """A condition that its column cannot have: what was `found`, and the `rule`."""

    def __init__(self, found: str, rule: str) -> None:
        super().__init__(found)
        self.found, self.rule = found, rule


@dataclass(frozen=True)
class Condition:
    """The wanted values of a column: categories, disjoint closed ranges of numbers in order, and the missing value."""

    names: frozenset[str] = frozenset()
    spans: tuple[tuple[float, float], ...] = ()
    missing: bool = False

    def holds(self, values: pd.Series) -> np.ndarray:
        """(n,) bool: which values are wanted."""
        if isinstance(values.dtype, pd.CategoricalDtype):
            wanted = np.array([*(str(c) in self.names for c in values.cat.categories), self.missing])
            found: np.ndarray = wanted[values.cat.codes.to_numpy()]
            return found
        numbers = values.to_numpy(dtype=float)
        held = np.isnan(numbers) & self.missing
        for low, high in self.spans:
            held |= (numbers >= low) & (numbers <= high)
        return held

    def weight(self, coder: Coder) -> np.ndarray:
        """(size,) the share of each code that is wanted."""
        if isinstance(coder, Categories):
            return np.array([float(self.missing if t is None else t in self.names) for t in coder.tokens])
        return share_inside(coder, self.spans, missing=self.missing)

    def decode(self, coder: Coder, codes: np.ndarray, rng: np.random.Generator) -> Any:
        """The values of codes that have a wanted share, all of them wanted."""
        return coder.decode(codes, rng) if isinstance(coder, Categories) else draw_inside(coder, codes, self.spans, rng)

    def both(self, other: Condition) -> Condition:
        """What this one and `other` want."""
        met = ((max(a, c), min(b, d)) for a, b in self.spans for c, d in other.spans)
        spans = tuple(sorted((low, high) for low, high in met if low <= high))
        return Condition(self.names & other.names, spans, self.missing and other.missing)

    def overlaps(self, other: Condition) -> bool:
        """Whether a value is wanted by both."""
        both = self.both(other)
        return bool(both.names or both.spans or both.missing)


def condition_of(asked: Any, column: Column, coder: Coder | None) -> Condition:
    """What was asked of a column (see `Wanted`). Raises Unfit; `coder` is None where the column has no codes."""
    several = isinstance(asked, set | frozenset | list)
    found = _joined(_one(value, column, coder) for value in (asked if several else (asked,)))
    if coder is not None and not found.weight(coder).any():
        raise _unheld(found, coder, column)
    return found


def _unheld(condition: Condition, coder: Coder, column: Column) -> Unfit:
    """Why no code of a column is wanted: its values are whole multiples of a step, or these are none that it holds."""
    known = _known(coder, column)
    if isinstance(coder, Numbers) and condition.spans and all(between(coder.unit, *span) for span in condition.spans):
        step = _step(coder.unit, column)
        return Unfit(f"a value that falls between {step}", f"the column holds {step}, {known}")
    return Unfit("values that the model does not know", known)


def _step(unit: float, column: Column) -> str:
    """What the values of a column are multiples of, in words."""
    if column.kind == "date":
        return f"whole {STEPS.get(unit, 'microseconds')}"
    return "whole numbers" if unit == 1 else f"multiples of {unit:g}"


def bands_of(quota: Mapping[Any, float], column: Column, coder: Coder | None) -> list[tuple[Condition, float]]:
    """The conditions of a quota and their shares. A band that ends where another begins leaves that end to it."""
    found = [(condition_of(asked, column, coder), share) for asked, share in quota.items()]
    begins = {low for condition, _ in found for low, high in condition.spans if low < high}
    return [(_open(condition, begins), share) for condition, share in found]


def values_of(column: Column, coder: Coder) -> list[Condition]:
    """A condition for every value of a column that has few. Raises Unfit where it has bins, or a single value."""
    if isinstance(coder, Numbers):
        if len(coder.starts) > 1:
            raise Unfit("equal shares of a number with many values", "bands with shares")
        found = [Condition(spans=((float(token), float(token)),)) for token in coder.tokens]
    else:
        found = [Condition(names=frozenset([token])) for token in coder.tokens if token is not None]
    if len(found) < 2:
        raise Unfit("equal shares of a single value", "two values or more")
    return found


def _one(asked: Any, column: Column, coder: Coder | None) -> Condition:
    if asked is None:
        return Condition(missing=True)
    if column.continuous:
        low, high = asked if isinstance(asked, tuple) else (asked, asked)
        span = (_number(low, column, empty=-np.inf), _number(high, column, empty=np.inf))
        if not span[0] <= span[1]:
            raise Unfit("a range that ends below its beginning", "(lowest, highest)")
        return Condition(spans=(span,))
    if isinstance(asked, tuple):
        return Condition(names=frozenset(_between(asked, column, coder)))
    return Condition(names=frozenset([_category(asked, column, coder)]))


def _joined(conditions: Iterable[Condition]) -> Condition:
    """The union, its ranges merged where they meet."""
    names: frozenset[str] = frozenset()
    spans: list[tuple[float, float]] = []
    missing = False
    for condition in conditions:
        names, missing = names | condition.names, missing or condition.missing
        spans += condition.spans
    merged: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            low, high = merged[-1][0], max(high, merged.pop()[1])
        merged.append((low, high))
    return Condition(names, tuple(merged), missing)


def _open(condition: Condition, begins: set[float]) -> Condition:
    ends = ((low, np.nextafter(high, low) if high in begins and low < high else high) for low, high in condition.spans)
    return replace(condition, spans=tuple((low, float(high)) for low, high in ends))


def _number(value: Any, column: Column, *, empty: float) -> float:
    """A number, or a date as seconds."""
    if value is None:
        return empty
    try:
        number = _seconds(value) if column.kind == "date" else float(value)
    except (TypeError, ValueError) as error:
        wanted = "a date such as 2020-12-31" if column.kind == "date" else "a number"
        raise Unfit(f"a {type(value).__name__} that is no {wanted.split()[1]}", wanted) from error
    if np.isnan(number):
        raise Unfit("NaN", "None stands for the missing value")
    return number


def _seconds(value: Any) -> float:
    if not isinstance(value, str | date | np.datetime64):
        raise TypeError
    stamp = pd.Timestamp(value)
    return float((stamp.tz_convert("UTC").tz_localize(None) if stamp.tzinfo else stamp).timestamp())


def _category(value: Any, column: Column, coder: Coder | None) -> str:
    """The name of a category as the data write it: True may be "1" there, and 1.0 "1"."""
    known = coder.tokens if isinstance(coder, Categories) else None
    spelt = [str(value)]
    if isinstance(value, bool | np.bool_):
        spelt += TRUE if value else FALSE
    elif isinstance(value, float) and value.is_integer():
        spelt.append(str(int(value)))
    if known is None:
        return spelt[0]
    for name in spelt:
        if name in known:
            return name
    assert coder is not None
    raise Unfit(f"the value '{value}'", _known(coder, column))


def _between(asked: tuple[Any, Any], column: Column, coder: Coder | None) -> list[str]:
    """The categories of an ordinal column from the lower to the upper one."""
    if column.kind != "ordinal" or not column.categories:
        raise Unfit("a range of categories", "a range needs an order; {...} is a set")
    order = list(column.categories)
    low, high = (None if end is None else _category(end, column, coder) for end in asked)
    if not {low, high} <= {None, *order}:
        raise Unfit("a range with an end that the column does not have", f"from and to one of {', '.join(order)}")
    begin, end = 0 if low is None else order.index(low), len(order) - 1 if high is None else order.index(high)
    if begin > end:
        raise Unfit("a range that ends below its beginning", "(lowest, highest)")
    return order[begin : end + 1]


def _known(coder: Coder, column: Column) -> str:
    """What may be asked: values that enough patients hold, so that each has a code."""
    missing = ", or None for the missing value" if _may_miss(coder) else "; it is never missing"
    if isinstance(coder, Numbers):
        held = np.concatenate([coder.tokens[np.isfinite(coder.tokens)], coder.knots])
        if not len(held):
            return f"it holds no number{missing}"
        low, high = (_spelt(end, column) for end in (held.min(), held.max()))
        return f"about {low} to {high}{missing}"
    names = [token for token in coder.tokens if token is not None]
    more = f", ... ({len(names)} values)" if len(names) > SHOWN else ""
    return f"one of {', '.join(names[:SHOWN])}{more}{missing}"


def _may_miss(coder: Coder) -> bool:
    return coder.missing if isinstance(coder, Numbers) else None in coder.tokens


def _spelt(number: float, column: Column) -> str:
    return str(pd.Timestamp(number, unit="s"))[:10] if column.kind == "date" else f"{number:g}"


def overlapping(bands: list[tuple[Condition, float]]) -> Iterator[int]:
    """The bands that share a value with an earlier one."""
    for i, (condition, _) in enumerate(bands):
        if any(condition.overlaps(before) for before, _ in bands[:i]):
            yield i
