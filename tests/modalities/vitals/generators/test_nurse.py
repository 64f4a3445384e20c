from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.vitals.data import concat
from semblance.modalities.vitals.generators.floor import Floor
from tests.modalities.vitals.simulated import stays


@pytest.fixture(scope="module")
def model():
    return Floor(factors=10).fit(stays(200, 0), rng=stream(0, "fit"))


def test_chunks_are_numbered_on(model):
    made = list(model.sample(600, rng=stream(0, "sample")))
    assert [len(chunk) for chunk in made] == [512, 88]
    assert np.array_equal(concat(made).subjects, np.arange(600))


def test_orders_that_are_declared_are_kept():
    model = Floor(factors=10, order=(("Temp", "GCS"),)).fit(stays(60, 0), rng=stream(0, "fit"))
    made = next(model.sample(60, rng=stream(0, "sample")))
    assert json.loads(json.dumps(model.options))["order"] == [["Temp", "GCS"]]
    assert model.encoding.what.chains == ((6, 1),)
    assert len(made) == 60


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no model"):
        Floor.load(tmp_path)


def test_orders_that_the_data_declare_are_kept():
    train = replace(stays(60, 0), order=(("Temp", "GCS"),))
    assert Floor(factors=10).fit(train, rng=stream(0, "fit")).encoding.what.chains == ((6, 1),)
