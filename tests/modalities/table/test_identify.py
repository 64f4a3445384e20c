"""Identifiers: names that say so and names that only seem to, check digits against hand-made numbers, uniqueness."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.modality import FieldPlan, ReadOptions
from semblance.modalities.table.data import from_frame
from semblance.modalities.table.identify import name_sort, nhs_valid, npi_valid

RNG = np.random.default_rng(0)


def plan(name: str, values: list, **options) -> FieldPlan:
    # A second column, so that there is always something to learn.
    frame = pd.DataFrame({name: values, "group": ["a", "b"] * (len(values) // 2) + ["a"] * (len(values) % 2)})
    return from_frame(frame, ReadOptions(**options))[1].fields[0]


def check_digit_nhs(nine: str) -> str | None:
    rest = 11 - sum(int(d) * (10 - i) for i, d in enumerate(nine)) % 11
    return None if rest == 10 else nine + ("0" if rest == 11 else str(rest))


def check_digit_npi(nine: str) -> str:
    digits = "80840" + nine
    total = sum(sum(divmod(int(d) * (2 if i % 2 == 0 else 1), 10)) for i, d in enumerate(reversed(digits)))
    return nine + str(-total % 10)


SPEAKING = {
    "person": """
        patient_id | PatientID | patientId | patient_nbr | pt_no | subject-id
    """,
    "event": """
        encounter_id | hadm_id | record id | ID
    """,
    "direct": """
        MRN | patient.mrn | NHSNumber | nhs_no | SSN | npi | name | first_name | lastName | Surname |
        street_address | address_line_1 | home_phone | Phone Number | email | e-mail
    """,
    "quasi": """
        DOB | date_of_birth | birthDate | zip | ZIP_CODE | postcode | Geburtsdatum
    """,
}


def listed(names: str) -> list[str]:
    return [name.strip() for name in names.split("|")]


@pytest.mark.parametrize(("name", "sort"), [(name, sort) for sort in SPEAKING for name in listed(SPEAKING[sort])])
def test_names_that_say_so(name, sort):
    assert name_sort(name) == sort


INNOCENT = """
    hostname | filename | number_diagnoses | chapter | phone_calls_count | payer_code | admission_type_id |
    drug_name | discharge_disposition_id | birth_weight | age | weight | race | capital-gain | emailed | named
    | zipper | patient_age | ssn_verified | nameless | address_type | id_status | num_medications |
    identity_score | readmitted | medical_specialty | ptt | tel_aviv | household | cell_count | mobility |
    npis | keyword
"""


@pytest.mark.parametrize("name", listed(INNOCENT))
def test_names_that_only_seem_to(name):
    assert name_sort(name) is None


def test_published_check_digits():
    assert nhs_valid("943 476 5919") and not nhs_valid("943 476 5918")
    assert npi_valid("1234567893") and not npi_valid("1234567894")
    assert not npi_valid("9234567893")


def test_check_digits_agree_with_an_independent_computation():
    nines = [f"{n:09d}" for n in RNG.integers(10**8, 10**9, 300)]
    whole = [n for n in map(check_digit_nhs, nines) if n is not None]
    assert all(map(nhs_valid, whole))
    assert not any(nhs_valid(n[:-1] + str((int(n[-1]) + 1) % 10)) for n in whole)
    ones = [check_digit_npi("1" + n[1:]) for n in nines]
    assert all(map(npi_valid, ones))
    assert sum(npi_valid(str(n)) for n in RNG.integers(10**9, 2 * 10**9, 5000)) == pytest.approx(500, abs=100)


def test_check_digits_mark_a_column_whatever_its_name():
    nhs = [n for n in (check_digit_nhs(f"{n:09d}") for n in RNG.integers(10**8, 10**9, 60)) if n is not None][:40]
    npi = [int(check_digit_npi(str(n))) for n in RNG.integers(10**8, 2 * 10**8, 40)]
    assert plan("number", nhs).role == plan("code", npi).role == "drop"
    assert "NHS" in plan("number", nhs).suspicion and "NPI" in plan("code", npi).suspicion
    # Few numbers pass by chance; two valid ones prove nothing.
    assert "NHS" not in plan("number", nhs[:2] * 20).suspicion


@pytest.mark.parametrize(
    "make",
    [
        lambda i: f"person{i}@example.org",
        lambda i: f"{100 + i}-45-{1000 + i}",
        lambda i: f"(555) 201-{1000 + i}",
        lambda i: f"10.0.0.{i}",
    ],
)
def test_values_that_look_like_contacts_are_dropped(make):
    found = plan("x", [make(i) for i in range(40)])
    assert (found.role, found.unclear) == ("drop", False)


def test_keys_are_made_anew_and_direct_identifiers_leave():
    assert plan("encounter_id", list(range(100, 140))).action == "regenerate"
    assert plan("row", list(range(1, 41))).role == "key"
    assert plan("name", [f"N{i}" for i in range(40)]).action == "drop"


def test_nearly_unique_columns_are_unclear():
    numbers = plan("x", [int(v) for v in RNG.integers(10**6, 10**8, 40)])
    words = plan("x", [f"w{v}" for v in RNG.integers(10**6, 10**8, 40)])
    assert (numbers.unclear, numbers.role) == (True, "feature")
    assert (words.unclear, words.role) == (True, "drop")
    assert '[columns."x"] role = "drop"' in numbers.fix


def test_decimals_dates_and_small_tables_are_never_nearly_unique():
    assert plan("x", list(RNG.normal(size=40))).suspicion == ""
    assert plan("x", [str(d.date()) for d in pd.date_range("2020-01-01", periods=40)]).suspicion == ""
    assert plan("x", list(range(7, 107, 7))).suspicion == ""
    assert plan("x", ["only"]).suspicion == ""


def test_places_and_birth_dates_are_unclear():
    birth = plan("dob", [str(d.date()) for d in pd.date_range("1950-01-01", periods=40)])
    place = plan("zip", ["01234", "90210"] * 20)
    coarse = plan("zip", [12345, 90210] * 20)
    assert (birth.unclear, birth.role) == (place.unclear, place.role) == (True, "drop")
    assert (coarse.unclear, coarse.role) == (True, "feature")


def test_a_declaration_settles_what_is_unclear():
    said = {"columns": {"zip": {"role": "feature"}}}
    assert not plan("zip", ["01234", "90210"] * 20, declared=said).unclear
    assert plan("zip", ["01234", "90210"] * 20, declared=said).role == "feature"


def test_a_yes_or_no_question_is_no_identifier():
    assert plan("phone", ["yes", "no"] * 20).role == "feature"


def test_repeated_patients_without_subject_are_grouped_once_confirmed():
    found = plan("patient_id", [1, 1, 2, 3] * 10)
    assert (found.role, found.unclear) == ("subject", True)
    assert found.fix.startswith('--subject "patient_id"')
    assert plan("mrn", [f"A{i // 2}" for i in range(40)]).role == "subject"
    assert plan("patient_id", list(range(40))).role == "key"
