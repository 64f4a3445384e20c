from __future__ import annotations

import numpy as np
import pytest

from semblance.core.classes import Classes, dealt
from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream

KNOWN = Classes("died", ("0", "1", "2"), np.array([0.6, 0.3, 0.1]))


@pytest.mark.parametrize(
    ("wanted", "shares"),
    [
        ({"given": {"died": 1}}, [0, 1, 0]),
        ({"given": {"died": {"0", "1"}}}, [2 / 3, 1 / 3, 0]),
        ({"quota": {"died": {1: 0.5, "2": 0.5}}}, [0, 0.5, 0.5]),
        ({"quota": {"died": "balanced"}}, [1 / 3, 1 / 3, 1 / 3]),
        ({"quota": {"died": "balanced"}, "given": {"died": {0, 1}}}, [0.5, 0.5, 0]),
    ],
)
def test_what_is_asked_of_a_class_is_shares(wanted: dict[str, object], shares: list[float]) -> None:
    assert KNOWN.asked(Wanted(**wanted)) == pytest.approx(np.array(shares))


def test_nothing_asked_is_no_shares() -> None:
    assert KNOWN.asked(None) is None and KNOWN.asked(Wanted()) is None


NONSENSE = {
    "another column": ({"given": {"age": 60}}, "given of 'age'"),
    "a shift": ({"shift": {"died": 1}}, "shift of 'died'"),
    "a value": ({"quota": {"died": {"7": 1.0}}}, "of 0, 1, 2"),
    "the missing value": ({"given": {"died": None}}, "does not know"),
    "both": ({"quota": {"died": {"1": 1.0}}, "given": {"died": 0}}, "both hold together"),
    "fairness": ({"fair_on": ("sex",)}, "fairness"),
}


@pytest.mark.parametrize(("wanted", "said"), NONSENSE.values(), ids=NONSENSE)
def test_what_cannot_be_had_is_refused(wanted: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        KNOWN.asked(Wanted(**wanted))


def test_all_is_said_at_once_and_records_without_a_class_take_nothing() -> None:
    with pytest.raises(UsageError) as told:
        KNOWN.asked(Wanted(given={"age": 1, "died": 9}, shift={"qt": 3}))
    assert len(told.value.problems) == 3
    with pytest.raises(UsageError, match="nothing can be asked"):
        Classes("", (), np.empty(0)).asked(Wanted(given={"age": 1}))


def test_quotas_are_kept_to_the_record() -> None:
    made = dealt(np.array([0.25, 0.0, 0.75]), 10, rng=stream(0, "deal"))
    assert np.bincount(made, minlength=3).tolist() == [3, 0, 7] or np.bincount(made, minlength=3).tolist() == [2, 0, 8]
    (_, first), (at, last) = KNOWN.each(10, np.array([0.25, 0.0, 0.75]), together=8, seed=0, name="classes")
    assert at == 8 and np.bincount([*first, *last[:2]], minlength=3)[1] == 0
    assert last.tolist() == [*last[:2]] * 4
