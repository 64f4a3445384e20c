"""CTGAN learned from a table whose classes SMOTE has made equally frequent: for small cohorts with a rare outcome.

The encoding is that of the real records alone, so that made ones never lift a value over the limit of rare values, and
the model holds no record. Records are drawn with the real shares of the classes, unless equal ones are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semblance.core.model import Card, Plan, Watch
from semblance.core.promise import Ledger
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.adversarial import AdversarialModel, Maker
from semblance.modalities.table.generators.ctgan import Ctgan
from semblance.modalities.table.generators.marginals import shares_of
from semblance.modalities.table.generators.smote import balance, samplers

CARD = Card(
    name="ctgan+smote",
    summary="CTGAN after SMOTE has balanced the classes: for small cohorts with a rare outcome; keeps no records",
    paper="Xu et al., NeurIPS 2019, after Chawla et al., JAIR 16, 2002",
    needs=("torch", "imbalanced-learn"),
)
ROUNDS = 10
"""Records of a class are drawn in at most so many rounds: a network that makes none of a class must not hold up."""


@dataclass(frozen=True)
class CtganSmote(Ctgan):
    """CTGAN, and how the classes of the target are balanced before it."""

    neighbours: int = 5
    """Nearest records of its class among which a record's partner is drawn."""
    balanced: bool = False
    """Whether all classes are drawn equally often, rather than as often as they are."""
    card: ClassVar[Card] = CARD

    def fit(
        self,
        train: Table,
        *,
        rng: np.random.Generator,
        plan: Plan | None = None,
        ledger: Ledger | None = None,
        encoding: Encoding | None = None,
        watch: Watch | None = None,
        resume: Path | None = None,
    ) -> AdversarialModel:
        """Balance, then train. Raises UsageError where imbalanced-learn is not installed, and what CTGAN raises."""
        samplers()
        coder = self.encoding_of(train, encoding)
        more = balance(train, coder, neighbours=self.neighbours, rng=rng)
        model = super().fit(more, rng=rng, plan=plan, ledger=ledger, encoding=coder, watch=watch, resume=resume)
        assert isinstance(model, AdversarialModel)
        return replace(model, options={**model.options, "classes": self._classes(coder, train)})

    def _classes(self, encoding: Encoding, train: Table) -> list[float]:
        """The share of each code of the target among records to draw; none where the target is no category."""
        target = encoding.target
        if target is None:
            return []
        shares = shares_of(encoding.encode(train), encoding.sizes)[target]
        return [float(share) for share in ((shares > 0) / (shares > 0).sum() if self.balanced else shares)]

    def model(self, encoding: Encoding, options: Mapping[str, Any], maker: Maker) -> AdversarialModel:
        """The trained network, whose records are drawn class by class."""
        return CtganSmoteModel(encoding, options, maker, self)


class CtganSmoteModel(AdversarialModel):
    """The trained network; `options` hold the share of each class."""

    chunk: ClassVar[int] = 1024

    def table(self, n: int, *, first_subject: int, rng: np.random.Generator) -> Table:
        """`n` records of new patients; how many are of each class is drawn from its share."""
        target, shares = self.encoding.target, np.array(self.options["classes"])
        pool = [super().table(n, first_subject=first_subject, rng=rng)]
        if target is None:
            return pool[0]
        wanted, codes = rng.multinomial(n, shares), self.encoding.encode(pool[0])[:, target]
        while len(pool) < ROUNDS and (np.bincount(codes, minlength=len(wanted)) < wanted).any():
            pool.append(super().table(n, first_subject=0, rng=rng))
            codes = np.append(codes, self.encoding.encode(pool[-1])[:, target])
        # What is wanted comes first; behind it stands what fills up for a class that the network does not make.
        rows = np.argsort(_place(codes) >= wanted[codes], kind="stable")[:n]
        return replace(concat(pool).take(rng.permutation(rows)), subjects=pool[0].subjects)


def _place(codes: np.ndarray) -> np.ndarray:
    """(n,) how many of the same code stand before each."""
    order, place = np.argsort(codes, kind="stable"), np.empty(len(codes), dtype=np.int64)
    counts = np.bincount(codes)
    place[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place
