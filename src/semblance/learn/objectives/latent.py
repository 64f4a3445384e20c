"""Diffusion of the latents of an autoencoder (Rombach et al., Latent Diffusion Models, CVPR 2022).

The autoencoder learns first: it loses by the absolute difference of pixels, by the divergence of latents from normal
ones, and to a critic of patches, so that what is left out of the latents is drawn sharp instead of averaged. Then its
latents, brought to a spread of 1, are what a cascade learns (`subspace`): they have principal components, as images
have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from semblance.core.errors import UsageError
from semblance.core.rng import root_of, stream
from semblance.learn.components import Components
from semblance.learn.device import array_of, beside, device_of
from semblance.learn.drawn import Learned
from semblance.learn.nets.compressing import Compressing, Compressor, Latents
from semblance.learn.nets.conditioned import Parts
from semblance.learn.nets.translate import Patches
from semblance.learn.nets.unet import begin
from semblance.learn.network import Joined, Phase
from semblance.learn.objectives.conditional import some_of
from semblance.learn.objectives.gan import Adversarial, AtEveryStep, NonSaturating, Players, Scene
from semblance.learn.objectives.subspace import Cascade
from semblance.learn.objectives.vae import divergence
from semblance.learn.rows import Rows
from semblance.learn.trainer import threads

FIRST, BATCH = 0.3, 8
"""The share of steps in which the autoencoder learns, and the images of such a step."""
NEAR, CALM = 100.0, 1e-3
"""Weights of the absolute difference beside the critic, and of the divergence, in nats a pixel, beside that."""
LEAST = 1e-6
"""The smallest spread of latents that is divided by."""
BEGUN, PART = 2_000, 16
"""Images, at most, by whose latents the diffusion begins, and that are encoded together."""


class Autoencoder(Adversarial):
    """An autoencoder of (n, width) rows against a critic of patches."""

    def __init__(self, net: Compressing, critic: Patches, parts: Parts, *, aside: torch.Tensor | None) -> None:
        contest = AtEveryStep(NonSaturating())
        super().__init__(Players(net, critic), self._scene, contest, turns=1, judge=self._apart)
        self.both, self.parts, self.aside = net, parts, aside

    def _scene(self, batch: torch.Tensor, noise: torch.Generator) -> Scene:
        real = batch[:, : self.parts.numbers]
        made, mean, log_variance = self.both(real, noise)
        strange = divergence(mean, log_variance) / self.parts.numbers
        return Scene(real, made, NEAR * ((made - real).abs().mean(1) + CALM * strange))

    def _apart(self) -> float | None:
        if self.aside is None:
            return None
        real = self.aside[:, : self.parts.numbers].to(device_of(self.both)).split(PART)
        gaps = [(self.both.decoder(self.both.encoder(rows)[0]) - rows).abs().mean(1) for rows in real]
        return float(torch.cat(gaps).mean())


class Latent:
    """Losses and sampling of an autoencoder, by `encoder` and the decoder of `net`, and then of the `cascade` over its
    latents.

    It stops by some of the images kept `aside`. `records` are what is learned; no component of latents stands for fewer
    than `rare` patients of them.
    """

    def __init__(
        self,
        net: Latents,
        encoder: Compressor,
        critic: Patches,
        cascade: Cascade,
        parts: Parts,
        *,
        records: Learned | None = None,
        rare: int = 1,
        aside: torch.Tensor | None = None,
    ) -> None:
        self.net, self.encoder, self.cascade, self.parts = net, encoder, cascade, parts
        self.records, self.rare, self.aside, self.seed = records, rare, some_of(aside, cascade.looked), 0
        self.seen: Rows | None = None
        self.first = Autoencoder(Compressing(encoder, net.decoder), critic, parts, aside=self.aside)
        coarse, fine = (
            replace(phase, share=(1 - FIRST) * phase.share, see=self._coded_once) for phase in cascade.phases
        )
        self.phases = (Phase(self.first, FIRST, BATCH), replace(coarse, begin=lambda steps: self._begin()), fine)
        self.turns = tuple(turn for phase in self.phases for turn in phase.objective.turns)

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """None: each part has its own."""
        return None

    def start(self, batch: np.ndarray, *, rng: np.random.Generator) -> None:
        """Draw the first weights, by some of the `records`; (n, width) rows say what their mean is."""
        self.seed = root_of(rng)
        self.net.decoder.center.copy_(torch.from_numpy(batch[:, : self.parts.numbers].mean(0)))
        begin(self.first.net, rng=stream(self.seed, "autoencoder"))
        self._begin()

    def _begin(self) -> None:
        """The cascade begins from the latents as the autoencoder makes them now."""
        records, subspace = self.records, self.net.subspace
        assert records is not None  # what is restored does not learn
        some = records.take(np.arange(len(records.labels))[:: -(-len(records.labels) // BEGUN)])
        latents = self._encoded(beside(self.net, some.coefficients))
        self.net.spread.copy_(latents.std().clamp(min=LEAST))
        told = array_of(latents / self.net.spread)
        alike = replace(some, coefficients=told, labels=np.zeros_like(some.labels), kinds=1)
        most, rng = len(subspace.axes), stream(self.seed, "components")
        subspace.be(Components.fit(alike, most=most, rare=self.rare, rng=rng))
        rows = self.cascade.parts.join(told, some.given, some.labels)
        self.cascade.start(rows, rng=stream(self.seed, "cascade"))
        if self.aside is not None:
            self.cascade.stop_by(self._coded(self.aside))
        self.seen = None

    def _coded_once(self, records: Joined) -> Rows:
        """All records as latents: they are encoded once, not at every step."""
        if self.seen is None:
            every = np.arange(len(records))
            parts = [every[first : first + PART] for first in range(0, len(every), PART)]
            made = [array_of(self._coded(records.batch(part))) for part in parts]
            self.seen = Rows(np.concatenate(made), records.subjects)
        return self.seen

    def _coded(self, batch: torch.Tensor) -> torch.Tensor:
        """Rows of latents, given numbers and a class, of rows of pixels, given numbers and a class."""
        rows, given, labels = self.parts.split(batch.to(device_of(self.net)))
        return torch.cat([self._encoded(rows) / self.net.spread, given, labels[:, None]], 1)

    @torch.no_grad()
    def _encoded(self, rows: torch.Tensor) -> torch.Tensor:
        with threads(1):  # as in training, so that the same bytes come out
            return torch.cat([self.encoder(some)[0] for some in rows.split(PART)])

    @property
    def noise(self) -> int:
        """How many normal numbers an image is made of: those of its latents."""
        return self.cascade.noise

    @torch.no_grad()
    def sample(
        self, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator, start: np.ndarray | None = None
    ) -> np.ndarray:
        """(n, numbers) float32 for (n, given) numbers and (n,) classes, by their latents."""
        latents = beside(self.net, self.cascade.sample(given, labels, rng=rng, start=start))
        with threads(1):
            return array_of(torch.cat([self.net.images(some) for some in latents.split(PART)]))

    def complete(
        self, rows: np.ndarray, given: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """Raises UsageError: a latent tells of pixels that are known and of others at once."""
        raise UsageError.of(
            "images to be completed, by a model that draws latents of whole ones",
            rule="pixels that are known are kept, and a latent stands for many at once",
            fix="learn pixels instead (diffusion with `large` above the size of the images), or med_ddpm",
        )
