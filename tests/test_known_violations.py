"""Defects of other tools that void their guarantee, each tried on ours.

Sources: the issues of smartnoise-sdk (#472, #485, #569) and of opacus (#571, #813), the code of synthcity and
private-pgm. That a patient in every batch, noise that is off and gradients that are not clipped are found out, and that
batch normalisation is refused, stands in tests/learn/test_white_box.py and tests/learn/test_gradients.py.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.promise import MEASURED, Answers, Noise
from semblance.core.rng import stream
from semblance.core.schema import OTHER, Column, Schema
from semblance.learn.rules import Private
from semblance.modalities.table.audit import PATIENTS, simulated
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.declare import Declared
from semblance.modalities.table.generators import private as networks
from semblance.modalities.table.generators.autoregressive import Autoregressive
from semblance.modalities.table.generators.diffusion import Diffusion
from semblance.modalities.table.generators.local import Local
from semblance.modalities.table.generators.measured import Measured
from semblance.modalities.table.generators.pairwise import Pairwise
from semblance.modalities.table.generators.vae import Vae
from semblance.modalities.table.generators.wgan_gp import WganGp
from semblance.modalities.table.measure import Found, measure
from semblance.privacy.ledger import Ledger
from semblance.privacy.noise import sampled

QUICK = Pairwise(components=16, steps=60)


@pytest.fixture
def cohort() -> Table:
    return simulated(stream(0, "cohort")).base


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path, cohort="made-up", epsilon=2.0, delta=1e-6)


def test_a_sample_looks_at_no_record_and_costs_nothing(cohort: Table, ledger: Ledger, tmp_path: Path) -> None:
    """synthcity's AIM is fitted to the private records anew for every sample, which nothing accounts for."""
    QUICK.fit(cohort, rng=stream(0, "fit"), ledger=ledger).save(tmp_path / "model")
    spent = ledger.spent()
    cohort.frame.drop(cohort.frame.index, inplace=True)
    model = Pairwise.load(tmp_path / "model")
    for seed in range(3):
        assert sum(map(len, model.sample(50, rng=stream(seed, "sample")))) == 50
    assert ledger.spent() == spent


@pytest.mark.parametrize("spec", [QUICK, Local()], ids=lambda spec: spec.card.name)
def test_as_many_records_are_drawn_as_are_asked_for(spec: Any, cohort: Table, tmp_path: Path) -> None:
    """synthcity's AIM ignores the number that it is asked for, and gives as many as it learned from."""
    one = Ledger.open(tmp_path, cohort="c", epsilon=2.0, delta=1e-6)
    model = spec.fit(seats(cohort, PATIENTS), rng=stream(0, "fit"), ledger=one)
    for n in (1, PATIENTS - 1, 3 * PATIENTS):
        assert sum(map(len, model.sample(n, rng=stream(0, "sample")))) == n


def test_no_seed_of_anybody_repeats_the_noise(cohort: Table, tmp_path: Path) -> None:
    """synthcity seeds torch with 0, smartnoise's AIM draws from numpy, private-pgm's AIM drops the generator that it is
    given: whoever knows the seed knows the noise."""
    torch = pytest.importorskip("torch")
    seen = []
    for run in range(2):
        random.seed(0), np.random.seed(0), torch.manual_seed(0)
        one = Ledger.open(tmp_path / str(run), cohort="c", epsilon=1.0, delta=1e-6)
        seen.append(QUICK.measured(cohort, one)[1])
    assert not all(np.array_equal(*two) for two in zip(seen[0].columns, seen[1].columns, strict=True))


