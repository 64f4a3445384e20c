"""Noisy pairs: paid for, useful, exact under conditions, and nothing of the records in what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.modality import ReadOptions
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.core.shares import simplex
from semblance.modalities.table.data import Table, concat, from_frame
from semblance.modalities.table.generators.measured import Measured
from semblance.modalities.table.generators.pairwise import Pairwise, PairwiseModel, _single
from semblance.privacy.ledger import Ledger

DECLARED = {
    "columns": {
        "age": {"kind": "integer", "min": 18, "max": 99},
        "dose": {"kind": "numeric", "min": 0, "max": 500},
        "sex": {"categories": ["F", "M"]},
        "stage": {"categories": ["I", "II", "III", "IV"]},
        "died": {"role": "target", "categories": ["no", "yes"]},
    }
}


def patients(n: int, seed: int = 0) -> Table:
    """Death and dose go with age, stage with death."""
    rng = stream(seed, "patients")
    age = rng.normal(60, 12, n).clip(18, 99).round()
    died = rng.random(n) < 1 / (1 + np.exp(-(age - 65) / 4))
    stage = np.where(died, rng.choice(["III", "IV"], n), rng.choice(["I", "II"], n))
    frame = pd.DataFrame(
        {
            "age": age.astype(int),
            "dose": (age * 2 + rng.normal(0, 10, n)).clip(0, 500).round(1),
            "sex": rng.choice(["F", "M"], n),
            "stage": stage,
            "died": np.where(died, "yes", "no"),
        }
    )
    table = from_frame(frame, ReadOptions(declared=DECLARED))[0]
    return replace(table, schema=replace(table.schema, public=True))


@pytest.fixture(scope="module")
def train() -> Table:
    return patients(12_000)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return Ledger.open(tmp_path_factory.mktemp("ledgers"), cohort="simulated", epsilon=1.0, delta=1e-6)


@pytest.fixture(scope="module")
def model(train: Table, ledger: Ledger) -> PairwiseModel:
    return Pairwise(components=32, steps=400).fit(train, rng=stream(0, "fit"), ledger=ledger)


@pytest.fixture(scope="module")
def drawn(model: PairwiseModel) -> pd.DataFrame:
    frame: pd.DataFrame = concat(list(model.sample(6000, rng=stream(0, "sample")))).frame
    return frame


def test_the_whole_budget_is_spent_and_nothing_beyond_it(model: PairwiseModel, ledger: Ledger, train: Table) -> None:
    assert 0.99 < (ledger.guarantee().epsilon or 0) <= 1
    *columns, pairs = ledger.spent()
    assert sum(noise.count for noise in columns) == 5 and pairs.count == 6  # of the columns but the target
    few, many = max(noise.sigma for noise in columns), min(noise.sigma for noise in columns)
    assert few > 1.5 * many  # a wide column is counted with less noise
    with pytest.raises(PrivacyError):
        Pairwise(steps=10).fit(train, rng=stream(0, "fit"), ledger=ledger)


def test_what_goes_together_still_does(train: Table, drawn: pd.DataFrame) -> None:
    real = train.frame
    assert drawn["age"].mean() == pytest.approx(real["age"].mean(), abs=1.0)
    # Noise reaches the cells in which nobody is, and so the tails: of .92 about .58 is left of so few patients
    # (standard deviation .026 from run to run, for no seed repeats the noise).
    assert drawn[["age", "dose"]].corr().iloc[0, 1] > 0.4
    late = drawn["stage"].isin(["III", "IV"])
    assert (drawn["died"] == "yes")[late].mean() > 0.9 > 0.1 > (drawn["died"] == "yes")[~late].mean()
    for column in ("sex", "stage", "died"):
        shares = [frame[column].value_counts(normalize=True) for frame in (real, drawn)]
        assert shares[0].subtract(shares[1], fill_value=0).abs().sum() / 2 < 0.03


def test_nothing_leaves_the_declared_domain(drawn: pd.DataFrame) -> None:
    assert drawn["age"].dropna().between(18, 99).all() and drawn["dose"].dropna().between(0, 500).all()
    assert set(drawn["stage"].dropna()) <= {"I", "II", "III", "IV"}


def test_a_value_of_one_patient_stands_in_no_file(tmp_path: Path) -> None:
    table = patients(400)
    frame = table.frame.copy()
    frame.loc[7, "dose"] = 487.3
    planted = Table(table.schema, frame, table.subjects)
    ledger = Ledger.open(tmp_path / "ledger", cohort="x", epsilon=1, delta=1e-6)
    Pairwise(steps=20).fit(planted, rng=stream(0), ledger=ledger).save(tmp_path / "model")
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"487.3" not in held and np.float64(487.3).tobytes() not in held
    told = [json.loads(line) for line in ledger.path.read_text().splitlines()]
    said = [value for line in told for key, value in line.items() if key not in ("hash", "before", "at")]
    assert "400" not in json.dumps(said)  # how many patients there are is private too


def test_conditions_are_exact(model: PairwiseModel) -> None:
    wanted = Wanted(given={"age": (70, 80), "sex": "F"}, quota={"died": {"yes": 0.5, "no": 0.5}})
    frame = concat(list(model.sample(400, rng=stream(1, "sample"), wanted=wanted))).frame
    assert frame["age"].between(70, 80).all() and (frame["sex"] == "F").all()
    assert (frame["died"] == "yes").sum() == 200


def test_sampling_is_free_repeatable_and_survives_saving(model: PairwiseModel, ledger: Ledger, tmp_path: Path) -> None:
    before = ledger.spent()
    model.save(tmp_path / "model")
    again = Pairwise.load(tmp_path / "model")
    one, two = (concat(list(m.sample(300, rng=stream(5, "sample")))).frame for m in (model, again))
    pd.testing.assert_frame_equal(one, two)
    assert ledger.spent() == before


def test_no_seed_repeats_the_measurement(train: Table, tmp_path: Path) -> None:
    def fitted(name: str) -> PairwiseModel:
        ledger = Ledger.open(tmp_path, cohort=name, epsilon=1, delta=1e-6)
        return Pairwise(components=4, steps=5).fit(train, rng=stream(0, "fit"), ledger=ledger)

    assert not np.array_equal(fitted("one").mixture.shares, fitted("two").mixture.shares)


def test_without_a_ledger_or_declarations_nothing_is_measured(train: Table, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no ledger"):
        Pairwise().fit(train, rng=stream(0))
    bare = from_frame(pd.DataFrame({"age": [1, 2, 3], "sex": ["F", "M", "F"]}), ReadOptions())[0]
    ledger = Ledger.open(tmp_path, cohort="x", epsilon=1, delta=1e-6)
    with pytest.raises(UsageError, match="read off the records"):
        Pairwise().fit(bare, rng=stream(0), ledger=ledger)
    assert ledger.spent() == ()


@pytest.mark.parametrize("n", [1, 3])
def test_a_table_of_hardly_anybody_gives_noise_and_no_crash(n: int, tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, cohort="x", epsilon=0.5, delta=1e-6)
    model = Pairwise(components=4, steps=20).fit(patients(n), rng=stream(0), ledger=ledger)
    frame = concat(list(model.sample(50, rng=stream(0, "sample")))).frame
    assert len(frame) == 50 and frame["age"].dropna().between(18, 99).all()


def test_the_nearest_shares_are_shares() -> None:
    values = np.array([0.7, -0.2, 0.6, 0.1])
    found = simplex(values)
    assert found.sum() == pytest.approx(1) and (found >= 0).all()
    assert found == pytest.approx([0.55, 0.0, 0.45, 0.0])
    assert simplex(np.array([-5.0, -5.0])) == pytest.approx([0.5, 0.5])


def test_of_two_copies_of_a_run_that_broke_off_only_one_counts_the_pairs(
    train: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, spec = Ledger.open(tmp_path / "ledger", cohort="x", epsilon=1, delta=1e-6), Pairwise(steps=20)
    (tmp_path / "run").mkdir()
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(Pairwise, "_pairs", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        spec.fit(train, rng=stream(0, "fit"), ledger=ledger, resume=tmp_path / "run")
    copytree(tmp_path / "run", tmp_path / "copy")
    spec.fit(train, rng=stream(0, "fit"), ledger=ledger, resume=tmp_path / "run")
    with pytest.raises(PrivacyError, match="nothing is left"):
        spec.fit(train, rng=stream(0, "fit"), ledger=ledger, resume=tmp_path / "copy")
    assert sum(noise.count for noise in ledger.spent()) == 5 + 6


def test_columns_are_counted_by_themselves_and_still_go_with_the_target(tmp_path: Path) -> None:
    rng, n, codes = stream(3, "codes"), 20_000, [f"c{i:03d}" for i in range(200)]
    died = rng.random(n) < 0.4
    held = np.minimum(rng.geometric(0.2, n) - 1, 100 - 1) + np.where(died, 100, 0)
    frame = pd.DataFrame(
        {
            "code": np.array(codes)[held],
            "sex": rng.choice(["F", "M"], n),
            "stage": np.where(rng.random(n) < 0.5, "I", "II"),
            "died": np.where(died, "yes", "no"),
        }
    )
    declared = {"columns": {"code": {"categories": codes}, **{c: DECLARED["columns"][c] for c in frame if c != "code"}}}
    table = from_frame(frame, ReadOptions(declared=declared))[0]
    table = replace(table, schema=replace(table.schema, public=True))
    ledger = Ledger.open(tmp_path, cohort="many", epsilon=3.0, delta=1e-6)
    _, told = Pairwise().measured(table, ledger, kept=tmp_path)
    assert [counts.shape for counts in told.columns] == [(201,), (3,), (5,), (3,)]
    model = Pairwise(components=32, steps=400).fit(table, rng=stream(0, "fit"), resume=tmp_path)
    drawn = concat([*model.sample(4_000, rng=stream(0, "sample"))]).frame
    late = drawn["code"].astype(str).isin(codes[100:])
    assert late.mean() == pytest.approx(0.4, abs=0.03)
    # What is rare beside the noise goes with the target as its group does.
    assert (drawn["died"] == "yes")[late].mean() > 0.8 and (drawn["died"] == "yes")[~late].mean() < 0.15


def test_the_noise_of_a_group_is_that_of_what_was_added_up() -> None:
    target, wide, narrow = np.array([600, 390, 10]), np.array([600, 200, 150, 50]), np.array([505, 495])
    groups = (np.zeros(3, dtype=np.int64), np.array([0, 1, 1, 1]), np.arange(2))
    told = Measured(0, (target, wide, narrow), (3.0, 3.0, 3.0), groups)
    assert _single(told, 1)[1] * told.records == pytest.approx(3 * np.sqrt([1, 3]))
    pairs = {(1, 2): np.array([[[300, 60], [100, 140]], [[100, 105], [105, 90]]])}
    within = Measured(0, told.columns, told.sigmas, (np.array([0, 1, 1]), *groups[1:]), pairs, 4.0)
    shares, noise = _single(within, 1)
    assert shares * within.records == pytest.approx(np.array([[360, 240], [205, 195]]) / [565, 435] * [600, 400])
    # Two cells of a pair in each class, and the column's own noise halved between two classes.
    assert noise * within.records == pytest.approx(np.hypot(4 * np.sqrt(2), 3 * np.sqrt([1 / 2, 3 / 2])))
