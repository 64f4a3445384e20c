"""What networks learn privately: nothing but gradients of what was paid for, and nothing that was not paid for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.promise import MEASURED, Noise, Steps
from semblance.core.rng import stream
from semblance.learn.paid import EPOCHS
from semblance.modalities.table.audit import PATIENTS, RECORDS, simulated
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.domain import public_encoding
from semblance.modalities.table.generators import private
from semblance.modalities.table.generators.autoregressive import Autoregressive
from semblance.modalities.table.generators.diffusion import Diffusion
from semblance.modalities.table.generators.pate_gan import PateGan
from semblance.modalities.table.generators.private import Paid
from semblance.modalities.table.generators.vae import Vae
from semblance.modalities.table.generators.wgan_gp import WganGp
from semblance.privacy.ledger import Ledger

SPECS = [
    Autoregressive(width=16, blocks=1),
    Vae(width=16, latent=8),
    Diffusion(width=16, blocks=1),
    WganGp(width=16, turns=2),
]
PLAN: dict[str, Any] = {"steps": 6, "batch": 20}


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "STAND_IN", 300)


@pytest.fixture
def cohort() -> Table:
    return simulated(stream(0, "cohort")).base


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledgers", cohort="audit", epsilon=2.0, delta=1e-5)


def drawn(model: Any, n: int = 50) -> Table:
    return concat(list(model.sample(n, rng=stream(0, "sample"))))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
def test_a_network_pays_once_and_keeps_what_it_paid_for(
    spec: Any, cohort: Table, ledger: Ledger, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"plan": PLAN, "ledger": ledger, "resume": tmp_path}
    model = spec.fit(cohort, rng=stream(0, "fit"), **how)
    noise, steps = ledger.spent()
    assert isinstance(noise, Noise) and noise.count == 4
    assert isinstance(steps, Steps) and (steps.rate, steps.count) == (20 / PATIENTS, 6 * spec.looks)
    assert [part.to_json() for part in ledger.spent()] == model.measured["noise"]
    assert 1.9 < (ledger.guarantee().epsilon or 0) <= 2
    model.save(tmp_path / "model")
    again = spec.load(tmp_path / "model")
    assert again.measured == json.loads((tmp_path / "model" / "measured.json").read_text())
    assert drawn(again).frame.equals(drawn(model).frame)
    # A fit that finds what was trained pays nothing, looks at nobody, and is the same model.
    nobody = cohort.take(np.zeros(len(cohort), dtype=bool))
    same = spec.fit(nobody, rng=stream(0, "fit"), **how)
    assert len(ledger.spent()) == 2 and drawn(same).frame.equals(drawn(model).frame)
    with pytest.raises(PrivacyError, match="nothing is left"):
        spec.fit(cohort, rng=stream(0, "fit"), plan=PLAN, ledger=ledger)


def test_a_training_that_broke_off_goes_on_with_the_steps_that_are_left(
    cohort: Table, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semblance.learn.trainer.CHECKPOINT_SECONDS", -1.0)
    seen: list[int] = []

    def watch(tick: Any) -> None:
        seen.append(tick.step)
        if len(seen) == 4:
            raise KeyboardInterrupt

    how: dict[str, Any] = {"plan": PLAN, "ledger": ledger, "resume": tmp_path, "watch": watch}
    with pytest.raises(KeyboardInterrupt):
        SPECS[1].fit(cohort, rng=stream(0, "fit"), **how)
    SPECS[1].fit(cohort, rng=stream(0, "fit"), **how)
    assert seen == [1, 2, 3, 4, 5, 6] and len(ledger.spent()) == 2


BOTH = pytest.mark.parametrize(
    "spec", [SPECS[1], PateGan(teachers=5, asked=3, batch=8, width=8, hidden=4)], ids=["vae", "pate_gan"]
)


def broken_off(spec: Any, cohort: Table, ledger: Ledger, folder: Path) -> dict[str, Any]:
    """How to go on with a training that was killed after its third step."""

    def watch(tick: Any) -> None:
        if tick.step == 3:
            raise KeyboardInterrupt

    how: dict[str, Any] = {"plan": PLAN, "ledger": ledger}
    with pytest.raises(KeyboardInterrupt):
        fitted(spec, cohort, resume=folder, watch=watch, **how)
    return how


def fitted(spec: Any, cohort: Any, **how: Any) -> Any:
    """The model of always the same seed."""
    return spec.fit(cohort, rng=stream(0, "fit"), **how)


@BOTH
@pytest.mark.parametrize("saved", [-1.0, 1e9])
def test_a_copy_of_a_training_is_not_finished_under_the_same_payment(
    spec: Any, saved: float, cohort: Table, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semblance.learn.trainer.CHECKPOINT_SECONDS", saved)
    how = broken_off(spec, cohort, ledger, tmp_path / "run")
    copytree(tmp_path / "run", tmp_path / "copy")
    made = fitted(spec, cohort, resume=tmp_path / "run", **how)
    nobody = cohort.take(np.zeros(len(cohort), dtype=bool))
    with pytest.raises(PrivacyError, match="finished a second time"):
        fitted(spec, nobody, resume=tmp_path / "copy", **how)
    # Whoever throws the training away, and keeps what was paid, has been given its model all the same.
    copytree(tmp_path / "run", tmp_path / "again")
    (tmp_path / "again" / "training.safetensors").unlink()
    with pytest.raises(PrivacyError, match="finished a second time"):
        fitted(spec, nobody, resume=tmp_path / "again", **how)
    # A copy of what was finished is what was finished.
    copytree(tmp_path / "run", tmp_path / "whole")
    assert drawn(fitted(spec, nobody, resume=tmp_path / "whole", **how)).frame.equals(drawn(made).frame)
    assert len(ledger.spent()) == 2


@BOTH
def test_of_two_copies_that_are_trained_at_once_the_first_to_end_was_paid_for(
    spec: Any, cohort: Table, ledger: Ledger, tmp_path: Path
) -> None:
    how = broken_off(spec, cohort, ledger, tmp_path / "run")
    copytree(tmp_path / "run", tmp_path / "copy")

    def overtaken(tick: Any) -> None:
        if tick.step == 2:
            fitted(spec, cohort, resume=tmp_path / "copy", **how)

    with pytest.raises(PrivacyError, match="finished a second time"):
        fitted(spec, cohort, resume=tmp_path / "run", watch=overtaken, **how)


def test_a_training_goes_with_the_ledger_that_paid_for_it(cohort: Table, ledger: Ledger, tmp_path: Path) -> None:
    how = broken_off(SPECS[1], cohort, ledger, tmp_path / "run")
    other = Ledger.open(tmp_path / "others", cohort="audit", epsilon=2.0, delta=1e-5)
    with pytest.raises(PrivacyError, match="not in the ledger"):
        fitted(SPECS[1], cohort, resume=tmp_path / "run", **how | {"ledger": other})


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
def test_a_plan_looks_at_no_record(spec: Any, cohort: Table) -> None:
    unseen: Any = SimpleNamespace(schema=cohort.schema)
    plan = spec.plan(unseen, rng=stream(0, "plan"), time_budget=0.2)
    assert plan["batch"] == PATIENTS // 20 and 1 <= plan["steps"] <= EPOCHS * 20


def test_a_network_that_knows_no_public_number_of_patients_is_refused(cohort: Table, ledger: Ledger) -> None:
    unknown = Table(replace(cohort.schema, n_public=None), cohort.frame, cohort.subjects)
    with pytest.raises(UsageError, match="no public number of patients"):
        SPECS[0].fit(unknown, rng=stream(0, "fit"), plan=PLAN, ledger=ledger)
    assert ledger.spent() == ()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
@pytest.mark.parametrize("nothing", [{"steps": 0}, {"steps": -1}, {"batch": 0}])
def test_a_plan_that_learns_nothing_is_refused_before_it_is_paid_for(
    spec: Any, nothing: dict[str, int], cohort: Table, ledger: Ledger
) -> None:
    with pytest.raises(UsageError, match="at least one step"):
        spec.fit(cohort, rng=stream(0, "fit"), plan={**PLAN, **nothing}, ledger=ledger)
    assert ledger.spent() == ()


@pytest.mark.parametrize("other", [{"steps": 7}, {"batch": 19}])
def test_a_training_is_taken_up_as_it_was_paid_for(
    other: dict[str, int], cohort: Table, ledger: Ledger, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"rng": stream(0, "fit"), "ledger": ledger, "resume": tmp_path}
    SPECS[1].fit(cohort, plan=PLAN, **how)
    with pytest.raises(UsageError, match="taken up as it was planned"):
        SPECS[1].fit(cohort, plan={**PLAN, **other}, **how)
    assert len(ledger.spent()) == 2


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
@pytest.mark.parametrize("lacking", [{"n_public": None}, {"public": False}])
def test_what_is_not_declared_is_refused_before_any_record_is_looked_at(
    spec: Any, lacking: dict[str, Any], cohort: Table, ledger: Ledger
) -> None:
    unseen: Any = SimpleNamespace(schema=replace(cohort.schema, **lacking))
    with pytest.raises(UsageError):
        spec.fit(unseen, rng=stream(0, "fit"), ledger=ledger)
    if "n_public" in lacking:
        with pytest.raises(UsageError, match="no public number of patients"):
            spec.plan(unseen, rng=stream(0, "plan"))
    assert ledger.spent() == ()


def test_one_record_of_each_patient_counts(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = list[int]()
    plain = private.Private.check
    monkeypatch.setattr(
        private.Private,
        "check",
        lambda self, t, source, p: (sizes.append(len(source.subjects)), plain(self, t, source, p)),
    )
    parts = simulated(stream(0, "cohort"))
    both = concat([parts.base, parts.planted])
    SPECS[1].fit(both, rng=stream(0, "fit"), plan=PLAN, ledger=ledger)
    assert len(both) == PATIENTS + RECORDS and sizes == [PATIENTS + 1]


def test_what_stands_in_has_the_columns_that_were_counted(cohort: Table) -> None:
    coder = public_encoding(cohort.schema)
    counts = tuple(
        np.eye(size, dtype=np.int64)[0] * 700 + np.eye(size, dtype=np.int64)[1] * 300 for size in coder.sizes
    )
    made = coder.encode(Paid(counts, (Noise(1.0, 1, 4),)).stand_in(coder, rng=stream(0, "stand-in")))
    assert ((made == 0).mean(0) == pytest.approx(0.7, abs=0.1)) and (made < 2).all()
    # Each column apart from the others, whatever they had to do with each other.
    assert np.abs(np.corrcoef(made.T)[np.triu_indices(4, 1)]).max() < 0.25


def test_what_was_paid_is_kept_to_the_bit(tmp_path: Path) -> None:
    paid = Paid((np.array([5, -3]), np.array([1, 2, 9])), (Noise(7.5, 1, 2), Steps(1.25, 0.1, 30)), "4f1d")
    assert Paid.load(tmp_path) is None
    paid.save(tmp_path)
    again = Paid.load(tmp_path)
    assert (
        again is not None
        and (again.spent, again.receipt) == (paid.spent, paid.receipt)
        and (tmp_path / MEASURED).exists()
    )
    assert all(np.array_equal(a, b) for a, b in zip(again.counts, paid.counts, strict=True))
