"""Gradients of single records beside those that torch makes one by one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from semblance.core.rng import stream
from semblance.learn.gradients import Gradients, Product
from semblance.learn.nets.autoencoder import Autoencoder
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.denoiser import Denoiser
from semblance.learn.nets.masked import MaskedNet
from semblance.learn.nets.mlp import BatchNorm, Mlp, start
from semblance.learn.nets.series import Series
from semblance.learn.nets.timevae import TimeVae
from semblance.learn.nets.unet import UNet
from semblance.learn.nets.variational import Variational
from semblance.learn.objectives.autoencoding import Calibrated
from semblance.learn.objectives.autoregressive import AnyOrder
from semblance.learn.objectives.edm import Diffusion
from semblance.learn.objectives.guided import Focused
from semblance.learn.objectives.timevae import Decomposed
from semblance.learn.objectives.vae import Bound
from semblance.learn.packed import Layout
from semblance.learn.trainer import Objective

LAYOUT = Layout(np.array([True, False, True, False]), np.array([3, 4]), owner=np.array([-1, 0]), first=np.array([0, 1]))
N = 12


def packed() -> torch.Tensor:
    rng = stream(0, "packed")
    columns = [rng.normal(size=N), rng.integers(0, 3, N), rng.normal(size=N), rng.integers(0, 4, N)]
    return torch.from_numpy(np.column_stack(columns).astype(np.float32))


def masked() -> tuple[Objective, torch.Tensor]:
    sizes = np.array([4, 3, 5])
    net = MaskedNet(sizes, width=8, blocks=2, links={2: (0, 1)})
    net.start(np.zeros(12, dtype=np.float32), [np.full(n, np.nan) for n in sizes], rng=stream(1))
    rng = stream(0, "codes")
    return AnyOrder(net, np.arange(3), ordered=0.4), torch.from_numpy(
        np.column_stack([rng.integers(0, n, N) for n in sizes])
    )


def variational() -> tuple[Objective, torch.Tensor]:
    made = Bound(Variational(LAYOUT, widths=(8, 8), latent=4), LAYOUT)
    made.start(packed().numpy(), rng=stream(1))
    return made, packed()


def denoiser() -> tuple[Objective, torch.Tensor]:
    made = Diffusion(Denoiser(LAYOUT, width=8, blocks=1), LAYOUT, steps=3, even=False)
    made.start(packed().numpy(), rng=stream(1))
    return made, packed()


def waves() -> tuple[Objective, torch.Tensor]:
    parts = Series(2 * 13, 1, 2, 2)
    made = Decomposed(TimeVae(parts, channels=3, latent=2, trend=2), parts)
    rng = stream(0, "waves")
    rows = parts.join(rng.normal(size=(N, 26)), rng.normal(size=(N, 1)), np.arange(N) % 2)
    made.start(rows, rng=stream(1))
    return made, torch.from_numpy(rows)


def images(shape: tuple[int, ...]) -> tuple[Parts, torch.Tensor]:
    rng, parts = stream(0, "images"), Parts(math.prod(shape), 0, 2)
    return parts, torch.from_numpy(
        parts.join(rng.normal(size=(N, parts.numbers)), np.zeros((N, 0)), rng.integers(0, 2, N))
    )


def unet() -> tuple[Objective, torch.Tensor]:
    """Convolutions, and attention between places."""
    parts, batch = images((2, 6, 8))
    made = Focused(UNet(parts, (2, 6, 8), width=4, components=2, told=6), steps=3, even=False)
    made.start(batch.numpy(), rng=stream(1))
    with torch.no_grad():
        for weight in made.net.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(2)))
    return made, batch


def autoencoder() -> tuple[Objective, torch.Tensor]:
    """Convolutions of volumes, some of which halve them."""
    parts, batch = images((1, 4, 6, 5))
    made = Calibrated(Autoencoder(parts, (1, 4, 6, 5), width=2, latent=3), parts)
    made.start(batch.numpy(), rng=stream(1))
    return made, batch


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("make", [masked, variational, denoiser, unet, autoencoder, waves])
def test_lengths_sums_and_products_are_those_of_gradients_that_are_made(
    make: Callable[[], tuple[Objective, torch.Tensor]], times: int
) -> None:
    made, batch = make()
    (turn,) = made.turns

    def losses() -> torch.Tensor:
        noise = torch.Generator().manual_seed(5)
        return turn.loss(batch.repeat_interleave(times, 0), noise).reshape(N, times).mean(1)

    each = [torch.autograd.grad(loss, turn.parameters, retain_graph=True, allow_unused=True) for loss in losses()]
    rows = [[torch.zeros_like(p) if g is None else g for g, p in zip(gs, turn.parameters, strict=True)] for gs in each]
    flat = torch.stack([torch.cat([g.flatten() for g in gs]) for gs in rows])
    found = Gradients.of(losses, turn.parameters, records=N, times=times)
    weights = torch.linspace(0, 2, N)
    direction = [torch.randn(p.shape, generator=torch.Generator().manual_seed(1)) for p in turn.parameters]
    assert torch.allclose(found.lengths(), flat.norm(dim=1), rtol=1e-4)
    summed = torch.cat([x.flatten() for x in found.sums(weights)])
    assert torch.allclose(summed, weights @ flat, rtol=1e-3, atol=1e-4)
    assert torch.allclose(
        found.along(direction), flat @ torch.cat([x.flatten() for x in direction]), rtol=1e-3, atol=1e-3
    )


def test_a_gradient_that_is_no_number_leaves_the_others_alone() -> None:
    net = Mlp(2, (4,), 1)
    start(net, rng=stream(0))
    x = torch.tensor([[1.0, 2.0], [float("inf"), 1.0], [0.5, 0.5]])
    found = Gradients.of(lambda: net(x)[:, 0], tuple(net.parameters()), records=3)
    assert found.lengths().isfinite().tolist() == [True, False, True]
    alone = Gradients.of(lambda: net(x[[0, 2]])[:, 0], tuple(net.parameters()), records=2)
    both = zip(found.sums(torch.tensor([1.0, 0.0, 1.0])), alone.sums(torch.ones(2)), strict=True)
    assert all(torch.allclose(one, two) for one, two in both)


@pytest.mark.parametrize("how", ["batch norm", "twice", "decay", "sum", "cut"])
def test_a_use_that_may_mix_records_is_refused(how: str) -> None:
    """Batch normalisation puts every record into the gradient of every other (synthcity's DPGAN, others)."""
    x, net, norm = torch.ones(3, 2), nn.Linear(2, 2), BatchNorm(2)
    losses: dict[str, Callable[[], torch.Tensor]] = {
        "batch norm": lambda: norm(x).sum(1),
        "twice": lambda: net(net(x)).sum(1),
        "decay": lambda: net(x).sum(1) + net.weight.square().sum(),
        "sum": lambda: (x @ net.weight).sum(1),
        "cut": lambda: x @ net.weight[0],
    }
    with pytest.raises(NotImplementedError, match="uses a parameter"):
        Gradients.of(losses[how], (*net.parameters(), *norm.parameters()), records=3)


def test_a_layer_over_other_rows_than_the_records_is_refused() -> None:
    net = nn.Linear(2, 1)
    with pytest.raises(NotImplementedError, match="rows"):
        Gradients.of(
            lambda: net(torch.ones(3, 2).mean(0, keepdim=True)).expand(3, 1)[:, 0], tuple(net.parameters()), records=3
        )


def test_rows_that_nearly_cancel_are_not_found_too_short() -> None:
    """In single precision the length of their sum is lost, and the gradient of a record would not be clipped."""
    rng = np.random.default_rng(0)
    held = torch.from_numpy(rng.normal(size=(8, 5))).float()
    back = torch.from_numpy(1e4 * rng.normal(size=(8, 3))).float()
    held[4:], back[4:] = held[:4], -back[:4] * (1 + 1e-5)
    found = Product(torch.zeros(3, 5), torch.zeros(8, 3), held).squares(back, 8)
    true = (back.double().T @ held.double()).square().sum()
    assert float(found) == pytest.approx(float(true), rel=1e-3)


@pytest.mark.parametrize("layer", [nn.Conv1d, nn.ConvTranspose1d])
def test_layers_of_series_make_the_same_and_those_that_are_not_known_are_refused(layer: type[nn.Module]) -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 2, 9))).float()
    more = {"output_padding": 1} if layer is nn.ConvTranspose1d else {}
    made, dilated = layer(2, 4, 3, stride=2, padding=1, **more), layer(2, 4, 3, dilation=2)
    seen: list[torch.Tensor] = []

    def losses() -> torch.Tensor:
        seen.append(made(x))
        return seen[-1].square().sum((1, 2))

    Gradients.of(losses, tuple(made.parameters()), records=3)
    assert torch.allclose(seen[0], made(x), atol=1e-6)
    with pytest.raises(NotImplementedError, match="uses a parameter"):
        Gradients.of(lambda: dilated(x).sum((1, 2)), tuple(dilated.parameters()), records=3)
    with pytest.raises(NotImplementedError, match="uses a parameter"):
        Gradients.of(lambda: made(x).sum((1, 2)), tuple(made.parameters()), records=1)


@pytest.mark.parametrize("rows", [2, 40])
def test_the_length_is_the_same_by_rows_and_by_the_matrix(rows: int) -> None:
    rng = np.random.default_rng(0)
    held, back = (torch.from_numpy(rng.normal(size=(3 * rows, width))).float() for width in (5, 4))
    found = Product(torch.zeros(4, 5), torch.zeros(3 * rows, 4), held).squares(back, rows)
    each = zip(held.split(rows), back.split(rows), strict=True)
    assert torch.allclose(found, torch.stack([(b.T @ h).square().sum() for h, b in each]), rtol=1e-5)
