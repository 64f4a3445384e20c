import json
from dataclasses import replace

import numpy as np
import pandas as pd

from semblance.core.constraint import Condition, Constraint
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding, EncodingOptions

SCHEMA = Schema((Column("pid", "identifier", "subject"), Column("sex", "categorical"), Column("age", "integer")))


def cohort(visits: list[int]) -> Table:
    subjects = np.repeat(np.arange(len(visits)), visits)
    rng = stream(0)
    frame = pd.DataFrame(
        {
            "sex": pd.Categorical(np.where(rng.random(len(subjects)) < 0.5, "F", "M")),
            "age": rng.integers(20, 80, len(subjects)).astype(float),
        }
    )
    return Table(SCHEMA, frame, subjects)


def test_encoded_and_decoded_frames_agree_where_all_values_are_common() -> None:
    table = cohort([1] * 3000)
    encoding = Encoding.fit(table, EncodingOptions())
    again = encoding.decode(encoding.encode(table), first_subject=0, rng=stream(1))
    assert (again.frame["sex"].astype(str) == table.frame["sex"].astype(str)).all()
    assert (again.frame["age"] == table.frame["age"]).all()


def test_records_per_patient_keep_their_distribution() -> None:
    table = cohort([1] * 300 + [2] * 200 + [3] * 100)
    encoding = Encoding.fit(table, EncodingOptions())
    assert encoding.visits == (0.5, 1 / 3, 1 / 6)
    again = encoding.decode(np.zeros((30_000, 2), dtype=np.int64), first_subject=5, rng=stream(1))
    counts = np.bincount(np.unique(again.subjects, return_counts=True)[1])[1:]
    assert again.subjects[0] == 5
    assert np.abs(counts / counts.sum() - encoding.visits).max() < 0.02


def test_the_longest_history_is_no_single_patients() -> None:
    encoding = Encoding.fit(cohort([1] * 300 + [2] * 10 + [40]), EncodingOptions())
    assert len(encoding.visits) == 2


def test_no_number_of_records_is_a_single_patients() -> None:
    encoding = Encoding.fit(cohort([1] * 2 + [2] * 50 + [3] * 3 + [4] * 50 + [7]), EncodingOptions())
    assert encoding.visits == (0, 55 / 106, 0, 51 / 106)


def test_categories_that_came_with_the_data_are_cut_to_those_that_enough_patients_hold() -> None:
    listed = ("low", "high", "secret")
    schema = Schema((Column("grade", "ordinal", categories=listed, bound="declared"),))
    frame = pd.DataFrame({"grade": pd.Categorical(["low"] * 20 + ["high"] * 20 + ["secret"], listed, ordered=True)})
    encoding = Encoding.fit(Table(schema, frame, np.arange(41)), EncodingOptions())
    assert "secret" not in json.dumps(encoding.to_json())


def test_json_round_trip() -> None:
    encoding = Encoding.fit(cohort([1, 2] * 300), EncodingOptions())
    again = Encoding.from_json(json.loads(json.dumps(encoding.to_json())))
    codes = np.zeros((50, 2), dtype=np.int64)
    first, second = (e.decode(codes, first_subject=0, rng=stream(1)) for e in (encoding, again))
    assert first.frame.equals(second.frame)
    assert np.array_equal(first.subjects, second.subjects)


def test_an_empty_table_encodes() -> None:
    table = cohort([])
    assert Encoding.fit(table, EncodingOptions()).encode(table).shape == (0, 2)


def stays(n: int = 800) -> Table:
    rng = stream(7)
    begun = rng.integers(0, 1500, n) * 86_400.0
    frame = pd.DataFrame({"a": rng.integers(0, 6, n) * 1.0, "b": rng.integers(0, 9, n) * 1.0, "in": begun})
    frame["total"], frame["out"] = frame["a"] + frame["b"], begun + rng.integers(0, 30, n) * 86_400.0
    frame["sex"] = pd.Categorical(np.where(rng.random(n) < 0.5, "F", "M"))
    frame["icd"] = pd.Categorical(np.where(frame["sex"] == "F", rng.choice(["O80", "I10"], n), "I10"))
    columns = [Column(name, "integer") for name in ("a", "b", "total")]
    columns += [Column(name, "date", date_format="%Y-%m-%d") for name in ("in", "out")]
    columns += [Column(name, "categorical") for name in ("sex", "icd")]
    births = Constraint("implication", when=(Condition("sex", ("M",)),), never=(Condition("icd", ("O*",)),))
    rules = (Constraint("inequality", ("in", "out")), Constraint("sum", ("a", "b", "total")), births)
    schema = Schema(tuple(columns), constraints=rules)
    return Table(schema, frame[list(schema.names)], np.arange(n))


def drawn(encoding: Encoding, n: int = 3000) -> Table:
    rng = stream(8)
    codes = np.column_stack([rng.integers(0, size, n) for size in encoding.sizes])
    return encoding.decode(codes, first_subject=0, rng=rng)


def test_relations_replace_columns_that_no_codes_can_break() -> None:
    table = stays()
    encoding = Encoding.fit(table, EncodingOptions())
    assert [field.name for field in encoding.fields] == ["a", "b", "in", "out (after in)", "sex", "icd"]
    assert list(encoding.reduce(table)) == [field.name for field in encoding.fields]
    assert len(encoding.sizes) == len(encoding.positions) == len(encoding.fields)
    made = drawn(encoding)
    assert made.schema == table.schema
    assert (made.frame["total"] == made.frame["a"] + made.frame["b"]).all()
    assert (made.frame["out"] >= made.frame["in"]).all()


def test_what_is_not_kept_by_construction_is_told() -> None:
    encoding = Encoding.fit(stays(), EncodingOptions())
    made = drawn(encoding)
    expected = (made.frame["sex"] == "M") & (made.frame["icd"] == "O80")
    assert 0 < expected.sum() < len(made)
    assert np.array_equal(encoding.broken(made), expected)
    assert not encoding.broken(stays()).any()


def test_relations_go_through_json() -> None:
    encoding = Encoding.fit(stays(), EncodingOptions())
    again = Encoding.from_json(json.loads(json.dumps(encoding.to_json())))
    assert again.fields == encoding.fields
    assert drawn(again).frame.equals(drawn(encoding).frame)
    assert again.to_json() == encoding.to_json()


def test_finding_can_be_turned_off() -> None:
    table = stays()
    free = replace(table, schema=replace(table.schema, constraints=()))
    assert Encoding.fit(free, EncodingOptions(find=False)).fields == table.schema.learned
    assert len(Encoding.fit(free, EncodingOptions()).fields) < len(table.schema.learned)


def test_assembling_reduced_records_gives_them_back() -> None:
    table = stays()
    encoding = Encoding.fit(table, EncodingOptions())
    reduced = encoding.reduce(table)
    values = {name: reduced[name].array if name in ("sex", "icd") else reduced[name].to_numpy() for name in reduced}
    again = encoding.assemble(values, first_subject=3, rng=stream(0))
    assert again.subjects[0] == 3
    assert again.frame.astype(str).equals(table.frame.astype(str))
