from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.model import Wanted
from semblance.core.rng import stream
from semblance.modalities.table.data import concat
from semblance.modalities.table.generators.mixture import Mixture
from semblance.modalities.table.wanted import joint as joints
from semblance.modalities.table.wanted.aims import Aim
from tests.modalities.table.wanted.exact import Exact, cohort, exact, sampled, table

MODEL = exact()
N = 40_000


def close(found: np.ndarray, expected: np.ndarray, n: int) -> bool:
    """Whether shares of n draws are those expected: within 4.5 standard errors each."""
    return bool((np.abs(found - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / n) + 1e-12).all())


def shares(n: int, **wanted: Any) -> np.ndarray:
    """The share of each combination among n drawn codes."""
    aim = Aim.of(MODEL, MODEL.encoding, Wanted(**wanted), seed=0)
    labels = aim.labels(n, rng=stream(0, "labels"))
    codes = aim.codes(np.zeros(n, dtype=int) if labels is None else labels, rng=stream(0, "codes"))
    counts = np.zeros(MODEL.joint.shape)
    np.add.at(counts, tuple(codes.T), 1.0)
    return counts / n


def weighted(**given: Any) -> np.ndarray:
    """The model's combinations, each by how much of it is as given: enumeration, the oracle."""
    aim = Aim.of(MODEL, MODEL.encoding, Wanted(given=given), seed=0)
    left = MODEL.joint.copy()
    for j, (field, coder) in enumerate(zip(MODEL.encoding.fields, MODEL.encoding.columns, strict=True)):
        if field.name in given:
            weight = aim.asked.given[field.name].weight(coder)
            left = left * weight.reshape([-1 if i == j else 1 for i in range(left.ndim)])
    return left / left.sum()


GIVEN = [
    {"diabetes": "yes"},
    {"age": (58, 71)},
    {"age": (58, 71), "weight": (70.5, 81), "race": {"A", "C"}},
    {"age": {61, 65, (70, 75)}, "weight": {None, (60, 70)}},
    {"weight": None, "died": "no"},
]


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("drawn", [False, True])
def test_given_values_hold_always_and_all_else_is_as_by_enumeration(given, drawn, monkeypatch):
    if drawn:
        monkeypatch.setattr(joints, "CELLS", 0)
    made = sampled(MODEL, 9000, given=given)
    aim = Aim.of(MODEL, MODEL.encoding, Wanted(given=given), seed=0)
    assert all(condition.holds(made.frame[name]).all() for name, condition in aim.asked.given.items())
    assert close(shares(N, given=given), weighted(**given), N // 2)


def test_a_range_that_cuts_a_bin_keeps_the_distribution_inside_it():
    given = {"age": (58, 66), "diabetes": "no"}
    free = sampled(MODEL, 200_000, seed=1).frame
    kept = free[free["age"].between(58, 66) & (free["diabetes"] == "no")]
    made = sampled(MODEL, N, given=given).frame
    expected = kept["age"].value_counts(normalize=True).sort_index()
    found = made["age"].value_counts(normalize=True).sort_index()
    assert list(expected.index) == list(found.index)
    assert close(found.to_numpy(), expected.to_numpy(), len(kept) // 2)


def test_the_first_records_do_not_depend_on_how_many_follow():
    for wanted in ({"given": {"age": (60, 72)}}, {"shift": {"age": 5}}, {"fair_on": ("race",), "fairness": "odds"}):
        few, many = sampled(MODEL, 30, **wanted).frame, sampled(MODEL, 9000, **wanted).frame
        assert few.astype(str).equals(many.head(30).astype(str)), wanted


# Quotas


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1001, 9000])
def test_quotas_are_exact_to_the_row(n):
    sex = {"yes": 0.25, "no": 0.75}
    age = {(18, 50): 0.3, (50, 70): 0.45, (70, 120): 0.25}
    made = sampled(MODEL, n, quota={"diabetes": sex, "age": age, "race": "balanced"}).frame
    assert len(made) == n
    assert abs((made["diabetes"] == "yes").sum() - n * 0.25) < 1
    counts = pd.cut(made["age"], [0, 49.9, 69.9, 200]).value_counts().sort_index().to_numpy()
    assert (np.abs(counts - n * np.array([0.3, 0.45, 0.25])) < 1).all()
    assert np.ptp(made["race"].value_counts().reindex(["A", "B", "C"], fill_value=0)) <= 1


