"""What must hold of all records before any of them is learned, those of the holdout too."""

from __future__ import annotations

from semblance.core.errors import DataError
from semblance.modalities.table.data import Table
from semblance.modalities.table.relations.declared import check


def sound(table: Table) -> None:
    """Raise UsageError for constraints that fit no column, DataError for broken ones and for a useless target."""
    check(table)
    target = table.schema.where("target")
    if target is not None and len(table) > 1 and table.frame[target.name].nunique() < 2:
        raise DataError.of(
            "one value in all records",
            rule="a target has at least two, or there is nothing to predict",
            fix="name another target, or none",
            column=target.name,
        )
