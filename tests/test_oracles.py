"""Our numbers beside the peers' on the same small inputs: equal where a peer is right, different where it errs.

The answers in tests/oracles were given by the peers themselves, in environments of their own (python -m bench.oracles).
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from semblance.core.estimate import wilson
from semblance.core.promise import Noise, Steps
from semblance.evaluate.disclosure.authenticity import authenticity
from semblance.evaluate.disclosure.risk import residual
from semblance.evaluate.disclosure.space import gaps, right
from semblance.evaluate.fidelity.coverage import BLOCKS, Clouds, K, covered, density, tally
from semblance.modalities.table.metrics.columns import shape
from semblance.modalities.table.metrics.correlation import correlation
from semblance.modalities.table.metrics.pairs import pairs
from semblance.privacy.accountant import epsilon_of, epsilon_of_rho
from tests.conftest import ROOT
from tests.modalities.table.metrics.drawn import framed

approx = partial(pytest.approx, abs=1e-9)


def told(peer: str) -> dict[str, Any]:
    return json.loads((ROOT / "tests" / "oracles" / f"{peer}.json").read_text())


SIDES = ("real", "synthetic")
SDMETRICS, ANONYMETER, PRDC, OPACUS = map(told, ("sdmetrics", "anonymeter", "prdc", "opacus"))


def between(case: dict[str, Any]) -> Any:
    """Evidence whose train and holdout are the case's real side, in one column or two."""
    real, synthetic = (pd.DataFrame(np.array(case[side]).reshape(len(case[side]), -1)) for side in SIDES)
    return framed(*(frame.rename(columns={0: "x", 1: "y"}) for frame in (real, real, synthetic)))


@pytest.mark.parametrize("name", SDMETRICS["numbers"])
def test_the_kolmogorov_distance_of_numbers_is_that_of_sdmetrics(name):
    case = SDMETRICS["numbers"][name]
    (finding,) = shape(between(case))
    assert finding.estimate.value == approx(1 - case["score"])


@pytest.mark.parametrize("name", SDMETRICS["categories"])
def test_the_total_variation_of_categories_is_that_of_sdmetrics(name):
    case = SDMETRICS["categories"][name]
    (finding,) = shape(between(case))
    assert finding.estimate.value == approx(1 - case["score"])


def test_the_joint_table_of_two_categories_is_as_far_as_sdmetrics_says():
    (case,) = SDMETRICS["tables"].values()
    (finding,) = pairs(between(case))
    assert finding.estimate.value == pytest.approx(1 - case["score"], abs=1e-6)


def test_the_difference_of_pearsons_coefficients_is_that_of_sdmetrics():
    (case,) = SDMETRICS["correlations"].values()
    (finding,) = correlation(between(case))
    assert finding.detail["kinds"]["pearson"] == pytest.approx(2 * (1 - case["score"]), abs=1e-3)


def test_a_number_that_was_moved_far_away_does_not_pass_as_sdmetrics_lets_it():
    """It cuts each side at edges of its own, so that 100 x + 5000 has the same trends as x."""
    case = SDMETRICS["wrong"]["own edges"]
    assert case["score"] == 1.0
    real, synthetic = (pd.DataFrame({"x": case[side], "group": case["group"]}) for side in SIDES)
    (finding,) = pairs(framed(real, real, synthetic))
    assert finding.estimate.value > 0.8


def test_ties_count_half_for_each_side():
    """SDMetrics gives every tie to the holdout, so records of train itself never seem close to train."""
    case = SDMETRICS["wrong"]["ties"]
    assert case["closer to training"] == 0.0
    found = {finding.metric: finding for finding in authenticity(between(case))}
    assert found["privacy.distance"].estimate.value == 0.5


