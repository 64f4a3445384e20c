from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference, selection_rate

from semblance import catalog
from semblance.core.dataset import Evidence
from semblance.core.rng import stream
from semblance.evaluate.fairness.decisions import Decided, Trial, decide, decisions, labels
from semblance.evaluate.fairness.groups import Groups
from semblance.evaluate.fairness.rates import Attribute, Resampled
from tests.contracts.samples import WEIRD, table


def cohort(n: int, seed: int, *, bias: float = 0.0) -> pd.DataFrame:
    """An outcome that a marker predicts; `bias` raises it for women and lowers it for men."""
    rng = stream(seed, "fair")
    sex, marker = rng.choice(["F", "M"], n), rng.normal(size=n)
    logit = 1.5 * marker - 0.5 + bias * np.where(sex == "F", 1, -1)
    return pd.DataFrame({"sex": sex, "marker": marker, "died": rng.random(n) < 1 / (1 + np.exp(-logit))})


def evidence(synthetic: pd.DataFrame, n: int = 4000, **more) -> Evidence:
    parts = (table(part, target="died") for part in (cohort(n, 0), cohort(n, 1), synthetic))
    return Evidence(*parts, catalog.modality("table"), **more)


def trial(n: int = 3000, seed: int = 0) -> tuple[Trial, np.ndarray]:
    rng = stream(seed, "trial")
    group, outcome = rng.integers(0, 4, n), (rng.random(n) < 0.4).astype(float)
    one = Attribute(Groups("g", (), ()), (group[:, None] == np.arange(4)).astype(float))
    scores = {"synthetic": outcome + 0.3 * group + rng.normal(size=n)}
    resampled = Resampled.of(np.arange(n), rng=rng)
    return Trial((one,), resampled, np.arange(n), outcome, scores, "y"), group


def test_gaps_are_fairlearns():
    made, group = trial()
    decided = made.decided("synthetic")
    told = {"sensitive_features": group}
    assert made.gaps(decided.parity())[0, 0] == pytest.approx(
        demographic_parity_difference(made.outcome, decided.chosen, **told)
    )
    assert made.gaps(decided.odds())[0, 0] == pytest.approx(
        equalized_odds_difference(made.outcome, decided.chosen, **told)
    )
    assert decided.chosen.sum() == made.outcome.sum()
    assert selection_rate(made.outcome, decided.chosen) == pytest.approx(made.outcome.mean())


def test_precision_is_that_of_the_chosen():
    decided = Decided(np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 1, 0]))
    ((hits, among),) = decided.predictive()
    assert (hits * among).sum() / among.sum() == 0.5


def test_the_chosen_are_as_many_as_have_the_outcome():
    made = decide(np.array([0.1, 0.9, 0.5, 0.5]), np.array([0, 1, 1, 0]))
    assert made.chosen.tolist() == [0, 1, 1, 0]


def by_metric(findings):
    return {f.metric: f for f in findings}


def test_a_fresh_sample_amplifies_nothing_and_a_biased_one_is_found():
    fresh = evidence(cohort(4000, 2))
    fair = by_metric((*decisions(fresh), *labels(fresh)))
    for metric in ("fairness.amplification.data", "fairness.amplification.model"):
        assert fair[metric].estimate.low <= fair[metric].control.high
        assert fair[metric].estimate.value - fair[metric].control.value < 0.05
    biased = evidence(cohort(4000, 2, bias=0.7))
    unfair = by_metric((*decisions(biased), *labels(biased)))
    assert unfair["fairness.amplification.data"].estimate.low > 0.15
    assert unfair["fairness.amplification.model"].estimate.low > 0.1
    assert unfair["fairness.amplification.data"].detail["attributes"][0]["attribute"] == "sex"


def test_a_group_whose_records_teach_nothing_loses_prediction():
    spoilt = cohort(4000, 2)
    women = (spoilt["sex"] == "F").to_numpy()
    spoilt.loc[women, "died"] = stream(3).permutation(spoilt.loc[women, "died"].to_numpy())
    found = by_metric(decisions(evidence(spoilt)))["fairness.subgroup_utility"]
    assert found.estimate.low > 0.05
    assert found.detail["groups"][0]["group"] == "sex = F"
    assert abs(found.control.value) < 0.03


def test_a_group_that_is_gone_closes_no_gap():
    biased = cohort(4000, 2, bias=0.7)
    men = by_metric(labels(evidence(biased[biased["sex"] == "M"])))["fairness.amplification.data"]
    assert men.status == "insufficient" and men.estimate is None
    third = [
        part.assign(sex=np.where(np.arange(len(part)) % 5 == 0, "X", part["sex"])) for part in (cohort(4000, 0), biased)
    ]
    parts = [table(part, target="died") for part in (third[0], third[0], third[1][third[1]["sex"] != "X"])]
    rest = by_metric(labels(Evidence(*parts, catalog.modality("table"))))["fairness.amplification.data"]
    assert rest.estimate.low > 0.15
    assert rest.detail["absent"] == ["sex = X"]


def test_no_rate_is_no_gap_and_no_pass():
    few = cohort(400, 0).assign(died=np.arange(400) % 11 == 0)
    parts = [table(few, target="died")] * 3
    found = by_metric(decisions(Evidence(*parts, catalog.modality("table"), tier="fast")))
    assert found["fairness.parity"].status == "measured"  # all 400 can be selected
    assert found["fairness.predictive"].status == "insufficient"  # 37 are: no two groups of 30


def test_repeated_records_count_as_one_patient():
    made, _ = trial(500)
    twice = replace(made, resampled=Resampled.of(np.repeat(np.arange(250), 2), rng=stream(0)))
    assert twice.resampled.weights.shape[1] == 250


@pytest.mark.parametrize("judge", [decisions, labels])
@pytest.mark.parametrize("name", WEIRD)
def test_weird_tables_are_no_crash(judge, name):
    whole = WEIRD[name]()
    findings = judge(Evidence(whole, whole, whole, catalog.modality("table"), tier="fast"))
    assert {f.status for f in findings} <= {"measured", "not_applicable", "insufficient"}


def test_a_gap_in_any_class_of_the_outcome_is_found():
    """Of three classes, bias between the two frequent ones leaves the rarest as it was."""

    def staged(seed: int, *, turned: float = 0.0) -> pd.DataFrame:
        frame, rng = cohort(4000, seed), stream(seed, "staged")
        stage = rng.choice(["low", "middle", "high"], 4000, p=[0.5, 0.4, 0.1])
        women, turn = (frame["sex"] == "F").to_numpy(), rng.random(4000) < turned
        stage = np.where(turn & women & (stage == "low"), "middle", stage)
        return frame.assign(died=np.where(turn & ~women & (stage == "middle"), "low", stage))

    def judged(synthetic: pd.DataFrame):
        parts = (table(part, target="died") for part in (staged(0), staged(1), synthetic))
        (finding,) = labels(Evidence(*parts, catalog.modality("table")))
        return finding

    fresh, biased = judged(staged(2)), judged(staged(2, turned=0.3))
    assert fresh.estimate.value - fresh.control.value < 0.05
    assert biased.estimate.low > 0.15
    assert biased.detail["attributes"][0]["attribute"].startswith("sex: died = ")
