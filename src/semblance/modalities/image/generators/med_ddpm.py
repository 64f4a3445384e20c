"""Diffusion of pixels beside a mask, which is joined to the noisy image as further channels; planes and volumes. New
masks are denoised by a network of their own: as published, masks are those of patients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.large import few
from semblance.core.model import Card
from semblance.learn.components import Components
from semblance.learn.drawn import Drawer, Learned, Sizes
from semblance.learn.nets.beside import Beside, Known
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Build, Drawn, Sampler
from semblance.learn.objectives.layered import Layered
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.device import OnDevice
from semblance.modalities.image.generators.diffusion import PART
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Sides, Translator

CARD = Card(
    name="med_ddpm",
    conditional=True,
    summary="masks denoised, or another contrast, and then pixels beside them; planes and volumes",
    paper="Dorjsembe et al., Med-DDPM, IEEE J. Biomed. Health Inform. 2024; Karras et al., EDM, NeurIPS 2022",
    needs=("torch",),
)


@dataclass(frozen=True)
class Given:
    """What draws given planes: a denoiser that is trained, moved and saved with the painter of the others."""

    painter: Drawn

    def draw(self, labels: np.ndarray, given: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """(n, d) rows of given planes, for (n, facts) that are told."""
        objective: Any = self.painter.objective
        made: np.ndarray = objective.first.sample(given, labels, rng=rng)
        return made

    def arrays(self) -> dict[str, np.ndarray]:
        """None: they are the painter's."""
        return {}


@dataclass(frozen=True)
class MedDdpm(OnDevice, Translator):
    """A denoiser of images beside given channels."""

    blocks: int = 1
    """Residual blocks at each size, on the way down, at the bottom and on the way up."""
    steps: int = 14
    """Steps of a sample, of masks and of pixels."""
    card: ClassVar[Card] = CARD
    told: ClassVar[bool] = True
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=16, rate=2e-3, weight_decay=0.01, ema=0.998)

    def objective(
        self,
        form: Sides,
        parts: Parts,
        aside: torch.Tensor | None,
        first: Known | None = None,
        known: Known | None = None,
    ) -> Sampler:
        """The denoisers of what is given, which works on half as many places a side, and of what is painted, and their
        losses; of both is `known` what is Gaussian about them."""
        given, painted = form.shapes
        area = math.prod(given)
        sizes: dict[str, Any] = {"width": self.channels, "blocks": self.blocks, "components": self.components}
        masks = Beside(
            replace(parts, numbers=area, given=parts.given - area),
            given,
            0,
            **sizes,
            side=max(self.side // 2, 1),
            known=first,
        )
        net = Beside(parts, painted, len(form.source), **sizes, side=self.side, known=known)
        return Layered(masks, net, steps=self.steps, aside=aside, looked=LOOKED, part=PART)

    def begun(self, learned: Learned, form: Any, *, rng: np.random.Generator) -> Build:
        """From Gaussian images with the components, or the texture, of real ones."""
        area = math.prod(form.shapes[0])
        given = replace(learned, coefficients=learned.given[:, :area], channels=form.shapes[0][0])
        return partial(self.objective, form, first=self._known(given, rng=rng), known=self._known(learned, rng=rng))

    def _known(self, learned: Learned, *, rng: np.random.Generator) -> Known:
        found = Components.fit(learned, most=self.components, rare=self.rare, rng=rng)
        return found, learned.coefficients[few(learned.coefficients.shape, rng=rng)]

    def sources(self, painter: Drawn, source: Learned, sides: Sides, edges: np.ndarray, *, seed: int) -> Drawer:
        """What the same training left."""
        return Given(painter)

    @classmethod
    def restored_sources(cls, painter: Drawn, sizes: Sizes, arrays: Mapping[str, np.ndarray]) -> Drawer:
        """The same, from its arrays."""
        return Given(painter)
