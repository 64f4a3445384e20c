"""Everything that training carries from one step to the next, and its checkpoint: one safetensors file.

There is no random state to carry: every step derives its own randomness from the seed and its number.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save

from semblance.core.files import write_bytes

Weights = dict[str, torch.Tensor]


@dataclass
class State:
    """The network, the optimizer of each turn, running averages of its weights, and the best average so far."""

    net: torch.nn.Module
    optimizers: dict[str, torch.optim.Optimizer]
    averages: tuple[Weights, ...]
    best: Weights
    step: int = 0
    best_step: int = 0
    best_loss: float = float("inf")
    looks_without_gain: int = 0
    last: tuple[float, float | None] = field(default=(float("nan"), None))

    @classmethod
    def fresh(cls, net: torch.nn.Module, optimizers: dict[str, torch.optim.Optimizer], *, averages: int = 1) -> State:
        """The state before the first step."""
        return cls(net, optimizers, tuple(copy_of(net) for _ in range(averages)), copy_of(net))

    def follow(self, decays: Sequence[float]) -> None:
        """Move each average towards the weights: average = decay * average + (1 - decay) * weights."""
        weights = list(self.net.state_dict().values())
        for average, decay in zip(self.averages, decays, strict=True):
            pairs = list(zip(average.values(), weights, strict=True))
            numbers = [(mine, theirs) for mine, theirs in pairs if mine.is_floating_point()]
            torch._foreach_lerp_([mine for mine, _ in numbers], [theirs for _, theirs in numbers], 1 - decay)
            for mine, theirs in pairs:
                if not mine.is_floating_point():  # counters of a normalisation
                    mine.copy_(theirs)

    def keep_if_best(self, losses: Sequence[float]) -> None:
        """Remember the best average where its held-out loss is the lowest so far; `losses` has that of each."""
        loss = min(losses)
        if loss < self.best_loss:
            average = self.averages[losses.index(loss)]
            self.best, self.best_loss, self.best_step = {k: v.clone() for k, v in average.items()}, loss, self.step
            self.looks_without_gain = 0
        else:
            self.looks_without_gain += 1

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically."""
        parts = {**dict(zip(self._names, self.averages, strict=True)), "best/": self.best}
        tensors = {f"{part}{k}": v for part, weights in parts.items() for k, v in weights.items()}
        tensors |= {f"net/{k}": v for k, v in self.net.state_dict().items()}
        for turn, optimizer in self.optimizers.items():
            for i, entry in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer/{turn}/{i}/{k}": v for k, v in entry.items()}
        numbers = {"step": self.step, "best_step": self.best_step, "looks": self.looks_without_gain}
        about = {k: str(v) for k, v in numbers.items()} | {
            "best_loss": repr(self.best_loss),
            "last": json.dumps(self.last),
        }
        write_bytes(path, save({k: v.contiguous().clone() for k, v in tensors.items()}, metadata=about))

    def load(self, path: Path) -> None:
        """Take up where the checkpoint was written."""
        with safe_open(path, framework="pt") as file:
            tensors, about = {k: file.get_tensor(k) for k in file.keys()}, file.metadata()  # noqa: SIM118
        self.net.load_state_dict(_under(tensors, "net/"))
        *averages, self.best = (self._ordered(_under(tensors, part)) for part in (*self._names, "best/"))
        self.averages = tuple(averages)
        for turn, optimizer in self.optimizers.items():
            moments: dict[int, Weights] = {}
            for name, value in _under(tensors, f"optimizer/{turn}/").items():
                i, _, key = name.partition("/")
                moments.setdefault(int(i), {})[key] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        self.step, self.best_step = int(about["step"]), int(about["best_step"])
        self.looks_without_gain, self.best_loss = int(about["looks"]), float(about["best_loss"])
        loss, held_out = json.loads(about["last"])
        self.last = (loss, held_out)

    @property
    def _names(self) -> list[str]:
        """What the averages are called in a checkpoint."""
        return [f"average{i or ''}/" for i in range(len(self.averages))]

    def _ordered(self, weights: Weights) -> Weights:
        """In the network's own order, which a file does not keep and `follow` relies on, and where the network lies."""
        return {name: weights[name].to(own.device) for name, own in self.net.state_dict().items()}


def copy_of(net: torch.nn.Module) -> Weights:
    """The weights, detached from the network."""
    return {k: v.detach().clone() for k, v in net.state_dict().items()}


def _under(tensors: Weights, prefix: str) -> Weights:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
