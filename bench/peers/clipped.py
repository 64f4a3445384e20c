"""Seconds of the sum of clipped gradients of single records, and of the plain gradient of their mean.

NETWORK is the network, WAY the way: 'plain', 'functional' (torch.func), 'opacus' (its hooks) or 'ghost' (its ghost
clipping); with ours in bench.clipping. It imports torch alone, and Opacus where that is asked for. Answers one line of
JSON: seconds, and the length of the sum.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.nn import functional

RECORDS, WIDE, TURNS = 256, 64, 5
Sums = Callable[[nn.Module, torch.Tensor, torch.Tensor], float]


def dense() -> tuple[nn.Module, torch.Tensor]:
    """Four layers, 182,000 weights, and records of WIDE numbers."""
    sizes = (WIDE, 256, 256, 256, 128)
    layers = [part for i, o in pairwise(sizes) for part in (nn.Linear(i, o), nn.SiLU())]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], WIDE)), torch.randn(RECORDS, WIDE)


def convolving() -> tuple[nn.Module, torch.Tensor]:
    """Four convolutions, 81,000 weights, and images of 28 x 28."""
    sizes = (1, 32, 64, 64, 1)
    layers = [part for i, o in pairwise(sizes) for part in (nn.Conv2d(i, o, 3, padding=1), nn.SiLU())]
    return nn.Sequential(*layers[:-1]), torch.randn(RECORDS, 1, 28, 28)


NETWORKS = {"dense": dense, "convolving": convolving}


def plain(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The gradient of the mean: no record is told apart."""
    net.zero_grad()
    functional.mse_loss(net(x), y).backward()
    return length([p.grad for p in net.parameters() if p.grad is not None])


def functionally(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """torch.func: vmap of grad."""
    held = {name: p.detach() for name, p in net.named_parameters()}

    def loss(held: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(torch.func.functional_call(net, held, (x[None],)), y[None])

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(held, x, y)
    lengths = torch.stack([g.flatten(1).square().sum(1) for g in each.values()]).sum(0).sqrt()
    weights = (1 / lengths).clamp(max=1)
    return length([torch.einsum("n,n...->...", weights, g) for g in each.values()])


def by_opacus(net: Any, x: torch.Tensor, y: torch.Tensor) -> float:
    """Opacus: a gradient of each record, made by hooks."""
    net.zero_grad()
    functional.mse_loss(net(x), y, reduction="none").flatten(1).mean(1).mean().backward()
    each = [p.grad_sample for p in net.parameters()]
    weights = (1 / torch.stack([g.flatten(1).square().sum(1) for g in each]).sum(0).sqrt()).clamp(max=1)
    found = length([torch.einsum("n,n...->...", weights, g) for g in each])
    for p in net.parameters():
        p.grad_sample = None
    return found


def by_ghost(net: Any, x: torch.Tensor, y: torch.Tensor) -> float:
    """Opacus: lengths without gradients, then a second way back."""
    net.zero_grad()
    losses = functional.mse_loss(net(x), y, reduction="none").flatten(1).mean(1)
    losses.mean().backward(retain_graph=True)
    weights = net.get_clipping_coef()
    net.zero_grad()
    net.disable_hooks()
    (weights * losses).sum().backward()
    net.enable_hooks()
    return length([p.grad for p in net.parameters() if p.grad is not None])


WAYS: dict[str, Sums] = {"plain": plain, "functional": functionally, "opacus": by_opacus, "ghost": by_ghost}


def length(each: list[torch.Tensor]) -> float:
    """Of all numbers together."""
    return float(torch.stack([g.square().sum() for g in each]).sum().sqrt())


def timed(network: str, sums: Sums, wrap: Callable[[nn.Module], nn.Module] = lambda net: net) -> dict[str, float]:
    """The median seconds of TURNS, on one thread, and the length of the sum."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, x = NETWORKS[network]()
    y, net = torch.randn(x.shape), wrap(net)
    found, seconds = sums(net, x, y), []
    for _ in range(TURNS):
        begun = time.process_time()
        sums(net, x, y)
        seconds.append(time.process_time() - begun)
    return {"seconds": median(seconds), "length": found}


def wrapping(way: str) -> Callable[[nn.Module], nn.Module]:
    """What Opacus makes of a network before the first step."""
    if way not in ("opacus", "ghost"):
        return lambda net: net
    from opacus import grad_sample

    kinds = {"opacus": "GradSampleModule", "ghost": "GradSampleModuleFastGradientClipping"}
    made = getattr(grad_sample, kinds[way])
    return lambda net: made(net)


if __name__ == "__main__":
    print(json.dumps(timed(sys.argv[1], WAYS[sys.argv[2]], wrapping(sys.argv[2]))))
