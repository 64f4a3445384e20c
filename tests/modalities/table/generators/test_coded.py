import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.coded import CHUNK, saved
from semblance.modalities.table.generators.marginals import Marginals, MarginalsModel


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


def test_given_is_refused_where_the_card_does_not_offer_it() -> None:
    with pytest.raises(UsageError, match="conditional"):
        list(model().sample(3, rng=stream(0), given={"a": 1}))


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps({"options": {}}))
    with pytest.raises(DataError, match="saved model"):
        saved(tmp_path)
