from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.modalities.signal.person import Person, Scale


def cohort(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = stream(0, "cohort")
    age = rng.normal(60, 12, n)
    sex = pd.Categorical(np.where(rng.random(n) < 0.3, "F", "M"))
    numbers = np.column_stack([0.05 * age + rng.normal(0, 0.3, n), rng.normal(0, 1, n)])
    return pd.DataFrame({"age": age, "sex": sex}), numbers


def test_what_belongs_together_is_drawn_together():
    frame, numbers = cohort(2000)
    drawn, made = Person.fit(frame, numbers, rare=5).draw(4000, rng=stream(1, "draw"))
    assert np.corrcoef(drawn["age"], made[:, 0])[0, 1] == pytest.approx(
        np.corrcoef(frame["age"], numbers[:, 0])[0, 1], abs=0.06
    )
    assert drawn["age"].mean() == pytest.approx(60, abs=1)
    assert (drawn["sex"] == "F").mean() == pytest.approx((frame["sex"] == "F").mean(), abs=0.03)
    assert made.std(0) == pytest.approx(numbers.std(0), rel=0.06)


def test_no_number_of_a_single_patient_and_no_rare_category_is_kept():
    frame, numbers = cohort(100)
    frame.loc[3, "age"] = 250.0
    frame["sex"] = frame["sex"].cat.add_categories("Zanzibarite")
    frame.loc[4, "sex"] = "Zanzibarite"
    person = Person.fit(frame, numbers, rare=5)
    assert 250.0 not in person.scales[0].knots
    assert person.scales[1].levels == ("M", "F")


def test_missing_values_come_as_often():
    frame, numbers = cohort(1000)
    frame.loc[:299, ["age", "sex"]] = np.nan
    drawn, _ = Person.fit(frame, numbers, rare=5).draw(5000, rng=stream(1, "draw"))
    assert drawn["age"].isna().mean() == pytest.approx(0.3, abs=0.03)
    assert drawn["sex"].isna().mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_recordings_are_enough(n):
    frame, numbers = cohort(n)
    _drawn, made = Person.fit(frame, numbers, rare=5).draw(7, rng=stream(1, "draw"))
    assert made.shape == (7, 2)
    assert np.isfinite(made).all()


def test_saved_and_restored_it_draws_the_same():
    frame, numbers = cohort(50)
    person = Person.fit(frame, numbers, rare=5)
    again = Person.restored(person.to_json(), person.arrays())
    for one, two in zip(person.draw(9, rng=stream(2, "d")), again.draw(9, rng=stream(2, "d")), strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(two))


def test_a_column_without_values_is_drawn_without():
    scale = Scale.of(pd.Series([np.nan] * 9, name="age"), rare=5)
    assert np.isnan(scale.values(np.zeros(4), rng=stream(0, "v"))).all()
