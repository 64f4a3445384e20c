from __future__ import annotations

import json

from semblance.core.promise import Guarantee


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
