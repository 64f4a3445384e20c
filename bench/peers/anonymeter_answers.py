"""Anonymeter's answers to the cases of bench/oracles.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from anonymeter.evaluators.inference_evaluator import evaluate_inference_guesses
from anonymeter.neighbors.mixed_types_kneighbors import gower_distance
from anonymeter.stats.confidence import EvaluationResults, residual_success, success_rate
from answering import serve

LEVEL = 0.95


def answer(cases: dict[str, Any]) -> None:
    """Wilson's centre and half-width, the residual risk with its error, and what it takes for right."""
    for case in cases["rates"]:
        rate = success_rate(case["n"], case["hits"], LEVEL)
        case["centre"], case["error"] = rate.value, rate.error
    for case in cases["residuals"]:
        rates = [success_rate(case["n"], case[side], LEVEL) for side in ("hits", "control")]
        found = residual_success(*rates)
        risk = EvaluationResults(case["n"], case["hits"], 0, case["control"], LEVEL).risk()
        case["value"], case["error"], case["risk"] = found.value, found.error, risk.value
    guesses(cases["wrong"]["guesses"])
    missing(cases["wrong"]["missing"])


def guesses(case: dict[str, Any]) -> None:
    """Whether guesses that are far off count as right."""
    guess, secret = pd.Series(case["guess"]), pd.Series(case["secret"])
    case["right"] = evaluate_inference_guesses(guess, secret, regression=True).tolist()


def missing(case: dict[str, Any]) -> None:
    """The distance of a record with a missing value to itself."""
    a, b = (np.array(case[side], dtype=float) for side in ("a", "b"))
    case["distance"] = float(gower_distance(a, b, len(a)))


if __name__ == "__main__":
    serve("anonymeter", answer)
