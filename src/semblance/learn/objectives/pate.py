"""PATE-GAN (Jordon, Yoon & van der Schaar, ICLR 2019): teachers vote, a student learns from noisy votes.

Each teacher tells the records of its own patients from generated ones. Generated records alone are shown to the
student, with the label that most teachers give them, counted with noise; the generator learns against the student. So
one patient moves one teacher, which moves each count by at most one, and nothing else is ever seen of the records.

The paper bounds what the votes tell by how much they agree, which is private itself. Here every count is paid for
alike, whatever it says (the noise of GNMax, Papernot et al., ICLR 2018, without its data-dependent account). So there
are few votes, and a student of few votes leads a generator away from everything it does not look at: the generator is
held near what has been counted besides (`astray`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn.functional import leaky_relu, softplus

from semblance.learn.noise import noise_of
from semblance.learn.trainer import Turn
from semblance.privacy.noise import noised

Draw = Callable[[int, torch.Generator], torch.Tensor]
"""So many (n, width) generated records."""
Seen = Callable[[torch.Tensor, np.ndarray | None], None]
"""Hears of the generated records that teachers are shown, with the noisy counts where these vote on them: all that is
ever known of their own."""
HELD, SEEN = 10.0, 512
"""The weight of how far astray generated records are, and how many are looked at."""


class Teachers(nn.Module):
    """Networks of one hidden layer side by side; none has a part in another."""

    def __init__(self, count: int, inputs: int, width: int) -> None:
        super().__init__()
        self.up, self.down = nn.Parameter(torch.empty(count, inputs, width)), nn.Parameter(torch.empty(count, width, 1))
        self.start_up, self.start_down = (nn.Parameter(torch.zeros(count, 1, n)) for n in (width, 1))

    def start(self, *, rng: np.random.Generator) -> None:
        """Draw the first weights."""
        noise = noise_of(rng)
        with torch.no_grad():
            for weight in (self.up, self.down):
                weight.normal_(0, weight.shape[1] ** -0.5, generator=noise)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(teachers, n) scores of (n, inputs) records, or of (teachers, n, inputs) records of each teacher's own."""
        hidden = leaky_relu(x @ self.up + self.start_up)
        return (hidden @ self.down + self.start_down)[:, :, 0]


class Panel(nn.Module):
    """All networks, trained and kept together."""

    def __init__(self, generator: nn.Module, student: nn.Module, teachers: Teachers) -> None:
        super().__init__()
        self.generator, self.student, self.teachers = generator, student, teachers


class Parts:
    """Records in disjoint parts, one for each teacher, as a source whose records are the teachers themselves.

    `part` (n,) says whose each record is; `batch` gives the records of these rows.
    """

    def __init__(self, batch: Callable[[np.ndarray], torch.Tensor], part: np.ndarray, *, count: int) -> None:
        self.of_rows, self.subjects = batch, np.arange(count)
        self.rows, self.counts = np.argsort(part, kind="stable"), np.bincount(part, minlength=count)
        self.starts = np.cumsum(self.counts) - self.counts

    def batch(self, index: np.ndarray) -> torch.Tensor:
        """(n, 1) teachers."""
        return torch.from_numpy(index)[:, None]

    def shown(self, uniform: np.ndarray) -> torch.Tensor:
        """(teachers, m, width) records, those of a teacher by its own row of `uniform` and among its own; of a teacher
        without any, zeros."""
        place = (uniform * self.counts[:, None]).astype(np.int64) + self.starts[:, None]
        if not len(self.rows):
            return torch.zeros(*uniform.shape, self.of_rows(np.zeros(0, dtype=np.int64)).shape[1])
        found = self.of_rows(self.rows[np.minimum(place, len(self.rows) - 1).ravel()])
        held = torch.from_numpy(self.counts > 0)[:, None, None]
        return torch.where(held, found.reshape(*uniform.shape, -1), 0.0)


class Votes:
    """The objective of all. In a step the student asks for `asked` labels, each a count with noise of scale `sigma`;
    `astray` says how far (n, width) generated records are from what may be known of the real ones."""

    def __init__(
        self,
        net: Panel,
        draw: Draw,
        parts: Parts,
        astray: Callable[[torch.Tensor], torch.Tensor],
        *,
        sigma: float,
        asked: int,
        shown: int,
    ) -> None:
        self.net, self.draw, self.parts, self.astray = net, draw, parts, astray
        self.sigma, self.asked, self.size = sigma, asked, shown
        self.seen: Seen | None = None
        # The loss of the student comes first, since that is what is told of a step: it is made of noisy votes alone.
        self.turns = tuple(
            Turn(name, loss, tuple(part.parameters()))
            for name, loss, part in (
                ("student", self._student, net.student),
                ("generator", self._generator, net.generator),
                ("teachers", self._teach, net.teachers),
            )
        )

    def held_out(self, weights: Mapping[str, torch.Tensor]) -> float | None:
        """Nothing is kept aside: a look at it would have to be paid for."""
        return None

    def labels(self, fake: torch.Tensor) -> torch.Tensor:
        """(n,) whether most teachers take a record for real, as far as the noise lets it be seen."""
        with torch.no_grad():
            votes = (self.net.teachers(fake) > 0).sum(0)
        noisy = noised(votes.numpy(), sigma=self.sigma)
        if self.seen is not None:
            self.seen(fake, noisy)
        return torch.from_numpy(noisy * 2 > len(self.parts.subjects))

    def _student(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        with torch.no_grad():
            fake = self.draw(self.asked, noise)
        score = self.net.student(fake)[:, 0]
        return softplus(torch.where(self.labels(fake), -score, score))

    def _generator(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        fake = self.draw(SEEN, noise)
        return softplus(-self.net.student(fake)[:, 0]) + HELD * self.astray(fake)

    def _teach(self, batch: torch.Tensor, noise: torch.Generator) -> torch.Tensor:
        """One loss for each teacher, of its own records and of generated ones that all of them see."""
        uniform = torch.rand((len(self.parts.subjects), self.size), generator=noise, dtype=torch.float64)
        with torch.no_grad():
            fake = self.draw(self.size, noise)
        if self.seen is not None:
            self.seen(fake, None)
        real = softplus(-self.net.teachers(self.parts.shown(uniform.numpy()))).mean(1)
        held = torch.from_numpy(self.parts.counts > 0)
        return torch.where(held, real, 0.0) + softplus(self.net.teachers(fake)).mean(1)
