"""The audit of the private generator: its claims stand, and a broken mechanism does not pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.modalities.table.audit import RECORDS, Attack, audit, simulated
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.pairwise import Pairwise
from semblance.privacy import accountant, ledger

HOW: dict[str, Any] = {"delta": 1e-5, "confidence": 0.999, "seed": 0}


@pytest.mark.parametrize(
    "epsilon", [pytest.param(0.5, marks=pytest.mark.slow), 1.0, pytest.param(4.0, marks=pytest.mark.slow)]
)
def test_no_attack_refutes_the_claim(epsilon: float) -> None:
    found = audit(Pairwise(), epsilon=epsilon, trials=60, **HOW)
    assert found.holds, found


def test_noise_that_is_off_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "noised", lambda counts, sigma: counts)
    found = audit(Pairwise(), epsilon=1.0, trials=40, **HOW)
    assert not found.holds and min(found.gaussian, found.one_run) > 1 and found.free > 0.5


def test_noise_that_is_too_small_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    noised = ledger.noised
    monkeypatch.setattr(ledger, "noised", lambda counts, sigma: noised(counts, sigma=sigma / 8))
    assert not audit(Pairwise(), epsilon=1.0, trials=200, **HOW).holds


def test_records_counted_instead_of_patients_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "chosen", lambda subjects, most: np.ones(len(subjects), dtype=bool))
    assert RECORDS > 1
    assert not audit(Pairwise(), epsilon=2.0, trials=200, **HOW).holds


class BoundsFromData(Pairwise):
    """A mechanism that looks at the records for the bounds of a number."""

    def encoding_of(self, train: Table, given: Encoding | None) -> Encoding:
        seen = (
            replace(c, max=float(train.frame[c.name].max())) if c.learned and c.continuous else c for c in train.schema
        )
        return public_encoding(train.schema.with_columns(seen))


def test_bounds_from_data_are_caught() -> None:
    found = audit(BoundsFromData(), epsilon=1.0, trials=40, **HOW)
    assert not found.holds and found.gaussian > 1


def test_the_score_is_the_likelihood_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accountant, "FINE", 1e-2)  # epsilon is 50, and not what is asked about
    attack = Attack.of(Pairwise(), simulated(stream(0, "audit")))
    inside, outside = (np.mean([attack.score(side, 50.0, 1e-5) for _ in range(8)]) for side in (True, False))
    # Without noise it is half the sum of 1 / sigma^2, and minus that.
    assert inside == pytest.approx(-outside, rel=0.6) and inside > 0
