"""Recordings under differential privacy: what is not paid for is declared, and is the same whoever is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.promise import MEASURED, Noise, Steps
from semblance.core.rng import stream
from semblance.core.schema import Column, Schema
from semblance.learn.drawn import Sizes
from semblance.learn.nets.spread import Spread
from semblance.learn.network import Drawn
from semblance.learn.patients import Patients
from semblance.modalities.signal.data import Lead, Marks, Public, Recordings, concat
from semblance.modalities.signal.generators.diffusion import Diffusion
from semblance.modalities.signal.generators.private import BEATS, PaidBeats, PrivateSpec, Work
from semblance.modalities.signal.generators.timevae import TimeVae
from semblance.modalities.signal.waveform import cosines
from semblance.privacy.ledger import Ledger
from tests.modalities.signal.simulated import recordings

SPECS = (Diffusion(width=16, blocks=1, steps=4), TimeVae(latent=2, channels=2))
SPEC = SPECS[0]
PLAN = {"steps": 4, "batch": 10}
COLUMNS = (
    Column("age", "integer", dtype="int64", min=18, max=99, bound="declared"),
    Column("sex", "categorical", categories=("F", "M"), bound="declared"),
)
PUBLIC = Public(250.0, (Lead("II"), Lead("V1")), ((-3.0, 3.0), (-3.0, 3.0)), 8.0, ("N", "S", "V"))


def declared(whole: Recordings) -> Recordings:
    return replace(whole, schema=Schema(COLUMNS, "ecg", 40, public=True), public=PUBLIC)


@pytest.fixture(scope="module")
def cohort() -> Recordings:
    return declared(recordings(40, 3))


def opened(folder: Path, epsilon: float = 5.0) -> Ledger:
    return Ledger.open(folder / "ledgers", cohort="ecg", epsilon=epsilon, delta=1e-3)


def fitted(train: Recordings, ledger: Ledger, spec: PrivateSpec = SPEC, **how: Any) -> Any:
    return spec.fit(train, rng=stream(0, "fit"), plan=PLAN, ledger=ledger, **how)


def values(model: Any) -> np.ndarray:
    made = concat(list(model.sample(3, rng=stream(0, "sample"))))
    return np.concatenate([one.values() for one in made.recordings])


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
def test_it_pays_once_keeps_what_it_paid_for_and_looks_at_nobody_again(spec, cohort, tmp_path):
    ledger = opened(tmp_path)
    model = fitted(cohort, ledger, spec, resume=tmp_path)
    *noises, steps = ledger.spent()
    assert [(n.count, n.sensitivity) for n in noises if isinstance(n, Noise)] == [(6, 1), (2, BEATS), (128, 1)]
    assert isinstance(steps, Steps) and (steps.rate, steps.count) == (10 / 40, 4)
    assert [part.to_json() for part in ledger.spent()] == model.measured["noise"]
    assert 4 < (ledger.guarantee().epsilon or 0) <= 5
    model.save(tmp_path / "model")
    again = type(spec).load(tmp_path / "model")
    assert again.measured == model.measured and np.array_equal(values(again), values(model))
    nobody = cohort.take(np.arange(0))
    assert np.array_equal(values(fitted(nobody, ledger, spec, resume=tmp_path)), values(model))
    with pytest.raises(PrivacyError, match="nothing is left"):
        fitted(cohort, ledger, spec)
    (tmp_path / "training.safetensors").unlink()
    with pytest.raises(PrivacyError, match="finished a second time"):
        fitted(nobody, ledger, spec, resume=tmp_path)


def test_no_spread_is_looked_at_that_nobody_paid_for(cohort, tmp_path, monkeypatch):
    def looked(*told: Any, **more: Any) -> None:
        raise AssertionError("records were looked at again")

    monkeypatch.setattr(Spread, "fit", looked)
    spread = fitted(cohort, opened(tmp_path)).learned.objective.net.drawn
    assert not spread.means.any() and not spread.slopes.any() and (spread.gains == 1).all()


def test_all_but_the_weights_is_the_same_with_another_patient_and_given_the_same_counts(cohort, tmp_path):
    odd = recordings(1, 99)
    wild = replace(odd.recordings[0], values=lambda: np.full((odd.recordings[0].length, 2), 2.9, dtype=np.float32))
    other = replace(cohort, recordings=(wild, *cohort.recordings[1:]))
    one, two = Work.of(cohort), Work.of(other)
    assert all(np.array_equal(a, two.code.arrays()[name]) for name, a in one.code.arrays().items())
    assert (one.cut, one.grid, one.public) == (two.cut, two.grid, two.public)
    ledger = opened(tmp_path)
    fitted(cohort, ledger, resume=tmp_path)
    paid = PaidBeats.load(tmp_path)
    assert paid is not None
    (tmp_path / "other").mkdir()
    copy(tmp_path / MEASURED, tmp_path / "other")
    from semblance.modalities.signal.counted import Counted

    first, second = (w.recorder(Counted(w.grid, paid.counts, paid.sigmas)) for w in (one, two))
    assert first.to_json() == second.to_json()
    assert all(np.array_equal(a, second.arrays()[name]) for name, a in first.arrays().items())
    (a, rows), (b, same) = (SPEC._begun(r, 7) for r in (first, second))
    assert np.array_equal(rows, same)
    assert all(np.array_equal(x.numpy(), b.net.state_dict()[k].numpy()) for k, x in a.net.state_dict().items())


def test_a_patient_gives_only_own_beats_and_moves_nobody_elses_rows():
    rng = np.random.default_rng(0)
    whose, labels = rng.integers(0, 9, 200), rng.integers(0, 3, 200)
    source = Patients(np.column_stack([whose, labels]).astype(np.float32), labels, whose, shown=BEATS)
    for _ in range(50):
        shown = source.batch(np.array([0, 4, 8])).numpy()
        assert shown.shape == (3, BEATS, 2)
        assert (shown[:, :, 0] == source.subjects[[0, 4, 8], None]).all()


def test_recordings_that_were_not_declared_are_refused_before_anything_is_paid(tmp_path):
    ledger = opened(tmp_path)
    with pytest.raises(UsageError, match="declarations"):
        fitted(recordings(10, 1), ledger)
    unnumbered = declared(recordings(10, 1))
    with pytest.raises(UsageError, match="public number"):
        fitted(replace(unnumbered, schema=replace(unnumbered.schema, n_public=None)), ledger)
    assert ledger.spent() == ()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
def test_no_value_of_a_lone_patient_and_no_undeclared_kind_is_kept_or_made(spec, cohort, tmp_path):
    one = cohort.recordings[0]
    spike = one.values().copy()
    spike[50:60] = 1.234567
    strange = Marks(one.beats.at, np.full(len(one.beats), "f", dtype=object))
    planted = replace(one, name="Zanzibar", values=lambda: spike, beats=strange)
    frame = cohort.frame.assign(age=np.where(np.arange(40) == 0, 27.123, cohort.frame["age"]))
    model = fitted(replace(cohort, recordings=(planted, *cohort.recordings[1:]), frame=frame), opened(tmp_path), spec)
    model.save(tmp_path / "model")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "model").iterdir())
    for secret in (np.float32(1.234567).tobytes(), np.float64(27.123).tobytes(), b"27.123", b"Zanzibar"):
        assert secret not in kept
    made = concat(list(model.sample(5, rng=stream(0, "sample"))))
    assert {symbol for r in made.recordings for symbol in r.beats.symbol} <= {"N", "S", "V"}
    assert {r.length for r in made.recordings} == {2000}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.card.name)
def test_a_plan_is_made_without_recordings(spec, cohort):
    plan = spec.plan(cohort.take(np.arange(0)), rng=stream(0, "plan"), time_budget=0.2)
    assert plan["batch"] == 2 and 1 <= plan["steps"] <= 30 * 20


def test_a_networks_rows_are_the_way_back_from_what_it_draws(cohort):
    """Waves in time of the cosines that are counted, and cosines of these waves."""
    spec, numbers = SPECS[1], stream(0, "numbers").standard_normal((5, 128)).astype(np.float32)
    recorder = Work.of(cohort).nobody()
    given, labels = np.zeros((5, recorder.sizes.given)), np.zeros(5, dtype=np.int64)
    rows = spec._rows(recorder, numbers, given, labels)
    waves = rows[:, :128].reshape(5, 2, 64)
    assert np.allclose(cosines(waves), numbers, atol=1e-5)


def test_what_is_alike_in_the_noise_is_alike_in_waves():
    spec, sizes = SPECS[1], Sizes(128, 1, 2, 2)
    objective = spec.apart(spec.parts(sizes))
    objective.start(np.zeros((2, 130)), rng=stream(0, "weights"))
    waves = spec.told(Drawn(objective), sizes.channels)
    start, labels, given = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]), np.zeros(3, dtype=int), np.zeros((3, 1))
    one, same, other = waves.draw_from(start, labels, given)
    assert waves.noise == 2 and np.array_equal(one, same) and not np.array_equal(one, other)
