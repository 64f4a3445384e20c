"""PATE-GAN's game: a patient is known to one teacher alone, and of the teachers only noisy counts are seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.rng import stream
from semblance.learn.nets.mlp import Mlp, start
from semblance.learn.objectives import pate
from semblance.learn.objectives.pate import Panel, Parts, Teachers, Votes
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_loop

TEACHERS, WIDTH = 5, 3
PLAN = TrainPlan(steps=8, batch=TEACHERS, weight_decay=0.0, anneal=False)
RULE = Plain(clip=float("inf"))


def game(values: np.ndarray, part: np.ndarray, *, sigma: float = 1.0, astray=torch.std) -> Votes:
    """Two-layer networks on (n, WIDTH) records in parts."""
    held = torch.from_numpy(values.astype(np.float32))
    maker = Mlp(2, (4,), WIDTH)
    net = Panel(maker, Mlp(WIDTH, (4,), 1), Teachers(TEACHERS, WIDTH, 4))
    start(net, rng=stream(0))
    net.teachers.start(rng=stream(1))

    def draw(n: int, noise: torch.Generator) -> torch.Tensor:
        out: torch.Tensor = maker(torch.randn((n, 2), generator=noise))
        return out

    parts = Parts(lambda rows: held[torch.from_numpy(rows)], part, count=TEACHERS)
    return Votes(net, draw, parts, astray, sigma=sigma, asked=6, shown=7)


def test_a_patient_more_moves_one_teacher_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared batch, shared optimizer or shared clipping would move them all, and each count by more than one."""
    monkeypatch.setattr(pate, "noised", lambda counts, sigma: counts * 0)
    rng = stream(2)
    values, part = rng.normal(size=(40, WIDTH)), rng.integers(0, TEACHERS, 40)
    more, of = np.concatenate([values, [[9.0, -9.0, 9.0]]]), np.append(part, 3)
    found = []
    for one, two in ((values, part), (more, of)):
        made = game(one, two)
        for _ in train_loop(made, made.parts, RULE, PLAN, rng=stream(3)):
            pass
        found.append([p.detach() for p in made.net.teachers.parameters()])
    moved = [i for i in range(TEACHERS) if any(not torch.equal(a[i], b[i]) for a, b in zip(*found, strict=True))]
    assert moved == [3]


def test_each_count_is_noisy_and_asked_once_in_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float]] = []
    plain = pate.noised
    monkeypatch.setattr(
        pate, "noised", lambda counts, sigma: asked.append((len(counts), sigma)) or plain(counts, sigma=sigma)
    )
    made = game(stream(2).normal(size=(40, WIDTH)), np.arange(40) % TEACHERS, sigma=2.5)
    for _ in train_loop(made, made.parts, RULE, PLAN, rng=stream(3)):
        pass
    assert asked == [(6, 2.5)] * PLAN.steps


def test_a_label_is_what_most_teachers_say_but_for_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    made = game(np.zeros((5, WIDTH)), np.arange(5))
    fake = torch.randn((50, WIDTH), generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(pate, "noised", lambda counts, sigma: counts)
    with torch.no_grad():
        said = made.net.teachers(fake) > 0
    assert made.labels(fake).tolist() == (said.sum(0) > TEACHERS / 2).tolist()


def test_teachers_see_their_own_records_and_one_without_any_learns_nothing_of_them() -> None:
    values = np.repeat(np.arange(5.0), 4)[:, None] * np.ones(WIDTH)
    parts = game(values, np.repeat([0, 1, 2, 4, 4], 4)).parts
    shown = parts.shown(stream(0).random((TEACHERS, 30)))
    assert [sorted(set(x[:, 0].tolist())) for x in shown] == [[0.0], [1.0], [2.0], [0.0], [3.0, 4.0]]
    nobody = game(np.zeros((0, WIDTH)), np.zeros(0, dtype=np.int64))
    for _ in train_loop(nobody, nobody.parts, RULE, PLAN, rng=stream(3)):
        pass


def test_teachers_side_by_side_are_networks_of_their_own() -> None:
    teachers = Teachers(3, WIDTH, 4)
    teachers.start(rng=stream(0))
    x = torch.randn((6, WIDTH), generator=torch.Generator().manual_seed(0))
    for i, score in enumerate(teachers(x)):
        hidden = torch.nn.functional.leaky_relu(x @ teachers.up[i] + teachers.start_up[i])
        assert torch.allclose(score, (hidden @ teachers.down[i] + teachers.start_down[i])[:, 0], atol=1e-6)
