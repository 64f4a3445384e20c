from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.disclosure.known import LEAST, MOST, coarse, coded, drawn, keys, known, secrets, telling
from tests.contracts.samples import WEIRD, cohort, table


def evidence(data):
    return Evidence(data, data, data, catalog.modality("table"))


def names(data):
    found = evidence(data)
    features = found.features("train")
    return [features.names[j] for j in known(found)], [features.names[j] for j in secrets(found)]


def test_telling_names_are_known_and_the_target_never():
    told, hidden = names(cohort(300, 0))
    assert {"age", "sex"} <= set(told)
    assert len(told) == LEAST
    assert "died" in hidden
    assert not set(told) & set(hidden)


@pytest.mark.parametrize(
    "name", ["Age", "patient_sex", "native-country", "ZipCode", "payer_code", "dateOfBirth", "bmi"]
)
def test_demographic_names(name):
    assert telling(name)


@pytest.mark.parametrize("name", ["stage", "dosage", "creatinine", "admission_type_id", "essex", "page"])
def test_other_names(name):
    assert not telling(name)


def test_of_many_telling_columns_those_that_tell_patients_apart():
    rng = stream(0, "many")
    values = {f"sex {i}": rng.choice(["a", "b"], 400) for i in range(MOST)}
    frame = pd.DataFrame({**values, "zip": rng.integers(0, 90, 400), "x": rng.normal(size=400)})
    told, _ = names(table(frame))
    assert len(told) == MOST
    assert "zip" in told


def test_declared_columns_are_taken_as_they_are():
    columns = {"creatinine": {"quasi": True}}
    data = table(
        pd.DataFrame({"age": np.arange(40) % 9 + 20, "creatinine": np.arange(40) % 7 + 0.5}),
        declared={"columns": columns},
    )
    assert names(data) == (["creatinine"], ["age"])


def test_a_constant_is_no_secret_and_one_column_is_never_known():
    assert names(WEIRD["one column"]())[0] == []
    assert "b" not in names(WEIRD["constant"]())[1]


def test_codes_separate_missing_seen_and_unseen():
    data = table(pd.DataFrame({"x": [1.0, 2.0, np.nan, 2.0]}))
    found = evidence(data)
    assert coded(found, "train")[:, 0].tolist() == [1, 2, 0, 2]
    grids = found.once("attack grids", list)
    assert coarse(np.array([[1.5], [9.0], [np.nan], [2.0]]), grids)[:, 0].tolist() == [3, 3, 0, 2]


def test_numbers_of_many_values_are_known_in_bands():
    data = table(pd.DataFrame({"x": np.arange(1000) / 7}))
    codes = coded(evidence(data), "train")[:, 0]
    assert len(np.unique(codes)) == 20
    assert np.bincount(codes)[1:].tolist() == [50] * 20


def test_keys_number_combinations():
    codes = np.array([[0, 1], [1, 0], [0, 1], [1, 1]])
    made = keys(codes, (0, 1))
    assert made[0] == made[2]
    assert len(set(made.tolist())) == 3
    assert keys(codes, ()).tolist() == [0, 0, 0, 0]


def test_one_record_is_drawn_from_each_combination():
    mine, made = np.array([0, 2, 5, 0]), np.array([2, 0, 0, 1])
    found = {tuple(drawn(mine, made, rng=stream(seed, "draw"))) for seed in range(30)}
    assert {a for a, _, _, _ in found} == {1, 2}
    assert {(b, c) for _, b, c, _ in found} == {(0, -1)}
