"""The arms of a treatment, and the columns that say the same: what changes where an arm is set.

A trial often tells its arms twice (a number for each, and treated or not). To set one of them sets those that follow
from it; one from which several arms could follow is refused, since it does not say which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.errors import UsageError
from semblance.modalities.table.codes import patients_of
from semblance.modalities.table.data import Table


@dataclass(frozen=True)
class Arms:
    """`levels` of the treatment `column` as one writes them; `follow` holds the value of other columns at each level.

    `finer` are columns that determine the treatment and say more than it.
    """

    column: str
    levels: tuple[str, ...]
    follow: Mapping[str, tuple[str | float | None, ...]]
    finer: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, *, rare: int) -> Arms | None:
        """The arms of the treatment, each of at least `rare` patients; None where no column has that role."""
        column = table.schema.where("treatment")
        if column is None:
            return None
        code, values = _levels(table.frame[column.name])
        count = patients_of(code, table.subjects, len(values))
        held = [i for i, value in enumerate(values) if value is not None and count[i] >= rare]
        rows = np.isin(code, held)
        subjects = table.subjects[rows]
        follow: dict[str, tuple[str | float | None, ...]] = {}
        finer = []
        for other in (c.name for c in table.schema.learned if c.name != column.name):
            own, named = _levels(table.frame[other])
            if _determines(code[rows], own[rows], subjects, rare=rare):
                follow[other] = tuple(named[int(own[code == i][0])] for i in held)
            elif _determines(own[rows], code[rows], subjects, rare=rare):
                finer.append(other)
        return cls(column.name, tuple(_text(values[i]) for i in held), follow, tuple(finer))

    def place(self, level: Any) -> int:
        """The place of an arm, given as a text or a number. Raises UsageError for one that is not there."""
        if self.finer:
            raise UsageError.of(
                f"column '{self.column}' says less of the treatment than {', '.join(self.finer)}",
                rule="what is set says which arm",
                fix=f'[columns."{self.finer[0]}"] role = "treatment"',
            )
        named = level if level in self.levels else _text(float(level)) if _is_number(level) else str(level)
        if named not in self.levels:
            raise UsageError.of(
                f"no arm of that name in '{self.column}'",
                rule="an arm that enough patients for a group are in",
                fix=f"one of: {', '.join(self.levels)}",
            )
        return self.levels.index(named)

    def set(self, table: Table, place: int) -> Table:
        """The table with every record in the arm at this place."""
        told = {self.column: self.levels[place], **{name: values[place] for name, values in self.follow.items()}}
        return Table(table.schema, table.frame.assign(**_filled(table.frame, told)), table.subjects, table.names)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        follow = {name: list(values) for name, values in self.follow.items()}
        return {"column": self.column, "levels": list(self.levels), "follow": follow, "finer": list(self.finer)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Arms:
        """The inverse of `to_json`."""
        follow = {name: tuple(values) for name, values in data["follow"].items()}
        return cls(data["column"], tuple(data["levels"]), follow, tuple(data["finer"]))


def _levels(values: pd.Series) -> tuple[np.ndarray, list[str | float | None]]:
    """(n,) codes and the value of each code, the missing one among them as None."""
    code, held = pd.factorize(values, use_na_sentinel=False)
    return code, [None if pd.isna(v) else v if isinstance(v, str) else float(v) for v in held]


def _determines(a: np.ndarray, b: np.ndarray, subjects: np.ndarray, *, rare: int) -> bool:
    """Whether b is a function of a, and not by chance: `rare` patients hold every value of a, and b varies."""
    distinct, code = np.unique(a, return_inverse=True)
    if not len(a) or len(np.unique(b)) < 2 or patients_of(code, subjects, len(distinct)).min() < rare:
        return False
    return len(np.unique(np.stack([a, b]), axis=1).T) == len(distinct)


def _is_number(level: Any) -> bool:
    try:
        float(level)
    except (TypeError, ValueError):
        return False
    return True


def _text(value: str | float | None) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"


def _filled(frame: pd.DataFrame, told: Mapping[str, str | float | None]) -> dict[str, Any]:
    """Columns that hold one value throughout, of the kind that they had."""
    filled: dict[str, Any] = {}
    for name, value in told.items():
        dtype = frame[name].dtype
        if isinstance(dtype, pd.CategoricalDtype):
            listed = dtype.categories if value is None or value in dtype.categories else [*dtype.categories, value]
            filled[name] = pd.Categorical([value] * len(frame), categories=listed)
        else:
            filled[name] = np.full(len(frame), np.nan if value is None else float(value))
    return filled
