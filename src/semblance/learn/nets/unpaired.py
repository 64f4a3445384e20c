"""Networks of translation where nothing is paired: translators both ways, and critics of either side (CycleGAN; Zhu et
al., ICCV 2017).

A row holds a target, a source and a class (see `Parts`); of an image of one side the other one is NaN.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches, Translation

RELATED = 0.5
"""The correlation between mean images from which on a translation begins with its sign."""


class Both(nn.Module):
    """A translator from source to target, `there`, and one that leads `back`."""

    def __init__(self, there: Translation, back: Translation) -> None:
        super().__init__()
        self.there, self.back = there, back


class Either(nn.Module):
    """(n, numbers + given) rows of images of one side each -> (n, patches) scores by the critic of that side."""

    def __init__(self, parts: Parts, target: Patches, source: Patches) -> None:
        super().__init__()
        self.parts, self.target, self.source = parts, target, source

    def forward(self, rows: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        at = shows_target(rows)
        scores = rows.new_zeros(len(rows), self.target.patches)
        if at.any():
            scores[at] = self.target(rows[at, : self.parts.numbers])
        if not at.all():
            scores[~at] = self.source(rows[~at, self.parts.numbers :])
        return scores


def shows_target(rows: torch.Tensor) -> torch.Tensor:
    """(n,) bool: of which rows the target is known."""
    return ~rows[:, 0].isnan()


def directed(net: Translation, source: np.ndarray, target: np.ndarray) -> None:
    """Let a translation begin with the brightness that it is given, turned over where the mean images (numbers,) of
    both sides say so: no pair tells more. Sides of different numbers of planes begin from nothing."""
    if net.given[0] != net.shape[0]:
        return
    signs = [_sign(a, b) for a, b in zip(*(x.reshape(net.shape[0], -1) for x in (source, target)), strict=True)]
    with torch.no_grad():
        net.linear[:, :-1] = torch.diag(torch.tensor(signs))


def _sign(one: np.ndarray, other: np.ndarray) -> float:
    a, b = (x - x.mean() for x in (one, other))
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return -1.0 if size > 0 and float(a @ b) / size < -RELATED else 1.0
