from __future__ import annotations

from semblance.core.declared import check, is_text, untold_patients
from semblance.core.modality import ReadOptions

RULES = {"colour": (is_text, "a text")}


def told(declared=None, **options):
    return check(ReadOptions(declared=declared, **options), own="paint", rules=RULES)


def test_what_all_modalities_share_and_what_is_ones_own():
    common, own, problems = told(
        {"na": ["?"], "paint": {"colour": "red"}, "cohort": {"id": "c"}, "columns": {"died": {"role": "target"}}},
        subject="pid",
        na=("NA",),
    )
    assert problems == []
    assert own == {"colour": "red"}
    assert (common["subject"], common["target"], common["na"], common["cohort"]) == ("pid", "died", ("?", "NA"), "c")


def test_all_problems_are_told_at_once():
    _, _, problems = told(
        {"paint": {"color": "red", "colour": 1}, "columns": {"x": {"kind": "number"}}, "cohort": {"n_public": 0}}
    )
    assert len(problems) == 4
    assert "did you mean 'colour'?" in problems[0].fix


def test_a_column_that_tells_patients_is_asked_for_where_no_other_is_declared_to():
    names = ["age", "patient_id", "mrn", "patient_id"]
    told = untold_patients(names, None)
    assert [problem.column for problem in told] == ["patient_id", "mrn"]
    assert all('role = "subject"' in problem.fix and 'role = "key"' in problem.fix for problem in told)
    assert untold_patients(names, "who") == []
