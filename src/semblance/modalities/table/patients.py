"""Who stands behind the records: whether train and holdout share a patient, and how few patients hold a category."""

from __future__ import annotations

import numpy as np

from semblance.core.errors import DataError
from semblance.core.judge import patients
from semblance.modalities.table.codes import patients_of
from semblance.modalities.table.copies import fingerprints
from semblance.modalities.table.data import Table

MOST_COPIES = 0.5


def apart(train: Table, holdout: Table) -> None:
    """Raise DataError where a patient of the holdout stands in train.

    Without names of patients, where most holdout records equal a training record, at least twice as often as training
    records equal each other: a table of few values repeats itself.
    """
    if train.names is None or holdout.names is None:
        return _apart_by_records(train, holdout)
    shared = len(np.intersect1d(train.names, holdout.names))
    if shared:
        raise DataError.of(
            f"{shared:,} {'patients stand' if shared > 1 else 'patient stands'} in train and in the holdout",
            rule="the holdout holds other patients than train",
            fix="give records of patients that the generator never saw",
        )


def _apart_by_records(train: Table, holdout: Table) -> None:
    known, place, count = np.unique(fingerprints(train), return_inverse=True, return_counts=True)
    copied = np.isin(fingerprints(holdout), known)
    if copied.size and copied.mean() > max(MOST_COPIES, 2 * float((count[place] > 1).mean())):
        raise DataError.of(
            f"{int(copied.sum()):,} of {len(copied):,} holdout records equal a training record",
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
