from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.core.shares import largest_remainder
from semblance.learn.person import Person
from semblance.modalities.signal.data import Lead
from semblance.modalities.signal.wanted import Known, asked, exactly


def person() -> Person:
    """Of 400 people the age, the sex, and the log seconds between beats; the old are slower."""
    rng = stream(0, "people")
    age, sex = rng.normal(60, 12, 400), rng.choice(["F", "M"], 400)
    frame = pd.DataFrame({"age": age, "sex": pd.Categorical(sex)})
    level = np.log(60 / (100 - 0.4 * age + rng.normal(0, 4, 400)))
    return Person.fit(frame, level[:, None], np.arange(400), rare=5)


KNOWN = Known(person(), "beat", ("N", "V"), (Lead("I"), Lead("II"), Lead("III")), 2, tied=("III",))


def drawn(n: int = 1500, **wanted: object) -> tuple[pd.DataFrame, np.ndarray]:
    """People as they were asked for, and their heart rates."""
    frame, numbers = KNOWN.person.draw(n, rng=stream(1, "draw"), limits=asked(Wanted(**wanted), KNOWN).limits)
    return frame, 60 / np.exp(numbers[:, 0])


def test_what_is_given_holds_of_everybody_and_what_goes_with_it_follows() -> None:
    _, usual = drawn()
    frame, rates = drawn(given={"age": (70, 80), "sex": "F"})
    assert frame["age"].between(70, 80).all() and (frame["sex"] == "F").all()
    assert rates.mean() < usual.mean() - 3
    frame, rates = drawn(given={"heart_rate": (80, 90)})
    assert ((rates >= 80) & (rates <= 90)).all() and frame["age"].mean() < 55


def test_a_shift_moves_the_mean_and_what_goes_with_it() -> None:
    usual, _ = drawn()
    older, slower = drawn(shift={"age": 5})
    assert older["age"].mean() - usual["age"].mean() == pytest.approx(5, abs=0.7)
    faster = drawn(shift={"heart_rate": 6})[1]
    assert faster.mean() - drawn()[1].mean() == pytest.approx(6, abs=0.7)
    assert slower.mean() < drawn()[1].mean()


def test_quotas_are_kept_to_the_recording() -> None:
    limits = asked(Wanted(quota={"sex": {"F": 0.3, "M": 0.7}}), KNOWN).of_each(10, rng=stream(2, "quotas"))
    people = [KNOWN.person.draw(1, rng=stream(3, i), limits=one)[0]["sex"][0] for i, one in enumerate(limits)]
    assert people.count("F") == 3


def test_bands_of_heart_rate_with_equal_shares_are_all_drawn() -> None:
    """Bands once were told apart by their shares, so that one of two equal ones was lost."""
    found = asked(Wanted(quota={"heart_rate": {(66, 72): 0.5, (80, 86): 0.5}}), KNOWN)
    rates = [
        60 / np.exp(KNOWN.person.draw(1, rng=stream(3, i), limits=one)[1][0, 0])
        for i, one in enumerate(found.of_each(10, rng=stream(2, "quotas")))
    ]
    assert sum(rate < 75 for rate in rates) == 5


def test_a_quota_of_beats_and_knobs_are_read() -> None:
    found = asked(Wanted(quota={"beat": "balanced"}, shift={"qt": 30, "st II": -0.1}), KNOWN)
    assert found.mix is not None and found.mix.tolist() == [0.5, 0.5]
    assert found.knobs.qt == pytest.approx(0.03) and found.knobs.st == (0.0, -0.1, 0.0)


def test_bands_hold_what_is_rounded_into_them() -> None:
    whole = replace(KNOWN, units={"age": 1.0})
    (quota,) = asked(Wanted(quota={"age": {(40, 60): 0.5, (60, 80): 0.5}}), whole).quotas
    below, above = (KNOWN.person.draw(300, rng=stream(1, "d"), limits=one)[0]["age"].round() for _, one in quota)
    assert below.max() == 59 and above.min() == 60


