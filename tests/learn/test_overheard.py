"""The attack on votes: it knows by how much a patient moves each count, and votes without noise do not pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn import white_box
from semblance.learn.objectives import pate
from semblance.learn.overheard import LEAST, Overheard
from semblance.learn.trainer import TrainPlan, train_to_end
from semblance.modalities.table.audit import audit
from semblance.modalities.table.generators import private
from semblance.modalities.table.generators.pate_gan import PateGan
from tests.learn.objectives.test_pate import RULE, TEACHERS, WIDTH, game

PLAN = TrainPlan(steps=40, batch=TEACHERS, rate=0.05, weight_decay=0.0, anneal=False)
OWN, TEACHER = np.zeros((1, WIDTH)), np.array([3])
SPEC = PateGan(teachers=64, asked=16, batch=8, width=8, hidden=4, rate=0.1)


def heard(there: bool, *said: np.ndarray) -> tuple[Overheard, np.ndarray]:
    """A training with the patient or with nobody, in which `said` takes the place of counts, and the counts."""
    counts: list[np.ndarray] = []
    told = iter(said)

    def noised(votes: np.ndarray, *, sigma: float) -> np.ndarray:
        counts.append(votes)
        return next(told) if said else votes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pate, "noised", noised)
        votes = game(OWN[: int(there)], TEACHER[: int(there)])
        found = Overheard(votes, plan=PLAN, rule=RULE)
        train_to_end(votes, votes.parts, PLAN, rng=stream(3), rule=RULE)
    return found, np.concatenate(counts)


def scored(attack: Overheard) -> float:
    (score,) = attack.scores(torch.from_numpy(OWN.astype(np.float32)), TEACHER)
    return float(score)


def test_it_knows_what_the_counts_are_with_the_patient_and_without() -> None:
    """What is heard is the same in both: so both see the same records, and only the patient makes the difference."""
    said = [stream(5, k).normal(0, 40, 6) for k in range(PLAN.steps)]
    (_, beside), (attack, without) = heard(True, *said), heard(False, *said)
    noisy, moved = np.concatenate(said), beside - without
    assert np.abs(moved).sum() > 10 and np.abs(moved).max() == 1
    squares = [np.square(noisy - counts).sum() + LEAST for counts in (without, beside)]
    assert scored(attack) == pytest.approx(len(noisy) / 2 * np.log(squares[0] / squares[1]), rel=1e-6)
    ratio = (moved * (noisy - (without + beside) / 2)).sum() / noisy.var()  # of Gaussian noise of known scale
    assert scored(attack) == pytest.approx(ratio, rel=0.2)


def test_without_noise_it_knows_whether_the_patient_is_there() -> None:
    assert scored(heard(True)[0]) > 1000 and scored(heard(False)[0]) < -1000


def test_a_training_without_votes_tells_nothing() -> None:
    votes = game(OWN, TEACHER)
    assert scored(Overheard(votes, plan=PLAN, rule=RULE)) == 0


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(private, "STAND_IN", 50)
    monkeypatch.setattr(white_box, "STEPS", 6)
    return {"delta": 1e-5, "trials": 4, "seed": 0}


@pytest.mark.parametrize("epsilon", [0.5, 4.0])
def test_no_attack_refutes_the_claim(epsilon: float, few: dict[str, Any]) -> None:
    found = audit(SPEC, epsilon=epsilon, confidence=0.999, **few)
    assert found.holds, found


def test_votes_without_noise_are_caught(few: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pate, "noised", lambda counts, sigma: counts)
    found = audit(SPEC, epsilon=2.0, confidence=0.8, **few)
    assert not found.holds, found