def test_within_a_quota_all_else_is_as_the_model_says():
    made = shares(N, quota={"diabetes": {"yes": 0.8, "no": 0.2}})
    no, yes = (weighted(diabetes=value) for value in ("no", "yes"))
    assert close(made, 0.8 * yes + 0.2 * no, N // 2)


def test_several_quotas_keep_the_dependence_of_the_model():
    made = sampled(MODEL, 10_000, quota={"diabetes": "balanced", "died": "balanced"}).frame
    real = sampled(MODEL, N, seed=4).frame
    ratios = []
    for frame in (made, real):
        cells = pd.crosstab(frame["diabetes"], frame["died"]).to_numpy()
        ratios.append(np.log(cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0])))
    assert ratios[0] == pytest.approx(ratios[1], abs=0.12)


def test_a_quota_beside_given_values():
    made = sampled(
        MODEL, 501, given={"age": (40, 65), "died": "no"}, quota={"age": {(0, 50): 0.5, (50, 99): 0.5}}
    ).frame
    assert made["age"].between(40, 65).all() and (made["died"] == "no").all()
    assert (made["age"] < 50).sum() in (250, 251)


def test_quotas_that_exclude_each_other_are_refused():
    frame = cohort(600)
    frame["pregnant"] = np.where((frame["race"] == "A") & (frame.index % 2 == 0), "yes", "no")
    model = Exact.of(table(frame[["race", "pregnant"]]))
    with pytest.raises(UsageError, match="exclude each other"):
        sampled(model, 100, quota={"race": {"A": 0.1, "B": 0.9}, "pregnant": {"yes": 0.5, "no": 0.5}})


# Shifts


def test_a_shifted_cohort_has_the_new_mean_and_all_else_given_it():
    made, real = sampled(MODEL, N, shift={"age": 6}).frame, sampled(MODEL, N, seed=2).frame
    assert made["age"].mean() - real["age"].mean() == pytest.approx(6, abs=0.4)
    old = [(frame["diabetes"] == "yes")[frame["age"] > 70].mean() for frame in (made, real)]
    assert old[0] == pytest.approx(old[1], abs=0.06)
    assert (made["diabetes"] == "yes").mean() > (real["diabetes"] == "yes").mean() + 0.05


# Fairness


def rates(frame: pd.DataFrame) -> pd.Series:
    return (frame["died"] == "yes").groupby(frame["race"], observed=True).mean()


def test_parity_takes_a_disparity_of_25_points_away_and_keeps_both_marginals():
    real, made = sampled(MODEL, N, seed=2).frame, sampled(MODEL, N, fair_on=("race",)).frame
    assert np.ptp(rates(real)) > 0.2
    assert np.ptp(rates(made)) < 0.002
    for name in ("race", "died", "diabetes"):
        old, new = (f[name].value_counts(normalize=True).sort_index() for f in (real, made))
        assert np.abs(old.to_numpy() - new.to_numpy()).max() < 0.02


def test_parity_between_groups_of_two_columns_and_with_a_quota_on_the_target():
    made = sampled(MODEL, 20_000, fair_on=("race", "diabetes"), quota={"died": "balanced"}).frame
    rate = (made["died"] == "yes").groupby([made["race"], made["diabetes"]], observed=True).mean()
    assert (made["died"] == "yes").sum() == 10_000 and np.ptp(rate) < 0.01


def test_equalised_odds_make_all_else_independent_of_the_group_given_the_outcome():
    made = sampled(MODEL, N, fair_on=("race",), fairness="odds").frame
    real = sampled(MODEL, N, seed=2).frame
    assert np.abs(rates(made).to_numpy() - rates(real).to_numpy()).max() < 0.03  # who has which outcome stays
    for outcome, group in itertools.product(("yes", "no"), "ABC"):
        here = made[(made["died"] == outcome)]
        inside = here[here["race"] == group]
        share = (here["diabetes"] == "yes").mean()
        assert abs((inside["diabetes"] == "yes").mean() - share) < 4.5 * np.sqrt(share * (1 - share) / len(inside))
        assert abs(inside["age"].mean() - here["age"].mean()) < 4.5 * here["age"].std() / np.sqrt(len(inside))


