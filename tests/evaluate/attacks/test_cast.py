from __future__ import annotations

import numpy as np
import pytest

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.evaluate.attacks.cast import around, cast, games, per_patient, play
from semblance.evaluate.shared.neighbours import nearest
from tests.contracts.samples import WEIRD, cohort


def evidence(n=120, **more):
    whole = cohort(3 * n, 7)
    return Evidence(*(whole.take(np.arange(i * n, (i + 1) * n)) for i in range(3)), catalog.modality("table"), **more)


def test_nobody_plays_on_two_sides():
    one = evidence()
    sides = cast(one)
    assert len(sides.member) == len(sides.outsider) == 60
    assert not np.isin(sides.reference, sides.member).any()
    assert sorted([*sides.first, *sides.second]) == sorted(sides.reference)


def test_the_reference_is_everybody_else_and_no_handful():
    """A peer estimates the population's density from ten records."""
    whole = cohort(900, 0)
    train, holdout = whole.take(np.arange(600)), whole.take(np.arange(600, 900))
    sides = cast(Evidence(train, holdout, train, catalog.modality("table")))
    assert len(sides.member) == len(sides.outsider) == len(sides.reference) == 300


def test_a_patients_score_is_its_highest():
    assert per_patient(np.array([1.0, 5.0, 3.0]), np.array([9, 4, 9])).tolist() == [5, 3]


def test_the_halves_of_the_reference_are_searched_as_one():
    one = evidence()
    sides = cast(one)
    found = around(one, ("train", sides.member), games(one)[0].real)
    x = one.embedding("train")
    whole = nearest(x[sides.member], x[sides.reference], k=20)
    assert found.distance == pytest.approx(whole.distance)
    assert np.isin(found.where, sides.reference).all()


def test_the_control_never_meets_a_synthetic_record():
    _, control = games(evidence())
    assert {side[0] for side in (control.made, *control.real)} == {"train"}
    assert len(control.real) == 1


def test_unusual_patients_lie_far():
    one = evidence()
    x, sides = one.embedding("train"), cast(one)
    scores = play(one, "blind", lambda evidence, game: tuple(np.zeros(len(rows)) for _, rows in game.players))
    from_centre = np.linalg.norm(x[sides.member] - x.mean(axis=0), axis=1)
    order = np.argsort(one.train.subjects[sides.member])
    assert np.corrcoef(scores.far_member, from_centre[order])[0, 1] > 0.3
    assert len(scores.far_outsider) == len(scores.outsider) == 60


@pytest.mark.parametrize("name", ["one row", "two rows"])
def test_too_few_patients_give_no_scores(name):
    data = WEIRD[name]()
    one = Evidence(data, data, data, catalog.modality("table"))
    scores = play(one, "blind", lambda evidence, game: tuple(np.zeros(len(rows)) for _, rows in game.players))
    assert len(scores.member) == len(scores.control_outsider) == 0
