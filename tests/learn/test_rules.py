"""How gradients are formed; the private rule beside what its definition says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from semblance.core.promise import Steps
from semblance.learn import rules
from semblance.learn.rules import ROUNDED, Moment, Plain, Private
from semblance.learn.trainer import TrainPlan, Turn


def test_the_gradient_is_that_of_the_mean_and_its_norm_is_clipped() -> None:
    w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    Plain(clip=1e9).backward(w.sum() * torch.tensor([2.0, 4.0]), [w])
    assert w.grad is not None
    assert w.grad.tolist() == [3.0, 3.0]
    w.grad = None
    Plain(clip=1.0).backward(w.sum() * torch.tensor([2.0, 4.0]), [w])
    assert abs(float(w.grad.norm()) - 1.0) < 1e-4


class Rows:
    """Records (n, 3), one of each patient."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values, self.subjects = values, np.arange(len(values))

    def batch(self, index: np.ndarray) -> torch.Tensor:
        return self.values[torch.from_numpy(index)]


NET = torch.nn.Linear(3, 1, bias=False)
TURN = Turn("dot", lambda batch, noise: NET(batch)[:, 0], tuple(NET.parameters()))
AT = Moment(2, 0, 0, 0)
RULE = Private(Steps(1e-9, 1.0, 1), expected=2.0)


def filled(rule: Private, values: torch.Tensor) -> torch.Tensor:
    NET.weight.grad = None
    rule.fill(TURN, Rows(values), AT)
    assert NET.weight.grad is not None
    return NET.weight.grad[0]


def test_each_gradient_is_clipped_and_their_sum_divided_by_what_is_expected() -> None:
    # The gradient of a record is the record: lengths 5, 0.5 and 13, of which one is left as it is.
    values = torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.5, 0.0], [5.0, 0.0, 12.0]])
    wanted = torch.tensor([0.6 + 5 / 13, 0.8 + 0.5, 12 / 13]) / 2
    assert torch.allclose(filled(RULE, values), wanted, atol=1e-3)  # a little shorter than the clip, never longer


def test_one_patient_more_moves_the_sum_by_at_most_the_clip() -> None:
    values = 100 * torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    rule = replace(RULE, clip=0.25)
    moved = [filled(rule, values) - filled(rule, torch.cat([values[:i], values[i + 1 :]])) for i in range(7)]
    assert max(float(x.norm()) for x in moved) * rule.expected <= 0.25 * (1 + 1e-5)


def test_noise_has_the_scale_that_was_paid_for_also_in_an_empty_batch() -> None:
    rule = Private(Steps(3.0, 1.0, 1), expected=2.0, clip=0.5)
    seen = torch.stack([filled(rule, torch.zeros(0, 3)) for _ in range(700)])
    assert float(seen.std()) == pytest.approx(3.0 * 0.5 / 2, rel=0.08)
    assert abs(float(seen.mean())) < 0.06


def test_every_record_is_in_a_batch_by_a_coin_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "normal", lambda count: np.zeros(count, dtype=np.float32))
    rule = replace(RULE, steps=Steps(1.0, 0.3, 1), expected=1.0)
    counts = torch.stack([filled(rule, torch.eye(3)) for _ in range(900)])
    assert sorted(counts.unique().tolist()) == pytest.approx([0.0, ROUNDED])
    assert counts.mean(0).tolist() == pytest.approx([0.3] * 3, abs=0.06)
    # Independent: a shuffled epoch would make these negative.
    assert np.abs(np.corrcoef(counts.T.numpy())[np.triu_indices(3, 1)]).max() < 0.12


def test_no_seed_reaches_noise_coins_or_losses() -> None:
    seen = []
    for _ in range(2):
        torch.manual_seed(0), np.random.seed(0)
        heard: list[torch.Tensor] = []
        turn = replace(
            TURN, loss=lambda batch, noise, heard=heard: heard.append(noise.initial_seed()) or NET(batch)[:, 0]
        )
        Private(Steps(1.0, 0.5, 1), 2.0).fill(turn, Rows(torch.eye(3).repeat(9, 1)), AT)
        assert NET.weight.grad is not None
        seen.append((NET.weight.grad.tolist(), heard))
    assert seen[0][0] != seen[1][0] and seen[0][1] != seen[1][1]


def test_what_looks_at_no_record_gets_no_noise() -> None:
    """And is given none to look at."""
    shapes = []

    def beside(batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        shapes.append(tuple(batch.shape))
        return NET(torch.full((len(batch), 3), 50.0))[:, 0]

    NET.weight.grad = None
    replace(RULE, steps=Steps(1e-9, 1.0, 1)).fill(replace(TURN, beside=beside), Rows(torch.zeros(4, 3)), AT)
    assert NET.weight.grad is not None
    # Two records of length 86.6, clipped to 1, and their mean.
    assert NET.weight.grad[0].tolist() == pytest.approx([ROUNDED * 3**-0.5] * 3, rel=1e-4) and shapes == [(2, 0)]
    NET.weight.grad = None
    RULE.fill(replace(TURN, loss=beside, looks=False), Rows(torch.ones(4, 3)), AT)
    assert NET.weight.grad[0].tolist() == pytest.approx([50.0] * 3) and shapes[1] == (2, 0)


def test_a_patient_with_several_records_and_steps_that_nobody_paid_for_are_refused() -> None:
    rows = Rows(torch.eye(3))
    with pytest.raises(ValueError, match="2 steps are planned, and 1 are paid for"):
        RULE.check((TURN,), rows, TrainPlan(steps=2))
    rows.subjects = np.array([0, 1, 1])
    with pytest.raises(ValueError, match="several records"):
        RULE.check((TURN,), rows, TrainPlan(steps=1))
