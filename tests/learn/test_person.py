from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance.core.rng import stream
from semblance.learn.person import Limits, Person, Scale


def cohort(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = stream(0, "cohort")
    age = rng.normal(60, 12, n)
    sex = pd.Categorical(np.where(rng.random(n) < 0.3, "F", "M"))
    numbers = np.column_stack([0.05 * age + rng.normal(0, 0.3, n), rng.normal(0, 1, n)])
    return pd.DataFrame({"age": age, "sex": sex}), numbers


def test_what_belongs_together_is_drawn_together():
    frame, numbers = cohort(2000)
    drawn, made = Person.fit(frame, numbers, np.arange(len(frame)), rare=5).draw(4000, rng=stream(1, "draw"))
    assert np.corrcoef(drawn["age"], made[:, 0])[0, 1] == pytest.approx(
        np.corrcoef(frame["age"], numbers[:, 0])[0, 1], abs=0.06
    )
    assert drawn["age"].mean() == pytest.approx(60, abs=1)
    assert (drawn["sex"] == "F").mean() == pytest.approx((frame["sex"] == "F").mean(), abs=0.03)
    assert made.std(0) == pytest.approx(numbers.std(0), rel=0.06)


def test_numbers_of_two_levels_are_nearly_as_far_apart_as_they_are():
    """A level knows its score in part, and once the two came nearer by a third."""
    rng = stream(3, "levels")
    ill = rng.random(2000) < 0.3
    frame = pd.DataFrame(
        {"ill": pd.Categorical(np.where(ill, "yes", "no")), "age": rng.normal(50, 12, 2000) + 12 * ill}
    )
    drawn, _ = Person.fit(frame, np.zeros((2000, 0)), np.arange(2000), rare=5).draw(6000, rng=stream(1, "draw"))
    ages = drawn.groupby("ill", observed=True)["age"].mean()
    assert ages["yes"] - ages["no"] == pytest.approx(12, abs=1.8)


def test_no_number_of_a_single_patient_and_no_rare_category_is_kept():
    frame, numbers = cohort(100)
    frame.loc[3, "age"] = 250.0
    frame["sex"] = frame["sex"].cat.add_categories("Zanzibarite")
    frame.loc[4, "sex"] = "Zanzibarite"
    person = Person.fit(frame, numbers, np.arange(len(frame)), rare=5)
    assert 250.0 not in person.scales[0].knots
    assert person.scales[1].levels == ("M", "F")


@pytest.mark.parametrize("known", [1, 4])
def test_what_fewer_than_rare_patients_have_is_not_known_of_anybody(known):
    """Their mean, of one patient the very number, once was everybody's."""
    frame, numbers = cohort(50)
    frame.loc[known:, "age"] = np.nan
    person = Person.fit(frame, numbers, np.arange(50), rare=5)
    assert person.scales[0].knots == () and person.scales[0].missing == 1
    assert person.draw(9, rng=stream(1, "draw"))[0]["age"].isna().all()


def test_a_patient_of_many_recordings_counts_once():
    """Ten recordings of one patient once owned knots and levels."""
    frame, numbers = cohort(100)
    subjects = np.where(np.arange(100) < 10, 0, np.arange(100))
    frame["age"] = np.where(subjects == 0, 99.25, frame["age"].clip(upper=90))
    frame["sex"] = pd.Categorical(np.where(subjects == 0, "X", frame["sex"].astype(object)))
    age, sex = Person.fit(frame, numbers, subjects, rare=5).scales
    assert max(age.knots) < 92 and "X" not in sex.levels


def test_a_single_number_is_drawn_exactly_and_what_goes_with_it_follows():
    """Nobody once had exactly the age that was asked for."""
    frame, numbers = cohort(2000)
    person = Person.fit(frame, numbers, np.arange(2000), rare=5)
    span = person.scales[0].span_of_range(70.0, 70.0)
    drawn, made = person.draw(2000, rng=stream(1, "draw"), limits=Limits({0: (span,)}))
    assert drawn["age"].to_numpy() == pytest.approx(70, abs=1e-4)
    assert made[:, 0].mean() == pytest.approx(0.05 * 70, abs=0.05)
    assert made[:, 0].std() == pytest.approx(0.3, rel=0.1)


def test_missing_values_come_as_often():
    frame, numbers = cohort(1000)
    frame.loc[:299, ["age", "sex"]] = np.nan
    drawn, _ = Person.fit(frame, numbers, np.arange(len(frame)), rare=5).draw(5000, rng=stream(1, "draw"))
    assert drawn["age"].isna().mean() == pytest.approx(0.3, abs=0.03)
    assert drawn["sex"].isna().mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_recordings_are_enough(n):
    frame, numbers = cohort(n)
    _drawn, made = Person.fit(frame, numbers, np.arange(len(frame)), rare=5).draw(7, rng=stream(1, "draw"))
    assert made.shape == (7, 2)
    assert np.isfinite(made).all()


def test_saved_and_restored_it_draws_the_same():
    frame, numbers = cohort(50)
    person = Person.fit(frame, numbers, np.arange(len(frame)), rare=5)
    again = Person.restored(person.to_json(), person.arrays())
    for one, two in zip(person.draw(9, rng=stream(2, "d")), again.draw(9, rng=stream(2, "d")), strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(two))


def test_a_column_without_values_is_drawn_without():
    scale = Scale.of(pd.Series([np.nan] * 9, name="age"), np.arange(9), rare=5)
    assert np.isnan(scale.values(np.zeros(4), rng=stream(0, "v"))).all()


def test_a_category_of_which_no_level_is_known_is_missing_and_no_number():
    who = np.arange(40)
    names = pd.Series(pd.Categorical([f"only {i}" for i in who]), name="ward")
    frame = pd.DataFrame({"ward": names, "few": np.where(who < 3, 1.0, np.nan)})
    person = Person.fit(frame, np.zeros((40, 1)), who, rare=5)
    again = Person.restored(person.to_json(), person.arrays())
    for one in (person, again):
        drawn, _ = one.draw(20, rng=stream(0, "draw"))
        assert isinstance(drawn["ward"].dtype, pd.CategoricalDtype) and drawn["ward"].isna().all()
        assert drawn["few"].dtype == float and drawn["few"].isna().all()


def test_of_whom_nothing_is_known():
    """Two recordings without beats, facts or a target once ended in an error of scikit-learn."""
    person = Person.fit(pd.DataFrame(index=range(3)), np.zeros((3, 0)), np.arange(3), rare=1)
    frame, numbers = person.draw(2, rng=stream(0, "nobody"))
    assert frame.shape == (2, 0) and numbers.shape == (2, 0)


def test_the_ages_of_a_tail_are_many():
    """Of four groups of patients two made up a quarter of all who were drawn, each of one age."""
    age = np.linspace(23, 89, 22)
    scale = Scale.of(pd.Series(age, name="age"), np.arange(22), rare=5)
    drawn = scale.values(stream(0, "ages").standard_normal(2000), rng=stream(0, "lost"))
    assert pd.Series(np.round(drawn)).value_counts(normalize=True).max() < 0.05
    assert np.quantile(drawn, [0, 0.1, 0.5, 0.9, 1]) == pytest.approx(np.quantile(age, [0, 0.1, 0.5, 0.9, 1]), abs=3)


@pytest.mark.parametrize(("sign", "low", "high"), [(1, 0, 23), (-1, -23, 0)])
def test_a_tail_does_not_cross_zero(sign, low, high):
    scale = Scale.of(pd.Series(sign * np.array([0.2, 0.4, 2, 3, 4, 6, 9, 25]), name="x"), np.arange(8), rare=2)
    drawn = scale.values(np.linspace(-6, 6, 500), rng=stream(0, "lost"))
    assert drawn.min() == pytest.approx(low, abs=0.1) and drawn.max() == pytest.approx(high, abs=0.1)
    span = scale.span_of_range(*sorted((sign * 20.0, sign * 40.0)))
    assert span is not None and np.ptp(span) > 0


def test_a_model_that_was_saved_without_tails_draws_as_it_did():
    scale = Scale("age", knots=(40.0, 60.0), number=True)
    assert scale.values(np.array([-3.0, 3.0]), rng=stream(0, "lost")).tolist() == [40, 60]
