from pathlib import Path

import torch

from semblance.learn.state import State


def trained(steps: int, decays: tuple[float, ...] = (0.5,)) -> State:
    net = torch.nn.Linear(2, 1)
    with torch.no_grad():
        for p in net.parameters():
            p.fill_(0.5)
    state = State.fresh(net, {"all": torch.optim.AdamW(net.parameters(), lr=0.1)}, averages=len(decays))
    for _ in range(steps):
        state.optimizers["all"].zero_grad()
        net(torch.ones(1, 2)).sum().backward()
        state.optimizers["all"].step()
        state.step += 1
        state.follow(decays)
    return state


def test_a_checkpoint_brings_everything_back(tmp_path: Path) -> None:
    state = trained(3, (0.5, 0.9))
    state.keep_if_best([0.75, 0.25])
    state.last = (1.5, None)
    state.save(tmp_path / "c")
    again = trained(0, (0.5, 0.9))
    again.load(tmp_path / "c")
    assert (again.step, again.best_step, again.best_loss, again.last) == (3, 3, 0.25, (1.5, None))
    for mine, theirs in zip((*state.averages, state.best), (*again.averages, again.best), strict=True):
        assert all(torch.equal(v, theirs[k]) for k, v in mine.items())
    assert not torch.equal(state.averages[0]["bias"], state.averages[1]["bias"])
    moments = tuple(s.optimizers["all"].state_dict()["state"] for s in (state, again))
    assert all(torch.equal(v, moments[1][i][k]) for i, entry in moments[0].items() for k, v in entry.items())


def test_the_average_follows_by_its_decay() -> None:
    state = trained(0)
    with torch.no_grad():
        state.net.bias.fill_(1.5)
    state.follow([0.75])
    assert float(state.averages[0]["bias"]) == 0.75


def test_only_a_better_average_is_kept() -> None:
    state = trained(1)
    state.keep_if_best([1.0])
    kept = {k: v.clone() for k, v in state.best.items()}
    state.follow([0.0])
    state.keep_if_best([2.0])
    assert state.looks_without_gain == 1
    assert all(torch.equal(v, kept[k]) for k, v in state.best.items())


def test_of_several_averages_the_best_is_kept() -> None:
    state = trained(3, (0.5, 0.9))
    state.keep_if_best([1.0, 0.5])
    assert state.best_loss == 0.5
    assert all(torch.equal(v, state.averages[1][k]) for k, v in state.best.items())
