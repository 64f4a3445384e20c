"""Defects of other tools that void their guarantee, each tried on ours.

Sources: the issues of smartnoise-sdk (#472, #485, #569) and of opacus (#571), the code of synthcity and private-pgm.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import PrivacyError
from semblance.core.promise import MEASURED, Noise
from semblance.core.rng import stream
from semblance.core.schema import OTHER, Column, Schema
from semblance.modalities.table.audit import PATIENTS, simulated
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.declare import Declared
from semblance.modalities.table.generators.pairwise import Measured, Pairwise
from semblance.modalities.table.measure import Found, measure
from semblance.privacy.ledger import Ledger

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


def test_no_seed_of_anybody_repeats_the_noise(cohort: Table, tmp_path: Path) -> None:
    """synthcity seeds torch with 0, smartnoise's AIM draws from numpy, private-pgm's AIM drops the generator that it is
    given: whoever knows the seed knows the noise."""
    torch = pytest.importorskip("torch")
    seen = []
    for run in range(2):
        random.seed(0), np.random.seed(0), torch.manual_seed(0)
        one = Ledger.open(tmp_path / str(run), cohort="c", epsilon=1.0, delta=1e-6)
        seen.append(QUICK.measured(cohort, one)[1])
    assert not np.array_equal(np.concatenate(seen[0].columns), np.concatenate(seen[1].columns))


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
    assert {noise.sigma for noise in ledger.spent()} == {told.column_sigma, told.pair_sigma}
    assert (ledger.guarantee().epsilon or 9) <= 2
    with pytest.raises(PrivacyError):
        QUICK.measured(cohort, ledger)


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
