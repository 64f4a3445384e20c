"""PATE-GAN (Jordon, Yoon & van der Schaar, ICLR 2019): a GAN whose critic learns from the noisy votes of teachers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors.numpy import load_file, save

from semblance.core.files import write_bytes
from semblance.core.model import Card, Plan, paying
from semblance.core.promise import Ledger, Noise
from semblance.core.rng import root_of, stream
from semblance.learn.nets.mlp import Mlp, start
from semblance.learn.objectives.pate import SEEN, Panel, Parts, Teachers, Votes
from semblance.learn.overheard import Overheard
from semblance.learn.paid import once, refuse_none
from semblance.learn.rules import Plain
from semblance.learn.trainer import TrainPlan, train_to_end
from semblance.learn.white_box import Likely, Spy, audit
from semblance.modalities.table.data import Table
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.encode import Encoding
from semblance.modalities.table.generators.adversarial import TEMPERATURE, AdversarialModel, Records
from semblance.modalities.table.generators.coded import Fitting
from semblance.modalities.table.generators.dense import Dense, Vectors
from semblance.modalities.table.generators.private import Paid, independent
from semblance.modalities.table.generators.wgan_gp import PlainMaker, WganGp
from semblance.privacy.audit import Audit
from semblance.privacy.noise import chosen, system

CARD = Card(
    name="pate_gan",
    summary="differential privacy: a GAN whose critic learns from noisy votes of teachers; to compare with papers",
    paper="Jordon, Yoon & van der Schaar, PATE-GAN, ICLR 2019; Papernot et al., ICLR 2018",
    private=True,
    needs=("torch", "dp-accounting", "opendp"),
)
PARTS = "parts.safetensors"
"""The checkpoint of who teaches whom: a patient never changes its teacher, or two would know it."""
EMPTY = Plain(clip=float("inf"), once=True)
"""No length is clipped: that of all teachers together would let each of them see the others."""


@dataclass(frozen=True)
class PateGan(WganGp):
    """A generator against a student of teachers."""

    batch: int = 64
    """Records that each side sees at once."""
    rate: float = 3e-3
    """Learning rate of all."""
    steps: int = 40
    """Steps: each asks the teachers anew."""
    teachers: int = 400
    """Teachers, each of whom has the records of its own patients: more of them are heard through the noise, and know
    less."""
    asked: int = 16
    """Records that the teachers vote on in a step: each vote costs as much as any other."""
    hidden: int = 32
    """Width of a teacher's hidden layer."""
    card: ClassVar[Card] = CARD
    numbered: ClassVar[bool] = False

    def plan(self, train: Table, *, rng: np.random.Generator, time_budget: float | None = None) -> Plan:
        """The steps of the options: a plan looks at no record."""
        return replace(self.private_base, steps=self.steps, rate=self.rate, batch=self.teachers).to_json()

    def learn_from(self, train: Table, how: Fitting) -> AdversarialModel:
        """Raises UsageError: without a ledger nobody may ask the teachers."""
        return self.learn_privately(train, how, paying(CARD, ledger=None))

    def learn_privately(self, train: Table, how: Fitting, ledger: Ledger) -> AdversarialModel:
        """Pay for every vote, then let teachers, student and generator take turns for the plan."""
        objective, told, dense = self.voting(train, how, ledger)
        self._train(objective, told, dense, how, ledger)
        maker = objective.net.generator.eval()
        assert isinstance(maker, PlainMaker)
        return replace(self.model(dense.encoding, self.to_json(), maker), measured=told.findings)

    def attacked(self, train: Table, plan: Plan, ledger: Ledger, *, spy: Spy[Table]) -> Likely[Table]:
        """What was counted, and every vote (`learn.overheard`); nobody hears a gradient, since none is ever made of a
        real record outside of a teacher. Which teacher has which patient is known, be the patient there or not. What is
        voted on is the attacker's, since votes are paid for whatever they are about: records of even columns."""
        planned = replace(TrainPlan(**plan), rate=self.rate, batch=self.teachers)
        how = Fitting(stream(0, "attacked"), planned.to_json(), None, None, None)
        objective, told, dense = self.voting(train, how, ledger, part_of=self._numbered)
        coder = public_encoding(train.schema)
        even = independent(coder, tuple(np.full(k, 1 / k) for k in coder.sizes), rng=stream(0, "even"), n=SEEN)
        made = torch.from_numpy(dense.encode(even, rng=stream(0, "even")))
        objective.draw = lambda n, noise: made[torch.randint(len(made), (n,), generator=noise)]
        heard = Overheard(objective, plan=planned, rule=EMPTY)
        self._train(objective, told, dense, how, ledger)
        counted = told.likely(coder)

        def likely(table: Table) -> np.ndarray:
            own = torch.from_numpy(dense.encode(table, rng=stream(0, "own")))
            return counted(table) + heard.scores(own, self._numbered(table.subjects))

        return likely

    def audited(self, *, seed: int, **how: Any) -> Audit:
        """Bounds of what votes leak of a patient who is like half of the records that are voted on."""
        from semblance.modalities.table.audit import apart, common

        return audit(self, common(), apart(), seed=seed, **how)

    def _numbered(self, subjects: np.ndarray) -> np.ndarray:
        """(n,) the teacher of each patient by its number, as an attack would have it."""
        return subjects % self.teachers

    def _train(self, objective: Votes, told: Paid, dense: Dense, how: Fitting, ledger: Ledger) -> None:
        """Let all take turns to the end of the plan, where there is anything to learn."""
        if not dense.width:
            return
        plan, checkpoint = TrainPlan(**how.plan), how.checkpoint("training")
        kept: dict[str, Any] = {"watch": how.watch, "resume": checkpoint, "rule": EMPTY}
        with once(told, ledger, checkpoint):
            train_to_end(objective, objective.parts, plan, rng=how.rng, **kept)

    def voting(
        self, train: Table, how: Fitting, ledger: Ledger, *, part_of: Callable[[np.ndarray], np.ndarray] | None = None
    ) -> tuple[Votes, Paid, Dense]:
        """All networks before the first step, with what was paid, and how values become numbers. `part_of` gives the
        teacher of each patient, else a die does."""
        plan, coder = TrainPlan(**how.plan), public_encoding(train.schema)
        refuse_none(plan)
        votes = plan.steps * self.asked
        told = Paid.of(
            coder,
            train,
            ledger,
            lambda: ledger.affordable([(1.0, votes)])[0],
            like=Noise(1.0, 1, votes),
            resume=how.resume,
        )
        assert isinstance(told.training, Noise)
        maker, dense = self._maker(coder, told.stand_in(coder, rng=stream(root_of(how.rng), "stand-in")), how.rng)
        net = Panel(
            maker, Mlp(dense.width, (self.width,), 1), Teachers(self.teachers, max(dense.width, 1), self.hidden)
        )
        start(net.student, rng=how.rng)
        net.teachers.start(rng=how.rng)
        kept = train.take(chosen(train.subjects, most=1))
        shown = Vectors(dense, dense.pack(kept, rng=system()), kept.subjects)
        whose = self._parts(kept.subjects, how.resume) if part_of is None else part_of(kept.subjects)
        parts = Parts(shown.batch, whose, count=self.teachers)
        sigma = told.training.sigma
        objective = Votes(net, maker.draw, parts, maker.astray, sigma=sigma, asked=self.asked, shown=self.batch)
        return objective, told, dense

    def _maker(self, coder: Encoding, seen: Table, rng: np.random.Generator) -> tuple[PlainMaker, Dense]:
        """The generator, started at the columns of what stands in for the real records."""
        dense = Dense.fit(coder, seen, numbers=self.numbers)
        records = Records(dense, coder.encode(seen), Vectors(dense, dense.pack(seen, rng=rng), seen.subjects))
        numbers = records.source.packed[:, [k for k, span in enumerate(dense.spans) if span.kind == "scalar"]]
        spread = numbers.std(0) if numbers.numel() else numbers.mean(0)  # of no number there is none
        start_at = {"temperature": torch.tensor(TEMPERATURE), "middle": numbers.mean(0), "spread": spread}
        maker = self.maker(dense, self.facts(records) | start_at)
        if dense.width:
            start(maker, rng=rng)
            maker.prefer(maker.net.last)
        return maker, dense

    def _parts(self, subjects: np.ndarray, resume: Path | None) -> np.ndarray:
        """(n,) the teacher of each patient, by a die of its own; the one that it had where a fit is resumed."""
        names, place = np.unique(subjects, return_inverse=True)
        if resume is not None and (resume / PARTS).exists():
            thrown = load_file(resume / PARTS)["teacher"]
        else:
            thrown = system().integers(self.teachers, size=len(names))
            if resume is not None:
                write_bytes(resume / PARTS, save({"teacher": thrown}))
        found: np.ndarray = thrown[place]
        return found
