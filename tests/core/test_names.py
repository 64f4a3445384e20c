from __future__ import annotations

import pytest

from semblance.core.names import age_cuts, names_patients, words


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("native-country", ("native", "country")),
        ("PatientAge", ("patient", "age")),
        ("HDL_chol2", ("hdl", "chol")),
        ("SEX", ("sex",)),
        ("dosage", ("dosage",)),
        ("12 %", ()),
    ],
)
def test_words_are_told_apart_however_they_are_joined(name: str, said: tuple[str, ...]) -> None:
    assert words(name) == said


@pytest.mark.parametrize(
    ("name", "low", "high", "cuts"),
    [
        ("AGE_years", 17, 90, (18, 40, 65, 80)),
        ("age", 18, 64, (40,)),
        ("age", -1, 90, ()),
        ("age", 0, 4000, ()),
        ("stage", 1, 90, ()),
    ],
)
def test_ages_are_cut_at_the_usual_years(name: str, low: float, high: float, cuts: tuple[int, ...]) -> None:
    assert age_cuts(name, low, high) == cuts


def test_names_of_patients_are_told_from_what_is_known_of_them() -> None:
    named = ("patient", "PatientID", "patient_nbr", "SUBJECT_ID", "pid", "MRN", "nhs-number", "person_key", "pt id 2")
    others = ("patient_age", "stay_id", "hadm_id", "id", "subject_weight", "patients", "insurance", "provider_id")
    assert all(map(names_patients, named)) and not any(map(names_patients, others))
