import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.modalities.table.sound import sound
from tests.contracts.samples import cohort, table


def test_records_of_every_kind_are_sound() -> None:
    sound(cohort(50, 0))


def test_a_target_of_one_class_is_refused_with_its_name() -> None:
    frame = pd.DataFrame({"age": range(20), "died": ["no"] * 20})
    with pytest.raises(DataError, match="column 'died': one value in all records"):
        sound(table(frame, target="died"))


def test_a_declared_rule_that_records_break_is_told_with_counts() -> None:
    frame = pd.DataFrame({"low": [i % 10 for i in range(20)], "high": [5, 5, 5, 6] * 5})
    rule = {"kind": "inequality", "low": "low", "high": "high"}
    with pytest.raises(DataError, match=r"of 20"):
        sound(table(frame, declared={"constraints": [rule]}))