def test_what_repeats_the_group_goes_with_it():
    frame = cohort(3000)
    frame["ward"] = frame["race"].map({"A": "north", "B": "south", "C": "west"})
    model = Exact.of(table(frame.drop(columns=["weight"]), target="died"), bins=4, tokens=1)
    made = sampled(model, 2000, fair_on=("race",), fairness="odds").frame
    assert (made["race"].astype(str).map({"A": "north", "B": "south", "C": "west"}) == made["ward"].astype(str)).all()


# Columns that follow from others


def restored() -> Exact:
    """A cohort with the number of visits, which is a sum and so not drawn."""
    frame, rng = cohort(2000)[["diabetes", "died"]], stream(0, "visits")
    frame["inside"] = rng.poisson(1 + 2 * (frame["diabetes"] == "yes"))
    frame["outside"] = rng.poisson(3, 2000)
    frame["visits"] = frame["inside"] + frame["outside"]
    model = Exact.of(table(frame, target="died"))
    assert len(model.encoding.fields) == 4
    return model


def whole(model: Exact) -> str:
    """The column that follows from others."""
    (name,) = {c.name for c in model.encoding.schema.learned} - {f.name for f in model.encoding.fields}
    return name


def test_a_column_that_follows_from_others_is_given_by_drawing_anew_and_the_cost_is_told():
    model = restored()
    name = whole(model)
    drawing = model.sample(2000, rng=stream(0, "sample"), wanted=Wanted(given={name: (2, 3), "diabetes": "yes"}))
    (made,) = list(drawing)
    assert made.frame[name].between(2, 3).all() and (made.frame["diabetes"] == "yes").all()
    assert (made.frame["inside"] + made.frame["outside"] == made.frame["visits"]).all()
    assert drawing.told()["redrawn"] > 0
    made = sampled(model, 1000, quota={name: {(0, 2): 0.5, (2.5, 99): 0.5}, "died": "balanced"}).frame
    assert (made[name] <= 2).sum() == 500 == (made["died"] == "yes").sum()


def test_a_shift_of_what_follows_from_others_is_refused():
    model = restored()
    with pytest.raises(UsageError, match="follows from others"):
        sampled(model, 5, shift={whole(model): 2})


def test_the_probability_of_what_is_wanted_is_told_and_the_error_where_there_is_one(monkeypatch):
    free = sampled(MODEL, N, seed=3).frame
    drawing = MODEL.sample(1, rng=stream(0), wanted=Wanted(given={"age": (60, 70), "diabetes": "yes"}))
    share = (free["age"].between(60, 70) & (free["diabetes"] == "yes")).mean()
    assert drawing.told() == {"probability": pytest.approx(share, abs=0.01)}
    monkeypatch.setattr(joints, "CELLS", 0)
    drawing = MODEL.sample(1, rng=stream(0), wanted=Wanted(given={"age": (60, 70), "diabetes": "yes"}))
    assert 0 < drawing.told()["error"] < 0.01


def test_a_mixture_chooses_by_itself_what_enumeration_would(monkeypatch):
    model = Mixture().fit(table(cohort(1500), target="died"), rng=stream(0))
    wanted = Wanted(given={"age": (60, 72), "weight": (60, 80), "race": {"A", "B"}})
    counted = model.sample(20_000, rng=stream(0), wanted=wanted)
    monkeypatch.setattr(joints, "CELLS", 0)
    chosen = model.sample(20_000, rng=stream(0), wanted=wanted)
    assert chosen.told()["probability"] == pytest.approx(counted.told()["probability"], rel=1e-4)
    assert "error" not in chosen.told()
    one, two = (concat(list(drawing)).frame for drawing in (counted, chosen))
    assert (
        two["age"].between(60, 72).all() and two["weight"].between(60, 80).all() and two["race"].isin(["A", "B"]).all()
    )
    assert one["age"].mean() == pytest.approx(two["age"].mean(), abs=0.15)
    assert (one["diabetes"] == "yes").mean() == pytest.approx((two["diabetes"] == "yes").mean(), abs=0.02)
