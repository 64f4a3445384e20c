import json

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from semblance.core.rng import stream
from semblance.modalities.table.structure import Structure, mutual_information


def test_mutual_information_agrees_with_scikit_learn_up_to_its_bias() -> None:
    a = stream(0).integers(0, 4, 50_000)
    b = np.where(stream(1).random(50_000) < 0.5, a, stream(2).integers(0, 4, 50_000))
    joint = np.bincount(a * 4 + b, minlength=16).reshape(4, 4)
    assert mutual_information(joint) == pytest.approx(mutual_info_score(a, b), abs=9 / 100_000 + 1e-9)


def test_a_function_of_another_column_is_derived_and_never_disagrees() -> None:
    parent = stream(0).integers(0, 6, 3000)
    codes = np.column_stack([parent % 3, stream(1).integers(0, 2, 3000), parent])
    structure = Structure.of(codes, np.array([3, 2, 6]))
    assert [(child, above) for child, above, _ in structure.derived] == [(0, 2)]
    assert np.array_equal(structure.complete(codes[:, structure.learned]), codes)


def test_a_chain_and_a_bijection_are_completed_in_order() -> None:
    a = stream(0).integers(0, 8, 4000)
    codes = np.column_stack([a // 4, a // 2, a, 7 - a])
    structure = Structure.of(codes, np.array([2, 4, 8, 8]))
    assert len(structure.order) == 1
    assert np.array_equal(structure.complete(codes[:, structure.learned]), codes)


def test_agreement_by_chance_is_no_dependency() -> None:
    codes = np.column_stack([np.arange(10), stream(0).integers(0, 2, 10)])
    assert Structure.of(codes, np.array([10, 2])).derived == ()


def test_constants_are_not_learned() -> None:
    structure = Structure.of(np.zeros((50, 2), dtype=np.int64), np.array([1, 1]))
    assert structure.order == ()
    assert structure.complete(np.zeros((3, 0), dtype=np.int64)).tolist() == [[0, 0]] * 3


def test_json_round_trip() -> None:
    a = stream(0).integers(0, 8, 4000)
    structure = Structure.of(np.column_stack([a, a // 2]), np.array([8, 4]))
    assert Structure.from_json(json.loads(json.dumps(structure.to_json()))) == structure


def test_columns_that_come_first_do_and_follow_from_none() -> None:
    child = stream(0).integers(0, 4, 3000)
    codes = np.column_stack([stream(1).integers(0, 3, 3000), child * 2 + stream(2).integers(0, 2, 3000), child])
    plain, found = (Structure.of(codes, np.array([3, 8, 4]), first=first) for first in ((), (2, 0)))
    assert [child for child, _, _ in plain.derived] == [2]
    assert found.derived == ()
    assert found.order == (2, 0, 1)


def test_roots_follow_chains_to_what_is_learned() -> None:
    structure = Structure(3, (0,), ((2, 1, (0, 1)), (1, 0, (1, 0, 1))))
    root, through = structure.roots[2]
    assert root == 0
    assert through.tolist() == [1, 0, 1]
    learned = np.array([[0], [1], [2]])
    assert np.array_equal(structure.complete(learned)[:, 2], through)
