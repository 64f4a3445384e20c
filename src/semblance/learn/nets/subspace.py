"""Two denoisers of one image: of where it lies along the principal components of all images, and of what these leave
over, which is shown the first part (Jing, Corso, Berlinghieri & Jaakkola, Subspace Diffusion Generative Models, ECCV
2022; after Ho et al., Cascaded Diffusion Models, JMLR 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from semblance.learn.components import Components
from semblance.learn.nets.beside import Beside
from semblance.learn.nets.conditioned import Conditioned, Parts

POWER = 0.7
"""Coordinates are divided by their spread to this power: nearly alike, yet the first ones still count for most."""
LEAST = 1e-3
"""The smallest spread, in units of an image's, that is divided by."""


class Subspace(nn.Module):
    """`coarse` denoises (n, components) coordinates, `fine` the (n, numbers) pixels of what they leave over.

    `mean` (numbers,) of all images, `axes` (components, numbers) orthonormal or zero, `scales` (components,) of a
    coordinate's unit, in which `spreads` and `limits` (components,) say how far coordinates lie and may lie, and `rest`
    (1,) the spread of what is left.
    """

    mean: torch.Tensor
    axes: torch.Tensor
    scales: torch.Tensor
    spreads: torch.Tensor
    limits: torch.Tensor
    rest: torch.Tensor

    def __init__(
        self,
        parts: Parts,
        shape: Sequence[int],
        *,
        components: int,
        hidden: int,
        layers: int,
        width: int,
        blocks: int,
        side: int,
        found: Components | None = None,
    ) -> None:
        super().__init__()
        self.parts = parts
        self.coarse = Conditioned(replace(parts, numbers=components), width=hidden, blocks=layers)
        beside = replace(parts, given=parts.numbers + parts.given)
        self.fine = Beside(beside, shape, shape[0], width=width, blocks=blocks, components=0, side=side)
        self.register_buffer("mean", torch.zeros(parts.numbers))
        self.register_buffer("axes", torch.zeros(components, parts.numbers))
        self.register_buffer("scales", torch.ones(components))
        self.register_buffer("spreads", torch.zeros(components))
        self.register_buffer("limits", torch.zeros(components))
        self.register_buffer("rest", torch.ones(1))
        if found is not None:
            self.be(found)

    def be(self, found: Components) -> None:
        """Take the place of what was found of all images, as of one class; directions that were not found are none."""
        count, spreads = len(found.axes), np.maximum(found.spreads[0], LEAST)
        scales = spreads**POWER
        scales = scales * np.sqrt(np.mean((spreads / scales) ** 2)) if count else scales
        self.mean.copy_(torch.from_numpy(found.means[0]))
        self.axes[:count] = torch.from_numpy(found.axes)
        self.scales[:count] = torch.from_numpy(np.float32(scales))
        self.spreads[:count] = torch.from_numpy(np.float32(spreads / scales))
        self.limits[:count] = torch.from_numpy(np.float32(found.limits / scales))
        self.rest.fill_(max(float(np.sqrt(np.mean(found.rest**2))), LEAST))

    def along(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, components) coordinates of (n, numbers) pixels, within the limits."""
        return ((rows - self.mean) @ self.axes.T / self.scales).clamp(-self.limits, self.limits)

    def image(self, along: torch.Tensor) -> torch.Tensor:
        """(n, numbers) pixels that coordinates tell."""
        return self.mean + (along * self.scales) @ self.axes
