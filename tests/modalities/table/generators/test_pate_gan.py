"""PATE-GAN: what it pays for, and that a patient keeps its teacher."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semblance.core.errors import UsageError
from semblance.core.promise import Noise
from semblance.core.rng import stream
from semblance.modalities.table.audit import simulated
from semblance.modalities.table.generators.pate_gan import PARTS, PateGan
from semblance.modalities.table.generators.vae import Vae
from semblance.privacy.ledger import Ledger

SPEC = PateGan(teachers=5, steps=6, asked=3, batch=8, width=8, hidden=4)


def test_every_vote_is_paid_for_before_the_first(tmp_path: Path) -> None:
    cohort = simulated(stream(0, "cohort")).base
    ledger = Ledger.open(tmp_path, cohort="audit", epsilon=3.0, delta=1e-5)
    plan = SPEC.plan(cohort, rng=stream(0, "plan"))
    model = SPEC.fit(cohort, rng=stream(0, "fit"), plan=plan, ledger=ledger, resume=tmp_path)
    columns, votes = ledger.spent()
    assert isinstance(columns, Noise) and isinstance(votes, Noise)
    assert (columns.count, votes.count, votes.sensitivity) == (4, 6 * 3, 1)
    assert 2.9 < (ledger.guarantee().epsilon or 0) <= 3
    assert set(model.arrays()) == {k for k in model.arrays() if not k.startswith(("teacher", "student"))}
    drawn = next(model.sample(40, rng=stream(0, "sample")))
    same = SPEC.fit(cohort, rng=stream(0, "fit"), plan=plan, ledger=ledger, resume=tmp_path)
    assert next(same.sample(40, rng=stream(0, "sample"))).frame.equals(drawn.frame)


def test_a_patient_never_changes_its_teacher(tmp_path: Path) -> None:
    subjects = np.array([7, 3, 9, 4] * 5)[:18]
    first = SPEC._parts(subjects, tmp_path)
    assert np.array_equal(SPEC._parts(subjects, tmp_path), first) and (tmp_path / PARTS).exists()
    assert all(len(set(first[subjects == who])) == 1 for who in set(subjects))
    dice = [tuple(SPEC._parts(np.arange(30), None)) for _ in range(2)]
    assert dice[0] != dice[1]


def test_votes_are_those_that_were_paid_for(tmp_path: Path) -> None:
    cohort = simulated(stream(0, "cohort")).base
    ledger = Ledger.open(tmp_path, cohort="audit", epsilon=3.0, delta=1e-5)
    plan = SPEC.plan(cohort, rng=stream(0, "plan"))
    how = {"rng": stream(0, "fit"), "ledger": ledger, "resume": tmp_path}
    with pytest.raises(UsageError, match="at least one step"):
        SPEC.fit(cohort, plan={**plan, "steps": 0}, **how)
    assert ledger.spent() == ()
    SPEC.fit(cohort, plan=plan, **how)
    for spec, more in ((SPEC, {"steps": 7}), (replace(SPEC, asked=4), {}), (Vae(width=8, latent=4), {})):
        with pytest.raises(UsageError, match="taken up as it was planned"):
            spec.fit(cohort, plan={**plan, **more}, **how)


def test_without_a_ledger_nobody_is_asked() -> None:
    with pytest.raises(UsageError, match="no ledger"):
        SPEC.fit(simulated(stream(0, "cohort")).base, rng=stream(0, "fit"))
