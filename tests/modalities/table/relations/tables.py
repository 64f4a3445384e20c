"""Small tables with declared constraints, and the laws that every relation obeys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from semblance.core.constraint import Constraint
from semblance.core.modality import ReadOptions
from semblance.modalities.table.data import Table, from_frame
from semblance.modalities.table.relations.kept import Relations
from semblance.modalities.table.relations.relation import Relation


def table(frame: pd.DataFrame, *rules: Constraint, subject: str | None = None, **columns: Any) -> Table:
    """A frame as the reader makes it, with constraints and with what is declared of its columns."""
    made, _ = from_frame(frame, ReadOptions(subject=subject, declared={"columns": columns}))
    return replace(made, schema=replace(made.schema, constraints=rules))


def same(one: Any, two: Any) -> bool:
    """Whether two columns hold the same values."""
    if isinstance(getattr(one, "dtype", None), pd.CategoricalDtype):
        return pd.Series(one).astype(object).fillna("").tolist() == pd.Series(two).astype(object).fillna("").tolist()
    return np.array_equal(np.asarray(one, dtype=float), np.asarray(two, dtype=float), equal_nan=True)


def round_trip(relation: Relation, made: Table) -> list[str]:
    """The columns that a relation does not give back as they were."""
    reduced = relation.reduce(made.frame)
    assert list(reduced) == [field.name for field in relation.fields]
    known = {name: made.frame[name] for name in relation.needs}
    back = relation.restore({**known, **reduced})
    assert sorted(back) == sorted(relation.owns)
    return [name for name in relation.owns if not same(made.frame[name], back[name])]


def through_json(relations: Sequence[Relation]) -> tuple[Relation, ...]:
    """Relations written and read again."""
    import json

    return Relations.from_json(json.loads(json.dumps(Relations(tuple(relations)).to_json()))).parts
