from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import UsageError
from semblance.core.rng import stream
from semblance.modalities.table import MANIFEST
from semblance.modalities.table.data import Table, concat
from semblance.modalities.table.generators import auto
from semblance.modalities.table.generators.auto import Auto
from semblance.modalities.table.race import ANY, Rule
from tests.contracts.samples import cohort, table


def drawn(model: Any, n: int = 200) -> pd.DataFrame:
    return concat(list(model.sample(n, rng=stream(0, "sample")))).frame


def curved(n: int) -> Table:
    """A target that follows a square, which no correlation shows."""
    x, noise = stream(0, "x").normal(size=n), stream(0, "noise").normal(size=n)
    y = x**2 + 0.1 * noise
    return table(pd.DataFrame({"x": x.round(2), "y": y.round(2), "high": np.where(y > 1, "yes", "no")}), target="high")


@pytest.fixture
def racing(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule for all: a race that the copula wins if it is a tie."""
    rule = Rule(ANY, ANY, ANY, ("copula", "autoregressive"), "a test")
    monkeypatch.setattr(auto, "rule_for", lambda **_: rule)


def test_the_race_finds_the_winner_that_is_known_and_leaves_it_the_time(racing: None) -> None:
    plan = Auto().plan(curved(600), rng=stream(0, "plan"), time_budget=12)
    assert plan["winner"] == "autoregressive" and "lower than that of copula" in plan["why"]
    assert [entry["name"] for entry in plan["race"]] == ["copula", "autoregressive"]
    assert plan["plan"]["steps"] >= 20


def test_a_plan_repeats_the_bytes_without_a_race(monkeypatch: pytest.MonkeyPatch) -> None:
    train, rule = cohort(200, 0), Rule(ANY, ANY, ANY, ("copula", "marginals"), "a test")
    monkeypatch.setattr(auto, "rule_for", lambda **_: rule)
    # The marginals race as well, though no published rule names them.
    monkeypatch.setattr(auto, "RULES", (rule,))
    plan = Auto().plan(train, rng=stream(0, "plan"), time_budget=0.5)
    assert len(plan["race"]) == 2
    monkeypatch.setattr(auto, "race", None)
    one, two = (drawn(Auto().fit(train, rng=stream(0, "fit"), plan=plan)) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(("n", "seconds", "winner"), [(40, 1000, "copula"), (200, 0.2, "autoregressive")])
def test_where_there_is_one_candidate_nobody_races(n: int, seconds: float, winner: str) -> None:
    plan = Auto().plan(cohort(n, 0), rng=stream(0, "plan"), time_budget=seconds)
    assert plan["winner"] == winner and plan["race"] == []


def test_few_patients_with_many_records_do_not_race(racing: None) -> None:
    frame = pd.DataFrame({"pid": np.arange(400) // 10, "x": stream(0, "x").normal(size=400).round(2)})
    plan = Auto().plan(table(frame, subject="pid"), rng=stream(0, "plan"), time_budget=1)
    assert plan["winner"] == "copula" and plan["race"] == []


def test_where_conditions_are_wanted_only_those_run_that_keep_them(racing: None) -> None:
    spec = Auto(conditional=True)
    names = spec._candidates(Rule(ANY, ANY, ANY, ("copula", "autoregressive"), "a test"))
    assert names and all(MANIFEST.generator(name).card.conditional for name in names)


def test_the_options_that_all_have_reach_the_winner() -> None:
    model = Auto(rare=11, bins=16).fit(cohort(60, 0), rng=stream(0, "fit"))
    assert model.card.name == "copula" and (model.options["rare"], model.options["bins"]) == (11, 16)


def test_the_winners_model_is_saved_under_its_own_name(tmp_path) -> None:
    model = Auto().fit(cohort(60, 0), rng=stream(0, "fit"))
    model.save(tmp_path)
    pd.testing.assert_frame_equal(drawn(Auto.load(tmp_path)), drawn(MANIFEST.generator("copula").load(tmp_path)))


@pytest.mark.parametrize("name", ["smote", "nobody", "auto"])
def test_a_plan_from_elsewhere_must_name_one_that_may_win(name: str) -> None:
    with pytest.raises(UsageError, match="winner"):
        Auto().chosen({"winner": name, "plan": {}, "why": "", "race": []})


@pytest.mark.parametrize(
    ("candidates", "winner", "why"),
    [(("copula", "autoregressive"), "autoregressive", "the first of"), (("copula",), MANIFEST.default, "the default")],
)
def test_where_candidates_fall_away_the_reason_is_not_that_of_the_rule(candidates, winner, why, monkeypatch) -> None:
    monkeypatch.setattr(auto, "rule_for", lambda **_: Rule(ANY, ANY, ANY, candidates, "copulas are good"))
    plan = Auto(conditional=True).plan(cohort(60, 0), rng=stream(0, "plan"), time_budget=1)
    assert plan["winner"] == winner and plan["why"].startswith(why)
