"""Meaningful identity disclosure (El Emam, Mosquera and Bass 2020, JMIR 22(11):e23139): matched, and something learned.

With I whether a patient's known combination stands among the synthetic records, R whether the record drawn from there
teaches something new, f and F the patients with that combination in the sample of n and the population of N:

    max( 1/N  sum I R lambda / f  (population to sample),   1/n  sum I R lambda / F  (sample to population) )

What had to be assumed: the population is all patients given, train and holdout, which is the smallest that it can be
and so gives the largest risk. `lambda` is (1 + v (1 - e)^k) / 2 for k known columns, with the published averages: such
attackers verified the share v = .23 of their matches, and e = .0426 of the values were wrong. A number teaches
something if the record is within 1.48 median absolute deviations of the truth (all values are one cluster), a category
if it is right and fewer than half of train have it; R needs 5 % of the secrets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from semblance.core.dataset import Evidence, Part
from semblance.core.estimate import Estimate, mean
from semblance.core.judge import measures
from semblance.core.report import Finding
from semblance.core.rng import stream
from semblance.evaluate.disclosure.known import coded, drawn, keys, known, secrets
from semblance.evaluate.disclosure.victims import too_few, victims

METRIC = "privacy.identity"
PATIENTS = {"fast": 2_000, "standard": 20_000, "audit": 100_000}
REAL: tuple[Part, ...] = ("train", "holdout")
VERIFIED = 0.23
WRONG = 0.0426
NEW = 0.05  # of the secrets
DEVIATIONS = 1.48  # median absolute deviations: one standard deviation of a normal distribution


@measures(METRIC)
def identity(evidence: Evidence[Any]) -> tuple[Finding, ...]:
    """The risk of train patients, the larger of the two terms; control: the same of as many holdout patients."""
    if reason := too_few(evidence):
        return (_finding(status="insufficient", reason=reason),)
    if not (known(evidence) and secrets(evidence)):
        return (_finding(status="not_applicable", reason="no column is left to be learned"),)
    found = victims(evidence, PATIENTS[evidence.tier])
    made, real = _risk(evidence, "train", found.member), _risk(evidence, "holdout", found.outsider)
    names = evidence.features("train").names
    detail = {
        "known": [names[j] for j in known(evidence)],
        "population_to_sample": made[0].value,
        "sample_to_population": made[1].value,
    }
    estimate, control = (max(terms, key=lambda term: term.value) for terms in (made, real))
    return (_finding(estimate=estimate, control=control, detail=detail),)


def _risk(evidence: Evidence[Any], part: Part, rows: np.ndarray) -> tuple[Estimate, Estimate]:
    """The two terms for the patients `rows` of a part."""
    mine, made, everybody = _keyed(evidence, part, rows)
    where = drawn(mine, made, rng=stream(evidence.seed, "identity", part))
    learned, matched = np.zeros(len(rows), dtype=bool), where >= 0
    learned[matched] = _new(evidence, part, rows[matched], where[matched])
    sure = (1 + VERIFIED * (1 - WRONG) ** len(known(evidence))) / 2
    return terms(mine, everybody, sure * learned)


def terms(mine: np.ndarray, everybody: np.ndarray, learned: np.ndarray) -> tuple[Estimate, Estimate]:
    """Population to sample, sample to population: combinations (n,) and (N,), and I R lambda (n,) of each patient."""
    sample, population = (np.bincount(side, minlength=mine.max() + 1)[mine] for side in (mine, everybody))
    population = np.maximum(population, sample)  # of a patient with several records another one may have been counted
    return _mean(len(mine) / len(everybody) * learned / sample), _mean(learned / population)


def _mean(risk: np.ndarray) -> Estimate:
    """Mean of risks 0 to 1, its interval never narrower than the rule of three: of n patients without a risk seen, 3/n
    may have one (Hanley and Lippman-Hand 1983), the largest that was seen."""
    made = mean(risk)
    most = float(risk.max(initial=0.0)) or 1.0
    high = max(made.high, made.value + 3 * most / len(risk))
    return replace(made, low=max(made.low, 0.0), high=min(high, 1.0))


def _keyed(evidence: Evidence[Any], part: Part, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The combinations of what is known of the patients, of the synthetic records, of one record of everybody."""
    people = [coded(evidence, side)[np.unique(getattr(evidence, side).subjects, return_index=True)[1]] for side in REAL]
    sides = [coded(evidence, part)[rows], coded(evidence, "synthetic"), np.concatenate(people)]
    mine, made, everybody = np.split(
        keys(np.concatenate(sides), known(evidence)), np.cumsum([len(side) for side in sides])[:-1]
    )
    return mine, made, everybody


def _new(evidence: Evidence[Any], part: Part, rows: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(n,) whether the synthetic records `where` teach something about the patients `rows`."""
    train, hidden = evidence.features("train"), list(secrets(evidence))
    truth, guess = evidence.features(part).x[rows][:, hidden], evidence.features("synthetic").x[where][:, hidden]
    reach = DEVIATIONS * np.array([deviation(train.x[:, j]) for j in hidden])
    right = np.where(train.categorical[hidden], guess == truth, np.abs(guess - truth) <= reach)
    right |= np.isnan(guess) & np.isnan(truth)
    common = np.stack([_majority(train.x[:, j], truth[:, k]) for k, j in enumerate(hidden)], axis=1)
    told = right & ~(common & (train.categorical[hidden] | np.isnan(truth)))
    new: np.ndarray = told.sum(axis=1) >= max(NEW * len(hidden), 1)
    return new


def deviation(column: np.ndarray) -> float:
    """The median absolute deviation of what is not missing."""
    present = column[~np.isnan(column)]
    return float(np.median(np.abs(present - np.median(present)))) if len(present) else 0.0


def _majority(column: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Whether half or more of the column have the value of each; missing is a value."""
    names, count = np.unique(column, return_counts=True)
    top = names[np.argmax(count)]
    if 2 * count.max() < len(column):
        return np.zeros(len(values), dtype=bool)
    same: np.ndarray = np.isnan(values) if np.isnan(top) else values == top
    return same


def _finding(**fields: Any) -> Finding:
    meaning = (
        "Chance that a patient is matched with a synthetic record that also teaches something about the patient "
        "(0 never, 1 always; .09 is the level that regulators accept)."
    )
    return Finding(METRIC, "Identity disclosure", "privacy", meaning=meaning, **fields)
