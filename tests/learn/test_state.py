from pathlib import Path

import torch

from semblance.learn.state import State


def trained(steps: int) -> State:
    net = torch.nn.Linear(2, 1)
    with torch.no_grad():
        for p in net.parameters():
            p.fill_(0.5)
    state = State.fresh(net, {"all": torch.optim.AdamW(net.parameters(), lr=0.1)})
    for _ in range(steps):
        state.optimizers["all"].zero_grad()
        net(torch.ones(1, 2)).sum().backward()
        state.optimizers["all"].step()
        state.step += 1
        state.follow(0.5)
    return state


def test_a_checkpoint_brings_everything_back(tmp_path: Path) -> None:
    state = trained(3)
    state.keep_if_best(0.25)
    state.last = (1.5, None)
    state.save(tmp_path / "c")
    again = trained(0)
    again.load(tmp_path / "c")
    assert (again.step, again.best_step, again.best_loss, again.last) == (3, 3, 0.25, (1.5, None))
    for part in ("average", "best"):
        assert all(torch.equal(v, getattr(again, part)[k]) for k, v in getattr(state, part).items())
    moments = tuple(s.optimizers["all"].state_dict()["state"] for s in (state, again))
    assert all(torch.equal(v, moments[1][i][k]) for i, entry in moments[0].items() for k, v in entry.items())


def test_the_average_follows_by_its_decay() -> None:
    state = trained(0)
    with torch.no_grad():
        state.net.bias.fill_(1.5)
    state.follow(0.75)
    assert float(state.average["bias"]) == 0.75


def test_only_a_better_average_is_kept() -> None:
    state = trained(1)
    state.keep_if_best(1.0)
    kept = {k: v.clone() for k, v in state.best.items()}
    state.follow(0.0)
    state.keep_if_best(2.0)
    assert state.looks_without_gain == 1
    assert all(torch.equal(v, kept[k]) for k, v in state.best.items())
