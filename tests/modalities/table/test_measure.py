"""A schema measured privately: near the truth where many patients hold it, paid once, and caught where noise lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import PrivacyError, UsageError
from semblance.core.promise import MEASURED_SCHEMA, Noise
from semblance.core.rng import stream
from semblance.core.schema import OTHER, Column, Schema
from semblance.modalities.table import measure as module
from semblance.modalities.table.declare import Declared
from semblance.modalities.table.measure import Found, bounds, categories, kept, measure
from semblance.privacy.audit import from_rates
from semblance.privacy.ledger import Ledger

CLEAR = 0.1
"""Noise of this scale moves next to no count."""
DELTA = 1e-6
SCHEMA = Schema((Column("x", "integer", bound="measured"), Column("w", "categorical", bound="measured")))


def opened(folder: Path, *, epsilon: float = 1.0, cohort: str = "c") -> Ledger:
    return Ledger.open(folder, cohort=cohort, epsilon=epsilon, delta=DELTA)


def frame(patients: int, **more: Any) -> pd.DataFrame:
    rng = stream(0, "patients")
    held = pd.Categorical(rng.choice(["a", "b", " b", "c"], patients, p=[0.5, 0.3, 0.19, 0.01]))
    return pd.DataFrame({"x": rng.integers(18, 91, patients).astype(float), "w": held}).assign(**more)


def found(
    ledger: Ledger, records: pd.DataFrame, *, subjects: np.ndarray | None = None, schema: Schema = SCHEMA
) -> Found:
    whose = np.arange(len(records)) if subjects is None else subjects
    return measure(schema, Declared(counted=True), records, whose, ledger)


# Near the truth


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("integer", np.repeat(np.arange(18, 91), 20), (15, 95)),
        ("integer", np.repeat([1, 2, 3, 4, 5], 90), (1, 5)),
        ("integer", np.repeat(np.arange(1931, 2011), 30), (1900, 2050)),
        ("numeric", np.repeat(np.linspace(35.5, 41.2, 200), 9), (35, 42)),
        ("numeric", np.repeat(np.linspace(-0.8, 0.3, 200), 9), (-0.8, 0.35)),
        ("numeric", np.repeat(0.0, 300), (0, 1)),
    ],
)
def test_bounds_are_round_and_cover_what_is_held(kind, values, told) -> None:
    said = bounds(values.astype(float), Column("x", kind), sigma=CLEAR)
    assert said is not None
    assert said["min"] <= values.min() and values.max() <= said["max"]
    assert told[0] <= said["min"] and said["max"] <= told[1]


def test_dates_lie_between_days_of_the_calendar() -> None:
    days = np.arange(np.datetime64("2016-03-07"), np.datetime64("2019-10-03")).astype("datetime64[s]").astype(float)
    said = bounds(np.tile(days, 5), Column("x", "date"), sigma=CLEAR)
    assert said is not None
    first, last = (str(np.datetime64(int(said[key]), "s"))[:10] for key in ("min", "max"))
    assert (first, last) == ("2016-01-01", "2020-01-01")


def test_one_patient_far_away_changes_no_bound_and_missing_values_none() -> None:
    values = np.repeat(np.arange(18.0, 91), 60)
    alone = np.array([1e9, -1e9, np.inf, np.nan])
    said = bounds(np.concatenate([values, alone]), Column("x", "integer"), sigma=5.0)
    assert said is not None and 0 <= said["min"] <= 18 and 90 <= said["max"] <= 300


def test_bounds_of_a_small_cohort_are_near_in_most_measurements() -> None:
    """Those of the journey: 913 patients of 18 to 99, at epsilon 4. Where they are wide, noise stood out far away."""
    values = stream(3, "ages").integers(18, 100, 913).astype(float)
    found = [bounds(values, Column("age", "integer"), sigma=7.43) for _ in range(200)]
    near = [said is not None and 0 <= said["min"] <= 18 and 99 <= said["max"] <= 130 for said in found]
    assert np.mean(near) > 0.8  # some .95, so that .8 is ten standard deviations away


def test_a_declared_bound_stays_and_the_other_is_measured() -> None:
    values = np.repeat(np.arange(18.0, 91), 20)
    assert bounds(values, Column("x", "integer", min=30), sigma=CLEAR) == {"max": 95}
    assert bounds(values, Column("x", "integer", max=60), sigma=CLEAR) == {"min": 18}
    assert bounds(values, Column("x", "integer", min=200), sigma=CLEAR) == {"max": 205}


def test_nothing_stands_out_of_too_much_noise() -> None:
    assert bounds(np.arange(18.0, 91), Column("x", "integer"), sigma=1000.0) is None


def test_categories_are_what_many_hold_in_the_order_of_their_names() -> None:
    held = pd.Series(pd.Categorical(["b"] * 90 + [" b"] * 30 + ["a"] * 50 + [OTHER] * 80 + ["lone"]))
    asked: dict[str, float] = {"sigma": 3.0, "delta": 1e-9}
    assert categories(held, Column("w", "categorical"), **asked) == {"categories": ["a", "b", OTHER]}
    assert categories(held, Column("w", "boolean"), **asked) == {"categories": ["a", "b"]}
    assert categories(held[-1:], Column("w", "categorical"), **asked) == {"categories": [OTHER]}
    assert categories(held[-1:], Column("w", "boolean"), **asked) is None


# Paid


def test_all_of_it_is_one_reservation_of_a_tenth_of_the_budget(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    whole = ledger.affordable([(1.0, 1)])[0].rho
    told = found(ledger, frame(5000))
    plain, lists = ledger.spent()
    assert isinstance(plain, Noise) and isinstance(lists, Noise)
    assert (plain.count, lists.count, lists.delta) == (3, 1, pytest.approx(DELTA / 10)) and plain.sigma == lists.sigma
    assert plain.rho + lists.rho == pytest.approx(whole / 10, rel=0.05)
    assert list(told.noise) == [plain.to_json(), lists.to_json()] and len(ledger.path.read_text().splitlines()) == 2
    assert told.columns["w"] == {"categories": ["a", "b", OTHER]} and abs(told.patients or 0) != 5000
    assert told.patients == pytest.approx(5000, abs=8 * plain.sigma) and "about" in " ".join(told.notes)


def test_it_is_paid_before_anything_is_counted_and_refused_where_nothing_is_left(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    with pytest.raises(KeyError):
        found(ledger, frame(5000).drop(columns="w"))
    assert len(ledger.spent()) == 2
    ledger.reserve(*ledger.affordable([(1.0, 1)]), note="the rest")
    with pytest.raises(PrivacyError, match="nothing is left"):
        found(ledger, frame(5000))


def test_what_few_patients_cannot_show_is_refused_before_and_told_after(tmp_path: Path) -> None:
    ledger, few = opened(tmp_path), Schema(SCHEMA.columns, n_public=60)
    with pytest.raises(UsageError, match=r"about 60 patients(?s:.)*stands out of the noise"):
        found(ledger, frame(60), schema=few)
    assert ledger.spent() == ()
    yes = Column("yes", "boolean", bound="measured")
    with pytest.raises(PrivacyError) as hidden:
        found(ledger, frame(60, yes=pd.Categorical(["y", "n"] * 30)), schema=Schema((*SCHEMA.columns, yes)))
    assert [problem.column for problem in hidden.value.problems] == ["x", "yes"]


def test_what_was_measured_is_kept_and_not_measured_again(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    one = kept(lambda: found(ledger, frame(5000)), folder=tmp_path / "checkpoints")
    spent = ledger.spent()
    two = kept(lambda: found(ledger, frame(5000)), folder=tmp_path / "checkpoints")
    assert one == two and ledger.spent() == spent and (tmp_path / "checkpoints" / MEASURED_SCHEMA).exists()


# Private: a patient beyond all others, with many records and values that nobody else holds


PATIENTS, RUNS = 600, 60


def told_apart(ledger: Ledger, *, planted: bool) -> float:
    """How much what is told looks as if the patient was there."""
    few = frame(PATIENTS, w=pd.Categorical(["a"] * PATIENTS))
    more = pd.DataFrame({"x": [1e6] * 40, "w": pd.Categorical([f"lone {i}" for i in range(40)])})
    records = pd.concat([few, more], ignore_index=True) if planted else few
    subjects = np.concatenate([np.arange(PATIENTS), np.full(40, PATIENTS)])[: len(records)]
    said = found(ledger, records.assign(w=records["w"].astype("category")), subjects=subjects)
    beyond = float(said.columns["x"]["max"]) > 1000 or len(said.columns["w"]["categories"]) > 2
    return beyond + (said.patients or 0) / 1e6


def refuted(folder: Path) -> bool:
    """Whether attacks show that more is told than was paid for."""
    scores = {}
    for planted in (True, False):
        ledgers = [opened(folder, cohort=f"c{i}{planted}") for i in range(RUNS)]
        scores[planted] = np.array([told_apart(ledger, planted=planted) for ledger in ledgers])
    claimed = ledgers[0].guarantee().epsilon
    assert claimed is not None and 0.2 < claimed < 0.35
    return from_rates(scores[True], scores[False], delta=DELTA, confidence=0.9999) > claimed


def test_no_attack_on_what_is_told_refutes_the_claim(tmp_path: Path) -> None:
    assert not refuted(tmp_path)


def test_bounds_without_noise_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "noised", lambda counts, sigma: counts)
    monkeypatch.setattr(module, "occupied", _any)
    monkeypatch.setattr(module, "trimmed", _any)
    assert refuted(tmp_path)


@pytest.mark.parametrize("told", [lambda counts, sigma, delta: counts, lambda counts, sigma, delta: counts + 1])
def test_categories_without_a_threshold_are_caught(told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "common", told)
    assert refuted(tmp_path)


def _any(counts: np.ndarray, *, sigma: float) -> tuple[int, int]:
    held = np.flatnonzero(counts)
    return int(held[0]), int(held[-1])
