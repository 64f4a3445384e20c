"""What is known of each recording: kinds, missing values, patients, and what never goes further."""

from __future__ import annotations

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.facts import told_texts
from semblance.modalities.signal.declare import Said
from semblance.modalities.signal.found import Found
from semblance.modalities.signal.statics import conform, settle
from tests.modalities.signal.made import recording


def found(*facts, patients=()):
    held = [*patients, *[None] * (len(facts) - len(patients))]
    return [Found(recording(f"r{i}"), one, patient) for i, (one, patient) in enumerate(zip(facts, held, strict=True))]


def test_age_and_sex_are_learned_where_half_tell_them():
    made = settle(found({"age": "60", "Dx": "a b"}, {"age": "?", "sex": "male"}, {"sex": ""}, {"age": "7"}), Said())
    assert made.schema.names == ("age",) and made.schema["age"].kind == "integer"
    np.testing.assert_array_equal(made.frame["age"], [60, np.nan, np.nan, 7])
    assert made.notes[1] == "'sex' is left out: fewer than half of the recordings tell it"
    assert made.notes[2] == "what else the headers say is left out: 2 kinds of fact"


def test_what_a_person_names_is_learned():
    told = found({"Dx": "1", "BMI": "22.5"}, {"Dx": "0", "BMI": "31"}, {"Dx": "1", "BMI": ""})
    made = settle(told, Said(target="Dx", columns={"BMI": {"min": 10}}))
    assert [(c.name, c.kind, c.role) for c in made.schema] == [
        ("BMI", "numeric", "feature"),
        ("Dx", "categorical", "target"),
    ]
    assert (made.schema["BMI"].decimals, made.schema["BMI"].bound) == (1, "declared")
    with pytest.raises(DataError, match="no column 'Dy'"):
        settle(told, Said(target="Dy"))


def test_columns_of_a_manifest_are_learned_but_for_free_text():
    told = [{"site": "ab"[i % 2], "id": f"x{i}", "note": f"the patient number {i} felt well"} for i in range(30)]
    made = settle(found(*told), Said(), given=["site", "id", "note"])
    assert [c.name for c in made.schema.learned] == ["site"]
    plans = {plan.name: plan for plan in made.plans}
    assert plans["note"].suspicion == "free text is never learned" and plans["note"].action == "drop"
    assert plans["id"].unclear and '[columns."id"] role = "drop"' in plans["id"].fix
    kept = settle(
        found(*told), Said(columns={"id": {"role": "feature"}, "note": {"role": "drop"}}), given=["site", "id", "note"]
    )
    assert [c.name for c in kept.schema.learned] == ["site", "id"]


@pytest.mark.parametrize(
    "name",
    ["name", "first_name", "MRN", "patientName", "date_of_birth", "zip", "visit_date", "id", "Subject", "patient id"],
)
def test_names_that_may_identify_a_patient_are_asked_for(name):
    (plan,) = settle(found({name: "1"}, {name: "2"}), Said(), given=[name]).plans
    assert plan.unclear and plan.action == "drop"


@pytest.mark.parametrize("name", ["diagnosis", "hostname", "dose", "update", "filename_length", "wide"])
def test_other_names_are_not(name):
    (plan,) = settle(found({name: "1"}, {name: "2"}), Said(), given=[name]).plans
    assert not plan.unclear and plan.action == "learn"


def test_a_declared_number_holds_numbers():
    with pytest.raises(DataError, match="column 'age': 1 value is no number"):
        settle(found({"age": "60"}, {"age": "old"}), Said(columns={"age": {"kind": "integer"}}))
    made = settle(found({"age": "60"}, {"age": "old"}), Said(columns={"age": {"kind": "integer", "na": "old"}}))
    assert made.frame["age"].isna().tolist() == [False, True]


def test_patients_by_a_column():
    made = settle(found({"pid": "x"}, {"pid": "y"}, {"pid": "x"}), Said(subject="pid"))
    assert made.subjects.tolist() == [0, 1, 0] and made.schema.where("subject").name == "pid"
    with pytest.raises(DataError, match="record 'r1' names no patient"):
        settle(found({"pid": "x"}, {"pid": ""}), Said(subject="pid"))


@pytest.mark.parametrize(
    ("patients", "codes"),
    [
        (("x", "y", "x"), [0, 1, 0]),
        (("x", "x", "x"), [0, 1, 2]),
        (("x", None, "x"), [0, 1, 2]),
        (("x", "y", "z"), [0, 1, 2]),
        (("x", "y", None, "x", None), [0, 1, 2, 0, 3]),
    ],
)
def test_patients_by_what_headers_name(patients, codes):
    made = settle(found(*({} for _ in patients), patients=patients), Said())
    assert made.subjects.tolist() == codes
    assert (made.schema.where("subject") is not None) == (len(set(codes)) < len(codes))
    alone = "no patient is named in r2, r4: each counts as a patient of its own"
    assert (alone in made.notes) == (len(codes) == 5)


def test_written_and_read_again():
    told = found({"age": "60", "bmi": "22.5", "sex": "male"}, {"age": "", "bmi": "31.0", "sex": ""})
    made = settle(told, Said(), given=["bmi"])
    texts = told_texts(made.frame, made.schema)
    assert texts == {"bmi": ["22.5", "31.0"], "age": ["60", ""], "sex": ["male", ""]}
    again = conform(found(*({name: held[i] for name, held in texts.items()} for i in range(2))), made.schema, Said())
    assert again.frame.astype(str).equals(made.frame.astype(str))


def test_a_column_of_the_schema_that_nobody_tells():
    schema = settle(found({"age": "60"}, {"age": "61"}), Said()).schema
    with pytest.raises(DataError, match="column 'age': the column is missing"):
        conform(found({"sex": "male"}), schema, Said())


def test_categories_and_kinds_may_be_declared():
    columns = {"stage": {"kind": "ordinal", "categories": ["I", "II"], "protected": True}}
    made = settle(found({"stage": "II"}, {"stage": "I"}), Said(columns=columns))
    column = made.schema["stage"]
    assert (column.kind, column.categories, column.bound, column.protected) == (
        "ordinal",
        ("I", "II"),
        "declared",
        True,
    )
    assert list(made.frame["stage"].cat.categories) == ["I", "II"]
