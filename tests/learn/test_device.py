from __future__ import annotations

import numpy as np
import pytest
import torch

from semblance.core.errors import UsageError
from semblance.learn.device import CPU, array_of, beside, device_named, device_of, settle
from tests.learn.elsewhere import ELSEWHERE, Forgotten, elsewhere


def test_a_name_is_a_device_where_the_machine_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert [device_named(name).type for name in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert device_named("auto") == device_named("cpu") == CPU
    for name in ("cuda", "tpu", "cuda:1"):
        with pytest.raises(UsageError):
            device_named(name)


def test_arrays_go_where_the_weights_lie_and_come_back() -> None:
    net, array = torch.nn.Linear(2, 1), np.arange(4, dtype=np.float32)
    assert device_of(net) == CPU and (array_of(beside(net, array)) == array).all()
    settle(device_of(net))
    with elsewhere():
        assert beside(net.to(ELSEWHERE), array).device == ELSEWHERE == device_of(net)
        assert array_of(beside(net, array)).shape == (4,)


def test_nothing_but_a_move_may_join_two_devices() -> None:
    with elsewhere() as mode:
        there = torch.ones(3, device=ELSEWHERE)
        assert (there + 1).device == ELSEWHERE and bool(there.sum()) and mode.seen
        with pytest.raises(Forgotten):
            there + torch.ones(3)
        with pytest.raises(Forgotten):
            torch.ones(3)[there.long()]
