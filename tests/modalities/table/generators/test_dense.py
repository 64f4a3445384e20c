import json

import numpy as np
import pytest

from semblance.core.errors import DataError
from semblance.core.rng import stream
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding, EncodingOptions
from semblance.modalities.table.generators.dense import Dense, Vectors, read_dense
from tests.contracts.samples import WEIRD, cohort

KINDS = ("modes", "scores")


def dense(table: Table, kind: str) -> Dense:
    return Dense.fit(Encoding.fit(table, EncodingOptions()), table, numbers="modes" if kind == "modes" else "scores")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*WEIRD, "cohort"])
def test_spans_stand_side_by_side_and_records_come_back(name: str, kind: str) -> None:
    table = cohort(400, 1) if name == "cohort" else WEIRD[name]()
    made = dense(table, kind)
    x = made.encode(table, rng=stream(0))
    assert x.shape == (len(table), made.width)
    assert [span.start for span in made.spans] == [0, *(span.stop for span in made.spans)][: len(made.spans)]
    assert np.isfinite(x).all()
    for span in made.spans:
        part = x[:, span.start : span.stop]
        assert span.width == 1 if span.kind == "scalar" else ((part == 1).sum(1) == 1).all()
    back = made.decode(x, first_subject=7, rng=stream(1))
    assert len(back) == len(table)
    assert back.subjects[0] == 7
    for column, coder in zip(made.encoding.fields, made.encoding.columns, strict=True):
        if not column.continuous and coder.size > 1:
            known = np.array([str(v) in coder.tokens for v in table.frame[column.name]])
            values, again = (t.frame[column.name].astype(object).to_numpy() for t in (table, back))
            assert (values[known] == again[known]).all()


def test_packed_and_spread_say_the_same() -> None:
    table = cohort(300, 1)
    made = dense(table, "scores")
    packed = made.pack(table, rng=stream(0))
    source = Vectors(made, packed, table.subjects)
    assert np.array_equal(source.batch(np.arange(300)).numpy(), made.encode(table, rng=stream(0)))
    one, two = (
        made.unpack(packed, first_subject=0, rng=stream(1)),
        made.decode(source.batch(np.arange(300)).numpy(), first_subject=0, rng=stream(1)),
    )
    assert one.frame.equals(two.frame)


@pytest.mark.parametrize("kind", KINDS)
def test_json_is_read_back(kind: str) -> None:
    table = cohort(300, 1)
    made = dense(table, kind)
    again = Dense.from_json(json.loads(json.dumps(made.to_json())), made.encoding)
    assert again.spans == made.spans
    assert np.array_equal(again.encode(table, rng=stream(0)), made.encode(table, rng=stream(0)))


def test_the_layout_says_which_numbers_may_be_missing() -> None:
    table = cohort(600, 1)
    made = dense(table, "scores")
    packed = made.pack(table, rng=stream(0))
    numbers = [span.column for span in made.spans if span.kind == "scalar"]
    owner = made.layout.owner[numbers.index("creatinine")]
    assert owner >= 0
    assert made.layout.owner[numbers.index("age")] == -1
    states = packed[:, ~made.layout.real][:, owner]
    assert ((states == 0) == table.frame["creatinine"].isna().to_numpy()).all()


def test_a_folder_without_vectors_is_no_model(tmp_path) -> None:
    with pytest.raises(DataError, match=r"dense\.json"):
        read_dense(tmp_path, dense(cohort(50, 1), "scores").encoding)