def test_no_value_of_a_record_is_in_what_is_kept_or_drawn(cohort: Table, ledger: Ledger, tmp_path: Path) -> None:
    """synthcity's PrivBayes keeps numbers as labels, and so draws the real ones; here one in a million is real."""
    schema = cohort.schema.with_columns(
        column if column.name != "x" else type(column)("x", "numeric", min=0, max=9, bound="declared", decimals=3)
        for column in cohort.schema
    )
    real = stream(1, "real").uniform(2, 6, PATIENTS).round(9)
    table = Table(schema, cohort.frame.assign(x=real), cohort.subjects)
    model = QUICK.fit(table, rng=stream(0, "fit"), ledger=ledger, resume=tmp_path)
    drawn = concat(list(model.sample(2000, rng=stream(0, "sample")))).frame["x"]
    assert not np.isin(drawn, real).any()
    kept = b"".join(path.read_bytes() for path in [tmp_path / MEASURED])
    assert not any(value.tobytes() in kept for value in real)


def test_a_category_that_nobody_declared_never_appears(cohort: Table, ledger: Ledger, tmp_path: Path) -> None:
    """smartnoise and synthcity read the categories off the records, exactly and for nothing."""
    labels = [*cohort.frame["u"].cat.categories, "rare disease"]
    held = pd.Categorical.from_codes(cohort.frame["u"].cat.codes.to_numpy().copy(), labels)
    held[3:60] = "rare disease"
    model = QUICK.fit(
        Table(cohort.schema, cohort.frame.assign(u=held), cohort.subjects), rng=stream(0, "fit"), ledger=ledger
    )
    model.save(tmp_path / "model")
    assert "rare disease" not in set(concat(list(model.sample(500, rng=stream(0, "s")))).frame["u"])
    assert all(b"rare disease" not in path.read_bytes() for path in (tmp_path / "model").iterdir())


def test_the_true_number_of_records_is_in_nothing_that_is_kept(cohort: Table, tmp_path: Path) -> None:
    """smartnoise's samples have the exact private n by default; opacus takes its batch size from it."""
    told = set()
    for run in range(8):
        one = Ledger.open(tmp_path / str(run), cohort="c", epsilon=1.0, delta=1e-6)
        told.add(QUICK.fit(cohort, rng=stream(0, "fit"), ledger=one).measured["records"])
    assert len(told) > 3


def test_noise_is_as_large_as_was_paid_for_whatever_is_counted(ledger: Ledger, tmp_path: Path) -> None:
    """smartnoise's MWEM divides its noise by the number of dimensions."""
    rich = Ledger.open(tmp_path / "rich", cohort="c", epsilon=1e4, delta=1e-6)
    codes = np.zeros((1, 4), dtype=np.int64)
    for subset in ((0,), (0, 1), (0, 1, 2, 3)):
        (counts,) = rich.noisy_counts(codes, np.full(4, 6), [subset], np.zeros(1, int), sigma=20.0, note="x")
        spread = np.delete(counts.ravel(), 0)
        assert np.sqrt((spread**2).mean()) == pytest.approx(20, rel=0.1 if len(subset) == 4 else 1.1)
    assert rich.spent() == (Noise(20.0),) * 3


def test_every_table_that_is_counted_is_paid_for_and_none_that_is_not(cohort: Table, ledger: Ledger) -> None:
    """private-pgm's AIM measures initial cliques that its budget does not count; smartnoise charges a preprocessing
    that does not happen, and stops only after the budget is exceeded."""
    _, told = QUICK.measured(cohort, ledger)
    assert sum(noise.count for noise in ledger.spent()) == len(told.columns) + len(told.pairs)
    assert {noise.sigma for noise in ledger.spent()} == {*told.sigmas, told.pair_sigma}
    assert (ledger.guarantee().epsilon or 9) <= 2
    with pytest.raises(PrivacyError):
        QUICK.measured(cohort, ledger)


def seats(cohort: Table, count: int = 150) -> Table:
    return replace(cohort, schema=replace(cohort.schema, n_public=count))


