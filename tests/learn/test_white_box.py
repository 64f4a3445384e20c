"""The attack on networks under differential privacy: true claims stand, and broken mechanisms do not pass.

What is attacked is the least of networks, so that its gradients are known and many trainings take seconds: a table with
one number for each code of each column, of which a record's loss is the sum of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import embedding_bag

from semblance.core.model import Card, Plan
from semblance.core.promise import Ledger, Steps
from semblance.core.rng import stream
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, Turn
from semblance.learn.white_box import Likely, Ran, Spy, WhiteBox
from semblance.modalities.table import audit as audits
from semblance.modalities.table.data import Table
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators import private
from semblance.modalities.table.generators.autoregressive import Autoregressive
from semblance.modalities.table.generators.pate_gan import PateGan
from semblance.modalities.table.generators.private import PrivateSpec, Training
from semblance.privacy.audit import budget
from tests.broken import BROKEN, FEW, shortly

HOW: dict[str, Any] = {"delta": 1e-5, "confidence": 0.999, "seed": 0}


class Sums:
    """One number for each code."""

    def __init__(self, sizes: np.ndarray) -> None:
        self.net = nn.ParameterDict({"codes": torch.zeros(int(sizes.sum()), 1)})
        self.offset = torch.from_numpy(np.cumsum(sizes) - sizes)

    @property
    def turns(self) -> tuple[Turn, ...]:
        return (Turn("sums", self.loss, tuple(self.net.parameters())),)

    def loss(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        return 40 * embedding_bag(batch + self.offset, self.net["codes"], mode="sum")[:, 0]

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        return None


@dataclass(frozen=True)
class Least(PrivateSpec):
    """The least of networks."""

    card: ClassVar[Card] = Card("least", "the least", "none", private=True)

    def training(self, coder: Encoding, seen: Table, *, rng: np.random.Generator) -> Training:
        def source_of(table: Table) -> Rows:
            return Rows(coder.encode(table), table.subjects)

        return Training(Sums(coder.sizes), source_of, lambda measured: None)  # type: ignore[arg-type, return-value]


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "STAND_IN", 50)


@pytest.mark.parametrize(
    "epsilon", [pytest.param(0.5, marks=pytest.mark.slow), 1.0, pytest.param(4.0, marks=pytest.mark.slow)]
)
def test_no_attack_refutes_the_claim(epsilon: float) -> None:
    found = audits.audit(Least(), epsilon=epsilon, trials=8, **HOW)
    assert found.holds, found


@pytest.mark.parametrize("spec", [Autoregressive(width=8, blocks=1), PateGan(teachers=4)])
def test_a_network_of_the_catalogue_is_attacked_as_it_is(spec: PrivateSpec) -> None:
    planted = audits.simulated(stream(0, "audit")).planted
    attack = WhiteBox(spec, planted)
    assert all(np.isfinite(attack.score(own, 1.0, 1e-5)) for own in (planted, None))


def test_a_run_is_attacked_as_it_ran() -> None:
    asked: list[tuple[int, float]] = []

    class Heard(Least):
        def attacked(self, train: Table, plan: Plan, ledger: Ledger, *, spy: Spy[Table]) -> Likely[Table]:
            likely = super().attacked(train, plan, ledger, spy=spy)
            asked.extend((part.count, part.rate) for part in ledger.spent() if isinstance(part, Steps))
            return likely

    ran = Ran(TrainPlan(steps=7, batch=30).to_json(), 1000)
    audits.audit(Heard(), epsilon=1.0, trials=2, ran=ran, **HOW)
    assert set(asked) == {(7, 0.03)} and len(asked) == 2 * 2 + 1


def test_what_is_heard_has_the_patient_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every batch and without noise a record's score is one over the square of the noise for every step."""
    BROKEN["noise is off"](monkeypatch)
    BROKEN["no coins"](monkeypatch)
    planted = audits.simulated(stream(0, "audit")).planted
    found = []
    for there in (1, 0):
        with budget(1.0, 1e-5) as ledger:
            attack = WhiteBox(Least(), planted.take(np.arange(1)))
            found.append(attack.scores(planted.take(np.arange(there)), ledger)[0])
            (steps,) = (part for part in ledger.spent() if isinstance(part, Steps))
    assert found[0] - found[1] == pytest.approx(steps.count / steps.sigma**2, rel=0.05)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_mechanism_is_caught(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shortly(broken, monkeypatch)
    monkeypatch.setattr(private, "COUNTED", 1e-4)  # gradients are what is attacked
    found = audits.audit(Least(), **FEW)
    assert not found.holds, found
