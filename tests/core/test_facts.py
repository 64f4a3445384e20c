from __future__ import annotations

import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.core.facts import (
    framed,
    kind_of,
    patient_codes,
    public_column,
    public_values,
    refuse_lacking,
    stacked,
    suspicion,
    told_texts,
    values,
)
from semblance.core.schema import Schema


def column(texts, name="x", role="feature", **told):
    return kind_of(name, pd.Series(texts, dtype=object), role, told)


@pytest.mark.parametrize(
    ("texts", "kind"),
    [(["1", "2"], "integer"), (["1.5", "2"], "numeric"), (["yes", "No"], "boolean"), (["a", "b"], "categorical")],
)
def test_kinds_are_guessed(texts, kind):
    assert column(texts).kind == kind


def test_a_target_of_few_whole_numbers_is_a_class():
    assert column(["0", "1"], role="target").kind == "categorical"


def test_a_text_in_a_column_of_numbers_is_refused_without_being_told():
    with pytest.raises(DataError, match="1 value is no number") as error:
        column(["1", "secret"], kind="numeric")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("texts", "decimals"), [(["1.50", "2"], 2), (["1e-3", "2.5"], 3), (["1", "2E3"], 0), ([], 0), (["1e-300", "2"], 20)]
)
def test_decimals_are_those_of_numbers_however_they_are_written(texts, decimals):
    assert column(texts, kind="numeric").decimals == decimals


def test_what_is_endless_is_no_number():
    assert column(["1", "inf"]).kind == "categorical"
    with pytest.raises(DataError, match="1 value is no number"):
        column(["1", "-inf"], kind="numeric")
    assert pd.isna(values(pd.Series(["1", "inf"], dtype=object), column(["1", "2"]))).tolist() == [False, True]


def test_what_is_written_is_what_was_read():
    texts = pd.Series(["1.50", None, "2.25"], dtype=object)
    schema = Schema((column(["1.50", "2.25"]),))
    frame = pd.DataFrame({"x": values(texts, schema["x"])})
    assert told_texts(frame, schema) == {"x": ["1.50", "", "2.25"]}


def test_a_name_that_tells_of_an_identifier_is_suspicious():
    assert suspicion("patient name", column(["a"]), pd.Series(["a"]))
    assert not suspicion("age", column(["1"]), pd.Series(["1"]))


def test_frames_are_stacked_and_categories_of_both_stay_categories():
    one, two = (pd.DataFrame({"sex": pd.Categorical([text])}) for text in "FM")
    made = stacked([one, two])
    assert list(made["sex"]) == ["F", "M"] and isinstance(made["sex"].dtype, pd.CategoricalDtype)
    assert stacked([one]) is one


def test_no_columns_are_still_so_many_rows():
    assert framed({}, 3).shape == (3, 0)


def test_all_columns_that_nobody_tells_are_said_at_once():
    with pytest.raises(DataError) as told:
        refuse_lacking(Schema((column(["1"]), column(["a"], name="y"))), {"z"}, who="stays")
    assert [problem.column for problem in told.value.problems] == ["x", "y"]


def test_a_declared_category_is_the_same_in_a_file_of_fractions_each_cell_by_itself():
    told = pd.Series(["1", "1.0", "0.00", "2.5", "-1.0", "1.05", "no.0", " 1.0 ", ""])
    one = public_column("x", {"categories": ["0", "1", "2.5"], "role": "feature"}, target=None)
    assert public_values(told, one, na=set()).tolist()[:4] == ["1", "1", "0", "2.5"]
    assert pd.isna(public_values(told, one, na=set())[4:7]).all() and public_values(told, one, na=set())[7] == "1"
    numbers = public_column("x", {"kind": "integer", "min": 0, "max": 9}, target=None)
    held = public_values(told, numbers, na={"-1"})
    assert pd.isna(held[4]) and held[1] == 1 and pd.isna(public_values(told, numbers, na={"-1.0"})[4])


def test_records_without_a_patient_are_of_one_of_their_own() -> None:
    assert patient_codes(["a", None, "b", "a", "", "1", ""]).tolist() == [0, 1, 2, 0, 3, 4, 5]
    assert patient_codes([("id", "a"), None, ("id", "a"), ("header", "a")]).tolist() == [0, 1, 0, 2]
    assert patient_codes([]).dtype == "int64"