def test_epsilon_is_for_a_patient_and_not_for_each_of_its_columns(cohort: Table, ledger: Ledger) -> None:
    """Local reports that answer every column with all of epsilon, or the same question day after day, add up: Tang et
    al. (2017) found that of Apple's, Wang et al. (2017) say what dividing it costs."""
    _, told = Local().measured(seats(cohort), ledger)
    assert ledger.spent() == (Answers(2.0),) and told.epsilon == 2.0
    assert sum(tally.asked for tally in told.tallies) == 150
    with pytest.raises(PrivacyError):
        Local().measured(seats(cohort), ledger)


def test_no_seed_of_anybody_repeats_an_answer(cohort: Table, tmp_path: Path) -> None:
    """A randomiser that is seeded at its source, by a patient's number say, can be undone by whoever knows it."""
    seen = []
    for run in range(2):
        random.seed(0), np.random.seed(0)
        one = Ledger.open(tmp_path / str(run), cohort="c", epsilon=1.0, delta=1e-6)
        seen.append(Local().measured(seats(cohort), one)[1])
    assert not all(np.array_equal(a.counts, b.counts) for a, b in zip(seen[0].tallies, seen[1].tallies, strict=True))


def test_the_number_of_reports_is_public_whoever_is_there(cohort: Table, tmp_path: Path) -> None:
    """That somebody has answered tells that it is there: without empty seats reports would promise less than counts."""
    for run, part in enumerate((cohort, cohort.take(np.arange(40)))):
        one = Ledger.open(tmp_path / str(run), cohort="c", epsilon=1.0, delta=1e-6)
        assert sum(tally.asked for tally in Local().measured(seats(part), one)[1].tallies) == 150


def test_a_resumed_run_measures_nothing_again(cohort: Table, ledger: Ledger, tmp_path: Path) -> None:
    one = QUICK.fit(cohort, rng=stream(0, "fit"), ledger=ledger, resume=tmp_path)
    spent = ledger.spent()
    two = QUICK.fit(cohort, rng=stream(0, "fit"), ledger=ledger, resume=tmp_path)
    assert ledger.spent() == spent and Measured.load(tmp_path) is not None
    assert np.array_equal(one.mixture.shares, two.mixture.shares)


def test_a_plan_looks_at_nothing() -> None:
    """Early stopping, step counts and budgets of time from private records are statistics that nobody paid for."""
    unseen: Any = object()
    assert QUICK.plan(unseen, rng=stream(0, "plan"), time_budget=1.0) == {}


# Networks under DP-SGD

SMALL = [
    Autoregressive(width=8, blocks=1),
    Vae(width=8, latent=4),
    Diffusion(width=8, blocks=1),
    WganGp(width=8, turns=1),
]
PLAN: dict[str, Any] = {"steps": 3, "batch": 20}
each_network = pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.card.name)


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "STAND_IN", 200)


