from __future__ import annotations

import json
import math

import pytest

from semblance.core.errors import UsageError
from semblance.core.promise import Answers, Guarantee, Noise, Steps, rounded_up, spent_from


def test_no_guarantee_is_said_plainly():
    assert str(Guarantee()) == "no formal guarantee: privacy is measured by attacks, not proven"


def test_a_guarantee_names_its_unit_and_its_neighbours():
    text = str(Guarantee(epsilon=1.0, delta=1e-6))
    assert text == "(1, 1e-06)-differential privacy per patient (add or remove one patient)"


def test_zero_epsilon_is_a_guarantee():
    assert str(Guarantee(epsilon=0.0, delta=0.0)).startswith("(0, 0)-differential privacy")


def test_json_round_trip():
    promise = Guarantee(epsilon=2.0, delta=1e-5)
    assert Guarantee(**json.loads(json.dumps(promise.to_json()))) == promise


def test_the_advantage_of_any_attack_is_bounded_as_published():
    assert Guarantee(1.0, 1e-5).advantage == pytest.approx(0.46212 + 2e-5 / (1 + math.e), abs=1e-5)
    assert Guarantee(0.0, 0.0).advantage == 0 and Guarantee().advantage == 1 and Guarantee(5000.0, 1e-6).advantage == 1
    # Randomised response attains it: the truth is told with e / (1 + e), a lie with 1 / (1 + e).
    assert Guarantee(1.0, 0.0).advantage == pytest.approx((math.e - 1) / (math.e + 1))


@pytest.mark.parametrize("value", [2.0137527, 0.99979, 3.2084e-4, 1e-9, 12345.678, 1.0, 0.1])
def test_a_bound_is_rounded_up(value):
    assert value <= rounded_up(value) <= value * 1.001
    assert float(f"{rounded_up(value):g}") == rounded_up(value)


@pytest.mark.parametrize(
    "wrong", [{"sigma": 0.0}, {"sigma": float("nan")}, {"sensitivity": 0.5}, {"count": -3}, {"count": 0}]
)
def test_noise_that_is_none_is_refused(wrong):
    with pytest.raises(UsageError):
        Noise(**{"sigma": 1.0, **wrong})


@pytest.mark.parametrize("part", [Noise(3.0, 2, 4, 1e-7), Steps(1.5, 0.01, 300), Answers(0.5, 3)])
def test_what_was_spent_comes_back_from_the_ledgers_line(part):
    assert spent_from(json.loads(json.dumps(part.to_json()))) == part
    assert str(part)


def test_a_line_without_a_kind_is_noise():
    assert spent_from({"sigma": 3.0, "sensitivity": 1, "count": 4}) == Noise(3.0, 1, 4)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [(Steps, (0.0, 0.1, 3)), (Steps, (1.0, 1.5, 3)), (Steps, (1.0, 0.5, 0)), (Answers, (0.0,)), (Answers, (1.0, 0.5))],
)
def test_steps_and_answers_that_are_none_are_refused(kind, wrong):
    with pytest.raises(UsageError):
        kind(*wrong)
