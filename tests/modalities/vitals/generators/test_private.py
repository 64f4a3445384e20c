"""Stays under differential privacy: what is not paid for is declared, and is the same whoever is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.model import Wanted
from semblance.core.promise import MEASURED, Noise, Steps
from semblance.core.rng import stream
from semblance.learn.nets.spread import Spread
from semblance.modalities.vitals.data import Stays, concat
from semblance.modalities.vitals.encoding.counted import Counted, Grid
from semblance.modalities.vitals.encoding.public import PublicEncoding
from semblance.modalities.vitals.generators.diffusion import Diffusion
from semblance.modalities.vitals.generators.private import SHOWN, PaidStays, _source
from semblance.privacy.ledger import Ledger
from semblance.privacy.noise import system
from tests.modalities.vitals.declared import CHANNELS, PUBLIC, SCHEMA, declared
from tests.modalities.vitals.simulated import stays

SPEC = Diffusion(width=16, depth=1, steps=4)
PLAN = {"steps": 4, "batch": 10}
GRID = Grid(SCHEMA, CHANNELS, PUBLIC)


@pytest.fixture(scope="module")
def ward() -> Stays:
    return declared(60, 3)


def opened(folder: Path, epsilon: float = 5.0) -> Ledger:
    return Ledger.open(folder / "ledgers", cohort="ward", epsilon=epsilon, delta=1e-3)


def fitted(train: Stays, ledger: Ledger, **how: Any) -> Any:
    return SPEC.fit(train, rng=stream(0, "fit"), plan=PLAN, ledger=ledger, **how)


def made(model: Any, **how: Any) -> Stays:
    return concat(list(model.sample(20, rng=stream(0, "sample"), **how)))


def test_it_pays_once_keeps_what_it_paid_for_and_looks_at_nobody_again(ward, tmp_path):
    ledger = opened(tmp_path)
    model = fitted(ward, ledger, resume=tmp_path)
    *noises, steps = ledger.spent()
    looks = [(len(look), 1) for look in GRID.shapes]
    assert [(n.count, n.sensitivity) for n in noises if isinstance(n, Noise)] == looks
    assert isinstance(steps, Steps) and (steps.rate, steps.count) == (10 / 100, 4)
    assert [part.to_json() for part in ledger.spent()] == model.measured["noise"]
    assert 4 < (ledger.guarantee().epsilon or 0) <= 5
    model.save(tmp_path / "model")
    again = Diffusion.load(tmp_path / "model")
    assert again.measured == model.measured and np.array_equal(made(again).value, made(model).value)
    nobody = ward.take(np.arange(0))
    assert np.array_equal(made(fitted(nobody, ledger, resume=tmp_path)).value, made(model).value)
    with pytest.raises(PrivacyError, match="nothing is left"):
        fitted(ward, ledger)
    (tmp_path / "training.safetensors").unlink()
    with pytest.raises(PrivacyError, match="finished a second time"):
        fitted(nobody, ledger, resume=tmp_path)


def test_no_spread_is_looked_at_that_nobody_paid_for(ward, tmp_path, monkeypatch):
    def looked(*told: Any, **more: Any) -> None:
        raise AssertionError("stays were looked at again")

    monkeypatch.setattr(Spread, "fit", looked)
    spread = fitted(ward, opened(tmp_path)).learned.objective.net.drawn
    assert not spread.means.any() and not spread.slopes.any() and (spread.gains == 1).all()


def test_all_but_the_weights_is_the_same_with_another_patient_and_given_the_same_counts(ward, tmp_path):
    fitted(ward, opened(tmp_path), resume=tmp_path)
    paid = PaidStays.load(tmp_path)
    assert paid is not None
    counted = Counted(GRID, paid.counts, paid.sigmas)
    other = replace(ward, value=np.where(ward.stay == 0, 15.0, ward.value))
    one, two = (PublicEncoding.of(data, counted) for data in (ward, other))
    assert one.to_json() == two.to_json() and one.sizes == two.sizes
    (a, rows), (b, same) = (SPEC._begun(code.sizes, 7) for code in (one, two))
    assert np.array_equal(rows, same)
    assert all(np.array_equal(x.numpy(), b.net.state_dict()[k].numpy()) for k, x in a.net.state_dict().items())
    # What was measured is all that a run is taken up from.
    (tmp_path / "other").mkdir()
    copy(tmp_path / MEASURED, tmp_path / "other")
    assert PaidStays.load(tmp_path / "other").sigmas == paid.sigmas


def test_a_patient_of_many_stays_counts_once_and_shows_as_many_as_all_others(ward, tmp_path):
    many = ward.take(np.concatenate([np.zeros(500, dtype=np.int64), np.arange(1, 60)]))
    model = fitted(many, opened(tmp_path))
    assert 30 <= model.measured["records"] <= 90  # noise, around 60; stays are 559
    source = _source(model.encoding, many, rng=system())
    assert len(source.subjects) == 60 and source.batch(np.array([0, 5])).shape[:2] == (2, SHOWN)


def test_stays_that_were_not_declared_are_refused_before_anything_is_paid(ward, tmp_path):
    ledger = opened(tmp_path)
    with pytest.raises(UsageError, match="declarations"):
        fitted(stays(10, 1), ledger)
    with pytest.raises(UsageError, match="public number"):
        fitted(replace(ward, schema=replace(ward.schema, n_public=None)), ledger)
    with pytest.raises(UsageError, match="plan of 0 steps"):
        SPEC.fit(ward, rng=stream(0, "fit"), plan={"steps": 0, "batch": 10}, ledger=ledger)
    assert ledger.spent() == ()


def test_no_value_of_a_lone_patient_is_kept_or_made(ward, tmp_path):
    odd = ward.stay == 0
    value = np.where(odd & (ward.channel == 2), 123.456789, ward.value)
    minute = np.where(odd, np.floor(ward.minute) + 0.123456, ward.minute)
    frame = ward.frame.assign(age=np.where(np.arange(60) == 0, 27.123, ward.frame["age"]))
    model = fitted(replace(ward, value=value, minute=minute, frame=frame), opened(tmp_path))
    model.save(tmp_path / "model")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "model").iterdir())
    for secret in (np.float64(123.456789).tobytes(), b"123.456789", np.float64(27.123).tobytes(), b"27.123"):
        assert secret not in kept
    some = made(model)
    assert not np.isin(some.value, [123.456789]).any() and (some.minute % 60 == 0).all()
    assert set(some.frame["died"].dropna().astype(str)) <= {"0", "1"}


def test_a_plan_is_made_without_stays(ward):
    plan = SPEC.plan(ward.take(np.arange(0)), rng=stream(0, "plan"), time_budget=0.2)
    assert plan["batch"] == 5 and 1 <= plan["steps"] <= 30 * 20


def test_outcomes_can_be_asked_for_and_what_nobody_declared_cannot(ward, tmp_path):
    SPEC.check(ward, wanted=Wanted(given={"died": "1"}))
    with pytest.raises(UsageError, match="does not know"):
        SPEC.check(ward, wanted=Wanted(given={"died": "2"}))
    model = fitted(ward, opened(tmp_path))
    asked = Wanted(quota={"died": {"1": 0.5, "0": 0.5}})
    assert (made(model, wanted=asked).frame["died"].astype(str) == "1").sum() == 10
