from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semblance.core.dataset import Dataset, Evidence, Features, held_out, patients_known, split_by_subject
from semblance.core.errors import DataError, UsageError
from semblance.core.modality import Modality
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema


@dataclass(frozen=True)
class Points:
    """The smallest data set there is: one number per record."""

    schema: Schema
    x: np.ndarray
    subjects: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: np.ndarray) -> Points:
        return Points(self.schema, self.x[rows], self.subjects[rows])


def embed(data: Points, reference: Points) -> np.ndarray:
    return ((data.x - reference.x.mean()) / reference.x.std())[:, None].astype(np.float32)


def features(data: Points, reference: Points) -> Features:
    return Features(data.x[:, None], np.array([False]), ("x",))


def points(subjects: list[int]) -> Points:
    return Points(Schema((Column("x", "numeric"),)), np.arange(len(subjects), dtype=float), np.array(subjects))


cohorts = st.lists(st.integers(0, 12), min_size=2, max_size=40).filter(lambda s: len(set(s)) > 1)


@given(cohorts, st.floats(0.01, 0.99), st.integers(0, 99))
def test_a_split_parts_patients_and_loses_no_record(subjects, holdout, seed):
    data = points(subjects)
    train, held = split_by_subject(data, holdout=holdout, rng=stream(seed, "split"))
    assert not set(train.subjects) & set(held.subjects)
    assert sorted([*train.x, *held.x]) == list(data.x)
    assert (np.diff(train.x) > 0).all()
    assert (np.diff(held.x) > 0).all()
    count = len(set(subjects))
    assert len(set(held.subjects)) == min(max(round(holdout * count), 1), count - 1)


def test_the_split_is_named_by_its_seed():
    data = points(list(range(50)))
    one, again, other = (split_by_subject(data, holdout=0.2, rng=stream(s, "split"))[1].x for s in (0, 0, 1))
    assert (one == again).all()
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("holdout", [0, 1, -0.2, 1.5, float("nan")])
def test_a_holdout_is_a_share(holdout):
    with pytest.raises(UsageError):
        split_by_subject(points([1, 2]), holdout=holdout, rng=stream(0))


def test_one_patient_cannot_be_split():
    with pytest.raises(DataError, match="1 patient"):
        split_by_subject(points([3, 3, 3]), holdout=0.2, rng=stream(0))


@pytest.fixture
def evidence() -> Evidence[Points]:
    here = {"embed": f"{__name__}:embed", "features": f"{__name__}:features"}
    rest = dict.fromkeys(("read", "like", "write", "output"), "math:sqrt")
    toy = Modality("toy", "a toy", (), **here, **rest, generators={}, default="", floor="")
    return Evidence(points([0, 1, 2]), points([3, 4]), points([5]), toy)


def test_points_are_a_dataset():
    assert isinstance(points([1]), Dataset)


def test_what_judges_share_is_computed_once(evidence):
    calls = []
    assert [evidence.once("k", lambda: calls.append(1) or 7) for _ in range(3)] == [7, 7, 7]
    assert len(calls) == 1


def test_what_is_shared_may_be_none(evidence):
    calls = []
    for _ in range(2):
        evidence.once("nothing", lambda: calls.append(1))
    assert len(calls) == 1


def test_embeddings_and_features_come_from_the_manifest(evidence):
    assert evidence.embedding("train").mean() == pytest.approx(0, abs=1e-6)
    assert evidence.embedding("train") is evidence.embedding("train")
    assert evidence.features("synthetic").x.shape == (1, 1)


@dataclass(frozen=True)
class Declared(Points):
    """Points whose makers held some of them out, and which do not tell patients apart."""

    held: np.ndarray | None = None
    anonymous: bool = True

    def take(self, rows: np.ndarray) -> Declared:
        assert self.held is not None
        return Declared(self.schema, self.x[rows], self.subjects[rows], self.held[rows])


def declared(subjects: list[int], held: list[bool]) -> Declared:
    return Declared(points([]).schema, np.arange(len(held), dtype=float), np.array(subjects), np.array(held))


def test_a_declared_holdout_is_kept_whatever_the_seed_and_the_share():
    data = declared([0, 1, 2, 3], [False, True, False, True])
    for seed in range(3):
        train, held = split_by_subject(data, holdout=0.25, rng=stream(seed, "split"))
        assert (train.x.tolist(), held.x.tolist()) == ([0, 2], [1, 3])


def test_a_declared_holdout_that_parts_a_patient_is_refused():
    with pytest.raises(DataError, match="1 patients have records on both sides"):
        split_by_subject(declared([0, 1, 1], [False, False, True]), holdout=0.2, rng=stream(0, "split"))


def test_a_holdout_of_all_records_leaves_nothing_to_learn_from():
    """Records that were held out once were learned then."""
    data = declared([0, 1], [True, True])
    for ask in (lambda: held_out(data), lambda: split_by_subject(data, holdout=0.25, rng=stream(0, "split"))):
        with pytest.raises(DataError, match="all 2 records are held out"):
            ask()


def test_where_none_is_held_out_nothing_is_declared():
    assert held_out(declared([0, 1], [False, False])) is None
    assert held_out(points([0, 1])) is None


def test_patients_are_known_where_nothing_else_is_said():
    assert patients_known(points([0, 1]))
    assert not patients_known(declared([0, 1], [False, True]))
