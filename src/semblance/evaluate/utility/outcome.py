"""What an analyst's model is about, read from features: the outcome, the treated arm, the event.

A column of two classes is read as "happened or not": its name says which class happened (yes, dead, 1), else it is the
rarer one. Of more than two classes, the most frequent stands against the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from semblance.core.dataset import Features

ARMS = 10  # a number with at most this many values may name arms
_YES = re.compile(r"true|yes|y|t|dead|died|death|deceased|event|treated|treatment|case|pos|positive|present")
_NO = re.compile(r"0|0\.0|false|no|n|f|alive|living|survived|censored|none|control|placebo|untreated|neg|negative")


@dataclass(frozen=True)
class Outcome:
    """One column as a number: an indicator of class `code` (of all others if `rest`), or a number in train's SDs."""

    name: str
    position: int
    two: bool
    code: float = 0.0
    rest: bool = False
    centre: float = 0.0
    scale: float = 1.0

    def of(self, x: np.ndarray) -> np.ndarray:
        """(n,) from features (n, d): 0 and 1, or standardised; NaN where it is missing."""
        column = x[:, self.position]
        if not self.two:
            made: np.ndarray = (column - self.centre) / self.scale
            return made
        hit = column != self.code if self.rest else column == self.code
        return np.where(np.isnan(column), np.nan, hit.astype(float))


def outcome(known: Features, position: int, *, arms: bool = False) -> Outcome | None:
    """How column `position` of train is read; None where it never varies.

    With `arms` a number of few values names classes, and one of many values is not read at all.
    """
    column = known.x[:, position]
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    name = known.names[position]
    if len(values) < 2:
        return None
    if len(values) == 2:
        code = _happened(known, position, values)
        return Outcome(f"{name} = {level(known, position, code)}", position, True, code)
    if known.categorical[position] or (arms and len(values) <= ARMS):
        most = float(values[counts.argmax()])
        return Outcome(f"{name} = not {level(known, position, most)}", position, True, most, rest=True)
    centre, scale = _moments(column)
    return None if arms or scale is None else Outcome(name, position, False, centre=centre, scale=scale)


def level(known: Features, position: int, code: float) -> str:
    """What the class `code` of a column is called."""
    if not known.categorical[position]:
        return f"{code:g}"
    names = known.levels[position] if position < len(known.levels) else ()
    return names[int(code)] if code < len(names) else "others"


def _happened(known: Features, position: int, values: np.ndarray) -> float:
    """The class whose name says yes, or the other's name no; else the larger number, or the rarer rank."""
    words = [level(known, position, value).strip().lower() for value in values]
    for telling, other in ((_YES, 0), (_NO, 1)):
        said = [bool(telling.fullmatch(word)) for word in words]
        if sum(said) == 1:
            return float(values[abs(said.index(True) - other)])
    return float(values[1])


def _moments(column: np.ndarray) -> tuple[float, float | None]:
    with np.errstate(over="ignore", invalid="ignore"):
        centre, scale = float(np.nanmean(column)), float(np.nanstd(column))
    return centre, scale if np.isfinite(scale) and scale > 0 else None
