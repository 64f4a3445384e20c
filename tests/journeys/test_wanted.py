"""Records as they are wanted, from the command line and for what they are wanted for: fairness, and a rare outcome."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semblance as sb
from semblance.core.estimate import Estimate, difference, folded, wilson
from tests.journeys.cohort import Ran, semblance, semblance_otherwise
from tests.modalities.table.wanted.exact import cohort

COLUMNS = ("--config", "fast.toml", "--subject", "pid", "--target", "outcome", "--yes")
ASKED = (*COLUMNS, "--time-budget", "3s", "--rows", "200")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "copula", "--given", "sex=F"), "only a generator that samples with given values can"),
        (("--given", "sex"), "COLUMN=WHAT"),
        (("--quota", "sex=F:.5,M:.4"), "shares sum to 1"),
        (("--given", "ward=kuru-canary"), "one of cardiology, oncology, surgery"),
        (("--given", "height=180", "--quota", "age=18..60:.5,50..90:.5"), "a column is named as in the data"),
        (("--fair-on", "sex", "--fairness", "equal"), "one of parity, odds"),
        (("--shift", "age=nan"), "--shift age=+10 --shift diabetes=yes:2"),
    ],
)
def test_what_cannot_be_had_is_told_before_anything_is_learned(place: Path, words: tuple[str, ...], said: str) -> None:
    ran = semblance("synth", "patients.csv", "-o", "RUN", *ASKED, *words, "--json", cwd=place)
    assert ran.code == 2, ran.out + ran.err
    assert said in ran.out
    assert '"fit"' not in ran.err
    assert not (place / "RUN").exists() and not (place / "RUN.work").exists()


@pytest.fixture(scope="module")
def women(place: Path) -> Ran:
    words = ("--given", "sex=F", "--given", "age=40..70", "--quota", "outcome=balanced")
    return semblance("synth", "patients.csv", "-o", "women", *ASKED, *words, "--json", cwd=place)


def test_a_run_makes_what_was_asked_and_its_report_and_config_say_so(place: Path, women: Ran) -> None:
    assert women.code in (0, 5, 6), women.err
    made = pd.read_csv(place / "women" / "synthetic.csv")
    assert (made["sex"] == "F").all() and made["age"].between(40, 70).all() and made["outcome"].sum() == 100
    subject = json.loads((place / "women" / "report.json").read_text())["subject"]
    assert subject["wanted"]["given"] == {"sex": "F", "age": {"from": "40", "to": "70"}}
    assert json.loads(women.out)["wanted"] == subject["wanted"]
    assert 0 < subject["sampling"]["probability"] < 1
    assert "by intention" in (place / "women" / "report.html").read_text()
    kept = tomllib.loads((place / "women" / "config.toml").read_text())["synth"]
    assert (kept["given"], kept["quota"]) == ({"sex": "F", "age": "40..70"}, {"outcome": "balanced"})


@pytest.mark.slow
def test_a_saved_config_asks_for_the_same_again(place: Path, women: Ran) -> None:
    words = ("--config", "women/config.toml", "--yes")
    again = semblance_otherwise("synth", "patients.csv", "-o", "more", *words, cwd=place)
    assert again.code == women.code
    assert (place / "more" / "synthetic.csv").read_bytes() == (place / "women" / "synthetic.csv").read_bytes()


@pytest.mark.slow
def test_a_disparity_of_25_points_falls_to_at_most_5_with_its_interval() -> None:
    frame = cohort(6000)
    model = sb.fit(sb.read(frame, target="died"), model="autoregressive", plan={"steps": 600})

    def gap(made: pd.DataFrame) -> Estimate:
        """How far the outcome rates of two groups are apart."""
        died = [(made.loc[made["race"] == group, "died"] == "yes") for group in "BA"]
        return folded(difference(*(wilson(int(d.sum()), len(d)) for d in died)))

    assert gap(frame).low > 0.2 and gap(model.sample(20_000)).low > 0.2
    assert gap(model.sample(20_000, fair_on=["race"])).high <= 0.05


@pytest.mark.slow
def test_fifty_positives_are_augmented_to_a_better_classifier(shared_data: Path) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import average_precision_score

    board = pd.read_csv(shared_data / "tables" / "adult.csv.gz").drop(columns="fnlwgt")
    rich = board["income"] == " >50K"

    def precision(train: pd.DataFrame, test: pd.DataFrame) -> float:
        both = pd.concat([train, test]).drop(columns="income")
        named = {c: both[c].astype("category") for c in both.select_dtypes(exclude="number")}
        both = both.assign(**named)
        tree = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=0)
        tree.fit(both[: len(train)], train["income"] == " >50K")
        return float(average_precision_score(test["income"] == " >50K", tree.predict_proba(both[len(train) :])[:, 1]))

    lifts = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        few, many = (rng.permutation(np.flatnonzero(rich == value)) for value in (True, False))
        train = board.iloc[[*few[:50], *many[:450]]]
        test = board.iloc[[*few[1000:2333], *many[10_000:22_000]]]
        model = sb.fit(sb.read(train, target="income"), model="autoregressive", plan={"steps": 600})
        more = model.sample(400, given={"income": " >50K"})
        lifts.append(precision(pd.concat([train, more]), test) - precision(train, test))
    assert np.mean(lifts) > 0.02
    assert sum(lift > 0 for lift in lifts) >= 4
