from __future__ import annotations

import numpy as np
import torch

from semblance.core.rng import stream
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation
from semblance.learn.nets.unpaired import Both, Either
from semblance.learn.objectives.unpaired import Cycle

PARTS = Parts(64, 64, 1)


def halves(n: int) -> np.ndarray:
    """Sources of smooth brightness, and targets that are other ones that are brighter by 1."""
    rng = stream(n, "x")
    x = rng.normal(size=(n, 1)) + np.linspace(-2, 2, 64)
    at = np.arange(n) % 2 == 0
    none = np.full_like(x, np.nan)
    return np.column_stack([np.where(at[:, None], x + 1, none), np.where(at[:, None], none, x), np.zeros(n)]).astype(
        np.float32
    )


def networks() -> tuple[list[Translation], list[Patches]]:
    nets = [Translation(PARTS, (1, 8, 8), 1, width=4, side=8) for _ in range(2)]
    return nets, [Patches((1, 8, 8), width=4, layers=1) for _ in range(2)]


def cycle(aside=None, **weights) -> Cycle:
    nets, critics = networks()
    return Cycle(Both(*nets), Either(PARTS, *critics), PARTS, **{"cycle": 1.0, "identity": 0.5, **weights}, aside=aside)


def losses(made: Cycle, rows: np.ndarray, turn: int) -> np.ndarray:
    return made.turns[turn].loss(torch.from_numpy(rows), torch.Generator().manual_seed(0)).detach().numpy()


def test_a_record_loses_by_its_own_side_alone():
    rows = halves(8)
    for made in (cycle(),):
        made.start(rows, rng=stream(0, "start"))
        for turn in (0, 1):
            both = losses(made, rows, turn)
            assert np.isfinite(both).all() and both.shape == (8,)
            for side in (slice(0, None, 2), slice(1, None, 2)):
                assert np.allclose(losses(made, rows[side], turn), both[side], atol=1e-5)


def test_the_way_there_and_back_costs_nothing_where_it_leads_back():
    rows = halves(8)
    made = cycle(cycle=0.0)
    made.start(rows, rng=stream(0, "start"))
    made.identity = 0.0
    free = losses(made, rows, 1)
    made.cycle, made.identity = 5.0, 0.0
    assert np.allclose(losses(made, rows, 1), free, atol=1e-5)  # both begin with a sign, which leads back
    made.identity = 1.0
    assert np.allclose(losses(made, rows, 1), free, atol=1e-5)  # and which changes nothing


def test_the_judge_looks_at_those_kept_aside():
    rows = torch.from_numpy(halves(12))
    assert cycle().held_out(cycle().net.state_dict()) is None
    for make in (cycle,):
        few, made = make(rows[:3]), make(rows)
        for one in (few, made):
            one.start(halves(12), rng=stream(0, "start"))
        assert few.held_out(few.net.state_dict()) is None
        assert made.held_out(made.net.state_dict()) > 0
