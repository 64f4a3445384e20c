"""PATE-GAN: what it pays for, and that a patient keeps its teacher."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from semblance.core.errors import UsageError
from semblance.core.promise import Noise
from semblance.core.rng import stream
from semblance.core.shares import simplex
from semblance.modalities.table.audit import simulated
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.generators.coded import Fitting
from semblance.modalities.table.generators.pate_gan import PARTS, PateGan
from semblance.modalities.table.generators.vae import Vae
from semblance.privacy.ledger import Ledger
from tests.contracts.samples import cohort as people

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


def test_columns_stay_where_they_were_counted_though_votes_are_noise(tmp_path: Path) -> None:
    """Adult's were off by .92 of at most 1 after 300 steps on noise. What was counted is noisy as well: no matter."""
    cohort = simulated(stream(0, "cohort")).base
    coder = public_encoding(cohort.schema)
    ledger = Ledger.open(tmp_path, cohort="audit", epsilon=1.0, delta=1e-5)
    spec = PateGan(teachers=50, steps=60, asked=4)
    how = Fitting(stream(0, "fit"), spec.plan(cohort, rng=stream(0, "plan")), None, None, None)
    objective, told, dense = spec.voting(cohort, how, ledger)
    spec._train(objective, told, dense, how, ledger)
    model = spec.model(dense.encoding, spec.to_json(), objective.net.generator.eval())
    drawn = coder.encode(next(model.sample(2_000, rng=stream(0, "sample"))))
    for j, size in enumerate(coder.sizes):
        made = np.bincount(drawn[:, j], minlength=size) / len(drawn)
        assert np.abs(made - simplex(told.counts[j] / told.records)).sum() / 2 < 0.15


def test_a_maker_starts_at_the_columns_and_sees_them_drift() -> None:
    """What nobody has was once as likely as all the rest together."""
    cohort = simulated(stream(0, "cohort")).base
    maker, dense = PateGan()._maker(public_encoding(cohort.schema), cohort, stream(0))
    with torch.no_grad():
        x = maker.draw(4_000, torch.Generator().manual_seed(0))
        at_start, real = maker.astray(x), torch.from_numpy(dense.encode(cohort, rng=stream(0)))
        assert at_start < 0.2
        for span in dense.spans:
            places = slice(span.start, span.stop)
            if span.kind == "onehot":
                assert (x[:, places].mean(0) - real[:, places].mean(0)).abs().max() < 0.1
                assert x[:, places].mean(0)[real[:, places].mean(0) == 0].sum() < 0.001
                moved = x.clone()
                moved[:, places] = moved[:, places].roll(1, 1)
                assert maker.astray(moved) > at_start + 0.2


def test_numbers_start_where_they_lie_and_are_seen_to_drift() -> None:
    ages = people(500, 0)
    maker, dense = PateGan()._maker(PateGan().encoding_of(ages, None), ages, stream(0))
    real = torch.from_numpy(dense.encode(ages, rng=stream(0)))[:, maker.heads.numbers]
    with torch.no_grad():
        x = maker.draw(4_000, torch.Generator().manual_seed(0))
        made, at_start = x[:, maker.heads.numbers], maker.astray(x)
        assert made.shape[1] and torch.allclose(made.mean(0), real.mean(0), atol=0.15)
        assert torch.allclose(made.std(0), real.std(0), atol=0.15)
        for way in (lambda z: z + 3 * maker.spread, lambda z: z * 3):
            moved = x.clone()
            moved[:, maker.heads.numbers] = way(made)
            assert maker.astray(moved) > at_start + 1


def test_without_a_ledger_nobody_is_asked() -> None:
    with pytest.raises(UsageError, match="no ledger"):
        SPEC.fit(simulated(stream(0, "cohort")).base, rng=stream(0, "fit"))
