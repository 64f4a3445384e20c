from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Conditioned, Parts
from semblance.learn.objectives.flow import Flow
from semblance.learn.rows import Rows
from semblance.learn.trainer import TrainPlan, train_to_end

PARTS = Parts(2, 0, 2)


def flow(steps: int = 12) -> Flow:
    made = Flow(Conditioned(PARTS, width=32, blocks=2, told=16), steps=steps)
    made.start(rows(200), rng=stream(0))
    return made


def rows(n: int) -> np.ndarray:
    """Two classes on opposite arcs: no Gaussian."""
    rng = stream(n)
    label, turn = (rng.random(n) < 0.5).astype(int), rng.uniform(0, np.pi, n)
    numbers = (1 - 2 * label)[:, None] * np.column_stack([1.6 * np.cos(turn), 1.6 * np.sin(turn) - 0.3])
    return PARTS.join(numbers + 0.1 * rng.normal(size=(n, 2)), np.zeros((n, 0)), label)


def test_what_is_lost_is_the_error_of_the_velocity(monkeypatch: pytest.MonkeyPatch) -> None:
    made, batch, t = flow(), torch.from_numpy(rows(6)), torch.linspace(0.05, 0.9, 6)
    made.drop = 0.0
    monkeypatch.setattr("semblance.learn.objectives.inpainting.Inpainting._times", lambda *_: t)
    lost = made.loss(batch, torch.Generator().manual_seed(0))
    noise = torch.Generator().manual_seed(0)
    clean, given, labels = PARTS.split(batch)
    white, angle = torch.randn(clean.shape, generator=noise), torch.atan2(t, 1 - t)
    mixed = ((1 - t)[:, None] * clean + t[:, None] * white) / torch.hypot(t, 1 - t)[:, None]
    said = made.net(mixed, (angle / (np.pi / 2)) ** (1 / 1.75), given, labels)
    cos, sin = angle.cos()[:, None], angle.sin()[:, None]
    velocity = (sin * mixed - cos * said) - (cos * mixed + sin * said)  # noise less record, as the network has them
    assert torch.allclose(lost, (velocity - (white - clean)).square().mean(1), atol=1e-5)


def test_records_are_drawn_as_they_are_distributed() -> None:
    made, fresh = flow(), rows(3000)
    train_to_end(made, Rows(rows(4000), np.arange(4000)), TrainPlan(steps=400, batch=128, ema=0.98), rng=stream(4))
    drawn = made.sample(np.zeros((3000, 0)), fresh[:, 2], rng=stream(5))
    for label in (0, 1):
        one, other = (x[fresh[:, 2] == label] for x in (drawn, fresh[:, :2]))
        assert one.mean(0) == pytest.approx(other.mean(0), abs=0.2)
        assert np.cov(one.T).ravel() == pytest.approx(np.cov(other.T).ravel(), abs=0.25)
        radius = np.hypot(one[:, 0], one[:, 1] + 0.3 * (1 - 2 * label))
        assert np.abs(radius - 1.6).mean() < 0.2
    start = stream(6).normal(size=(4, 2))
    one, other = (made.sample(np.zeros((4, 0)), fresh[:4, 2], rng=stream(s), start=start) for s in (0, 1))
    assert one.tobytes() == other.tobytes()
