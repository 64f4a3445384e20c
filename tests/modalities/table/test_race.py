from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semblance.core.errors import DataError
from semblance.core.estimate import Estimate
from semblance.core.rng import stream
from semblance.modalities.table import MANIFEST
from semblance.modalities.table.data import Table
from semblance.modalities.table.generators.copula import Copula
from semblance.modalities.table.generators.marginals import Marginals
from semblance.modalities.table.race import ASIDE, FEWEST, MOST, RULES, Judge, Runner, decide, race, rule_for
from tests.contracts.samples import cohort, shuffled, table

SIZES = (0, 1, 99, 100, 2_999, 3_000, 10**6)


def known(value: float, half: float = 0.02) -> Estimate:
    return Estimate(value, value - half, value + half, n=100)


def runner(name: str, c2st: float, *, gap: float = 0.0, **more: Any) -> Runner:
    return Runner(name, 1.0, known(c2st), known(0.8), known(gap), **more)


def test_every_case_names_a_candidate_that_the_catalogue_has() -> None:
    for records, columns, seconds in itertools.product(
        SIZES, (0, 1, 49, 50, 199, 200, 5_000), (0.01, 119.9, 120, 10**5)
    ):
        rule = rule_for(records=records, columns=columns, seconds=seconds)
        assert any(name in MANIFEST.generators for name in rule.candidates)
        assert len(rule.row()) == 5 and all(rule.row())


def test_no_rule_names_a_generator_that_keeps_records_and_none_is_dead() -> None:
    named = {name for rule in RULES for name in rule.candidates} & MANIFEST.generators.keys()
    assert not any(MANIFEST.generator(name).card.holds_records for name in named)
    met = {rule_for(records=r, columns=c, seconds=s) for r in SIZES for c in (10, 100, 500) for s in (1, 600)}
    assert met == set(RULES)


def test_a_short_budget_and_a_tiny_table_have_one_candidate() -> None:
    assert all(len(rule_for(records=n, columns=20, seconds=60).candidates) == 1 for n in SIZES)
    assert rule_for(records=50, columns=20, seconds=600).candidates == ("copula",)


def test_the_default_wins_a_tie_and_loses_to_who_is_surely_better() -> None:
    assert decide([runner("first", 0.70), runner("second", 0.68)])[0] == "first"
    assert decide([runner("first", 0.70), runner("second", 0.60), runner("third", 0.55)])[0] == "third"
    assert decide([runner("first", 0.55), runner("second", 0.70)])[0] == "first"


def test_who_copies_or_does_not_arrive_is_out() -> None:
    copier, fallen = runner("copier", 0.5, gap=0.3), Runner("fallen", 1.0, failed="did not arrive")
    assert decide([runner("first", 0.70), copier])[0] == "first"
    assert decide([copier, runner("second", 0.9)])[0] == "second"
    assert decide([fallen, runner("second", 0.9)])[0] == "second"
    assert decide([copier, fallen])[0] == "copier"


def test_a_loss_counts_nothing_below_half_and_is_c2st_alone_without_a_target() -> None:
    assert runner("a", 0.45).loss.value == pytest.approx(0.2)
    assert replace(runner("a", 0.7), tstr=None).loss.value == pytest.approx(0.2)


def test_judges_tell_real_records_from_shuffled_ones() -> None:
    whole = cohort(900, 1)
    judge = Judge(whole.take(np.arange(600)), whole.take(np.arange(600, 900)), seed=0)
    real = judge("real", cohort(600, 2), begun=0.0)
    lost = judge("lost", shuffled(cohort(600, 2), stream(0, "shuffle")), begun=0.0)
    assert real.c2st is not None and lost.c2st is not None and real.tstr is not None and lost.tstr is not None
    assert abs(real.c2st.value - 0.5) < 0.07 < lost.c2st.value - 0.5
    assert real.tstr.value > 0.8 > lost.tstr.value + 0.1
    assert not real.copies and not lost.copies and real.loss.high < lost.loss.low


def test_a_copycat_is_caught_by_its_gap() -> None:
    whole = cohort(600, 1)
    judge = Judge(whole.take(np.arange(400)), whole.take(np.arange(400, 600)), seed=0)
    assert judge("copycat", whole.take(np.arange(400)), begun=0.0).copies


def test_the_target_may_be_a_number_or_none_or_of_one_class() -> None:
    x = stream(0, "x").normal(size=300).round(2)
    frame = pd.DataFrame({"x": x, "y": (x + stream(0, "y").normal(size=300) * 0.1).round(2), "c": ["only"] * 300})
    for target, value in (("y", 0.9), (None, None), ("c", None)):
        made = table(frame, target=target)
        found = Judge(made.take(np.arange(200)), made.take(np.arange(200, 300)), seed=0).tstr(made)
        assert found is None if value is None else found is not None and found.value > value


def test_a_race_has_a_known_winner_and_the_same_seed_the_same_judgements() -> None:
    train = cohort(700, 3)
    specs = {"marginals": Marginals(), "copula": Copula()}
    one, two = (race(specs, train, seconds=5, rng=stream(0, "race")) for _ in range(2))
    assert [r.loss for r in one] == [r.loss for r in two]
    winner, why = decide(one)
    assert winner == "copula" and "lower than that of marginals" in why
    assert [entry["name"] for entry in map(Runner.to_json, one)] == ["marginals", "copula"]


def test_who_raises_is_told_as_failed() -> None:
    class Broken(Copula):
        def fit(self, train: Table, **_: Any) -> Any:
            raise DataError.of("training diverged", rule="", fix="")

    (fallen,) = race({"copula": Broken()}, cohort(200, 0), seconds=1, rng=stream(0, "race"))
    assert fallen.failed and fallen.to_json() == {
        "name": "copula",
        "seconds": round(fallen.seconds, 1),
        "failed": fallen.failed,
    }


def test_a_race_is_about_a_share_of_a_large_table() -> None:
    seen: list[int] = []

    class Counting(Marginals):
        def fit(self, train: Table, **more: Any) -> Any:
            seen.append(len(train))
            return super().fit(train, **more)

    for n in (500, 60_000):
        frame = pd.DataFrame({"x": stream(0, "x").integers(0, 9, n)})
        race({"marginals": Counting()}, table(frame), seconds=1, rng=stream(0, "race"))
    assert seen == [round(500 * (1 - ASIDE)), round(MOST * (1 - ASIDE))] and FEWEST < MOST


def test_the_rules_are_published_as_they_are() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "choosing.md").read_text(encoding="utf-8")
    published = [line for line in page.splitlines() if line.startswith("|")][2:]
    assert published == [f"| {' | '.join(rule.row())} |" for rule in RULES]
