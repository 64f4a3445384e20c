"""Diffusion of pixels beside a mask, which is joined to the noisy image as further channels; planes and volumes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch

from semblance.core.large import few
from semblance.core.model import Card
from semblance.learn.components import Components
from semblance.learn.drawn import Learned
from semblance.learn.nets.beside import Beside
from semblance.learn.nets.conditioned import Parts
from semblance.learn.network import Build, Sampler
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.inpainting import Inpainting
from semblance.learn.trainer import TrainPlan
from semblance.modalities.image.generators.device import OnDevice
from semblance.modalities.image.generators.diffusion import PART
from semblance.modalities.image.generators.network import LOOKED
from semblance.modalities.image.generators.translator import Sides, Translator

CARD = Card(
    name="med_ddpm",
    conditional=True,
    summary="pixels denoised beside a mask, or beside another contrast; masks come from a model of their own",
    paper="Dorjsembe et al., Med-DDPM, IEEE J. Biomed. Health Inform. 2024; Karras et al., EDM, NeurIPS 2022",
    needs=("torch",),
)


@dataclass(frozen=True)
class MedDdpm(OnDevice, Translator):
    """A denoiser of images beside given channels."""

    blocks: int = 1
    """Residual blocks at each size, on the way down, at the bottom and on the way up."""
    steps: int = 14
    """Steps of a sample."""
    card: ClassVar[Card] = CARD
    told: ClassVar[bool] = True
    base: ClassVar[TrainPlan] = TrainPlan(steps=0, batch=16, rate=2e-3, weight_decay=0.01, ema=0.998)

    def objective(
        self,
        form: Sides,
        parts: Parts,
        aside: torch.Tensor | None,
        found: Components | None = None,
        rows: np.ndarray | None = None,
    ) -> Sampler:
        """The denoiser of what is painted, and its loss; `found` and `rows` say what is Gaussian about it."""
        net = Beside(
            parts,
            form.shapes[1],
            len(form.source),
            width=self.channels,
            blocks=self.blocks,
            components=self.components,
            side=self.side,
            found=found,
            rows=rows,
        )
        return Inpainting(net, steps=self.steps, aside=some_of(aside, LOOKED), part=PART, alone=True)

    def begun(self, learned: Learned, form: Any, *, rng: np.random.Generator) -> Build:
        """From Gaussian images with the components, or the texture, of real ones."""
        found = Components.fit(learned, most=self.components, rare=self.rare, rng=rng)
        some = learned.coefficients[few(learned.coefficients.shape, rng=rng)]
        return partial(self.objective, form, found=found, rows=some)
