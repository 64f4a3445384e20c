"""Who stands behind the records: whether train and holdout share a patient, and how few patients hold a category."""

from __future__ import annotations

import numpy as np

from semblance.core.errors import DataError
from semblance.core.judge import patients
from semblance.modalities.table.codes import patients_of
from semblance.modalities.table.copies import fingerprints
from semblance.modalities.table.data import Table

MOST_COPIES = 0.5


def apart(train: Table, holdout: Table, synthetic: Table | None = None) -> None:
    """Raise DataError where a patient of the holdout stands in train, or where the synthetic records are the holdout's.

    Without names of patients, where most holdout records equal a training record, at least twice as often as training
    records equal each other: a table of few values repeats itself.
    """
    subject = train.schema.where("subject")
    if subject is not None and train.names is not None and holdout.names is None:
        fix = "add it, so that no patient stands on both sides"
        raise DataError.of("the holdout names no patients", rule="as train does", fix=fix, column=subject.name)
    if train.names is None or holdout.names is None:
        _apart_by_records(train, holdout)
    else:
        _apart_by_names(train.names, holdout.names)
    if synthetic is not None and (copied := _copied(holdout, synthetic)):
        raise DataError.of(
            f"{copied:,} of {len(synthetic):,} synthetic records equal a holdout record",
            rule="the generator never saw the holdout",
            fix="give records of patients that it never saw",
        )


def _apart_by_names(train: np.ndarray, holdout: np.ndarray) -> None:
    shared = len(np.intersect1d(train, holdout))
    if shared:
        raise DataError.of(
            f"{shared:,} {'patients stand' if shared > 1 else 'patient stands'} in train and in the holdout",
            rule="the holdout holds other patients than train",
            fix="give records of patients that the generator never saw",
        )


def _copied(real: Table, other: Table) -> int:
    """How many records of `other` equal one of `real`; 0 where a table that repeats itself would have as many."""
    known, place, count = np.unique(fingerprints(real), return_inverse=True, return_counts=True)
    copied = np.isin(fingerprints(other), known)
    many = copied.size and copied.mean() > max(MOST_COPIES, 2 * float((count[place] > 1).mean()))
    return int(copied.sum()) if many else 0


def _apart_by_records(train: Table, holdout: Table) -> None:
    if copied := _copied(train, holdout):
        raise DataError.of(
            f"{copied:,} of {len(holdout):,} holdout records equal a training record",
            rule="the holdout holds other patients than train",
            fix="give records of patients that the generator never saw, or name the patient with --subject",
        )


def fewest(train: Table, synthetic: Table) -> int:
    """The fewest train patients behind a category of `synthetic`, over all columns that are not continuous.

    Categories that train does not hold tell nothing of its patients; where no other is there, all patients count.
    """
    least = patients(train.subjects)
    for column in train.schema.learned:
        if not column.continuous:
            real, made = train.frame[column.name].cat, synthetic.frame[column.name].cat
            count = patients_of(real.codes.to_numpy(), train.subjects, len(real.categories))
            shown = made.categories[np.unique(made.codes[made.codes >= 0])]
            behind = count[real.categories.isin(shown) & (count > 0)]
            least = min(least, int(behind.min(initial=least)))
    return least