@each_network
@pytest.mark.usefixtures("_few")
def test_nothing_but_gradients_is_made_of_records(
    spec: Any, cohort: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """synthcity's DPGAN fits its encoders and scales to the records, others start at their shares. Here, with counts
    and gradients that hold nothing, two cohorts that have no value in common become the same model."""
    monkeypatch.setattr("semblance.privacy.ledger.noised", lambda counts, sigma: counts * 0 + 10)
    monkeypatch.setattr(Private, "_clipped", lambda self, turn, loss, batch, noise: [0 * p for p in turn.parameters])
    monkeypatch.setattr("semblance.learn.rules.normal", lambda count: np.zeros(count, dtype=np.float32))
    # Only what draws from the system's randomness beside records may differ between the runs.
    monkeypatch.setattr("semblance.learn.rules.randbits", lambda bits: 1)
    last = {"u": "d", "v": "d", "x": 9.0, "y": "yes"}
    other = cohort.frame.assign(
        **{c: pd.Categorical([v] * PATIENTS, cohort.schema[c].categories) if c != "x" else v for c, v in last.items()}
    )
    kept = []
    for run, frame in enumerate((cohort.frame, other)):
        ledger = Ledger.open(tmp_path / str(run), cohort="audit", epsilon=2.0, delta=1e-6)
        table = Table(cohort.schema, frame, cohort.subjects)
        spec.fit(table, rng=stream(0, "fit"), plan=PLAN, ledger=ledger).save(tmp_path / f"model {run}")
        kept.append({path.name: path.read_bytes() for path in (tmp_path / f"model {run}").iterdir()})
    assert kept[0] == kept[1]


@each_network
@pytest.mark.usefixtures("_few")
def test_no_record_is_kept_aside_to_stop_or_to_choose_by(
    spec: Any, cohort: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """synthcity's DPGAN stops early by private records that nobody paid for."""
    sizes, ticks = list[int](), list[Any]()
    monkeypatch.setattr(Private, "check", lambda self, turns, source, plan: sizes.append(len(source.subjects)))
    ledger = Ledger.open(tmp_path, cohort="audit", epsilon=2.0, delta=1e-6)
    spec.fit(cohort, rng=stream(0, "fit"), plan={**PLAN, "look": 1}, ledger=ledger, watch=ticks.append)
    assert sizes == [PATIENTS] and [tick.held_out for tick in ticks] == [None] * 3


@pytest.mark.usefixtures("_few")
def test_no_seed_repeats_a_training(cohort: Table, tmp_path: Path) -> None:
    """synthcity seeds torch with 0, smartnoise's discriminator as well: the noise of every step is known."""
    torch = pytest.importorskip("torch")
    kept = []
    for run in range(2):
        random.seed(0), np.random.seed(0), torch.manual_seed(0)
        ledger = Ledger.open(tmp_path / str(run), cohort="audit", epsilon=2.0, delta=1e-6)
        kept.append(SMALL[1].fit(cohort, rng=stream(0, "fit"), plan=PLAN, ledger=ledger).arrays())
    assert not any(np.array_equal(kept[0][name], kept[1][name]) for name in kept[0] if kept[0][name].size)


@pytest.mark.usefixtures("_few")
def test_the_true_number_of_patients_is_in_no_step(
    cohort: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """opacus divides by a batch size that it takes from the private n (#571), by which neighbours are told apart."""
    rules: list[Private] = []
    plain = Private.check
    monkeypatch.setattr(
        Private, "check", lambda self, turns, source, plan: rules.append(self) or plain(self, turns, source, plan)
    )
    for run, n in enumerate((PATIENTS, PATIENTS // 3)):
        ledger = Ledger.open(tmp_path / str(run), cohort="audit", epsilon=2.0, delta=1e-6)
        SMALL[1].fit(cohort.take(np.arange(n)), rng=stream(0, "fit"), plan=PLAN, ledger=ledger)
    assert rules[0] == rules[1] and rules[0].expected == 20


@pytest.mark.usefixtures("_few")
@each_network
def test_a_rare_patient_is_drawn_as_often_as_any_other(
    spec: Any, cohort: Table, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """opacus accounts for a sampler that draws by weights, as for rare classes, as if all were equal (#813)."""
    from semblance.learn import rules

    plain, drawn = rules.sampled, list[tuple[int, float]]()
    monkeypatch.setattr(rules, "sampled", lambda count, rate: drawn.append((count, rate)) or plain(count, rate=rate))
    rare = pd.Categorical(["yes"] * 3 + ["no"] * (PATIENTS - 3), ["no", "yes"])
    table = Table(cohort.schema, cohort.frame.assign(y=rare), cohort.subjects)
    spec.fit(table, rng=stream(0, "fit"), plan=PLAN, ledger=ledger)
    assert len(drawn) == PLAN["steps"] * spec.looks and set(drawn) == {(PATIENTS, PLAN["batch"] / PATIENTS)}


def test_coins_are_the_same_for_each_place() -> None:
    drawn = np.concatenate([sampled(8, rate=0.25) for _ in range(2000)])
    assert np.allclose(np.bincount(drawn, minlength=8) / 2000, 0.25, atol=0.05)  # five standard deviations


def test_no_record_has_a_part_in_what_another_is_shown_as() -> None:
    """Times that are spread evenly over a batch tell how many are in it; each must be drawn apart from the others."""
    torch = pytest.importorskip("torch")
    from semblance.learn.packed import Layout

    one = Layout(np.array([True]), np.zeros(0, np.int64), owner=np.array([-1]), first=np.array([0]))
    times = Diffusion(width=8, blocks=1).apart(one)._times(4000, torch.Generator().manual_seed(0))  # type: ignore[attr-defined]
    gaps = np.diff(np.sort(times.numpy()))
    assert gaps.std() == pytest.approx(1 / 4000, rel=0.15)


@pytest.mark.usefixtures("_few")
def test_a_training_takes_as_many_steps_as_were_paid_for(cohort: Table, tmp_path: Path) -> None:
    """smartnoise's DPGAN stops only after its epsilon is exceeded, and returns a budget that is not the spent one
    (#569)."""
    ledger, ticks = Ledger.open(tmp_path, cohort="audit", epsilon=2.0, delta=1e-6), list[Any]()
    SMALL[0].fit(cohort, rng=stream(0, "fit"), plan=PLAN, ledger=ledger, watch=ticks.append)
    assert len(ticks) == ledger.spent()[-1].count == 3 and (ledger.guarantee().epsilon or 9) <= 2


@pytest.mark.usefixtures("_few")
def test_a_network_takes_no_codes_from_records(cohort: Table, ledger: Ledger) -> None:
    seen = Table(cohort.schema.with_columns(cohort.schema), cohort.frame, cohort.subjects)
    private = type(seen.schema)(seen.schema.columns, "audit", PATIENTS, public=False)
    with pytest.raises(UsageError, match="read off the records"):
        SMALL[0].fit(Table(private, seen.frame, seen.subjects), rng=stream(0, "fit"), plan=PLAN, ledger=ledger)
    assert ledger.spent() == ()


def test_no_bound_is_the_least_or_largest_value_of_a_record(tmp_path: Path) -> None:
    """diffprivlib and synthcity take the bounds from the data: the largest age is that of a patient."""
    alone = np.append(stream(0, "ages").uniform(20, 80, 2000), [97.3, 3.1])
    for run in range(5):
        told = _looked(tmp_path / str(run), Column("x", "numeric", bound="measured"), pd.DataFrame({"x": alone}))
        assert not np.isin([*told.columns["x"].values()], alone).any()


def test_no_category_is_told_that_one_patient_holds_however_many_records_it_has(tmp_path: Path) -> None:
    """smartnoise's LabelTransformer and synthcity's encoders learn every category, those of one patient too."""
    held = pd.Categorical([*(["common"] * 1500), *(f"rare {i}" for i in range(500)), *(["mine"] * 3000)])
    whose = np.minimum(np.arange(5000), 2000)
    for run in range(5):
        column = Column("x", "categorical", bound="measured")
        told = _looked(tmp_path / str(run), column, pd.DataFrame({"x": held}), whose)
        assert told.columns["x"] == {"categories": ["common", OTHER]}


def test_a_number_of_patients_that_is_measured_is_not_the_number_of_patients(tmp_path: Path) -> None:
    """smartnoise's samples have as many records as the data; many tools derive delta from it."""
    frame, column = pd.DataFrame({"x": np.tile(np.arange(50.0), 40)}), Column("x", "integer", bound="measured")
    told = {_looked(tmp_path / str(run), column, frame).patients for run in range(8)}
    assert len(told) > 3 and abs(np.mean([n or 0 for n in told]) - 2000) < 200


def _looked(folder: Path, column: Column, frame: pd.DataFrame, whose: np.ndarray | None = None) -> Found:
    """What is measured of a column, and the number of patients."""
    ledger = Ledger.open(folder, cohort="c", epsilon=1.0, delta=1e-6)
    subjects = np.arange(len(frame)) if whose is None else whose
    return measure(Schema((column,)), Declared(counted=True), frame, subjects, ledger)
