from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.spread import MOST, Spread


def told(n: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Facts, classes, patients, and what is usual of them, (n, 2)."""
    facts, labels = rng.standard_normal((n, 1)), np.arange(n) % 3
    usual = np.array([[0.0, 5.0], [2.0, -1.0], [4.0, 0.0]])[labels] + facts * [1.0, -2.0]
    return np.float32(facts), labels, np.arange(n) // 20, usual


def spread_of(spread: Spread, drawn: np.ndarray, facts: np.ndarray, labels: np.ndarray) -> np.ndarray:
    found: torch.Tensor = spread(*map(torch.from_numpy, (np.float32(drawn), facts, labels)))
    return found.numpy()


def test_numbers_of_each_class_vary_as_learned_ones_about_what_their_facts_say():
    rng = stream(0, "spread")
    facts, labels, subjects, usual = told(6000, rng=rng)
    wide = np.array([1.0, 0.8, 1.2])[labels][:, None] * [1.0, 3.0]
    learned = usual + wide * rng.standard_normal((6000, 2))
    drawn = usual + 0.8 * wide * rng.standard_normal((6000, 2))
    spread = Spread(2, 1, 3)
    assert (spread_of(spread, drawn, facts, labels) == np.float32(drawn)).all()  # nothing is known yet
    spread.fit(drawn, learned, facts, labels, subjects)
    made = spread_of(spread, drawn, facts, labels)
    for kind in range(3):
        of = labels == kind
        assert np.allclose((made - usual)[of].std(0), (learned - usual)[of].std(0), rtol=0.04)
        assert np.allclose(made[of].mean(0), drawn[of].mean(0), atol=0.02)  # what is usual stays where it was


@pytest.mark.parametrize("few", [{"records": 60}, {"patients": 2}])
def test_a_class_of_few_is_spread_as_all_are(few):
    """The spread of one patient's records is nobody else's."""
    rng = stream(0, "few")
    labels = (np.arange(2000) < few.get("records", 400)).astype(np.int64)
    subjects = np.where(labels, np.arange(2000) % few.get("patients", 40), 100 + np.arange(2000) % 40)
    learned = rng.standard_normal((2000, 1)) * np.where(labels, 3.0, 1.0)[:, None]
    drawn = 0.9 * rng.standard_normal((2000, 1))
    spread = Spread(1, 0, 2)
    spread.fit(drawn, learned, np.zeros((2000, 0)), labels, subjects)
    assert spread.gains[1] == spread.gains[2] and spread.gains[0] < spread.gains[1]


def test_what_is_one_number_stays_it_and_no_gain_is_large():
    rng = stream(0, "flat")
    learned, drawn = 9 * rng.standard_normal((500, 2)), rng.standard_normal((500, 2))
    learned[:, 1] = 1.0
    spread = Spread(2, 0, 1)
    spread.fit(drawn, learned, np.zeros((500, 0)), np.zeros(500, np.int64), np.arange(500))
    assert spread.gains[1].tolist() == [MOST, 1.0]


def test_a_record_of_no_class_is_spread_about_all():
    rng = stream(0, "none")
    facts, labels, subjects, usual = told(3000, rng=rng)
    drawn = usual + 0.5 * rng.standard_normal((3000, 2))
    spread = Spread(2, 1, 3)
    spread.fit(drawn, usual + rng.standard_normal((3000, 2)), facts, labels, subjects)
    made = spread_of(spread, drawn, facts, np.full(3000, 3))
    assert np.allclose(made.mean(0), drawn.mean(0), atol=0.05)


def test_records_that_come_repeatedly_are_not_more_of_them():
    """Rare classes are learned oftener than they come."""
    rng = stream(0, "often")
    rows = np.concatenate([np.arange(2000), np.repeat(np.arange(2000, 2060), 5)])
    labels, subjects = (rows >= 2000).astype(np.int64), rows % 30
    learned = (rng.standard_normal((2060, 1)) * np.where(np.arange(2060) < 2000, 1.0, 3.0)[:, None])[rows]
    spread = Spread(1, 0, 2)
    spread.fit(0.9 * rng.standard_normal((len(rows), 1)), learned, np.zeros((len(rows), 0)), labels, subjects)
    assert spread.gains[1] == spread.gains[2]


def test_one_patient_who_has_most_of_a_class_does_not_tell_its_spread():
    """Of the fusion beats of 10 patients, 9 of 10 may be one's."""
    rng = stream(0, "most")
    labels = (np.arange(2000) < 400).astype(np.int64)
    subjects = np.where(labels, np.where(np.arange(2000) < 360, 0, np.arange(2000) % 10), np.arange(2000) % 40)
    learned = rng.standard_normal((2000, 1)) * np.where(labels, 3.0, 1.0)[:, None]
    spread = Spread(1, 0, 2)
    spread.fit(0.9 * rng.standard_normal((2000, 1)), learned, np.zeros((2000, 0)), labels, subjects)
    assert spread.gains[1] == spread.gains[2]


@pytest.mark.parametrize(("records", "patients"), [(60, 60), (400, 3)])
def test_where_all_are_few_nothing_changes(records, patients):
    rng = stream(0, "all")
    learned, drawn = 1.3 * rng.standard_normal((records, 2)), rng.standard_normal((records, 2))
    spread = Spread(2, 0, 1)
    spread.fit(drawn, learned, np.zeros((records, 0)), np.zeros(records, np.int64), np.arange(records) % patients)
    assert (spread.gains == 1).all() and not spread.means.any()


def test_a_class_that_nothing_was_drawn_of_stays_as_it_is():
    """It once was moved away from 0, where nothing of it need lie."""
    rng = stream(0, "absent")
    labels = np.zeros(500, np.int64)
    spread = Spread(2, 0, 2)
    learned, drawn = 1.3 * rng.standard_normal((500, 2)), rng.standard_normal((500, 2))
    spread.fit(drawn, learned, np.zeros((500, 0)), labels, np.arange(500))
    far = np.float32(5 + rng.standard_normal((20, 2)))
    assert (spread_of(spread, far, np.zeros((20, 0), np.float32), np.ones(20, np.int64)) == far).all()
    assert (spread.gains[[0, 2]] > 1.1).all()
