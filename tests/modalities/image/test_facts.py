from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.modalities.image.facts import Facts
from semblance.modalities.image.generators.floor import Floor
from tests.modalities.image.simulated import scanned

DATA = scanned(200, 1)


def fitted(frame: pd.DataFrame, *, labelled: bool = True) -> Facts:
    return Facts.fit(DATA.schema, frame, DATA.subjects, labelled=labelled, rare=5)


def drawn(facts: Facts, n: int, **wanted: object) -> pd.DataFrame:
    asked = facts.asked(Wanted(**wanted))
    return pd.concat([frame for _, frame in facts.each(n, asked, together=n, seed=3, name="facts")])


def test_networks_are_told_numbers_levels_and_what_is_missing():
    facts, told = fitted(DATA.frame), fitted(DATA.frame).told(DATA.frame)
    assert told.shape == (200, facts.width) == (200, 2 + 2 + 3)
    gone = DATA.frame["age"].isna().to_numpy()
    assert (told[:, 1] == gone).all() and not told[gone, 0].any()
    assert np.corrcoef(told[~gone, 0], DATA.frame["age"][~gone])[0, 1] > 0.99
    assert (told[:, 2:4].sum(1) == 1).all() and (told[:, 4:].sum(1) == 1).all()


def test_nothing_of_few_patients_is_told_or_drawn():
    scanner = DATA.frame["scanner"].astype(object).where(np.arange(200) > 2, "Zanzibarite").astype("category")
    age = DATA.frame["age"].where(np.arange(200) != 5, 117.0)
    facts = fitted(DATA.frame.assign(scanner=scanner, age=age))
    assert not facts.told(DATA.frame.assign(scanner="Zanzibarite"))[:, 4:].any()
    frame = drawn(facts, 500)
    assert "Zanzibarite" not in set(frame["scanner"]) and frame["age"].max() < 100
    none = fitted(DATA.frame.assign(scanner=pd.Categorical([None] * 200)), labelled=False)
    assert none.width == 4 and drawn(none, 3)["scanner"].isna().all() and "label" not in drawn(none, 3)


def test_everything_that_cannot_be_had_is_told_at_once():
    facts = fitted(DATA.frame)
    wanted = Wanted(
        given={"scanner": "Z", "weight": 3},
        quota={"age": {(200, 300): 1.0}},
        shift={"sex": 2.0, "label": {"nodule": 2.0}},
        fair_on=("sex",),
        do={"arm": "A"},
    )
    with pytest.raises(UsageError) as error:
        facts.asked(wanted)
    assert len(error.value.problems) == 7


def test_a_shift_moves_the_mean_and_a_missing_value_can_be_asked_for():
    facts = fitted(DATA.frame)
    assert drawn(facts, 800, shift={"age": 5})["age"].mean() > drawn(facts, 800)["age"].mean() + 3
    assert drawn(facts, 20, given={"age": None})["age"].isna().all()


def test_saved_it_draws_the_same():
    facts = fitted(DATA.frame)
    again = Facts.from_json(facts.to_json(), replace(DATA).schema)
    assert drawn(facts, 50).equals(drawn(again, 50)) and (again.told(DATA.frame) == facts.told(DATA.frame)).all()


def test_shares_that_nobody_has_together_are_refused_before_anything_is_learned():
    facts = fitted(DATA.frame)
    apart = Wanted(given={"sex": "F"}, quota={"sex": {"M": 1.0}})
    with pytest.raises(UsageError, match="occurs together"):
        facts.tried(facts.asked(apart))
    with pytest.raises(UsageError, match="occurs together"):
        Floor().check(DATA, wanted=Wanted(given={"age": (20, 40)}, quota={"age": {(20, 30): 0.5, (60, 80): 0.5}}))
    facts.tried(facts.asked(Wanted(given={"sex": "F"}, quota={"sex": {"F": 1.0, "M": 0.0}, "scanner": "balanced"})))
    facts.tried(None)