NONSENSE = {
    "a column": ({"given": {"colour": "red"}}, "no column 'colour'"),
    "a value": ({"given": {"sex": "X"}}, "does not know"),
    "an age": ({"given": {"age": (130, 140)}}, "does not reach"),
    "a text for a number": ({"given": {"age": "old"}}, "no number"),
    "a heart rate": ({"given": {"heart_rate": 250}}, "does not reach"),
    "a text for a rate": ({"given": {"heart_rate": "fast"}}, "beats per minute"),
    "a kind": ({"quota": {"beat": {"Q": 1.0}}}, "does not know"),
    "a set of kinds": ({"given": {"beat": {"N", "V"}}}, "set of kinds"),
    "the missing age": ({"given": {"age": None}}, "nobody lacks"),
    "odds": ({"shift": {"sex": {"F": 2}}}, "quota"),
    "a shifted category": ({"shift": {"sex": 1}}, "mean of a number"),
    "a mean": ({"shift": {"age": 200}}, "does not reach"),
    "a lead": ({"shift": {"st aVR": 0.1}}, "no lead 'aVR'"),
    "a knob too far": ({"shift": {"qt": 900}}, "at most 150"),
    "noise taken away": ({"shift": {"noise": -0.1}}, "noise is added"),
    "fairness": ({"fair_on": ("sex",)}, "leave it out"),
    "balanced rates": ({"quota": {"heart_rate": "balanced"}}, "equal shares of a rate"),
    "no rate": ({"given": {"heart_rate": None}}, "beats per minute"),
    "odds of a knob": ({"shift": {"qt": {"long": 2}}}, "--shift qt=NUMBER"),
    "a lead that others say": ({"shift": {"st III": 0.1}}, "Einthoven"),
    "a lead that is not there": ({"shift": {"st V9": 0.1}}, "no lead 'V9'"),
    "a shift beyond the heart's": ({"shift": {"st": 0.6}}, "at most 0.5"),
    "balanced ages": ({"quota": {"age": "balanced"}}, "only categories"),
}


@pytest.mark.parametrize(("wanted", "said"), NONSENSE.values(), ids=NONSENSE)
def test_what_cannot_be_had_is_refused(wanted: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        asked(Wanted(**wanted), KNOWN)


def test_all_that_cannot_be_had_is_said_at_once() -> None:
    with pytest.raises(UsageError) as told:
        asked(Wanted(given={"colour": 1, "sex": "X"}, shift={"qt": 900}), KNOWN)
    assert len(told.value.problems) == 3


def test_a_heart_cannot_be_asked_of_windows() -> None:
    windows = Known(KNOWN.person, "state", ("open", "shut"), (Lead("Oz", "uV"),), None)
    with pytest.raises(UsageError, match="without heart beats"):
        asked(Wanted(given={"heart_rate": 60}), windows)
    assert asked(Wanted(shift={"noise": 0.1}), windows).knobs.noise == 0.1
    assert asked(Wanted(quota={"state": {"shut": 1}}), windows).mix.tolist() == [0, 1]  # type: ignore[union-attr]


def test_a_knob_goes_as_far_in_microvolts_as_in_millivolts() -> None:
    """Half a microvolt once was the most."""
    heart = replace(KNOWN, leads=(Lead("I", "uV"), Lead("II", "uV")), tied=())
    assert asked(Wanted(shift={"st": 400, "noise": 50}), heart).knobs.st == (400, 400)
    with pytest.raises(UsageError, match="at most 500"):
        asked(Wanted(shift={"st II": 501}), heart)


def test_a_column_of_the_name_of_a_knob_is_that_column() -> None:
    """A column 'heart_rate' once could not be asked for."""
    frame = pd.DataFrame({"heart_rate": np.linspace(50, 90, 400), "qt": np.linspace(300, 500, 400)})
    own = Person.fit(frame, np.zeros((400, 1)), np.arange(400), rare=5)
    found = asked(Wanted(given={"heart_rate": (60, 70)}, shift={"qt": 20}), replace(KNOWN, person=own))
    assert found.rate is None and found.knobs.qt == 0
    assert own.draw(50, rng=stream(1, "d"), limits=found.limits)[0]["heart_rate"].between(60, 70).all()


def test_together_impossible_conditions_end_with_an_error() -> None:
    limits = asked(Wanted(given={"heart_rate": (64, 66), "age": (None, 35)}), KNOWN).limits
    with pytest.raises(UsageError, match="people that were tried"):
        KNOWN.person.draw(5, rng=stream(1, "draw"), limits=limits)


def test_counts_are_exact_and_the_chain_is_followed() -> None:
    chain = np.array([[0.9, 0.1], [0.2, 0.8]])  # both stay as they are
    made = exactly(np.array([600, 300]), lambda _, b: chain[b], np.array([2 / 3, 1 / 3]), rng=stream(4, "chain"))
    assert np.bincount(made).tolist() == [600, 300]
    assert (np.diff(made) != 0).mean() == pytest.approx(2 * (2 / 3) * 0.1, abs=0.04)
    rare = exactly(
        largest_remainder(np.array([0.1, 0.9]), 50), lambda _, b: chain[0], np.array([0.9, 0.1]), rng=stream(5, "r")
    )
    assert np.bincount(rare).tolist() == [5, 45]
