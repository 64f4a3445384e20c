"""Randomised answers: one of each patient, useful where epsilon allows, and nothing of the records in what is kept."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.model import Wanted
from semblance.core.promise import Answers
from semblance.core.rng import stream
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators.local import Local, LocalModel, Told
from semblance.modalities.table.generators.pairwise import Pairwise
from semblance.privacy.ledger import Ledger
from tests.modalities.table.generators.test_pairwise import patients

SEATS, EPSILON = 15_000, 6.0
QUICK = Local(components=8, steps=30)


def public(table: Table, seats: int = SEATS) -> Table:
    return replace(table, schema=replace(table.schema, n_public=seats))


def opened(folder: Path, name: str = "made-up", epsilon: float = EPSILON) -> Ledger:
    return Ledger.open(folder, cohort=name, epsilon=epsilon, delta=1e-6)


@pytest.fixture(scope="module")
def train() -> Table:
    return public(patients(12_000))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return opened(tmp_path_factory.mktemp("ledgers"))


@pytest.fixture(scope="module")
def model(train: Table, ledger: Ledger) -> LocalModel:
    return Local(components=32, steps=300).fit(train, rng=stream(0, "fit"), ledger=ledger)


def test_every_patient_gives_one_answer_with_all_of_epsilon(model: LocalModel, ledger: Ledger, train: Table) -> None:
    assert ledger.spent() == (Answers(EPSILON),)
    assert EPSILON * 0.99 < (ledger.guarantee().epsilon or 0) <= EPSILON
    assert model.measured["reports"] == SEATS
    assert model.measured["records"] == pytest.approx(12_000, rel=0.03)  # of 15,000 seats, as answers tell
    with pytest.raises(PrivacyError):
        QUICK.fit(train, rng=stream(0, "fit"), ledger=ledger)


def test_what_goes_together_still_does(model: LocalModel, train: Table) -> None:
    drawn = concat(list(model.sample(6000, rng=stream(0, "sample")))).frame
    assert drawn["age"].mean() == pytest.approx(train.frame["age"].mean(), abs=3.0)
    late = drawn["stage"].isin(["III", "IV"])
    assert (drawn["died"] == "yes")[late].mean() > 0.75 > 0.25 > (drawn["died"] == "yes")[~late].mean()
    for column in ("sex", "stage", "died"):
        shares = [frame[column].value_counts(normalize=True) for frame in (train.frame, drawn)]
        assert shares[0].subtract(shares[1], fill_value=0).abs().sum() / 2 < 0.1


def test_conditions_are_exact_and_survive_saving(model: LocalModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again, wanted = Local.load(tmp_path), Wanted(given={"age": (70, 80)}, quota={"died": {"yes": 0.5, "no": 0.5}})
    one, two = (concat(list(m.sample(200, rng=stream(1), wanted=wanted))).frame for m in (model, again))
    assert one["age"].between(70, 80).all() and (one["died"] == "yes").sum() == 100
    pd.testing.assert_frame_equal(one, two)


def test_no_seed_repeats_an_answer(train: Table, tmp_path: Path) -> None:
    told = [QUICK.measured(train, opened(tmp_path, name))[1] for name in ("one", "two")]
    assert not np.array_equal(told[0].tallies[0].counts, told[1].tallies[0].counts)


def test_a_fit_that_is_resumed_asks_nobody_again(train: Table, tmp_path: Path) -> None:
    one = QUICK.fit(train, rng=stream(0), ledger=opened(tmp_path), resume=tmp_path)
    two = QUICK.fit(train, rng=stream(0), resume=tmp_path)
    assert np.array_equal(one.mixture.shares, two.mixture.shares) and one.measured == two.measured
    told = Told.load(tmp_path)
    assert told is not None and sum(tally.asked for tally in told.tallies) == SEATS


def test_without_a_ledger_seats_or_declarations_nobody_is_asked(train: Table, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no ledger"):
        QUICK.fit(train, rng=stream(0))
    ledger = opened(tmp_path)
    with pytest.raises(UsageError, match="nothing public says how many"):
        QUICK.fit(replace(train, schema=replace(train.schema, n_public=None)), rng=stream(0), ledger=ledger)
    with pytest.raises(UsageError, match="read off the records"):
        QUICK.fit(replace(train, schema=replace(train.schema, public=False)), rng=stream(0), ledger=ledger)
    assert ledger.spent() == ()


@pytest.mark.parametrize(("n", "seats"), [(1, 1), (3, 2), (1, 50), (60, 20)])
def test_a_table_of_hardly_anybody_gives_noise_and_no_crash(n: int, seats: int, tmp_path: Path) -> None:
    model = QUICK.fit(public(patients(n), seats), rng=stream(0), ledger=opened(tmp_path, epsilon=0.5))
    frame = concat(list(model.sample(50, rng=stream(0, "sample")))).frame
    assert len(frame) == 50 and frame["age"].dropna().between(18, 99).all()
    assert model.measured["reports"] == seats


def test_the_floor_falls_with_epsilon_and_is_far_above_that_of_counts(train: Table) -> None:
    how = {"delta": 1e-6, "records": 30_000}
    floors = [Local().floor(train.schema, epsilon=e, **how) for e in (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)]
    assert all(more > less for more, less in pairwise(floors))
    assert floors[2] > 10 * Pairwise().floor(train.schema, epsilon=1.0, **how)


def test_the_floor_is_what_noise_makes_in_a_table(train: Table) -> None:
    """Of 100 cells that are alike, answered by as many as are asked for a pair with the target."""
    from semblance.privacy.local import randomiser

    asked = round(30_000 * 0.7 / 4)  # 5 columns: 4 pairs with the target
    by, codes = randomiser(100, 1.0), stream(0, "codes").integers(0, 100, asked)
    off = [np.abs(by.estimates(by.tally(codes), asked) / asked - 0.01).sum() / 2 for _ in range(20)]
    found = Local().floor(train.schema, epsilon=1.0, delta=1e-6, records=30_000)
    assert found == pytest.approx(np.mean(off), rel=0.1)
