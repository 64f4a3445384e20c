"""What is asked follows from what is public; answers add up; reports are checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from semblance.core.errors import DataError, UsageError
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.survey import (
    BEARABLE,
    FAVOUR,
    Asking,
    Question,
    Survey,
    covered,
    deepest,
    finest,
    occupancy,
    seats_of,
)
from semblance.privacy.local import NOBODY


def coder(columns: int = 4, *, target: bool = True) -> Encoding:
    """Of ten codes each and the missing one; the first may be a target of two, the last is a number of 81 values."""
    first = Column("y", "categorical", "target" if target else "feature", categories=("no", "yes"), bound="declared")
    labels = tuple("abcdefghij")
    others = (Column(f"c{i}", "categorical", categories=labels, bound="declared") for i in range(1, columns))
    age = Column("age", "integer", dtype="int64", min=18, max=98, bound="declared")
    return public_encoding(Schema((first, *others, age), public=True))


def people(n: int) -> np.ndarray:
    """Codes: y goes with c1, c2 is c1 but for a tenth, all else is even."""
    rng = stream(0, "people")
    y = rng.integers(0, 2, n)
    c1 = np.where(y == 1, 0, rng.integers(0, 3, n))
    c2 = np.where(rng.random(n) < 0.9, c1, 3)
    return np.column_stack([y, c1, c2, rng.integers(0, 3, n), 1 + rng.integers(0, 81, n)])


def test_more_patients_and_more_epsilon_are_asked_more() -> None:
    def pairs(epsilon: float, seats: int, **how: Any) -> tuple[int, int]:
        found = deepest(coder(**how), epsilon=epsilon, asking=Asking(seats))
        return (0, 0) if found is None else (len(found.pairs), found.groups)

    assert pairs(1.0, 500) == (0, 0)
    assert pairs(1.0, 12_000)[0] == 4 and pairs(4.0, 12_000)[0] == 10
    assert pairs(4.0, 12_000)[1] < pairs(4.0, 1_000_000)[1] == 16
    assert pairs(1.0, 12_000, target=False) == (0, 0)  # all pairs, or none


def test_pairs_with_the_target_are_favoured() -> None:
    depth = deepest(coder(), epsilon=4.0, asking=Asking(12_000))
    assert depth is not None
    assert {w for pair, w in zip(depth.pairs, depth.weights, strict=True) if 0 in pair} == {FAVOUR}
    assert {w for pair, w in zip(depth.pairs, depth.weights, strict=True) if 0 not in pair} == {1.0}


@pytest.mark.parametrize("epsilon", [0.5, 2.0, 8.0])
def test_as_many_cells_are_told_apart_as_noise_leaves_room_for(epsilon: float) -> None:
    found = finest(5000, epsilon=epsilon, asked=3000)
    assert covered(found, epsilon=epsilon, asked=3000) <= BEARABLE < covered(found + 1, epsilon=epsilon, asked=3000)
    assert finest(100, epsilon=epsilon, asked=10**9) == 100


def test_each_seat_is_asked_one_question_and_the_shares_come_out() -> None:
    codes, asking = people(40_000), Asking(50_000)
    codes = np.concatenate([codes, np.full((10_000, codes.shape[1]), NOBODY)])
    codes = codes[stream(0, "order").permutation(len(codes))]
    survey = Survey.of(coder(), epsilon=6.0, asking=asking)
    first = survey.asked(codes[: survey.first])
    assert sum(tally.asked for tally in first) == survey.first == 15_000
    assert occupancy(first, 6.0) == pytest.approx(0.8, abs=0.03)
    second = survey.next(first)
    assert second is not None and second.round == 2 and second.before == first
    told = second.asked(codes[survey.first :])
    assert sum(tally.asked for tally in told) == 35_000
    tally = next(t for t in told if t.question.columns == (0, 1))
    shares = tally.shares(second.by(tally.question), occupancy(first, 6.0))
    found, (y, c1) = tally.question, tally.question.groups
    truth = np.zeros(found.shape)
    truth[y[1], c1[0]], rest = 0.5, 0.5 / 3
    for code in range(3):
        truth[y[0], c1[code]] += rest
    assert shares == pytest.approx(truth, abs=6 * tally.noise(second.by(found), 0.8))


def test_what_is_rare_counts_as_one_in_the_second_round() -> None:
    codes = people(40_000)
    survey = Survey.of(coder(), epsilon=6.0, asking=Asking(40_000))
    second = survey.next(survey.asked(codes[: survey.first]))
    assert second is not None
    (group,) = (q.groups[1] for q in second.questions if q.columns == (0, 1))
    assert len({*group[:3]}) == 3 and len({*group[3:]}) == 1  # three codes that somebody has, and the others


def test_one_seat_is_asked_any_question() -> None:
    survey = Survey.of(coder(), epsilon=1.0, asking=Asking(1))
    asked = {k for _ in range(100) for k, tally in enumerate(survey.asked(people(1))) if tally.asked}
    assert asked == set(range(5))


def test_reports_of_single_patients_are_what_a_tally_is_made_of() -> None:
    survey, codes = Survey.of(coder(), epsilon=30.0, asking=Asking(400)), people(400)
    gathered = survey.gathered([survey.report(row) for row in codes])
    assert sum(tally.asked for tally in gathered) == 400 and all(tally.asked > 40 for tally in gathered)
    for tally in gathered:  # at epsilon 30 an answer is the truth
        truth = np.bincount(tally.question.cells(codes), minlength=tally.question.size) / 400
        assert tally.counts / tally.asked == pytest.approx(truth, abs=0.25)


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"round": 2, "question": 0, "answer": []},
        {"round": 1, "question": 9, "answer": []},
        {"round": 1, "question": True, "answer": []},
        {"round": 1, "question": 0, "answer": [3]},
        {"round": 1, "question": 0, "answer": [-1]},
        {"round": 1, "question": 0, "answer": [1, 1]},
        {"round": 1, "question": 0, "answer": "1"},
        {"round": 1, "question": 0, "answer": [[0]]},
    ],
)
def test_what_is_no_report_is_refused_by_its_number(report: dict[str, Any]) -> None:
    survey = Survey.of(coder(), epsilon=1.0, asking=Asking(100))
    with pytest.raises(DataError, match="report 2 is none"):
        survey.gathered([{"round": 1, "question": 0, "answer": [2]}, report])


def test_an_empty_seat_answers_as_nobody() -> None:
    question = Question((0, 1), (np.array([0, 1, 1]), np.array([0, 1])))
    assert question.shape == (2, 2) and question.size == 4
    assert question.cells(np.array([[2, 1], [NOBODY, NOBODY], [0, 1]])).tolist() == [3, NOBODY, 1]


def test_the_number_of_seats_is_public() -> None:
    assert seats_of(30) == 30
    with pytest.raises(UsageError, match="n_public"):
        seats_of(None)
