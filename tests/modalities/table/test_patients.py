"""Who stands behind the records: train and holdout share nobody, and categories are counted by patients."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.core.modality import ReadOptions
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat, from_frame, like
from semblance.modalities.table.patients import apart, fewest
from tests.contracts.samples import cohort, patients, table


def visits(names: list[object], **columns: object) -> Table:
    frame = pd.DataFrame({"pid": names, "age": np.arange(len(names)) % 7 + 0.5, **columns})
    return from_frame(frame, ReadOptions(subject="pid"))[0]


def test_patients_of_another_file_are_known_by_their_names_not_by_their_codes():
    apart(visits(["a", "b", "c"]), visits(["d", "e"]))
    with pytest.raises(DataError) as caught:
        apart(visits(["Zeb", "Quix", "c", "c"]), visits(["d", "Quix", "Zeb", "Zeb"]))
    assert "2 patients" in str(caught.value) and not re.search("Zeb|Quix", str(caught.value))


@pytest.mark.parametrize("other", [[7.0, 9.0], ["7", " 9 "], [7, 9]])
def test_a_name_is_the_same_however_it_is_typed(other):
    with pytest.raises(DataError, match="1 patient"):
        apart(visits([7, 8]), visits(other))


def test_names_follow_the_rows_that_are_taken():
    whole = visits(list("aabbc"))
    apart(whole.take(np.array([0, 1])), whole.take(np.array([2, 3, 4])))
    with pytest.raises(DataError):
        apart(whole.take(np.array([0, 2])), whole.take(np.array([3])))


def test_without_names_a_holdout_of_copies_is_refused():
    train, other = (replace(cohort(n, seed), names=None) for n, seed in ((300, 0), (100, 1)))
    apart(train, other)
    with pytest.raises(DataError, match="60 of 100"):
        apart(train, concat([train.take(np.arange(60)), other.take(np.arange(40))]))


def test_a_table_of_few_values_may_repeat_itself():
    rng = stream(0, "few")
    apart(*(table(pd.DataFrame({f"c{j}": rng.choice(["a", "b"], n) for j in range(3)})) for n in (200, 80)))


def test_the_fewest_patients_count_patients_and_ignore_what_train_never_held():
    train = visits(["a", "a", "b", "c", "d"], ward=["x", "x", "y", "y", "z"])
    assert fewest(train, visits(["1", "2"], ward=["y", "new"])) == 2
    assert fewest(train, visits(["1", "2"], ward=["y", "x"])) == 1
    assert fewest(train, visits(["1", "2"], ward=["new", "new"])) == 4


def test_synthetic_records_that_are_the_holdouts_are_told():
    train, holdout, fresh = (table(patients(300, seed).drop(columns="pid")) for seed in range(3))
    shuffled = holdout.take(stream(0).permutation(300))
    apart(train, holdout, fresh)
    with pytest.raises(DataError, match="300 of 300 synthetic records equal a holdout record"):
        apart(train, holdout, shuffled)


def test_synthetic_records_need_no_patients_and_a_holdout_does(tmp_path):
    frame = patients(300, 0)
    train, _ = from_frame(frame, ReadOptions(subject="pid"))
    patients(300, 1).drop(columns="pid").to_csv(tmp_path / "made.csv", index=False)
    made = like((str(tmp_path / "made.csv"),), train.schema)
    assert len(np.unique(made.subjects)) == 300
    with pytest.raises(DataError, match="the holdout names no patients"):
        apart(train, made)