def test_a_copy_is_seen_because_all_of_train_is_searched():
    """Where train is sampled as well, as SDMetrics does, a copy's source is mostly gone: guessing finds as much."""
    case = SDMETRICS["wrong"]["subsampled"]
    assert case["closer to training"] < 0.6
    train, holdout = (pd.DataFrame({"x": case[side]}) for side in ("real", "holdout"))
    found = {finding.metric: finding for finding in authenticity(framed(train, holdout, train))}
    assert found["privacy.authenticity"].estimate.value == 0.0


@pytest.mark.parametrize("case", ANONYMETER["rates"], ids=lambda case: f"{case['hits']} of {case['n']}")
def test_wilsons_interval_is_that_of_anonymeter(case):
    found = wilson(case["hits"], case["n"])
    assert (found.low, found.high) == approx((case["centre"] - case["error"], case["centre"] + case["error"]))


@pytest.mark.parametrize("case", ANONYMETER["residuals"], ids=lambda case: str(case["control"]))
def test_the_residual_risk_of_many_attacks_is_that_of_anonymeter(case):
    """With many attacks its shrunken shares are the shares, and its linear error is ours; a risk below 0 is kept."""
    found = residual(wilson(case["hits"], case["n"]), wilson(case["control"], case["n"]))
    assert found.value == pytest.approx(case["value"], abs=1e-5)
    assert (found.high - found.low) / 2 == pytest.approx(case["error"], rel=1e-2)
    assert case["risk"] == max(0.0, case["value"])


def test_a_guess_far_below_a_secret_is_wrong():
    """Anonymeter divides by the signed guess, so that every negative guess is right."""
    case = ANONYMETER["wrong"]["guesses"]
    assert all(case["right"])
    guess, secret = (np.array(case[side])[:, None] for side in ("guess", "secret"))
    assert not right(guess, secret, np.array([False]), np.array([10.0])).any()


def test_two_records_that_miss_the_same_value_are_not_apart():
    case = ANONYMETER["wrong"]["missing"]
    assert case["distance"] == 1.0
    a, b = (np.array(case[side], dtype=float) for side in ("a", "b"))
    assert gaps(a, b, np.zeros(2, dtype=bool), np.ones(2)).sum() == 0.0


@pytest.mark.parametrize("name", PRDC["clouds"])
def test_precision_recall_density_and_coverage_are_those_of_prdc(name):
    case = PRDC["clouds"][name]
    real, made = (np.array(case[side]) for side in SIDES)
    own = [np.sort(cdist(side, side), axis=1) for side in (real, made)]
    blocks = [np.arange(len(side)) % BLOCKS for side in (real, made)]
    both = Clouds(real, made, *blocks, own[0][:, 1], own[0][:, K], own[1][:, K], units=len(real))
    found = tally(both)
    ours = {"precision": found.inside.mean(), "recall": found.caught.mean()}
    ours |= {"density": density(both, found, -1), "coverage": covered(both, found, -1)}
    assert ours == approx(case["answer"])


@pytest.mark.parametrize("case", OPACUS["gaussian"])
def test_epsilon_is_that_of_opacus_and_below_that_of_rho_alone(case):
    said = OPACUS["gaussian"][case]
    noises = [Noise(sigma, 1, count) for sigma, count in said["noises"]]
    ours = epsilon_of(noises, delta=said["delta"])
    # Noise on whole numbers is that of the reals but for rounding; ours is an upper bound, so it may be a little above.
    assert -2 * said["error"] <= ours - said["answer"] <= 0.01 * said["answer"] + said["error"]
    assert ours < epsilon_of_rho(sum(noise.rho for noise in noises), delta=said["delta"])


@pytest.mark.parametrize("case", OPACUS["steps"])
def test_epsilon_of_steps_on_samples_is_within_the_bounds_of_opacus(case):
    """Its answer is the upper end of an interval as wide as twice its error; ours is an upper bound as well."""
    said = OPACUS["steps"][case]
    ours = epsilon_of([Steps(*said["steps"])], delta=said["delta"])
    assert said["answer"] - 2 * said["error"] <= ours <= 1.005 * said["answer"]
