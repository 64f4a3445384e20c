from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.table.arms import Arms
from tests.contracts.samples import table


def trial(treatment="arm", **columns):
    rng = stream(0, "trial")
    arm = np.repeat([0, 1, 2], 40)
    frame = pd.DataFrame(
        {"age": rng.normal(50, 9, 120).round(), "arm": arm, "drug": np.array(["none", "old", "new"])[arm]}
    ).assign(treated=arm > 0, **columns)
    return table(frame, declared={"columns": {treatment: {"role": "treatment"}}})


def test_no_treatment_no_arms():
    assert Arms.of(trial("age"), rare=5).levels
    assert Arms.of(table(pd.DataFrame({"age": [1, 2, 3]})), rare=5) is None


def test_what_says_the_same_is_set_as_well_and_nothing_else():
    data = trial()
    arms = Arms.of(data, rare=5)
    assert arms.levels == ("0", "1", "2")
    assert set(arms.follow) == {"drug", "treated"}
    made = arms.set(data, arms.place(2)).frame
    assert set(made["arm"]) == {2.0} and set(made["drug"]) == {"new"} and set(made["treated"]) == {"True"}
    assert made["age"].equals(data.frame["age"])
    assert Arms.from_json(arms.to_json()) == arms


@pytest.mark.parametrize("level", ["1", 1, 1.0, "1.0"])
def test_an_arm_is_named_as_text_or_number(level):
    assert Arms.of(trial(), rare=5).place(level) == 1


def test_a_name_is_an_arm_as_well():
    arms = Arms.of(trial("drug"), rare=5)
    assert arms.levels[arms.place("old")] == "old"


def test_an_arm_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(UsageError, match="one of: 0, 1, 2"):
        Arms.of(trial(), rare=5).place("7")


def test_a_rare_arm_is_not_there():
    data = trial("dose", dose=np.where(np.arange(120) < 3, 9, np.arange(120) % 2))
    assert set(Arms.of(data, rare=5).levels) == {"0", "1"}


def test_an_arm_of_one_patient_with_many_visits_is_not_there():
    frame = pd.DataFrame(
        {"pid": np.arange(100), "arm": ["A", "B"] * 50, "dose": [1.5, 2.5] * 50, "site": [10, 20] * 50}
    )
    alone = pd.DataFrame({"pid": [100] * 6, "arm": "Zoe's", "dose": 7.125, "site": 33})
    data = table(
        pd.concat([frame, alone], ignore_index=True),
        subject="pid",
        declared={"columns": {"arm": {"role": "treatment", "kind": "categorical"}}},
    )
    arms = Arms.of(data, rare=5)
    assert arms.levels == ("A", "B")
    assert arms.follow == {"dose": (1.5, 2.5), "site": (10.0, 20.0)}
    assert not any(told in str(arms.to_json()) for told in ("Zoe", "7.125", "33"))


def test_what_only_visits_of_a_few_patients_say_is_no_rule():
    """Each dose stands in 50 records, but in those of one patient."""
    patient = np.arange(200) // 50
    frame = pd.DataFrame({"pid": patient, "arm": np.arange(200) % 2, "x": patient})
    few = table(frame.assign(arm=patient % 2), subject="pid", declared={"columns": {"arm": {"role": "treatment"}}})
    arms = Arms.of(few, rare=2)
    assert arms.levels == ("0", "1")
    assert arms.finer == ()


def test_a_column_that_does_not_say_which_arm_cannot_be_set():
    arms = Arms.of(trial("treated"), rare=5)
    assert set(arms.finer) == {"arm", "drug"}
    with pytest.raises(UsageError, match="says less of the treatment"):
        arms.place("True")
