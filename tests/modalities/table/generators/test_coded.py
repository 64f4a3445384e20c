import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from examples.star import Star
from semblance.core.constraint import Condition, Constraint
from semblance.core.errors import DataError, UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table import MANIFEST
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.coded import CHUNK, saved
from semblance.modalities.table.generators.marginals import Marginals, MarginalsModel
from tests.modalities.table.wanted.exact import cohort, exact, table


def model() -> MarginalsModel:
    table = Table(Schema((Column("a", "integer"),)), pd.DataFrame({"a": np.arange(40.0).repeat(20)}), np.arange(800))
    return Marginals().fit(table, rng=stream(0))


def test_chunks_join_to_the_asked_number_and_patients_run_on() -> None:
    tables = list(model().sample(CHUNK + 5, rng=stream(1)))
    assert [len(t) for t in tables] == [CHUNK, 5]
    assert np.array_equal(concat(tables).subjects, np.arange(CHUNK + 5))


def test_the_first_records_do_not_depend_on_how_many_follow() -> None:
    few, many = (concat(list(model().sample(n, rng=stream(1)))) for n in (10, 9000))
    assert many.take(np.arange(10)).frame.equals(few.frame)


def test_what_is_wanted_is_refused_where_the_card_does_not_offer_it_and_those_that_can_are_named() -> None:
    with pytest.raises(UsageError, match="samples with given values"):
        model().sample(3, rng=stream(0), wanted=Wanted(given={"a": 1}))
    with pytest.raises(UsageError, match="samples with given values"):
        model().impute(next(model().sample(3, rng=stream(0))), rng=stream(0))


def test_a_column_is_set_only_by_a_model_that_knows_what_it_causes() -> None:
    with pytest.raises(UsageError, match="knows what a column causes"):
        exact(n=300).sample(3, rng=stream(0), wanted=Wanted(do={"race": "A"}))


def test_what_no_model_could_draw_is_told_before_anything_is_learned() -> None:
    train = table(cohort(300), target="died")
    Star().check(train, wanted=Wanted(given={"race": "A"}))
    with pytest.raises(UsageError, match="one of A, B"):
        Star().check(train, wanted=Wanted(given={"race": "Z"}))
    with pytest.raises(UsageError, match="samples with given values"):
        Marginals().check(train, wanted=Wanted(given={"race": "A"}))


def test_the_share_of_records_that_break_a_rule_is_measured_and_saved(tmp_path: Path) -> None:
    rule = Constraint("implication", when=(Condition("race", ("A",)),), then=(Condition("diabetes", ("no",)),))
    frame = cohort(800)
    frame.loc[frame["race"] == "A", "diabetes"] = "no"
    train = table(frame)
    fitted = Marginals().fit(replace(train, schema=replace(train.schema, constraints=(rule,))), rng=stream(0))
    fitted.save(tmp_path / "a")
    told = json.loads((tmp_path / "a" / "model.json").read_text())
    expected = (frame["race"] == "A").mean() * (frame["diabetes"] == "yes").mean()
    assert told["broken"] == pytest.approx(expected, abs=0.03)
    made = concat(list(fitted.sample(3000, rng=stream(0)))).frame
    assert not ((made["race"] == "A") & (made["diabetes"] == "yes")).any()


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps({"options": {}}))
    with pytest.raises(DataError, match="saved model"):
        saved(tmp_path)


def test_what_sets_a_treatment_is_named_where_only_that_is_asked():
    for wanted, named in ((Wanted(do={"arm": "A"}), "hazards"), (Wanted(given={"arm": "A"}), "autoregressive")):
        with pytest.raises(UsageError) as caught:
            MANIFEST.generator("marginals")().check(table(cohort(60)), wanted=wanted)
        assert named in str(caught.value) and ("hazards" in str(caught.value)) == bool(wanted.do)
        assert ("autoregressive" in str(caught.value)) == bool(wanted.given)
